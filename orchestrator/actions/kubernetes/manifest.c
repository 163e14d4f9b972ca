/* What comes first (namespaces, definitions) has to be told from the rest, and kubectl has no word
 * for that. So the files are cut at their document borders, as libyaml sees them; the text of each
 * document goes to kubectl as it was written, comments included.
 *
 * Of a document only kind, apiVersion, metadata.name and metadata.namespace are looked at. */
#include "kubernetes/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#include "base/file.h"
#include "base/text.h"

enum {
    FILE_LIMIT_BYTES = 32 * 1024 * 1024, /* definitions of large operators are a few MiB */
    DOCUMENT_LIMIT = 10000,
    FOLDER_DEPTH_LIMIT = 16,
};

static void manifest_release(struct manifest *manifest)
{
    free(manifest->file);
    free(manifest->kind);
    free(manifest->api_version);
    free(manifest->name);
    free(manifest->name_space);
    free(manifest->text);
}

void manifest_list_release(struct manifest_list *list)
{
    vector_each (struct manifest *, manifest, &list->items) {
        manifest_release(manifest);
    }
    vector_release(&list->items);
}

/* --- one document ---------------------------------------------------------------------------- */

/* Where a reader of events is: which key of the top map and of metadata it is at. */
struct reader {
    int depth;      /* of collections; the top map is 1 */
    bool wants_key; /* at depth 1, or at depth 2 in metadata */
    bool in_metadata;
    char *key;
    struct manifest *manifest;
};

static void take_scalar(struct reader *reader, const char *text)
{
    if (reader->wants_key) {
        free(reader->key);
        reader->key = memory_text(text);
        return;
    }
    if (reader->key == NULL) {
        return; /* the key was an alias */
    }
    struct manifest *manifest = reader->manifest;
    char **slot = NULL;
    if (reader->depth == 1) {
        slot = strcmp(reader->key, "kind") == 0         ? &manifest->kind
               : strcmp(reader->key, "apiVersion") == 0 ? &manifest->api_version
                                                        : NULL;
    } else {
        slot = strcmp(reader->key, "name") == 0        ? &manifest->name
               : strcmp(reader->key, "namespace") == 0 ? &manifest->name_space
                                                       : NULL;
    }
    if (slot != NULL && *slot == NULL) {
        *slot = memory_text(text);
    }
}

static bool is_looked_at(const struct reader *reader)
{
    return reader->depth == 1 || (reader->depth == 2 && reader->in_metadata);
}

static void read_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
    case YAML_ALIAS_EVENT:
        if (is_looked_at(reader)) {
            bool is_scalar = event->type == YAML_SCALAR_EVENT;
            if (is_scalar) {
                take_scalar(reader, (const char *)event->data.scalar.value);
            }
            reader->wants_key = !reader->wants_key;
        }
        return;
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        if (reader->depth == 1) {
            reader->in_metadata = event->type == YAML_MAPPING_START_EVENT && reader->key != NULL &&
                                  strcmp(reader->key, "metadata") == 0;
        }
        reader->depth++;
        reader->wants_key = true;
        return;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        reader->depth--;
        reader->in_metadata = reader->in_metadata && reader->depth > 1;
        reader->wants_key = true;
        return;
    default:
        return;
    }
}

/* --- one file -------------------------------------------------------------------------------- */

/* libyaml counts characters; the text is cut at bytes. */
static size_t byte_at(struct span text, size_t character)
{
    size_t at = 0;
    for (size_t seen = 0; at < text.size_bytes; at++) {
        bool starts = ((unsigned char)text.data[at] & 0xc0) != 0x80;
        if (starts && seen++ == character) {
            break;
        }
    }
    return at;
}

static int yaml_failed(const char *file, const yaml_parser_t *parser, struct error *err)
{
    return error_set_at(err, ERROR_INVALID, file, parser->problem_mark.line + 1,
                        parser->problem_mark.column + 1, "%s",
                        parser->problem != NULL ? parser->problem : "this is not YAML");
}

/* Reads up to the end of the document that has just begun. */
static int read_document(yaml_parser_t *parser, const char *file, struct manifest *manifest,
                         size_t *ret_end, bool *ret_empty, struct error *err)
{
    struct reader reader = {.manifest = manifest, .wants_key = true};
    int status = 0;
    bool done = false;
    *ret_empty = true;
    while (status == 0 && !done) {
        yaml_event_t event;
        if (yaml_parser_parse(parser, &event) == 0) {
            status = yaml_failed(file, parser, err);
            break;
        }
        done = event.type == YAML_DOCUMENT_END_EVENT;
        *ret_empty = *ret_empty && event.type != YAML_MAPPING_START_EVENT;
        *ret_end = event.end_mark.index;
        read_event(&reader, &event);
        yaml_event_delete(&event);
    }
    free(reader.key);
    return status;
}

