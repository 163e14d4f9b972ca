/* Text from outside: is it UTF-8, and can it be shown without giving the terminal orders? */
#ifndef DRCTL_BASE_TEXT_H
#define DRCTL_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/span.h"

/* The byte offset of the first invalid UTF-8 sequence (RFC 3629: no surrogates, no overlong forms),
 * or the span's size when all is valid. */
size_t text_valid_utf8_prefix(struct span text);

/* Appends text so that it is safe on a terminal and in one line: escape sequences (ECMA-48 CSI, OSC
 * and the like) are dropped whole, though never beyond the end of their line; other control
 * characters, those that turn the direction of text, and invalid bytes appear as \xNN; tab stays.
 * Line feeds become \n when keep_lines is false. */
void text_append_safe(struct buffer *out, struct span text, bool keep_lines);

/* Line and column, from 1, of a byte offset; columns count characters. */
void text_position(struct span text, size_t offset_bytes, size_t *ret_line, size_t *ret_column);

#endif
