/* The format of journal lines, which line.h specifies, is written and read here and nowhere else.
 * The invariant: what journal_line_write() gives, journal_line_read() accepts, and a single altered
 * bit makes it refuse. */
#include "journal/line.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

/* A reader's parser stops at 2048 levels; an event nested deeper could be written, never read. */
enum { DEPTH_LIMIT = 1024 };

static const char hash_opening[] = ",\"hash\":\"";

enum {
    HASH_OPENING_BYTES = sizeof hash_opening - 1,
    HASH_SUFFIX_BYTES = HASH_OPENING_BYTES + DIGEST_HEX_SIZE - 1 + 2, /* and `"}` */
};

static const char *const chain_keys[] = {"seq", "at", "clock_behind_ms", "prev", "hash"};

void journal_chain_init(struct journal_chain *chain)
{
    chain->last_seq = 0;
    chain->last_at_ns = INT64_MIN;
    memset(chain->prev, '0', sizeof chain->prev - 1);
    chain->prev[sizeof chain->prev - 1] = '\0';
}

static int check_event(const json_t *event, struct error *err)
{
    if (json_get_text(event, "type") == NULL) {
        return error_set(err, ERROR_INVALID, "an event has no type");
    }
    for (size_t i = 0; i < ARRAY_SIZE(chain_keys); i++) {
        if (json_object_get(event, chain_keys[i]) != NULL) {
            return error_set(err, ERROR_INVALID, "the event '%s' has the reserved key '%s'",
                             json_get_text(event, "type"), chain_keys[i]);
        }
    }
    return 0;
}

static size_t nesting_depth(struct span text)
{
    size_t depth = 0;
    size_t deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.size_bytes; i++) {
        char byte = text.data[i];
        if (in_string) {
            i += byte == '\\';
            in_string = byte != '"';
        } else if (byte == '"') {
            in_string = true;
        } else if (byte == '{' || byte == '[') {
            depth++;
            deepest = depth > deepest ? depth : deepest;
        } else if (byte == '}' || byte == ']') {
            depth--;
        }
    }
    return deepest;
}

static void append_stamp(struct buffer *line, uint64_t seq, const char *at, int64_t behind_ms)
{
    buffer_append_format(line, "{\"seq\":%llu,\"at\":\"%s\",", (unsigned long long)seq, at);
    if (behind_ms > 0) {
        buffer_append_format(line, "\"clock_behind_ms\":%lld,", (long long)behind_ms);
    }
}

static void append_proof(struct buffer *line, const char *prev)
{
    buffer_append_format(line, ",\"prev\":\"%s\"", prev);
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(buffer_span(line), hash);
    buffer_append_format(line, "%s%s\"}", hash_opening, hash);
}

/* The event's own members, without the braces around them. */
static int append_members(struct buffer *line, const json_t *event, struct error *err)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    json_append(&text, event);
    if (nesting_depth(buffer_span(&text)) > DEPTH_LIMIT) {
        return error_set(err, ERROR_INVALID, "the event '%s' is nested more than %d levels deep",
                         json_get_text(event, "type"), DEPTH_LIMIT);
    }
    buffer_append(line, text.data + 1, text.size_bytes - 2);
    return 0;
}

static void stamp_event(json_t *event, uint64_t seq, const char *at, int64_t behind_ms)
{
    json_object_set_new(event, "seq", json_integer((json_int_t)seq));
    json_object_set_new(event, "at", json_string(at));
    if (behind_ms > 0) {
        json_object_set_new(event, "clock_behind_ms", json_integer(behind_ms));
    }
}

