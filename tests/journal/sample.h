/* Journals to test with. */
#ifndef DRCTL_TESTS_SAMPLE_H
#define DRCTL_TESTS_SAMPLE_H

#include <jansson.h>
#include <stddef.h>

/* An event of type "sample.happened" with its number and some text in it. A new reference. */
json_t *sample_event(int number);

/* A new journal at folder/journal.jsonl with events 1 to count; returns its path. */
char *sample_journal(const char *folder, int count);

/* Where line number `line` (from 1) starts in text. */
size_t sample_line_offset(const char *text, int line);

#endif
