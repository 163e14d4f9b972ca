/* The terminal may go away at any time; then nothing more is typed, and that is all. */
#include "commands/keyboard.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"

enum { READ_BYTES = 1024, TYPED_LIMIT_BYTES = 64 * 1024 };

bool keyboard_is_there(void)
{
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static const char *only_question(const struct fold *fold)
{
    const char *found = NULL;
    vector_each (const struct fold_step *, step, &fold->steps) {
        if (step->question != NULL) {
            if (found != NULL) {
                return NULL;
            }
            found = step->name;
        }
    }
    return found;
}

static void decide(const struct keyboard *keyboard, const char *step, const char *answer)
{
    if (step == NULL) {
        keyboard->notice(keyboard->data, "type an answer, or `STEP ANSWER` when several steps ask");
        return;
    }
    CLEANUP(json_cleanup)
    json_t *decision = json_pack("{s:s, s:s, s:s, s:s}", "verb", "answer", "step", step, "answer",
                                 answer, "who", keyboard->who);
    if (decision == NULL) {
        return; /* it was not UTF-8 */
    }
    struct error err = ERROR_INIT;
    char *text = NULL;
    if (keyboard->decide(keyboard->data, decision, &text, &err) != 0) {
        CLEANUP(memory_cleanup) char *message = error_format(&err);
        keyboard->notice(keyboard->data, message);
        error_release(&err);
    }
    free(text);
}

static void take_line(const struct keyboard *keyboard, char *line)
{
    static const char blanks[] = " \t\r";
    char *first = line + strspn(line, blanks);
    char *rest = first + strcspn(first, blanks);
    char *second = rest + strspn(rest, blanks);
    second[strcspn(second, blanks)] = '\0';
    *rest = '\0';
    if (*first == '\0') {
        return;
    }
    if (*second == '\0' || rest == second) {
        decide(keyboard, only_question(keyboard->fold), first);
    } else {
        decide(keyboard, first, second);
    }
}

static void allocate(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *ret_buffer)
{
    (void)suggested_bytes;
    struct keyboard *keyboard = handle->data;
    *ret_buffer = uv_buf_init(buffer_reserve(&keyboard->typed, READ_BYTES), READ_BYTES);
}

static void typed(uv_stream_t *stream, ssize_t size, const uv_buf_t *part)
{
    (void)part;
    struct keyboard *keyboard = stream->data;
    if (size < 0 || keyboard->typed.size_bytes > TYPED_LIMIT_BYTES) {
        keyboard_close(keyboard);
        return;
    }
    buffer_advance(&keyboard->typed, (size_t)size);
    char *end;
    while (keyboard->typed.size_bytes > 0 &&
           (end = memchr(keyboard->typed.data, '\n', keyboard->typed.size_bytes)) != NULL) {
        *end = '\0';
        size_t line_bytes = (size_t)(end - keyboard->typed.data);
        keyboard->entered(keyboard->data);
        take_line(keyboard, keyboard->typed.data);
        buffer_consume(&keyboard->typed, line_bytes + 1);
    }
}

void keyboard_open(struct keyboard *keyboard, uv_loop_t *loop)
{
    if (keyboard_is_there() && uv_tty_init(loop, &keyboard->terminal, STDIN_FILENO, 1) == 0) {
        keyboard->terminal.data = keyboard;
        keyboard->open = true;
        uv_read_start((uv_stream_t *)&keyboard->terminal, allocate, typed);
        uv_unref((uv_handle_t *)&keyboard->terminal);
    }
}

void keyboard_close(struct keyboard *keyboard)
{
    if (keyboard->open) {
        keyboard->open = false;
        uv_close((uv_handle_t *)&keyboard->terminal, NULL);
    }
}

void keyboard_release(struct keyboard *keyboard)
{
    buffer_release(&keyboard->typed);
}
