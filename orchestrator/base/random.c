/* getrandom(2) blocks until the kernel's pool is ready and cannot fail after that; anything else is
 * a broken system, and going on without randomness would hand out the same ids twice. */
#include "base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *bytes, size_t size_bytes)
{
    unsigned char *at = bytes;
    while (size_bytes > 0) {
        ssize_t size = getrandom(at, size_bytes, 0);
        if (size < 0) {
            if (errno == EINTR) {
                continue;
            }
            abort();
        }
        at += size;
        size_bytes -= (size_t)size;
    }
}

void random_id(char text[RANDOM_ID_SIZE])
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char bytes[RANDOM_ID_SIZE - 1];
    random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        text[i] = alphabet[bytes[i] & 31];
    }
    text[sizeof bytes] = '\0';
}

uint64_t random_below(uint64_t limit)
{
    uint64_t excess = -limit % limit;
    uint64_t value;
    do {
        random_bytes(&value, sizeof value);
    } while (value < excess);
    return value % limit;
}
