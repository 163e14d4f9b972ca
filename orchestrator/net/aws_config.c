/* Python's configparser decides what these files mean, so its rules are followed: "[section]"
 * lines, "key = value" or "key: value", comments are whole lines that start with '#' or ';', a line
 * indented deeper than its key continues the value, keys are lower-cased, a section or key that
 * comes twice is an error. */
#include "net/aws_config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "net/shell_words.h"
#include "net/variables.h"

/* A hundred profiles take some 20 KiB; a megabyte is not a configuration. */
enum { FILE_LIMIT_BYTES = 1024 * 1024 };

struct parser {
    const char *name;
    size_t line;
    json_t *document;
    json_t *section; /* borrowed from the document; NULL before the first one */
    char *key;       /* the key that a deeper line continues; NULL for none */
    size_t key_indent;
    struct buffer value;
    struct error *err;
};

static struct span trim(struct span text)
{
    while (text.size_bytes != 0 && isspace((unsigned char)text.data[0])) {
        text.data++;
        text.size_bytes--;
    }
    while (text.size_bytes != 0 && isspace((unsigned char)text.data[text.size_bytes - 1])) {
        text.size_bytes--;
    }
    return text;
}

static char *lower_text(struct span text)
{
    char *lower = memory_text_n(text.data, text.size_bytes);
    for (char *byte = lower; *byte != '\0'; byte++) {
        *byte = (char)tolower((unsigned char)*byte);
    }
    return lower;
}

static int fail(struct parser *parser, const char *what)
{
    return error_set_at(parser->err, ERROR_INVALID, parser->name, parser->line, 1, "%s", what);
}

static size_t find_delimiter(struct span line)
{
    size_t at = 0;
    while (at < line.size_bytes && line.data[at] != '=' && line.data[at] != ':') {
        at++;
    }
    return at;
}

static json_t *text_value(struct span text)
{
    return json_stringn(text.data, text.size_bytes);
}

/* "\nfoo = bar\nbar = baz" as an object. */
static json_t *parse_nested(struct parser *parser, struct span text)
{
    json_t *nested = json_object();
    while (text.size_bytes != 0) {
        const char *end = memchr(text.data, '\n', text.size_bytes);
        size_t size_bytes = end != NULL ? (size_t)(end - text.data) : text.size_bytes;
        struct span line = trim(span_of(text.data, size_bytes));
        size_bytes += end != NULL ? 1 : 0;
        text = span_of(text.data + size_bytes, text.size_bytes - size_bytes);
        const char *equals = memchr(line.data, '=', line.size_bytes);
        if (line.size_bytes != 0 && equals == NULL) {
            fail(parser, "a line of a nested section is not key = value");
            json_decref(nested);
            return NULL;
        }
        if (line.size_bytes != 0) {
            struct span key = trim(span_of(line.data, (size_t)(equals - line.data)));
            const char *line_end = line.data + line.size_bytes;
            struct span value = trim(span_of(equals + 1, (size_t)(line_end - equals - 1)));
            char *key_text = memory_text_n(key.data, key.size_bytes);
            json_object_set_new(nested, key_text, text_value(value));
            free(key_text);
        }
    }
    return nested;
}

/* Stores the value of the key that ends here. */
static int close_key(struct parser *parser)
{
    if (parser->key == NULL) {
        return 0;
    }
    struct span value = buffer_span(&parser->value);
    while (value.size_bytes != 0 && isspace((unsigned char)value.data[value.size_bytes - 1])) {
        value.size_bytes--;
    }
    bool is_nested = value.size_bytes != 0 && value.data[0] == '\n';
    json_t *item = is_nested ? parse_nested(parser, value) : text_value(value);
    if (item == NULL && !error_is_set(parser->err)) {
        fail(parser, "a value is not UTF-8");
    }
    int status = item != NULL ? json_object_set_new(parser->section, parser->key, item) : -1;
    free(parser->key);
    parser->key = NULL;
    if (parser->value.size_bytes != 0) {
        explicit_bzero(parser->value.data, parser->value.size_bytes);
    }
    buffer_clear(&parser->value);
    return status;
}

static int open_section(struct parser *parser, struct span line)
{
    const char *end = memrchr(line.data, ']', line.size_bytes);
    if (end == NULL || end == line.data + 1) {
        return fail(parser, "a section without its ']'");
    }
    CLEANUP(memory_cleanup)
    char *name = memory_text_n(line.data + 1, (size_t)(end - line.data - 1));
    if (json_object_get(parser->document, name) != NULL) {
        return fail(parser, "a section that comes twice");
    }
    parser->section = json_object();
    if (json_object_set_new(parser->document, name, parser->section) != 0) {
        return fail(parser, "a section name that is not UTF-8");
    }
    return 0;
}

static int open_key(struct parser *parser, struct span line, size_t indent)
{
    size_t delimiter = find_delimiter(line);
    struct span name = trim(span_of(line.data, delimiter));
    if (parser->section == NULL) {
        return fail(parser, "a key before the first [section]");
    }
    if (delimiter == line.size_bytes || name.size_bytes == 0) {
        return fail(parser, "neither [section] nor key = value");
    }
    char *key = lower_text(name);
    if (json_object_get(parser->section, key) != NULL) {
        free(key);
        return fail(parser, "a key that comes twice in its section");
    }
    parser->key = key;
    parser->key_indent = indent;
    struct span value = trim(span_of(line.data + delimiter + 1, line.size_bytes - delimiter - 1));
    buffer_append_span(&parser->value, value);
    return 0;
}

