/* The only place that writes files by name. Everything is opened O_CLOEXEC, since a descriptor that
 * leaks into a child keeps locks held and pipes open for as long as that child lives. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/random.h"

enum { READ_CHUNK_BYTES = 64 * 1024 };

void file_close_cleanup(int *descriptor)
{
    if (*descriptor >= 0) {
        close(*descriptor);
        *descriptor = -1;
    }
}

int file_read_descriptor(int descriptor, size_t limit_bytes, struct buffer *content,
                         struct error *err)
{
    size_t start_bytes = content->size_bytes;
    for (;;) {
        char *end = buffer_reserve(content, READ_CHUNK_BYTES);
        ssize_t size = read(descriptor, end, READ_CHUNK_BYTES);
        if (size == 0) {
            return 0;
        }
        if (size < 0) {
            if (errno == EINTR) {
                continue;
            }
            return error_set_errno(err, errno, "read");
        }
        buffer_advance(content, (size_t)size);
        if (content->size_bytes - start_bytes > limit_bytes) {
            return error_set(err, ERROR_INVALID, "it is larger than the limit of %zu bytes",
                             limit_bytes);
        }
    }
}

int file_read(const char *path, size_t limit_bytes, struct buffer *content, struct error *err)
{
    CLEANUP(file_close_cleanup) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        if (errno == ENOENT) {
            return error_set(err, ERROR_NOT_FOUND, "%s does not exist", path);
        }
        return error_set_errno(err, errno, "cannot open %s", path);
    }
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        return error_set_errno(err, errno, "cannot examine %s", path);
    }
    if (!S_ISREG(status.st_mode)) {
        return error_set(err, ERROR_INVALID, "%s is not a regular file", path);
    }
    if ((uintmax_t)status.st_size > limit_bytes) {
        return error_set(err, ERROR_INVALID, "%s is %jd bytes long, more than the limit of %zu",
                         path, (intmax_t)status.st_size, limit_bytes);
    }
    if (file_read_descriptor(descriptor, limit_bytes, content, err) != 0) {
        return error_context(err, "cannot read %s", path);
    }
    return 0;
}

int file_write_all(int descriptor, const void *bytes, size_t size_bytes, struct error *err)
{
    const char *at = bytes;
    while (size_bytes > 0) {
        ssize_t written = write(descriptor, at, size_bytes);
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            return error_set_errno(err, errno, "write");
        }
        at += written;
        size_bytes -= (size_t)written;
    }
    return 0;
}

int file_sync_parent(const char *path, struct error *err)
{
    CLEANUP(memory_cleanup) char *copy = memory_text(path);
    const char *parent = dirname(copy);
    CLEANUP(file_close_cleanup)
    int descriptor = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0 || fsync(descriptor) != 0) {
        return error_set_errno(err, errno, "cannot make %s durable", parent);
    }
    return 0;
}

static int write_temporary(const char *temporary, struct span content, mode_t mode,
                           enum file_durability durability, struct error *err)
{
    CLEANUP(file_close_cleanup)
    int descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (descriptor < 0) {
        return error_set_errno(err, errno, "cannot create %s", temporary);
    }
    if (file_write_all(descriptor, content.data, content.size_bytes, err) != 0) {
        return error_context(err, "cannot write %s", temporary);
    }
    if (durability == FILE_DURABLE && fsync(descriptor) != 0) {
        return error_set_errno(err, errno, "cannot make %s durable", temporary);
    }
    int result = close(descriptor);
    descriptor = -1;
    return result == 0 ? 0 : error_set_errno(err, errno, "cannot close %s", temporary);
}

int file_write(const char *path, struct span content, mode_t mode, enum file_durability durability,
               struct error *err)
{
    char suffix[RANDOM_ID_SIZE];
    random_id(suffix);
    CLEANUP(memory_cleanup) char *temporary = memory_format("%s.%s.tmp", path, suffix);
    if (write_temporary(temporary, content, mode, durability, err) != 0) {
        unlink(temporary);
        return -1;
    }
    if (rename(temporary, path) != 0) {
        error_set_errno(err, errno, "cannot put %s in place", path);
        unlink(temporary);
        return -1;
    }
    return durability == FILE_DURABLE ? file_sync_parent(path, err) : 0;
}

int file_make_directories(const char *path, mode_t mode, struct error *err)
{
    if (path[0] == '\0') {
        return error_set(err, ERROR_INVALID, "a folder without a name");
    }
    CLEANUP(memory_cleanup) char *partial = memory_text(path);
    for (char *at = partial + 1;; at++) {
        if (*at != '/' && *at != '\0') {
            continue;
        }
        bool last = *at == '\0';
        *at = '\0';
        if (mkdir(partial, mode) != 0 && errno != EEXIST) {
            return error_set_errno(err, errno, "cannot create the folder %s", partial);
        }
        if (last) {
            struct stat status;
            bool is_folder = stat(partial, &status) == 0 && S_ISDIR(status.st_mode);
            return is_folder ? 0 : error_set(err, ERROR_REFUSED, "%s is not a folder", partial);
        }
        *at = '/';
    }
}

int file_make_private_directory(const char *path, struct error *err)
{
    if (file_make_directories(path, FILE_PRIVATE_DIRECTORY_MODE, err) != 0) {
        return -1;
    }
    struct stat status;
    if (lstat(path, &status) != 0) {
        return error_set_errno(err, errno, "cannot examine %s", path);
    }
    if (!S_ISDIR(status.st_mode)) {
        return error_set(err, ERROR_REFUSED, "%s is not a folder", path);
    }
    if (status.st_uid != geteuid() || (status.st_mode & 077) != 0) {
        error_set(err, ERROR_REFUSED, "%s is open to other users", path);
        return error_hint(err, "chmod 700 %s", path);
    }
    return 0;
}

bool file_exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

char *file_join(const char *directory, const char *name)
{
    size_t size_bytes = strlen(directory);
    bool slash = size_bytes > 0 && directory[size_bytes - 1] == '/';
    return memory_format("%s%s%s", directory, slash ? "" : "/", name);
}

static bool is_parent_reference(const char *part, size_t size_bytes)
{
    return size_bytes == 2 && part[0] == '.' && part[1] == '.';
}

static int refuse_symlinks(const char *root, char *joined, struct error *err)
{
    for (char *at = joined + strlen(root) + 1;; at++) {
        if (*at != '/' && *at != '\0') {
            continue;
        }
        char saved = *at;
        *at = '\0';
        struct stat status;
        bool is_link = lstat(joined, &status) == 0 && S_ISLNK(status.st_mode);
        if (is_link) {
            return error_set(err, ERROR_REFUSED, "%s is a symbolic link", joined);
        }
        *at = saved;
        if (saved == '\0') {
            return 0;
        }
    }
}

int file_join_inside(const char *root, const char *relative, char **ret_path, struct error *err)
{
    if (relative[0] == '\0' || relative[0] == '/') {
        return error_set(err, ERROR_REFUSED, "'%s' is not a path inside %s", relative, root);
    }
    for (const char *part = relative; *part != '\0';) {
        size_t size_bytes = strcspn(part, "/");
        if (is_parent_reference(part, size_bytes)) {
            return error_set(err, ERROR_REFUSED, "'%s' leaves the folder %s", relative, root);
        }
        part += size_bytes + (part[size_bytes] == '/');
    }
    CLEANUP(memory_cleanup) char *joined = memory_format("%s/%s", root, relative);
    if (refuse_symlinks(root, joined, err) != 0) {
        return -1;
    }
    *ret_path = joined;
    joined = NULL;
    return 0;
}

static int remove_entries(int directory, struct error *err);

static int remove_entry(int directory, const char *name, struct error *err)
{
    if (unlinkat(directory, name, 0) == 0 || errno == ENOENT) {
        return 0;
    }
    if (errno != EISDIR && errno != EPERM) {
        return error_set_errno(err, errno, "cannot remove %s", name);
    }
    int child = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (child < 0) {
        return error_set_errno(err, errno, "cannot open %s", name);
    }
    if (remove_entries(child, err) != 0) {
        return -1;
    }
    if (unlinkat(directory, name, AT_REMOVEDIR) != 0 && errno != ENOENT) {
        return error_set_errno(err, errno, "cannot remove the folder %s", name);
    }
    return 0;
}

/* Takes the descriptor. */
static int remove_entries(int directory, struct error *err)
{
    DIR *stream = fdopendir(directory);
    if (stream == NULL) {
        error_set_errno(err, errno, "cannot list a folder");
        close(directory);
        return -1;
    }
    int result = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(stream)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            result = remove_entry(dirfd(stream), entry->d_name, err);
        }
    }
    closedir(stream);
    return result;
}

int file_remove_tree(const char *path, struct error *err)
{
    return remove_entry(AT_FDCWD, path, err);
}
