/* c-ares has a parser for each type and loses what the others said; one walk over the answer
 * section serves all types. Names are expanded by c-ares, which knows compression and its traps. */
#include "net/dns_message.h"

#include <ares.h>
#include <ares_nameser.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/memory.h"

enum {
    HEADER_SIZE = 12,
    RECORD_SIZE = 10, /* type, class, TTL, length */
    QUESTION_SIZE = 4,
    CLASS_IN = 1,
    /* A UDP answer has some dozens; TCP's 64 KiB could hold 4,000 of the smallest. */
    RECORDS_MAX = 5000,
};

static const struct {
    const char *name;
    int number;
} types[] = {{"A", 1},   {"NS", 2},   {"CNAME", 5}, {"SOA", 6},   {"PTR", 12},
             {"MX", 15}, {"TXT", 16}, {"AAAA", 28}, {"SRV", 33},  {"NAPTR", 35},
             {"DS", 43}, {"SPF", 99}, {"CAA", 257}, {"SVCB", 64}, {"HTTPS", 65}};

int dns_type_number(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (strcasecmp(types[i].name, name) == 0) {
            return types[i].number;
        }
    }
    return -1;
}

const char *dns_rcode_name(int rcode)
{
    static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                        "NXDOMAIN", "NOTIMP",  "REFUSED"};
    return rcode >= 0 && (size_t)rcode < ARRAY_SIZE(names) ? names[rcode] : "an unusual rcode";
}

static char *type_name(int number)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (types[i].number == number) {
            return memory_text(types[i].name);
        }
    }
    return memory_format("TYPE%d", number);
}

struct reader {
    const unsigned char *message;
    size_t size_bytes;
    size_t at;
    struct error *err;
};

static int fail(struct reader *reader)
{
    return error_set(reader->err, ERROR_INVALID, "the DNS answer is damaged at byte %zu",
                     reader->at);
}

