/* Drives a fuzz target without libFuzzer: each file of the corpus as it is, and mutations of it
 * that are the same in every run, for a few seconds at most. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    MUTATIONS_PER_FILE = 300,
    TIME_LIMIT_S = 8,
    FILE_LIMIT_BYTES = 1024 * 1024,
};

static uint64_t seed;

/* xorshift64*: the same sequence everywhere. */
static size_t next_below(size_t limit)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (size_t)((seed * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static void mutate(struct buffer *input)
{
    size_t at = next_below(input->size_bytes + 1);
    size_t size = input->size_bytes - at < 16 ? input->size_bytes - at : 16;
    switch (next_below(5)) {
    case 0:
        buffer_truncate(input, at);
        break;
    case 1:
        buffer_consume(input, at);
        break;
    case 2: /* a run of bytes again at the end */
        if (size > 0) {
            char copy[16];
            memcpy(copy, input->data + at, size);
            buffer_append(input, copy, size);
        }
        break;
    case 3:
        if (size > 0) {
            input->data[at] = "\0\n\r\"'{}[]()<>$%#\\:,=-0 \xff"[next_below(24)];
        }
        break;
    default:
        if (size > 0) {
            input->data[at] = (char)(input->data[at] ^ (1 << next_below(8)));
        }
    }
}

/* In memory of exactly its size, so that a read beyond it is noticed. */
static void run(const struct buffer *input)
{
    uint8_t *copy = memory_new(input->size_bytes, 1);
    if (input->size_bytes > 0) {
        memcpy(copy, input->data, input->size_bytes);
    }
    LLVMFuzzerTestOneInput(copy, input->size_bytes);
    free(copy);
}

static int replay_file(const char *path, int64_t deadline_ns)
{
    struct error err = ERROR_INIT;
    struct buffer original = BUFFER_INIT;
    if (file_read(path, FILE_LIMIT_BYTES, &original, &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        error_release(&err);
        return -1;
    }
    run(&original);
    for (int i = 0; i < MUTATIONS_PER_FILE && clock_monotonic_ns() < deadline_ns; i++) {
        struct buffer mutated = BUFFER_INIT;
        buffer_append_span(&mutated, buffer_span(&original));
        seed = UINT64_C(88172645463325252) + (uint64_t)i;
        for (size_t rounds = 1 + next_below(4); rounds > 0; rounds--) {
            mutate(&mutated);
        }
        run(&mutated);
        buffer_release(&mutated);
    }
    buffer_release(&original);
    return 0;
}

int main(int argc, char **argv)
{
    int files = 0;
    int64_t deadline_ns = clock_monotonic_ns() + TIME_LIMIT_S * CLOCK_NS_PER_S;
    DIR *corpus = argc == 2 ? opendir(argv[1]) : NULL;
    if (corpus == NULL) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    int status = 0;
    for (struct dirent *entry; (entry = readdir(corpus)) != NULL;) {
        if (entry->d_name[0] != '.') {
            char *path = file_join(argv[1], entry->d_name);
            status |= replay_file(path, deadline_ns);
            free(path);
            files++;
        }
    }
    closedir(corpus);
    printf("%d files of the corpus replayed\n", files);
    return status == 0 && files > 0 ? 0 : 1;
}
