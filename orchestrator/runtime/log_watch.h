/* Tells when something happens in a folder that may not be there yet, without asking over and over:
 * until it is there, the deepest of its parents that is there is watched. */
#ifndef DRCTL_RUNTIME_LOG_WATCH_H
#define DRCTL_RUNTIME_LOG_WATCH_H

#include <uv.h>

struct log_watch;

/* root exists and is a parent of directory. changed(data) comes from the loop, for each change, and
 * also for changes that mean nothing. Where the kernel cannot watch, it comes every second. */
struct log_watch *log_watch_new(uv_loop_t *loop, const char *root, const char *directory,
                                void (*changed)(void *data), void *data);

/* No call of changed() after this one. NULL is accepted. */
void log_watch_close(struct log_watch *watch);

#endif