static unsigned read_16(const unsigned char *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

/* The name at the reader's place, with a dot at its end; NULL when it is damaged. */
static char *take_name(struct reader *reader)
{
    char *expanded = NULL;
    long taken = 0;
    if (reader->at >= reader->size_bytes ||
        ares_expand_name(reader->message + reader->at, reader->message, (int)reader->size_bytes,
                         &expanded, &taken) != ARES_SUCCESS) {
        fail(reader);
        return NULL;
    }
    char *name = memory_format("%s.", expanded);
    ares_free_string(expanded);
    reader->at += (size_t)taken;
    return name;
}

static void append_quoted(struct buffer *out, const unsigned char *bytes, size_t size_bytes)
{
    buffer_append_char(out, '"');
    for (size_t i = 0; i < size_bytes; i++) {
        unsigned char byte = bytes[i];
        if (byte == '"' || byte == '\\') {
            buffer_append_format(out, "\\%c", byte);
        } else if (byte < ' ' || byte > '~') {
            buffer_append_format(out, "\\%03o", byte);
        } else {
            buffer_append_char(out, (char)byte);
        }
    }
    buffer_append_char(out, '"');
}

static int append_texts(struct reader *reader, size_t end, struct buffer *out)
{
    while (reader->at < end) {
        size_t size_bytes = reader->message[reader->at];
        if (reader->at + 1 + size_bytes > end) {
            return fail(reader);
        }
        buffer_append_text(out, out->size_bytes != 0 ? " " : "");
        append_quoted(out, reader->message + reader->at + 1, size_bytes);
        reader->at += 1 + size_bytes;
    }
    return 0;
}

/* `numbers` 16-bit numbers, then a name: MX, SRV, and (with none) CNAME, NS, PTR. */
static int append_numbers_and_name(struct reader *reader, size_t end, size_t numbers,
                                   struct buffer *out)
{
    if (end - reader->at < 2 * numbers + 1) {
        return fail(reader);
    }
    for (size_t i = 0; i < numbers; i++) {
        buffer_append_format(out, "%u ", read_16(reader->message + reader->at));
        reader->at += 2;
    }
    CLEANUP(memory_cleanup) char *name = take_name(reader);
    if (name == NULL || reader->at != end) {
        return fail(reader);
    }
    buffer_append_text(out, name);
    return 0;
}

static int append_address(struct reader *reader, size_t size_bytes, int family, struct buffer *out)
{
    char text[INET6_ADDRSTRLEN];
    if (size_bytes != (family == AF_INET ? 4 : 16) ||
        inet_ntop(family, reader->message + reader->at, text, sizeof text) == NULL) {
        return fail(reader);
    }
    buffer_append_text(out, text);
    return 0;
}

static int append_caa(struct reader *reader, size_t size_bytes, struct buffer *out)
{
    const unsigned char *data = reader->message + reader->at;
    if (size_bytes < 2 || (size_t)data[1] + 2 > size_bytes) {
        return fail(reader);
    }
    buffer_append_format(out, "%u %.*s ", data[0], data[1], (const char *)data + 2);
    append_quoted(out, data + 2 + data[1], size_bytes - 2 - data[1]);
    return 0;
}

static void append_unknown(struct reader *reader, size_t size_bytes, struct buffer *out)
{
    buffer_append_format(out, "\\# %zu ", size_bytes);
    for (size_t i = 0; i < size_bytes; i++) {
        buffer_append_format(out, "%02x", reader->message[reader->at + i]);
    }
}

static int append_value(struct reader *reader, int type, size_t size_bytes, struct buffer *out)
{
    size_t end = reader->at + size_bytes;
    switch (type) {
    case 1:
        return append_address(reader, size_bytes, AF_INET, out);
    case 28:
        return append_address(reader, size_bytes, AF_INET6, out);
    case 2:
    case 5:
    case 12:
        return append_numbers_and_name(reader, end, 0, out);
    case 15:
        return append_numbers_and_name(reader, end, 1, out);
    case 33:
        return append_numbers_and_name(reader, end, 3, out);
    case 16:
    case 99:
        return append_texts(reader, end, out);
    case 257:
        return append_caa(reader, size_bytes, out);
    default:
        append_unknown(reader, size_bytes, out);
        return 0;
    }
}

static int take_record(struct reader *reader, struct dns_answer *answer)
{
    CLEANUP(memory_cleanup) char *name = take_name(reader);
    if (name == NULL || reader->size_bytes - reader->at < RECORD_SIZE) {
        return fail(reader);
    }
    const unsigned char *fixed = reader->message + reader->at;
    int type = (int)read_16(fixed);
    unsigned class = read_16(fixed + 2);
    int64_t ttl_s = (int64_t)read_16(fixed + 4) << 16 | read_16(fixed + 6);
    size_t size_bytes = read_16(fixed + 8);
    reader->at += RECORD_SIZE;
    if (size_bytes > reader->size_bytes - reader->at) {
        return fail(reader);
    }
    size_t end = reader->at + size_bytes;
    struct buffer value = BUFFER_INIT;
    if (class == CLASS_IN && append_value(reader, type, size_bytes, &value) != 0) {
        buffer_release(&value);
        return -1;
    }
    reader->at = end;
    if (class == CLASS_IN) {
        struct dns_record *record = vector_grow(&answer->records);
        record->name = name;
        record->type = type_name(type);
        record->ttl_s = ttl_s;
        record->value = buffer_take(&value);
        name = NULL;
    }
    return 0;
}

static int skip_questions(struct reader *reader, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        CLEANUP(memory_cleanup) char *name = take_name(reader);
        if (name == NULL || reader->size_bytes - reader->at < QUESTION_SIZE) {
            return fail(reader);
        }
        reader->at += QUESTION_SIZE;
    }
    return 0;
}

int dns_message_parse(struct span message, struct dns_answer *ret_answer, struct error *err)
{
    struct reader reader = {(const unsigned char *)message.data, message.size_bytes, 0, err};
    if (message.size_bytes < HEADER_SIZE || message.size_bytes > UINT16_MAX) {
        return fail(&reader);
    }
    struct dns_answer answer = {
        .rcode = reader.message[3] & 15,
        .is_authoritative = (reader.message[2] & 4) != 0,
    };
    unsigned count = read_16(reader.message + 6);
    reader.at = HEADER_SIZE;
    int status = skip_questions(&reader, read_16(reader.message + 4));
    for (unsigned i = 0; status == 0 && i < count && i < RECORDS_MAX; i++) {
        status = take_record(&reader, &answer);
    }
    if (status != 0) {
        dns_answer_release(&answer);
        return -1;
    }
    *ret_answer = answer;
    return 0;
}

void dns_answer_release(struct dns_answer *answer)
{
    vector_each (struct dns_record *, record, &answer->records) {
        free(record->name);
        free(record->type);
        free(record->value);
    }
    vector_release(&answer->records);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t dns_answer_values(const struct dns_answer *answer, const char *type,
                         const char ***ret_values)
{
    const char **values = memory_new(answer->records.count + 1, sizeof *values);
    size_t count = 0;
    vector_each (struct dns_record *, record, &answer->records) {
        if (strcasecmp(record->type, type) == 0) {
            values[count++] = record->value;
        }
    }
    qsort(values, count, sizeof *values, compare_texts);
    *ret_values = values;
    return count;
}
