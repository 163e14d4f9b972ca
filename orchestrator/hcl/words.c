/* What "the region occurs here" means, in one place for mapping and for the check afterwards, so
 * that the check cannot look for less than was mapped. */
#include "hcl/words.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/memory.h"

static bool is_lower(char byte)
{
    return byte >= 'a' && byte <= 'z';
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Bytes of UTF-8 sequences count as letters: a border is what no word has inside. */
static bool is_inside_word(char byte)
{
    return isalnum((unsigned char)byte) || (unsigned char)byte >= 0x80;
}

/* Two letters, then parts of letters, then a number: xx(-letters)+-digits. */
bool hcl_is_region(struct span text)
{
    size_t at = 0;
    size_t parts = 0;
    for (;;) {
        size_t start = at;
        while (at < text.size_bytes && is_lower(text.data[at])) {
            at++;
        }
        if (at == start || at == text.size_bytes || text.data[at] != '-' ||
            (parts == 0 && at != 2)) {
            return false;
        }
        parts++;
        at++;
        if (at < text.size_bytes && is_digit(text.data[at])) {
            break;
        }
    }
    size_t digits = at;
    while (at < text.size_bytes && is_digit(text.data[at])) {
        at++;
    }
    return parts >= 2 && at == text.size_bytes && at - digits <= 2;
}

static int longest_first(const void *a, const void *b)
{
    const struct hcl_word *left = a;
    const struct hcl_word *right = b;
    return left->from_bytes != right->from_bytes ? (left->from_bytes > right->from_bytes ? -1 : 1)
                                                 : strcmp(left->from, right->from);
}

void hcl_words_add(struct hcl_words *words, const char *from, const char *to)
{
    if (from[0] == '\0') {
        return;
    }
    struct hcl_word word = {.from = memory_text(from),
                            .from_bytes = strlen(from),
                            .to = memory_text(to),
                            .is_region = hcl_is_region(span_of_text(from))};
    vector_push(&words->list, word);
    qsort(words->list.items, words->list.count, sizeof words->list.items[0], longest_first);
}

void hcl_words_release(struct hcl_words *words)
{
    vector_each (struct hcl_word *, word, &words->list) {
        free(word->from);
        free(word->to);
    }
    vector_release(&words->list);
}

/* The size of the word at `at` with the letter of a zone, 0 when it does not stand there. */
static size_t match(const struct hcl_word *word, struct span text, size_t at)
{
    if (text.size_bytes - at < word->from_bytes ||
        memcmp(text.data + at, word->from, word->from_bytes) != 0) {
        return 0;
    }
    size_t end = at + word->from_bytes;
    if (word->is_region && end < text.size_bytes && is_lower(text.data[end])) {
        end++;
    }
    bool inside = end < text.size_bytes && is_inside_word(text.data[end]) &&
                  is_inside_word(text.data[end - 1]);
    return inside ? 0 : end - at;
}

bool hcl_words_find(const struct hcl_words *words, struct span text, size_t start,
                    struct hcl_word_hit *hit)
{
    for (size_t at = start; at < text.size_bytes; at++) {
        if (at > 0 && is_inside_word(text.data[at]) && is_inside_word(text.data[at - 1])) {
            continue;
        }
        for (size_t i = 0; i < words->list.count; i++) {
            size_t size_bytes = match(&words->list.items[i], text, at);
            if (size_bytes != 0) {
                *hit = (struct hcl_word_hit){&words->list.items[i], at, size_bytes};
                return true;
            }
        }
    }
    return false;
}

void hcl_words_append_replacement(struct buffer *out, struct span text,
                                  const struct hcl_word_hit *hit)
{
    size_t letters = hit->size_bytes - hit->word->from_bytes;
    buffer_append_text(out, hit->word->to);
    buffer_append(out, text.data + hit->offset + hit->word->from_bytes, letters);
}
