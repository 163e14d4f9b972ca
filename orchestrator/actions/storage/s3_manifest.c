/* The manifest is there completely or not at all, and durable before the first marker is removed:
 * it says afterwards what was done, and after an interruption what is left to do. */
#include "storage/s3_manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

enum { FLUSH_BYTES = 256 * 1024 };

int s3_manifest_open(const char *path, struct s3_manifest_writer *ret_writer, struct error *err)
{
    CLEANUP(memory_cleanup) char *begun = memory_format("%s.new", path);
    int descriptor =
        open(begun, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_PRIVATE_MODE);
    if (descriptor < 0) {
        return error_set_errno(err, errno, "%s", begun);
    }
    *ret_writer = (struct s3_manifest_writer){.path = memory_text(path), .descriptor = descriptor};
    return 0;
}

static int flush(struct s3_manifest_writer *writer, struct error *err)
{
    if (file_write_all(writer->descriptor, writer->pending.data, writer->pending.size_bytes, err) !=
        0) {
        return error_context(err, "%s", writer->path);
    }
    buffer_clear(&writer->pending);
    return 0;
}

static int add_line(struct s3_manifest_writer *writer, json_t *line, struct error *err)
{
    if (line == NULL) {
        return error_set(err, ERROR_INVALID, "a key is not valid UTF-8");
    }
    json_append(&writer->pending, line);
    buffer_append_char(&writer->pending, '\n');
    json_decref(line);
    return writer->pending.size_bytes > FLUSH_BYTES ? flush(writer, err) : 0;
}

int s3_manifest_add(struct s3_manifest_writer *writer, const struct s3_version *entries,
                    const struct s3_verdict *verdict, struct error *err)
{
    for (size_t i = 0; i < verdict->markers; i++) {
        if (add_line(writer,
                     json_pack("{s:s, s:s, s:s}", "op", "unmark", "key", entries[i].key, "version",
                               entries[i].id),
                     err) != 0) {
            return -1;
        }
        writer->counts.unmark++;
    }
    size_t back = verdict->copy != SIZE_MAX ? verdict->copy : verdict->markers;
    if (verdict->markers > 0 || verdict->copy != SIZE_MAX) {
        writer->counts.bytes += entries[back].size_bytes;
    }
    if (verdict->copy == SIZE_MAX) {
        return 0;
    }
    writer->counts.copy++;
    return add_line(writer,
                    json_pack("{s:s, s:s, s:s, s:s?, s:I, s:s?}", "op", "copy", "key",
                              entries[back].key, "version", entries[back].id, "etag",
                              entries[back].etag, "size", (json_int_t)entries[back].size_bytes,
                              "class", entries[back].storage_class),
                    err);
}

int s3_manifest_finish(struct s3_manifest_writer *writer, struct error *err)
{
    CLEANUP(memory_cleanup) char *begun = memory_format("%s.new", writer->path);
    if (flush(writer, err) != 0) {
        return -1;
    }
    if (fsync(writer->descriptor) != 0 || rename(begun, writer->path) != 0) {
        return error_set_errno(err, errno, "%s", writer->path);
    }
    return file_sync_parent(writer->path, err);
}

void s3_manifest_release(struct s3_manifest_writer *writer)
{
    if (writer->path == NULL) {
        return;
    }
    CLEANUP(memory_cleanup) char *begun = memory_format("%s.new", writer->path);
    (void)unlink(begun);
    close(writer->descriptor);
    free(writer->path);
    buffer_release(&writer->pending);
    *writer = (struct s3_manifest_writer){0};
}

int s3_manifest_read(const char *path, struct s3_manifest_reader *ret_reader, struct error *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return error_set_errno(err, errno, "%s", path);
    }
    *ret_reader = (struct s3_manifest_reader){.file = file};
    return 0;
}

json_t *s3_manifest_next(struct s3_manifest_reader *reader, struct error *err)
{
    ssize_t size = getline(&reader->line, &reader->capacity, reader->file);
    if (size < 0) {
        if (ferror(reader->file)) {
            error_set_errno(err, errno, "the manifest cannot be read");
        }
        return NULL;
    }
    reader->read++;
    return json_parse(span_of(reader->line, (size_t)size), "the manifest", err);
}

void s3_manifest_close(struct s3_manifest_reader *reader)
{
    if (reader->file != NULL) {
        fclose(reader->file);
    }
    free(reader->line);
    *reader = (struct s3_manifest_reader){0};
}
