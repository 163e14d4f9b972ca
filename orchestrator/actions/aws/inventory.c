/* inventory: what there is in an account, kind by kind, so that a test of a whole stack can prove
 * that it began in an empty account and left nothing behind. A list that cannot be had fails the
 * step: what was not looked at proves nothing. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "aws/aws_cli.h"
#include "aws/inventory_table.h"
#include "base/clock.h"
#include "base/json.h"

enum { PAUSE_MS = 10 * 1000, NAMED_IN_ERROR = 5 };

static const char *const expectations[] = {"any", "empty", "same", NULL};

static const struct parameter parameters[] = {
    {.name = "regions",
     .type = VALUE_STRINGS,
     .exposed = true,
     .doc = "Regions to look at; otherwise AWS_REGION of the step's env"},
    {.name = "kinds",
     .type = VALUE_STRINGS,
     .default_json = "[]",
     .doc = "Only kinds that match one of these patterns, such as ec2:*; all of them otherwise"},
    {.name = "ignore",
     .type = VALUE_STRINGS,
     .default_json = "[]",
     .doc = "Patterns of what does not count, such as \"s3:bucket org-audit-*\""},
    {.name = "global",
     .type = VALUE_BOOLEAN,
     .default_json = "true",
     .doc = "Also what is not of a region: IAM, Route 53, S3"},
    {.name = "expect",
     .type = VALUE_CHOICE,
     .choices = expectations,
     .default_json = "\"any\"",
     .doc = "empty: refuse an account that holds anything; same: fail when there is more than in "
            "`baseline`"},
    {.name = "baseline",
     .type = VALUE_LIST,
     .doc = "The output `items` of an earlier look, to compare with"},
    {.name = "within",
     .type = VALUE_DURATION,
     .default_json = "\"0s\"",
     .doc = "How long what is too much may take to go away"},
    {0}};

static const struct output outputs[] = {
    {.name = "items",
     .type = VALUE_STRINGS,
     .doc = "Everything that is there: \"KIND NAME\" of what is global, else \"KIND REGION NAME\""},
    {.name = "counts", .type = VALUE_MAP, .doc = "How many of each kind"},
    {.name = "added", .type = VALUE_STRINGS, .doc = "What was not in `baseline`"},
    {.name = "removed", .type = VALUE_STRINGS, .doc = "What is gone since `baseline`"},
    {0}};

/* One kind in one region: what was found there at the last look. */
struct shelf {
    const struct inventory_kind *kind;
    const char *region;
    json_t *items; /* array of texts */
};

struct inventory {
    struct attempt *attempt;
    VECTOR(struct shelf)
    shelves;
};

