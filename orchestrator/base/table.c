/* Open addressing with linear probing, at most three quarters full; keys are never removed. */
#include "base/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

enum { TABLE_FIRST_CAPACITY = 16 };

/* FNV-1a with a random start. */
static uint64_t hash(const struct table *table, const char *key)
{
    uint64_t value = UINT64_C(14695981039346656037) ^ table->seed;
    for (; *key != '\0'; key++) {
        value = (value ^ (unsigned char)*key) * UINT64_C(1099511628211);
    }
    return value ^ (value >> 32);
}

static struct table_slot *find(const struct table *table, const char *key)
{
    size_t at = hash(table, key) & (table->capacity - 1);
    while (table->slots[at].key != NULL && strcmp(table->slots[at].key, key) != 0) {
        at = (at + 1) & (table->capacity - 1);
    }
    return &table->slots[at];
}

static void grow(struct table *table)
{
    struct table old = *table;
    if (old.capacity == 0) {
        random_bytes(&table->seed, sizeof table->seed);
    }
    table->capacity = old.capacity != 0 ? 2 * old.capacity : TABLE_FIRST_CAPACITY;
    table->slots = memory_new(table->capacity, sizeof *table->slots);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i].key != NULL) {
            *find(table, old.slots[i].key) = old.slots[i];
        }
    }
    free(old.slots);
}

void table_release(struct table *table)
{
    for (size_t i = 0; i < table->capacity; i++) {
        free(table->slots[i].key);
    }
    free(table->slots);
    *table = (struct table){0};
}

bool table_set(struct table *table, const char *key, size_t value)
{
    if (4 * (table->count + 1) > 3 * table->capacity) {
        grow(table);
    }
    struct table_slot *slot = find(table, key);
    bool is_new = slot->key == NULL;
    if (is_new) {
        slot->key = memory_text(key);
        table->count++;
    }
    slot->value = value;
    return is_new;
}

bool table_get(const struct table *table, const char *key, size_t *ret_value)
{
    if (table->capacity == 0) {
        return false;
    }
    const struct table_slot *slot = find(table, key);
    if (slot->key == NULL) {
        return false;
    }
    *ret_value = slot->value;
    return true;
}
