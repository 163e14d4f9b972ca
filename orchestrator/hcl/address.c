/* The grammar: name { "." name | "[" ( string | digits | "*" | name "=" string ) "]" }. A name is
 * an identifier as HCL has them; a string takes the escapes \" and \\. */
#include "hcl/address.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "hcl/identifier.h"

enum { STEP_LIMIT = 64, INDEX_DIGITS_LIMIT = 9 };

struct reader {
    const char *text;
    const char *at;
    struct error *err;
};

static int fail(struct reader *reader, const char *what)
{
    error_set(reader->err, ERROR_INVALID, "'%s' is not an address: %s at character %zu",
              reader->text, what, (size_t)(reader->at - reader->text) + 1);
    return error_hint(reader->err, "addresses look like region, azs[0], tags[\"a.b\"] or "
                                   "terraform.backend[\"s3\"].region");
}

static int read_name(struct reader *reader, char **ret_name)
{
    size_t length = identifier_length(span_of_text(reader->at));
    if (length == 0) {
        return fail(reader, "expected a name");
    }
    *ret_name = memory_text_n(reader->at, length);
    reader->at += length;
    return 0;
}

static int read_string(struct reader *reader, char **ret_text)
{
    struct buffer text = BUFFER_INIT;
    for (reader->at++; *reader->at != '"'; reader->at++) {
        if (*reader->at == '\\' && (reader->at[1] == '"' || reader->at[1] == '\\')) {
            reader->at++;
        }
        if (*reader->at == '\0') {
            buffer_release(&text);
            return fail(reader, "expected a closing quote");
        }
        buffer_append_char(&text, *reader->at);
    }
    reader->at++;
    *ret_text = buffer_take(&text);
    return 0;
}

static int read_index(struct reader *reader, struct hcl_step *step)
{
    size_t digits = strspn(reader->at, "0123456789");
    if (digits > INDEX_DIGITS_LIMIT) {
        return fail(reader, "the index is too large");
    }
    step->kind = HCL_STEP_INDEX;
    step->index = strtoul(reader->at, NULL, 10);
    reader->at += digits;
    return 0;
}

static int read_where(struct reader *reader, struct hcl_step *step)
{
    step->kind = HCL_STEP_WHERE;
    if (read_name(reader, &step->name) != 0) {
        return -1;
    }
    if (reader->at[0] != '=' || reader->at[1] != '"') {
        return fail(reader, "expected =\"value\"");
    }
    reader->at++;
    return read_string(reader, &step->value);
}

static int read_brackets(struct reader *reader, struct hcl_step *step)
{
    reader->at++;
    int result = 0;
    if (*reader->at == '"') {
        step->kind = HCL_STEP_NAME;
        result = read_string(reader, &step->name);
    } else if (*reader->at == '*') {
        step->kind = HCL_STEP_ALL;
        reader->at++;
    } else if (*reader->at >= '0' && *reader->at <= '9') {
        result = read_index(reader, step);
    } else {
        result = read_where(reader, step);
    }
    if (result == 0 && *reader->at++ != ']') {
        reader->at--;
        return fail(reader, "expected ]");
    }
    return result;
}

static int read_steps(struct reader *reader, struct hcl_address *address)
{
    while (*reader->at != '\0') {
        bool first = address->steps.count == 0;
        if (address->steps.count == STEP_LIMIT) {
            return fail(reader, "it is too long");
        }
        struct hcl_step *step = vector_grow(&address->steps);
        if (!first && *reader->at == '[') {
            if (read_brackets(reader, step) != 0) {
                return -1;
            }
            continue;
        }
        if (!first && *reader->at++ != '.') {
            reader->at--;
            return fail(reader, "expected . or [");
        }
        if (read_name(reader, &step->name) != 0) {
            return -1;
        }
    }
    return address->steps.count > 0 ? 0 : fail(reader, "expected a name");
}

int hcl_address_parse(const char *text, struct hcl_address *address, struct error *err)
{
    *address = (struct hcl_address){0};
    struct reader reader = {.text = text, .at = text, .err = err};
    if (read_steps(&reader, address) != 0) {
        hcl_address_release(address);
        return -1;
    }
    return 0;
}

void hcl_address_release(struct hcl_address *address)
{
    vector_each (struct hcl_step *, step, &address->steps) {
        free(step->name);
        free(step->value);
    }
    vector_release(&address->steps);
}
