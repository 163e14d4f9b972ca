/* Whatever bytes a journal holds: no crash, and no altered journal is taken for a sound one. The
 * first byte chooses what the rest is:
 *
 *   'r'  a whole file
 *   'b'  the body of a first line, to which the right hash is added
 *   'm'  changes to a sound journal, three bytes each: where (two bytes) and what to XOR there
 *   'e'  an event as JSON: what the writer takes, the reader has to take, too */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "journal/line.h"
#include "journal/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* The number of events that verify; -1 for a damaged journal. */
static int read_all(struct span bytes)
{
    int descriptor = memfd_create("journal", MFD_CLOEXEC);
    struct journal_reader *reader;
    struct journal_event event;
    require(descriptor >= 0);
    require(file_write_all(descriptor, bytes.data, bytes.size_bytes, NULL) == 0);
    require(journal_reader_take(descriptor, "journal", &reader, NULL) == 0);
    int count = 0;
    int got;
    struct error err = ERROR_INIT;
    while ((got = journal_reader_next(reader, &event, &err)) == 1) {
        require(event.seq == (uint64_t)++count);
        require(event.type != NULL && json_get_text(event.json, "at") != NULL);
    }
    require(got == 0 || (err.code == ERROR_DAMAGED && err.line == (size_t)count + 1));
    require(got != 0 || journal_reader_tail(reader).offset_bytes <= bytes.size_bytes);
    error_release(&err);
    journal_reader_free(reader);
    return got == 0 ? count : -1;
}

static void read_body(struct span body)
{
    struct buffer line = BUFFER_INIT;
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(body, hash);
    buffer_append_span(&line, body);
    buffer_append_format(&line, ",\"hash\":\"%s\"}\n", hash);
    (void)read_all(buffer_span(&line));
    buffer_release(&line);
}

enum { SOUND_EVENTS = 4 };

static void write_sound(struct buffer *out)
{
    struct journal_chain chain;
    journal_chain_init(&chain);
    for (int i = 0; i < SOUND_EVENTS; i++) {
        json_t *event = json_pack("{s:s, s:i, s:[s,n]}", "type", "step.started", "n", i, "list",
                                  "J*\x1b\n", NULL);
        require(journal_line_write(&chain, event, INT64_C(1795348800000000000) + i, out, NULL) ==
                0);
        json_decref(event);
    }
}

static void alter(const uint8_t *data, size_t size)
{
    struct buffer sound = BUFFER_INIT;
    struct buffer altered = BUFFER_INIT;
    write_sound(&sound);
    buffer_append_span(&altered, buffer_span(&sound));
    for (size_t i = 0; i + 2 < size; i += 3) {
        size_t at = ((size_t)data[i] << 8 | data[i + 1]) % altered.size_bytes;
        altered.data[at] = (char)(altered.data[at] ^ data[i + 2]);
    }
    bool is_same = span_equals(buffer_span(&sound), buffer_span(&altered));
    require((read_all(buffer_span(&altered)) == SOUND_EVENTS) == is_same);
    buffer_release(&altered);
    buffer_release(&sound);
}

static void write_and_read(struct span text)
{
    json_t *event = json_parse(text, "event", NULL);
    struct journal_chain writing;
    struct journal_chain reading;
    struct buffer line = BUFFER_INIT;
    journal_chain_init(&writing);
    journal_chain_init(&reading);
    if (event != NULL && json_is_object(event) &&
        journal_line_write(&writing, event, INT64_C(1795348800000000000), &line, NULL) == 0) {
        json_t *read = journal_line_read(&reading, span_of(line.data, line.size_bytes - 1), NULL);
        require(read != NULL && strcmp(reading.prev, writing.prev) == 0);
        json_object_del(read, "prev");
        json_object_del(read, "hash");
        require(json_equal(read, event));
        json_decref(read);
    }
    buffer_release(&line);
    json_decref(event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct span rest = span_of((const char *)data + 1, size - 1);
    switch (data[0]) {
    case 'r':
        (void)read_all(rest);
        break;
    case 'b':
        read_body(rest);
        break;
    case 'm':
        alter(data + 1, size - 1);
        break;
    case 'e':
        write_and_read(rest);
        break;
    default:
        break;
    }
    return 0;
}
