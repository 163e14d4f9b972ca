/* Randomness from the kernel. */
#ifndef DRCTL_BASE_RANDOM_H
#define DRCTL_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Twelve characters of a-z2-7 (60 bits) and their NUL */
enum { RANDOM_ID_SIZE = 13 };

void random_bytes(void *bytes, size_t size_bytes);
void random_id(char text[RANDOM_ID_SIZE]);

/* Evenly from 0 to limit - 1; limit is at least 1. */
uint64_t random_below(uint64_t limit);

#endif
