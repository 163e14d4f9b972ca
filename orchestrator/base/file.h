/* Files of the state directory and of the user: private modes, no following of symlinks where it
 * matters, whole reads with a limit, and writes that are there completely or not at all. */
#ifndef DRCTL_BASE_FILE_H
#define DRCTL_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

enum { FILE_PRIVATE_MODE = 0600, FILE_PRIVATE_DIRECTORY_MODE = 0700 };

/* Appends the content of path. More than limit_bytes, or a thing that is not a regular file, is
 * ERROR_INVALID; a missing file is ERROR_NOT_FOUND. */
MUST_USE int file_read(const char *path, size_t limit_bytes, struct buffer *content,
                       struct error *err);

/* Reads from an open descriptor to its end, with the same limit. */
MUST_USE int file_read_descriptor(int descriptor, size_t limit_bytes, struct buffer *content,
                                  struct error *err);

enum file_durability {
    FILE_ATOMIC,  /* temporary file and rename: a reader sees the old or the new content */
    FILE_DURABLE, /* and fsync of the file and its folder: a power cut does, too */
};

/* Replaces path as a whole; mode as in open(2). */
MUST_USE int file_write(const char *path, struct span content, mode_t mode,
                        enum file_durability durability, struct error *err);

/* write(2) until everything is written; EINTR is retried. */
MUST_USE int file_write_all(int descriptor, const void *bytes, size_t size_bytes,
                            struct error *err);

/* fsync of the folder that holds path, so that a new name in it survives a power cut. */
MUST_USE int file_sync_parent(const char *path, struct error *err);

/* Makes path and its missing parents with mode 0700. An existing last part must be a directory that
 * is owned by this user and not open to others, or ERROR_REFUSED. */
MUST_USE int file_make_private_directory(const char *path, struct error *err);

/* Makes path and its missing parents with the given mode. */
MUST_USE int file_make_directories(const char *path, mode_t mode, struct error *err);

bool file_exists(const char *path);

/* "a/b", with one slash between; the caller frees it. */
char *file_join(const char *directory, const char *name);

/* Joins an untrusted relative path to root and refuses one that leaves it: absolute, with "..",
 * empty, or through a symlink that exists in it. The caller frees *ret_path. */
MUST_USE int file_join_inside(const char *root, const char *relative, char **ret_path,
                              struct error *err);

/* Removes a tree without following symlinks; a missing one is fine. */
MUST_USE int file_remove_tree(const char *path, struct error *err);

/* For CLEANUP(): closes a descriptor variable that is not negative. */
void file_close_cleanup(int *descriptor);

#endif