static int take_line(struct parser *parser, struct span raw)
{
    struct span line = trim(raw);
    size_t indent = (size_t)(line.data - raw.data);
    if (line.size_bytes != 0 && (line.data[0] == '#' || line.data[0] == ';')) {
        return 0;
    }
    if (line.size_bytes == 0) {
        if (parser->key != NULL) {
            buffer_append_char(&parser->value, '\n');
        }
        return 0;
    }
    if (parser->key != NULL && indent > parser->key_indent) {
        buffer_append_char(&parser->value, '\n');
        buffer_append_span(&parser->value, line);
        return 0;
    }
    if (close_key(parser) != 0) {
        return -1;
    }
    return line.data[0] == '[' ? open_section(parser, line) : open_key(parser, line, indent);
}

json_t *aws_config_parse(struct span text, const char *name, struct error *err)
{
    struct error own = ERROR_INIT;
    struct parser parser = {.name = name, .document = json_object(), .err = &own};
    int status = 0;
    if (span_starts_with(text, "\xEF\xBB\xBF")) {
        text = span_of(text.data + 3, text.size_bytes - 3);
    }
    for (size_t at = 0; status == 0 && at < text.size_bytes;) {
        const char *start = text.data + at;
        const char *end = memchr(start, '\n', text.size_bytes - at);
        size_t size_bytes = end != NULL ? (size_t)(end - start) : text.size_bytes - at;
        parser.line++;
        status = take_line(&parser, span_of(start, size_bytes));
        at += size_bytes + 1;
    }
    if (status == 0) {
        status = close_key(&parser);
    }
    free(parser.key);
    buffer_release(&parser.value);
    if (status != 0) {
        json_decref(parser.document);
        error_move(err, &own);
        return NULL;
    }
    return parser.document;
}

static char *file_path(char *const *environment, const char *variable, const char *usual)
{
    const char *home = variable_get(environment, "HOME");
    const char *given = variable_get_filled(environment, variable);
    if (given != NULL && strncmp(given, "~/", 2) == 0 && home != NULL) {
        return file_join(home, given + 2);
    }
    if (given != NULL) {
        return memory_text(given);
    }
    return home != NULL ? file_join(home, usual) : NULL;
}

static json_t *read_sections(char *const *environment, const char *variable, const char *usual,
                             struct error *err)
{
    CLEANUP(memory_cleanup) char *path = file_path(environment, variable, usual);
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    struct error own = ERROR_INIT;
    if (path == NULL) {
        return json_object();
    }
    if (file_read(path, FILE_LIMIT_BYTES, &text, &own) != 0) {
        bool missing = own.code == ERROR_NOT_FOUND;
        if (missing) {
            error_release(&own);
            return json_object();
        }
        error_move(err, &own);
        return NULL;
    }
    json_t *sections = aws_config_parse(buffer_span(&text), path, err);
    if (text.size_bytes != 0) {
        explicit_bzero(text.data, text.size_bytes);
    }
    return sections;
}

/* "profile x", "services x": the second word; NULL when the section is of another kind. */
static char *section_word(const char *section, const char *kind)
{
    struct shell_words words;
    if (strncmp(section, kind, strlen(kind)) != 0 ||
        shell_words_split(span_of_text(section), &words, NULL) != 0) {
        return NULL;
    }
    char *name = words.list.count == 2 ? memory_text(words.list.items[1]) : NULL;
    shell_words_release(&words);
    return name;
}

static void sort_sections(struct aws_config *config, json_t *sections)
{
    const char *section;
    json_t *values;
    json_object_foreach (sections, section, values) {
        CLEANUP(memory_cleanup)
        char *profile = strcmp(section, "default") == 0 ? memory_text(section)
                                                        : section_word(section, "profile");
        CLEANUP(memory_cleanup) char *services = section_word(section, "services");
        if (profile != NULL) {
            json_object_set(config->config, profile, values);
            json_object_set_new(config->profiles, profile, json_copy(values));
        } else if (services != NULL) {
            json_object_set(config->services, services, values);
        }
    }
}

int aws_config_load(char *const *environment, struct aws_config *ret_config, struct error *err)
{
    CLEANUP(json_cleanup)
    json_t *sections = read_sections(environment, "AWS_CONFIG_FILE", ".aws/config", err);
    json_t *credentials =
        sections != NULL
            ? read_sections(environment, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", err)
            : NULL;
    if (credentials == NULL) {
        return -1;
    }
    struct aws_config config = {json_object(), json_object(), credentials, json_object()};
    sort_sections(&config, sections);
    const char *profile;
    json_t *values;
    json_object_foreach (credentials, profile, values) {
        json_t *known = json_object_get(config.profiles, profile);
        if (known != NULL) {
            json_object_update(known, values);
        } else {
            json_object_set_new(config.profiles, profile, json_copy(values));
        }
    }
    *ret_config = config;
    return 0;
}

const char *aws_config_get(const struct aws_config *config, const char *profile, const char *key)
{
    return json_get_text(json_object_get(config->profiles, profile), key);
}

void aws_config_release(struct aws_config *config)
{
    json_cleanup(&config->profiles);
    json_cleanup(&config->services);
    json_cleanup(&config->credentials);
    json_cleanup(&config->config);
}
