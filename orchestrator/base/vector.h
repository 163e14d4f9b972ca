/* Growable arrays of any type: VECTOR(struct thing) things = {0}; the items stay plain C arrays.
 * Growing moves them, so nobody keeps a pointer to an item across a push. */
#ifndef DRCTL_BASE_VECTOR_H
#define DRCTL_BASE_VECTOR_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define VECTOR(type)                                                                               \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count;                                                                              \
        size_t capacity;                                                                           \
    }

/* Makes room for one more item and gives its address, the item zeroed. */
#define vector_grow(vector)                                                                        \
    ((vector)->count == (vector)->capacity                                                         \
         ? ((vector)->capacity = (vector)->capacity != 0 ? 2 * (vector)->capacity : 8,             \
            (vector)->items =                                                                      \
                memory_resize((vector)->items, (vector)->capacity, sizeof *(vector)->items))       \
         : (vector)->items,                                                                        \
     memset(&(vector)->items[(vector)->count], 0, sizeof *(vector)->items),                        \
     &(vector)->items[(vector)->count++])

#define vector_push(vector, item) (*vector_grow(vector) = (item))

/* Frees the array, not what its items own. The vector is empty afterwards and can be used again. */
#define vector_release(vector)                                                                     \
    (free((vector)->items), (vector)->items = NULL, (vector)->count = (vector)->capacity = 0)

/* for each item: vector_each (struct thing *, thing, &things) { … } */
#define vector_each(pointer_type, item, vector)                                                    \
    for (pointer_type item = (vector)->items;                                                      \
         (vector)->count != 0 && item < (vector)->items + (vector)->count; item++)

#endif
