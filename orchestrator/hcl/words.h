/* Words that are looked for and replaced: regions, with the zones that lie in them, and any other
 * name. */
#ifndef DRCTL_HCL_WORDS_H
#define DRCTL_HCL_WORDS_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/span.h"
#include "base/vector.h"

struct hcl_word {
    char *from;
    size_t from_bytes;
    char *to;       /* NULL: only looked for */
    bool is_region; /* from has the form of a region: its zones are found with it */
};

struct hcl_words {
    VECTOR(struct hcl_word)
    list; /* longest first, so that a zone of its own wins over its region */
};

struct hcl_word_hit {
    const struct hcl_word *word;
    size_t offset;
    size_t size_bytes; /* with the letter of the zone */
};

/* True for the form of an AWS region: us-east-2, us-gov-west-1. */
bool hcl_is_region(struct span text);

void hcl_words_add(struct hcl_words *words, const char *from, const char *to);
void hcl_words_release(struct hcl_words *words);

/* The first hit in text at or behind start. A word counts between word borders only: us-east-2 is
 * not in us-east-20, but in us-east-2a (a zone of it), app-us-east-2 and arn:aws:sns:us-east-2:1:x.
 * Any byte that is not a letter or digit is a border. */
bool hcl_words_find(const struct hcl_words *words, struct span text, size_t start,
                    struct hcl_word_hit *hit);

/* Appends what takes the place of a hit in text: the letter of a zone is kept. */
void hcl_words_append_replacement(struct buffer *out, struct span text,
                                  const struct hcl_word_hit *hit);

#endif