static bool matches_any(const json_t *patterns, const char *text)
{
    size_t index;
    json_t *pattern;
    json_array_foreach (patterns, index, pattern) {
        if (json_is_string(pattern) && fnmatch(json_string_value(pattern), text, 0) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const struct attempt *attempt, const struct inventory_kind *kind)
{
    const json_t *kinds = attempt_argument(attempt, "kinds");
    return (!kind->global || attempt_flag(attempt, "global")) &&
           (json_array_size(kinds) == 0 || matches_any(kinds, kind->name));
}

static int add_region(struct inventory *inventory, const char *region, bool first)
{
    int added = 0;
    for (size_t i = 0; i < inventory_kinds_count; i++) {
        const struct inventory_kind *kind = &inventory_kinds[i];
        if (is_wanted(inventory->attempt, kind) && (first || !kind->global)) {
            vector_push(&inventory->shelves, ((struct shelf){kind, region, NULL}));
            added++;
        }
    }
    return added;
}

static int build_shelves(struct inventory *inventory, struct error *err)
{
    const json_t *regions = attempt_argument(inventory->attempt, "regions");
    const char *region;
    if (json_array_size(regions) == 0) {
        if (aws_region(inventory->attempt, &region, err) != 0) {
            return -1;
        }
        add_region(inventory, region, true);
    }
    for (size_t i = 0; i < json_array_size(regions); i++) {
        add_region(inventory, json_string_value(json_array_get(regions, i)), i == 0);
    }
    return inventory->shelves.count > 0
               ? 0
               : error_set(err, ERROR_INVALID, "`kinds` matches no kind that is known");
}

/* --- looking --------------------------------------------------------------------------------- */

static json_t *label_items(const struct attempt *attempt, const struct shelf *shelf,
                           const json_t *names)
{
    json_t *items = json_array();
    size_t index;
    json_t *name;
    json_array_foreach (names, index, name) {
        const char *text = json_string_value(name);
        bool is_listed =
            strcmp(shelf->kind->name, "tagged") == 0 && text != NULL && inventory_lists_arn(text);
        if (text == NULL || is_listed) {
            continue;
        }
        CLEANUP(memory_cleanup)
        char *item = shelf->kind->global
                         ? memory_format("%s %s", shelf->kind->name, text)
                         : memory_format("%s %s %s", shelf->kind->name, shelf->region, text);
        if (!matches_any(attempt_argument(attempt, "ignore"), item)) {
            json_array_append_new(items, json_string(item));
        }
    }
    return items;
}

static int look_at(struct attempt *attempt, struct shelf *shelf, struct error *err)
{
    const struct inventory_kind *kind = shelf->kind;
    CLEANUP(json_cleanup) json_t *options = json_object();
    if (kind->option != NULL) {
        json_object_set_new(options, kind->option, json_string(kind->value));
    }
    struct aws_call call = {
        .task = "list",
        .service = kind->service,
        .operation = kind->operation,
        .region = shelf->region,
        .options = options,
        .query = kind->query,
        .transient = true,
    };
    struct aws_answer answer = {0};
    int status = aws_call_persist(attempt, &call, &answer, err);
    if (status == 0) {
        json_decref(shelf->items);
        shelf->items = label_items(attempt, shelf, answer.value);
    } else {
        error_context(err, "%s in %s", kind->name, shelf->region);
    }
    aws_answer_release(&answer);
    return status;
}

static bool is_in(const json_t *list, const char *text)
{
    size_t index;
    json_t *item;
    json_array_foreach (list, index, item) {
        if (json_is_string(item) && strcmp(json_string_value(item), text) == 0) {
            return true;
        }
    }
    return false;
}

/* How many items of a shelf are too many for what is expected. */
static size_t too_many(const struct attempt *attempt, const struct shelf *shelf)
{
    const char *expect = attempt_text(attempt, "expect");
    const json_t *baseline =
        strcmp(expect, "same") == 0 ? attempt_argument(attempt, "baseline") : NULL;
    size_t count = 0;
    size_t index;
    json_t *item;
    json_array_foreach (shelf->items, index, item) {
        count += strcmp(expect, "any") != 0 && !is_in(baseline, json_string_value(item));
    }
    return count;
}

/* Looks at everything once, and then again and again at the kinds that hold too much. */
static int look(struct inventory *inventory, size_t *ret_left, struct error *err)
{
    struct attempt *attempt = inventory->attempt;
    int64_t within_ms = attempt_duration_ms(attempt, "within", 0);
    int64_t until_ns = clock_monotonic_ns() + within_ms * CLOCK_NS_PER_MS;
    for (;;) {
        size_t left = 0;
        vector_each (struct shelf *, shelf, &inventory->shelves) {
            bool due = shelf->items == NULL || too_many(attempt, shelf) > 0;
            if (due && look_at(attempt, shelf, err) != 0) {
                return -1;
            }
            left += too_many(attempt, shelf);
        }
        *ret_left = left;
        if (left == 0 || clock_monotonic_ns() >= until_ns) {
            return 0;
        }
        attempt_say(attempt, "%zu are still there", left);
        if (attempt_sleep(attempt, PAUSE_MS, err) != 0) {
            return -1;
        }
    }
}

/* --- telling --------------------------------------------------------------------------------- */

static json_t *all_items(const struct inventory *inventory)
{
    json_t *items = json_array();
    vector_each (const struct shelf *, shelf, &inventory->shelves) {
        json_array_extend(items, shelf->items);
    }
    return items;
}

static json_t *counts_of(const struct inventory *inventory)
{
    json_t *counts = json_object();
    vector_each (const struct shelf *, shelf, &inventory->shelves) {
        json_int_t before = json_get_integer(counts, shelf->kind->name, 0);
        json_int_t here = (json_int_t)json_array_size(shelf->items);
        json_object_set_new(counts, shelf->kind->name, json_integer(before + here));
    }
    return counts;
}

/* What is in the first list and not in the second. */
static json_t *difference(const json_t *list, const json_t *other)
{
    json_t *only = json_array();
    size_t index;
    json_t *item;
    json_array_foreach (list, index, item) {
        if (json_is_string(item) && !is_in(other, json_string_value(item))) {
            json_array_append(only, item);
        }
    }
    return only;
}

static void say_each(struct attempt *attempt, const char *what, const json_t *list)
{
    size_t index;
    json_t *item;
    json_array_foreach (list, index, item) {
        attempt_say(attempt, "%s %s", what, json_string_value(item));
    }
}

static void report(const struct inventory *inventory, json_t **ret_added)
{
    struct attempt *attempt = inventory->attempt;
    const json_t *baseline = attempt_argument(attempt, "baseline");
    json_t *items = all_items(inventory);
    json_t *added = difference(items, baseline);
    json_t *removed = difference(baseline, items);
    attempt_say(attempt, "%zu things of %zu kinds", json_array_size(items),
                inventory->shelves.count);
    say_each(attempt, baseline != NULL ? "added:" : "there is", added);
    say_each(attempt, "removed:", removed);
    attempt_set_output(attempt, "items", items);
    attempt_set_output(attempt, "counts", counts_of(inventory));
    attempt_set_output(attempt, "added", json_incref(added));
    attempt_set_output(attempt, "removed", removed);
    attempt_fact(attempt, "inventory",
                 json_pack("{s:I, s:O, s:O}", "items", (json_int_t)json_array_size(items), "added",
                           added, "removed", removed));
    *ret_added = added;
}

static int refuse(const struct attempt *attempt, const json_t *added, size_t left,
                  struct error *err)
{
    struct buffer names = BUFFER_INIT;
    for (size_t i = 0; i < json_array_size(added) && i < NAMED_IN_ERROR; i++) {
        buffer_append_format(&names, "%s%s", i > 0 ? ", " : "",
                             json_string_value(json_array_get(added, i)));
    }
    if (json_array_size(added) > NAMED_IN_ERROR) {
        buffer_append_text(&names, ", …");
    }
    bool is_empty = strcmp(attempt_text(attempt, "expect"), "empty") == 0;
    error_set(err, is_empty ? ERROR_REFUSED : ERROR_FAILED, "%s: %zu %s: %s",
              is_empty ? "the account is not empty" : "something is left", left,
              left == 1 ? "thing" : "things", buffer_text(&names));
    buffer_release(&names);
    return error_hint(err, "`ignore` names what may be there");
}

static int look_and_report(struct inventory *inventory, struct error *err)
{
    size_t left;
    if (build_shelves(inventory, err) != 0 || look(inventory, &left, err) != 0) {
        return -1;
    }
    CLEANUP(json_cleanup) json_t *added = NULL;
    report(inventory, &added);
    return left == 0 ? 0 : refuse(inventory->attempt, added, left, err);
}

static int run(struct attempt *attempt, struct error *err)
{
    if (strcmp(attempt_text(attempt, "expect"), "same") == 0 &&
        attempt_argument(attempt, "baseline") == NULL) {
        return error_set(err, ERROR_INVALID, "`expect: same` needs a `baseline`");
    }
    struct inventory inventory = {.attempt = attempt};
    int status = look_and_report(&inventory, err);
    vector_each (struct shelf *, shelf, &inventory.shelves) {
        json_decref(shelf->items);
    }
    vector_release(&inventory.shelves);
    return status;
}

const struct action action_inventory = {
    .description =
        {
            .name = "inventory",
            .summary = "List what there is in an AWS account, and compare with an earlier list",
            .doc = "Some fifty kinds of things are listed, each by its own service, and whatever "
                   "else carries a tag. What every account has from the start does not count. A "
                   "list that cannot be had fails the step.",
            .parameters = parameters,
            .outputs = outputs,
            .memory_bytes = UINT64_C(100) * 1024 * 1024,
        },
    .run = run,
    .interrupted = "It changes nothing and looks again.",
};
