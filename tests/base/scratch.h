/* A folder of its own for each test. All of these abort the test when they fail. */
#ifndef DRCTL_TESTS_SCRATCH_H
#define DRCTL_TESTS_SCRATCH_H

#include <stddef.h>

/* A new empty folder below $TMPDIR or /tmp, mode 0700. */
char *scratch_new(void);

/* Removes the folder and frees its name. */
void scratch_free(char *folder);

/* cmocka setup and teardown that keep a scratch folder's name in *state. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* "folder/name"; the caller frees it. */
char *scratch_path(const char *folder, const char *name);

/* Writes a file, making the folders on the way. */
void scratch_write(const char *folder, const char *name, const char *text);
void scratch_write_bytes(const char *path, const void *bytes, size_t size_bytes);

/* The whole file; the caller frees it. ret_size_bytes may be NULL. */
char *scratch_read(const char *path, size_t *ret_size_bytes);

/* Runs a command without a shell and waits for it; its stdout is returned, trimmed of the newlines
 * at its end (the caller frees it). A failing command fails the test. */
char *scratch_run(const char *folder, const char *const *argv);

#endif
