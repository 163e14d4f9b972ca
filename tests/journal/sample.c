/* The events look like the real ones in size and shape. */
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "journal/journal.h"
#include "scratch.h"

json_t *sample_event(int number)
{
    return json_pack("{s:s, s:i, s:s, s:{s:[i,b]}}", "type", "sample.happened", "number", number,
                     "text", "J*\x1b[1m \"quoted\" \xc3\xa9\n", "nested", "list", number, 1);
}

char *sample_journal(const char *folder, int count)
{
    char *path = scratch_path(folder, "journal.jsonl");
    struct journal *journal;
    assert_int_equal(journal_create(path, NULL, &journal, NULL), 0);
    for (int number = 1; number <= count; number++) {
        CLEANUP(json_cleanup) json_t *event = sample_event(number);
        assert_int_equal(journal_append_now(journal, event, NULL), 0);
    }
    journal_close(journal, NULL, NULL);
    return path;
}

size_t sample_line_offset(const char *text, int line)
{
    const char *at = text;
    for (int i = 1; i < line; i++) {
        at = strchr(at, '\n') + 1;
    }
    return (size_t)(at - text);
}
