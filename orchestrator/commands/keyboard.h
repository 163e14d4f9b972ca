/* Decisions that are typed at the terminal on which a run is watched: ANSWER when one step asks,
 * STEP ANSWER always. */
#ifndef DRCTL_COMMANDS_KEYBOARD_H
#define DRCTL_COMMANDS_KEYBOARD_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/error.h"
#include "view/fold.h"

struct keyboard {
    const struct fold *fold;
    const char *who;
    void *data;
    /* Sends a decision on its way. The caller frees *ret_text. */
    int (*decide)(void *data, const json_t *decision, char **ret_text, struct error *err);
    void (*notice)(void *data, const char *text);
    void (*entered)(void *data); /* a line was ended: the cursor is on the next one */
    /* From here on its own. */
    uv_tty_t terminal;
    bool open;
    struct buffer typed;
};

/* Whether a person can type and see: both stdin and stdout are terminals. */
bool keyboard_is_there(void);

/* Begins to listen when a keyboard is there. It does not keep the loop alive. */
void keyboard_open(struct keyboard *keyboard, uv_loop_t *loop);

/* Stops; may be called again. */
void keyboard_close(struct keyboard *keyboard);

/* After the loop has ended. */
void keyboard_release(struct keyboard *keyboard);

#endif