static int add_document(yaml_parser_t *parser, const char *file, struct span text,
                        const yaml_event_t *start, struct manifest_list *list, struct error *err)
{
    struct manifest manifest = {.file = memory_text(file)};
    size_t end = 0;
    bool empty;
    int status = read_document(parser, file, &manifest, &end, &empty, err);
    if (status == 0 && !empty && (manifest.kind == NULL || manifest.api_version == NULL)) {
        status = error_set_at(err, ERROR_INVALID, file, start->end_mark.line + 1, 1,
                              "this document has no kind or no apiVersion");
    }
    if (status == 0 && !empty && list->items.count == DOCUMENT_LIMIT) {
        status = error_set(err, ERROR_INVALID, "there are more than %d manifests", DOCUMENT_LIMIT);
    }
    if (status != 0 || empty) {
        manifest_release(&manifest);
        return status;
    }
    size_t from = byte_at(text, start->end_mark.index);
    size_t to = byte_at(text, end);
    manifest.text = memory_text_n(text.data + from, to - from);
    vector_push(&list->items, manifest);
    return 0;
}

static int read_text(const char *file, struct span text, struct manifest_list *list,
                     struct error *err)
{
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
        abort();
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.size_bytes);
    int status = 0;
    bool done = false;
    while (status == 0 && !done) {
        yaml_event_t event;
        if (yaml_parser_parse(&parser, &event) == 0) {
            status = yaml_failed(file, &parser, err);
            break;
        }
        done = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_DOCUMENT_START_EVENT) {
            status = add_document(&parser, file, text, &event, list, err);
        }
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return status;
}

static int read_file(const char *path, struct manifest_list *list, struct error *err)
{
    CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
    if (file_read(path, FILE_LIMIT_BYTES, &content, err) != 0) {
        return -1;
    }
    struct span text = buffer_span(&content);
    if (span_starts_with(text, "\xef\xbb\xbf")) {
        text = span_of(text.data + 3, text.size_bytes - 3);
    }
    if (text_valid_utf8_prefix(text) != text.size_bytes) {
        return error_set(err, ERROR_INVALID, "%s is not a text in UTF-8", path);
    }
    return text.size_bytes > 0 ? read_text(path, text, list, err) : 0;
}

/* --- folders --------------------------------------------------------------------------------- */

static bool is_manifest_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0);
}

static int read_path(const char *path, bool recursive, int depth, struct manifest_list *list,
                     struct error *err);

static int read_entry(const char *folder, const char *name, bool recursive, int depth,
                      struct manifest_list *list, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = file_join(folder, name);
    struct stat status;
    if (stat(path, &status) != 0) {
        return error_set_errno(err, errno, "%s", path);
    }
    if (S_ISDIR(status.st_mode)) {
        return recursive ? read_path(path, recursive, depth + 1, list, err) : 0;
    }
    return is_manifest_name(name) ? read_file(path, list, err) : 0;
}

static int read_folder(const char *path, bool recursive, int depth, struct manifest_list *list,
                       struct error *err)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        return error_set_errno(err, errno, "%s", path);
    }
    int status = 0;
    for (int i = 0; i < count; i++) {
        if (status == 0 && entries[i]->d_name[0] != '.') {
            status = read_entry(path, entries[i]->d_name, recursive, depth, list, err);
        }
        free(entries[i]);
    }
    free(entries);
    return status;
}

static int read_path(const char *path, bool recursive, int depth, struct manifest_list *list,
                     struct error *err)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return error_set(err, ERROR_NOT_FOUND, "%s: %s", path, strerror(errno));
    }
    if (depth > FOLDER_DEPTH_LIMIT) {
        return error_set(err, ERROR_INVALID, "%s lies too deep", path);
    }
    return S_ISDIR(status.st_mode) ? read_folder(path, recursive, depth, list, err)
                                   : read_file(path, list, err);
}

int manifest_read(const char *path, bool recursive, struct manifest_list *list, struct error *err)
{
    return read_path(path, recursive, 0, list, err);
}

/* --- order ----------------------------------------------------------------------------------- */

bool manifest_comes_first(const struct manifest *manifest)
{
    return strcmp(manifest->kind, "Namespace") == 0 ||
           strcmp(manifest->kind, "CustomResourceDefinition") == 0;
}

bool manifest_join(const struct manifest_list *list, bool first, struct buffer *text)
{
    bool any = false;
    vector_each (const struct manifest *, manifest, &list->items) {
        if (manifest_comes_first(manifest) == first) {
            buffer_append_text(text, "---\n");
            buffer_append_text(text, manifest->text);
            buffer_append_text(text, "\n");
            any = true;
        }
    }
    return any;
}
