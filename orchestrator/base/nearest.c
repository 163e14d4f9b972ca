/* Optimal string alignment distance (insert, delete, replace, swap of neighbours), without regard
 * to case and with '-' and '_' alike, since those are what people mix up in keys. */
#include "base/nearest.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

enum { LONGEST_WORD = 64 };

static int fold(char c)
{
    return c == '_' ? '-' : tolower((unsigned char)c);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][LONGEST_WORD + 1];
    for (size_t j = 0; j <= b_size; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t changed = fold(a[i - 1]) != fold(b[j - 1]);
            row[j] = least(above[j - 1] + changed, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1])) {
                row[j] = least(row[j], rows[(i - 2) % 3][j - 2] + 1);
            }
        }
    }
    return rows[a_size % 3][b_size];
}

void nearest_init(struct nearest *nearest, const char *word)
{
    *nearest = (struct nearest){.word = word, .best = NULL, .best_distance = SIZE_MAX};
}

void nearest_offer(struct nearest *nearest, const char *known)
{
    size_t word_size = strlen(nearest->word);
    size_t known_size = strlen(known);
    if (word_size > LONGEST_WORD || known_size > LONGEST_WORD) {
        return;
    }
    size_t edits = distance(nearest->word, word_size, known, known_size);
    size_t allowed = 1 + (word_size > known_size ? word_size : known_size) / 3;
    if (edits <= allowed && edits < nearest->best_distance && edits < known_size) {
        nearest->best = known;
        nearest->best_distance = edits;
    }
}
