/* What a shim is in the midst of, in memory that outlives it: its guard has it, too, and so has the
 * drctl that started it. A shim that is killed has perhaps taken output from a pipe and not logged
 * it yet, or not all of it. So each step is noted before it is taken, and committed after it: a
 * successor undoes what was not committed (it cuts the log back) and takes the step again, which
 * gives the same bytes again.
 *
 * A read cannot be noted in the instant in which it happens. So a mark is put where its last bytes
 * will be: when they have replaced it, the read has happened. The mark's bytes occur in no UTF-8
 * text. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/memory.h"
#include "shim.h"

enum {
    STATE_MARK_BYTES = 8,
    STATE_HELD_BYTES = 32 * 1024, /* of the beginning of a secret; a longer one may be lost */
};

enum step { STEP_NONE, STEP_READ, STEP_TAKE, STEP_FLUSH };
enum { SLOT_MASK = 3, STEP_SHIFT = 2 };

struct saved_stream {
    size_t held_bytes;
    size_t line_bytes;
    int64_t at_ns;
    struct redact_stream redact;
    char held[STATE_HELD_BYTES];
    char line[SHIM_TEXT_BYTES];
};

/* All that a successor cannot find out otherwise. */
struct slot {
    struct shim_log_place log;
    struct saved_stream streams[2];
};

struct shim_state {
    /* The committed slot (1 or 2; 0: there is none) and, shifted, the step that is being taken. One
     * word, since a step ends in the instant in which its outcome is committed. */
    uint32_t word;
    int index; /* of the stream that is read */
    char mark[STATE_MARK_BYTES];
    size_t mark_bytes;
    struct shim_batch batch;
    struct slot slots[2];
};

_Static_assert(sizeof(struct shim_state) <= SHIM_STATE_BYTES, "the state must fit before the spec");

struct shim_state *shim_state_map(void)
{
    void *memory =
        mmap(NULL, sizeof(struct shim_state), PROT_READ | PROT_WRITE, MAP_SHARED, SHIM_SPEC_FD, 0);
    return memory != MAP_FAILED ? memory : memory_new(1, sizeof(struct shim_state));
}

static void set_word(struct shim_state *state, uint32_t slot, enum step step)
{
    __atomic_store_n(&state->word, slot | (uint32_t)step << STEP_SHIFT, __ATOMIC_SEQ_CST);
}

static void set_step(struct shim_state *state, enum step step)
{
    set_word(state, state->word & SLOT_MASK, step);
}

void shim_state_begin(struct shim_state *state)
{
    set_word(state, 1, STEP_NONE);
}

struct shim_batch *shim_state_begin_read(struct shim_state *state, int index, size_t expected_bytes)
{
    struct shim_batch *batch = &state->batch;
    size_t size_bytes = expected_bytes < SHIM_BATCH_BYTES ? expected_bytes : SHIM_BATCH_BYTES;
    set_step(state, STEP_NONE);
    if (state->mark[0] == 0 && getrandom(state->mark, STATE_MARK_BYTES, GRND_NONBLOCK) >= 0) {
        for (int i = 0; i < STATE_MARK_BYTES; i++) {
            state->mark[i] = (char)(state->mark[i] | 0xf8);
        }
    }
    state->mark_bytes = size_bytes < STATE_MARK_BYTES ? size_bytes : STATE_MARK_BYTES;
    memcpy(batch->bytes + size_bytes - state->mark_bytes, state->mark, state->mark_bytes);
    batch->size_bytes = size_bytes;
    state->index = index;
    set_step(state, STEP_READ);
    if (size_bytes == 0) { /* most likely its end */
        batch->size_bytes = 1;
    }
    return batch;
}

void shim_state_end_read(struct shim_state *state, size_t size_bytes)
{
    state->batch.size_bytes = size_bytes;
    state->batch.at_ns = clock_wall_ns();
    set_step(state, STEP_TAKE);
}

void shim_state_begin_flush(struct shim_state *state)
{
    set_step(state, STEP_FLUSH);
}

static void save_stream(struct saved_stream *saved, const struct shim_stream *stream)
{
    saved->held_bytes = stream->input.size_bytes <= STATE_HELD_BYTES ? stream->input.size_bytes : 0;
    saved->line_bytes = stream->line.size_bytes;
    saved->at_ns = stream->at_ns;
    saved->redact = stream->redact;
    memcpy(saved->held, buffer_text(&stream->input), saved->held_bytes);
    memcpy(saved->line, buffer_text(&stream->line), saved->line_bytes);
}

void shim_state_commit(struct shim *shim)
{
    struct shim_state *state = shim->state;
    uint32_t number = (state->word & SLOT_MASK) == 1 ? 2 : 1;
    struct slot *slot = &state->slots[number - 1];
    slot->log = shim->log.at;
    save_stream(&slot->streams[0], &shim->streams[0]);
    save_stream(&slot->streams[1], &shim->streams[1]);
    set_word(state, number, STEP_NONE);
}

/* --- the successor --- */

static void restore_stream(const struct saved_stream *saved, struct shim_stream *stream)
{
    buffer_clear(&stream->input);
    buffer_clear(&stream->line);
    buffer_append(&stream->input, saved->held, saved->held_bytes);
    buffer_append(&stream->line, saved->line, saved->line_bytes);
    stream->redact = saved->redact;
    shim_stream_stamp(stream, saved->at_ns);
}

/* The step that is to be taken again. */
static enum step find_step(struct shim_state *state)
{
    enum step step = (enum step)(state->word >> STEP_SHIFT);
    const struct shim_batch *batch = &state->batch;
    if (step != STEP_READ) {
        return step;
    }
    if (state->mark_bytes == 0 || memcmp(batch->bytes + batch->size_bytes - state->mark_bytes,
                                         state->mark, state->mark_bytes) == 0) {
        return STEP_NONE; /* it is still in the pipe */
    }
    shim_state_end_read(state, batch->size_bytes);
    return STEP_TAKE;
}

int shim_state_resume(struct shim *shim)
{
    struct shim_state *state = shim->state;
    uint32_t number = state->word & SLOT_MASK;
    buffer_clear(&shim->log.pending);
    if (number != 1 && number != 2) {
        int result = shim_log_reopen(&shim->log);
        shim_state_commit(shim);
        return result;
    }
    const struct slot *slot = &state->slots[number - 1];
    int result = shim_log_rewind(&shim->log, &slot->log);
    restore_stream(&slot->streams[0], &shim->streams[0]);
    restore_stream(&slot->streams[1], &shim->streams[1]);
    enum step step = find_step(state);
    if (step == STEP_TAKE) {
        shim_stream_take(&shim->streams[state->index & 1], &shim->spec.redactor, &state->batch);
        shim_state_commit(shim);
    } else if (step == STEP_FLUSH) {
        shim_streams_flush(shim);
    }
    return result;
}
