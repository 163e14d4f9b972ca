/* Reads the spec that drctl hands over in anonymous memory. The fields stay where they were read;
 * everything in struct shim_spec points there until the process ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "shim.h"

struct reader {
    char *at;
    char *end;
    bool bad;
};

static char *take_field(struct reader *reader, size_t *ret_size_bytes)
{
    static char nothing[] = "";
    char *bytes;
    errno = 0;
    unsigned long long size = strtoull(reader->at, &bytes, 10);
    if (reader->bad || errno != 0 || bytes == reader->at || *bytes != ':' ||
        size >= (size_t)(reader->end - bytes - 1) || bytes[1 + size] != '\0') {
        reader->bad = true;
        *ret_size_bytes = 0;
        return nothing;
    }
    *ret_size_bytes = (size_t)size;
    reader->at = bytes + 1 + size + 1;
    return bytes + 1;
}

static char *take_text(struct reader *reader)
{
    size_t size_bytes;
    return take_field(reader, &size_bytes);
}

static uint64_t take_number(struct reader *reader)
{
    return strtoull(take_text(reader), NULL, 10);
}

static char **take_list(struct reader *reader)
{
    uint64_t count = take_number(reader);
    if (count > (size_t)(reader->end - reader->at)) {
        reader->bad = true;
        count = 0;
    }
    char **list = memory_new(count + 1, sizeof *list);
    for (uint64_t i = 0; i < count; i++) {
        list[i] = take_text(reader);
    }
    return list;
}

static void take_secrets(struct reader *reader, struct redactor *redactor)
{
    uint64_t count = take_number(reader);
    for (uint64_t i = 0; i < count && !reader->bad; i++) {
        size_t size_bytes;
        char *bytes = take_field(reader, &size_bytes);
        reader->bad |= !redact_add_secret(redactor, bytes, size_bytes);
    }
}

static bool read_whole(char **ret_bytes, size_t *ret_size_bytes)
{
    struct stat status;
    size_t done = 0;
    if (fstat(SHIM_SPEC_FD, &status) != 0 || status.st_size <= SHIM_STATE_BYTES) {
        return false;
    }
    size_t size_bytes = (size_t)status.st_size - SHIM_STATE_BYTES;
    char *bytes = memory_new(size_bytes + 1, 1);
    while (done < size_bytes) {
        ssize_t got =
            pread(SHIM_SPEC_FD, bytes + done, size_bytes - done, (off_t)(SHIM_STATE_BYTES + done));
        if (got == 0 || (got < 0 && errno != EINTR)) {
            free(bytes);
            return false;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    close(SHIM_SPEC_FD);
    *ret_bytes = bytes;
    *ret_size_bytes = size_bytes;
    return true;
}

bool shim_spec_read(struct shim_spec *spec)
{
    char *bytes;
    size_t size_bytes;
    if (!read_whole(&bytes, &size_bytes)) {
        return false;
    }
    struct reader reader = {bytes, bytes + size_bytes, false};
    if (strcmp(take_text(&reader), SHIM_SPEC_VERSION) != 0) {
        errno = EINVAL;
        return false;
    }
    spec->program = take_text(&reader);
    spec->argv = take_list(&reader);
    spec->environment = take_list(&reader);
    spec->cwd = take_text(&reader);
    spec->stdin_path = take_text(&reader);
    spec->log_head_bytes = take_number(&reader);
    spec->log_tail_bytes = take_number(&reader);
    spec->output_grace_ms = take_number(&reader);
    spec->oom_path = take_text(&reader);
    spec->oom_kills = take_number(&reader);
    spec->adopt_pid = take_number(&reader);
    spec->adopt_started_at_ns = take_number(&reader);
    spec->adopt_inodes[0] = take_number(&reader);
    spec->adopt_inodes[1] = take_number(&reader);
    spec->has_outputs = take_number(&reader);
    take_secrets(&reader, &spec->redactor);
    errno = EINVAL;
    return !reader.bad && (spec->argv[0] != NULL || spec->adopt_pid != 0);
}
