/* A map from strings to numbers, for finding things by name in constant time. */
#ifndef DRCTL_BASE_TABLE_H
#define DRCTL_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_slot {
    char *key; /* owned; NULL in a free slot */
    size_t value;
};

struct table {
    struct table_slot *slots;
    size_t capacity; /* zero or a power of two */
    size_t count;
    uint64_t seed; /* makes collisions unpredictable for who writes the keys */
};

void table_release(struct table *table);

/* Sets the value of a key; true when the key is new. */
bool table_set(struct table *table, const char *key, size_t value);

/* True and the value when the key is there. */
bool table_get(const struct table *table, const char *key, size_t *ret_value);

#endif
