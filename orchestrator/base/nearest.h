/* "Did you mean …?": the known word that is nearest to a misspelled one. */
#ifndef DRCTL_BASE_NEAREST_H
#define DRCTL_BASE_NEAREST_H

#include <stddef.h>

struct nearest {
    const char *word; /* what was written */
    const char *best; /* the nearest known word so far; NULL when none is near */
    size_t best_distance;
};

void nearest_init(struct nearest *nearest, const char *word);

/* Offers a known word. It is taken when fewer edits lead to it than to the best so far, and not
 * more than a third of the word's length. The text is kept by reference. */
void nearest_offer(struct nearest *nearest, const char *known);

#endif
