/* A walk that follows no symbolic link and counts what it sees, since the folder is a checkout of
 * somebody else's repository. */
#include "hcl/glob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"

enum {
    ENTRY_LIMIT = 200000, /* entries of a checkout: more is not an infrastructure repository */
    DEPTH_LIMIT = 64,
};

/* "[…]" at the pattern; *ret_end behind it. A '[' that is not closed stands for itself. */
static bool match_class(const char *pattern, char byte, const char **ret_end)
{
    const char *at = pattern + 1;
    bool negated = *at == '!' || *at == '^';
    bool found = false;
    at += negated;
    const char *first = at;
    for (; *at != '\0' && (*at != ']' || at == first); at++) {
        if (at[1] == '-' && at[2] != ']' && at[2] != '\0') {
            found |= at[0] <= byte && byte <= at[2];
            at += 2;
        } else {
            found |= *at == byte;
        }
    }
    if (*at == '\0') {
        *ret_end = pattern + 1;
        return byte == '[';
    }
    *ret_end = at + 1;
    return found != negated;
}

/* One part against one part of the pattern; both end at '/' or NUL. */
static bool match_part(const char *pattern, const char *part)
{
    const char *star = NULL;
    const char *retry = NULL;
    for (;;) {
        bool part_ends = *part == '/' || *part == '\0';
        bool pattern_ends = *pattern == '/' || *pattern == '\0';
        if (part_ends && pattern_ends) {
            return true;
        }
        const char *next = pattern + 1;
        if (*pattern == '*') {
            star = ++pattern;
            retry = part;
        } else if (!part_ends && !pattern_ends &&
                   (*pattern == '?' || (*pattern == '[' && match_class(pattern, *part, &next)) ||
                    (*pattern != '[' && *pattern == *part))) {
            pattern = next;
            part++;
        } else if (star != NULL && *retry != '/' && *retry != '\0') {
            pattern = star;
            part = ++retry;
        } else {
            return false;
        }
    }
}

static const char *next_part(const char *at)
{
    at += strcspn(at, "/");
    return *at == '/' ? at + 1 : at;
}

bool hcl_glob_match(const char *pattern, const char *path)
{
    while (*pattern != '\0') {
        if (strncmp(pattern, "**", 2) == 0 && (pattern[2] == '/' || pattern[2] == '\0')) {
            const char *rest = next_part(pattern);
            if (*rest == '\0') {
                return true;
            }
            for (const char *at = path; *at != '\0'; at = next_part(at)) {
                if (hcl_glob_match(rest, at)) {
                    return true;
                }
            }
            return false;
        }
        if (*path == '\0' || !match_part(pattern, path)) {
            return false;
        }
        bool last = strchr(pattern, '/') == NULL;
        if (last != (strchr(path, '/') == NULL)) {
            return false;
        }
        pattern = next_part(pattern);
        path = next_part(path);
    }
    return *path == '\0';
}

struct listing {
    const char *const *patterns;
    size_t pattern_count;
    struct hcl_paths *paths;
    size_t entries;
    struct error *err;
};

static int list_folder(struct listing *listing, int directory, const char *prefix, size_t depth);

static bool is_left_out(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, ".git") == 0 ||
           strcmp(name, ".terraform") == 0 || strstr(name, ".tfstate") != NULL;
}

static void take_file(struct listing *listing, const char *path)
{
    for (size_t i = 0; i < listing->pattern_count; i++) {
        if (hcl_glob_match(listing->patterns[i], path)) {
            vector_push(&listing->paths->list, memory_text(path));
            return;
        }
    }
}

static int list_entry(struct listing *listing, int directory, const char *name, const char *prefix,
                      size_t depth)
{
    struct stat status;
    if (is_left_out(name) || fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return 0;
    }
    if (++listing->entries > ENTRY_LIMIT || depth > DEPTH_LIMIT) {
        return error_set(listing->err, ERROR_INVALID, "the folder has too many or too deep files");
    }
    CLEANUP(memory_cleanup)
    char *path = memory_format("%s%s%s", prefix, prefix[0] != '\0' ? "/" : "", name);
    if (S_ISREG(status.st_mode)) {
        take_file(listing, path);
    } else if (S_ISDIR(status.st_mode)) {
        int child = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (child < 0) {
            return error_set_errno(listing->err, errno, "cannot open the folder %s", path);
        }
        return list_folder(listing, child, path, depth + 1);
    }
    return 0;
}

/* Takes the descriptor. */
static int list_folder(struct listing *listing, int directory, const char *prefix, size_t depth)
{
    DIR *stream = fdopendir(directory);
    if (stream == NULL) {
        error_set_errno(listing->err, errno, "cannot list the folder %s", prefix);
        file_close_cleanup(&directory);
        return -1;
    }
    int result = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(stream)) != NULL;) {
        result = list_entry(listing, dirfd(stream), entry->d_name, prefix, depth);
    }
    closedir(stream);
    return result;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int hcl_glob_list(const char *root, const char *const *patterns, size_t pattern_count,
                  struct hcl_paths *paths, struct error *err)
{
    struct listing listing = {patterns, pattern_count, paths, 0, err};
    int directory = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        return error_set_errno(err, errno, "cannot open the folder %s", root);
    }
    if (list_folder(&listing, directory, "", 0) != 0) {
        return -1;
    }
    if (paths->list.count > 1) {
        qsort(paths->list.items, paths->list.count, sizeof paths->list.items[0], compare);
    }
    return 0;
}

void hcl_paths_release(struct hcl_paths *paths)
{
    vector_each (char **, path, &paths->list) {
        free(*path);
    }
    vector_release(&paths->list);
}