int journal_line_write(struct journal_chain *chain, json_t *event, int64_t now_ns,
                       struct buffer *out, struct error *err)
{
    if (check_event(event, err) != 0) {
        return -1;
    }
    bool is_behind = now_ns < chain->last_at_ns;
    int64_t at_ns = is_behind ? chain->last_at_ns : now_ns;
    int64_t behind_ms = is_behind ? (at_ns - now_ns) / CLOCK_NS_PER_MS : 0;
    uint64_t seq = chain->last_seq + 1;
    char at[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ns(at_ns, at);

    CLEANUP(buffer_release) struct buffer line = BUFFER_INIT;
    append_stamp(&line, seq, at, behind_ms);
    if (append_members(&line, event, err) != 0) {
        return -1;
    }
    append_proof(&line, chain->prev);
    if (line.size_bytes > JOURNAL_LINE_LIMIT_BYTES) {
        return error_set(err, ERROR_INVALID, "the event '%s' is %zu bytes long, the limit is %d",
                         json_get_text(event, "type"), line.size_bytes, JOURNAL_LINE_LIMIT_BYTES);
    }
    stamp_event(event, seq, at, behind_ms);
    chain->last_seq = seq;
    chain->last_at_ns = at_ns;
    digest_sha256_hex(buffer_span(&line), chain->prev);
    buffer_append_span(out, buffer_span(&line));
    buffer_append_char(out, '\n');
    return 0;
}

static int check_hash(struct span line, struct error *err)
{
    if (line.size_bytes < HASH_SUFFIX_BYTES) {
        return error_set(err, ERROR_DAMAGED, "it is too short for an event");
    }
    size_t body_bytes = line.size_bytes - HASH_SUFFIX_BYTES;
    const char *suffix = line.data + body_bytes;
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(span_of(line.data, body_bytes), hash);
    if (memcmp(suffix, hash_opening, HASH_OPENING_BYTES) != 0 ||
        memcmp(suffix + HASH_SUFFIX_BYTES - 2, "\"}", 2) != 0) {
        return error_set(err, ERROR_DAMAGED, "it does not end in its own hash");
    }
    if (memcmp(suffix + HASH_OPENING_BYTES, hash, DIGEST_HEX_SIZE - 1) != 0) {
        return error_set(err, ERROR_DAMAGED, "its bytes do not agree with its own hash");
    }
    return 0;
}

static int check_place(const struct journal_chain *chain, const json_t *event, int64_t *ret_at_ns,
                       struct error *err)
{
    uint64_t seq = (uint64_t)json_get_integer(event, "seq", 0);
    if (seq != chain->last_seq + 1) {
        return error_set(err, ERROR_DAMAGED, "its seq is %llu where %llu should follow",
                         (unsigned long long)seq, (unsigned long long)chain->last_seq + 1);
    }
    const char *prev = json_get_text(event, "prev");
    if (prev == NULL || strcmp(prev, chain->prev) != 0) {
        return error_set(err, ERROR_DAMAGED, "it does not name the line before it");
    }
    const char *at = json_get_text(event, "at");
    int64_t at_ns;
    if (at == NULL || clock_parse_rfc3339(at, &at_ns, NULL) != 0) {
        return error_set(err, ERROR_DAMAGED, "it has no valid time");
    }
    if (at_ns < chain->last_at_ns) {
        return error_set(err, ERROR_DAMAGED, "its time is before that of the line before it");
    }
    if (json_get_text(event, "type") == NULL) {
        return error_set(err, ERROR_DAMAGED, "its type is missing");
    }
    *ret_at_ns = at_ns;
    return 0;
}

json_t *journal_line_read(struct journal_chain *chain, struct span line, struct error *err)
{
    if (check_hash(line, err) != 0) {
        return NULL;
    }
    struct error why = ERROR_INIT;
    CLEANUP(json_cleanup) json_t *event = json_parse(line, NULL, &why);
    if (event == NULL) {
        error_set(err, ERROR_DAMAGED, "%s", why.message);
        error_release(&why);
        return NULL;
    }
    int64_t at_ns;
    if (check_place(chain, event, &at_ns, err) != 0) {
        return NULL;
    }
    chain->last_seq++;
    chain->last_at_ns = at_ns;
    digest_sha256_hex(line, chain->prev);
    return json_incref(event);
}
