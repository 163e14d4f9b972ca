/* drctl report: the post-incident review of a run. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "commands/run_reading.h"
#include "journal/replay.h"
#include "view/report.h"

static const struct command_option options[] = {
    {"format", 'f', "FORMAT", false, "markdown (default), html or json"},
    {NULL, 0, NULL, false, NULL},
};

struct gathering {
    struct report report;
    struct fold fold;
};

static int take(const struct journal_event *event, void *data, struct error *err)
{
    (void)err;
    struct gathering *gathering = data;
    fold_event(&gathering->fold, event->json);
    report_event(&gathering->report, event->json);
    return 0;
}

static void print(const char *format, json_t *review)
{
    struct buffer text = BUFFER_INIT;
    if (strcmp(format, "html") == 0) {
        report_html(&text, review);
    } else {
        report_markdown(&text, review);
    }
    fputs(buffer_text(&text), stdout);
    buffer_release(&text);
}

static int report(const struct run_reading *reading, const char *format, struct error *err)
{
    struct gathering gathering = {0};
    struct journal_tail tail;
    fold_plan(&gathering.fold, reading->plan);
    int result = journal_replay(reading->journal, take, &gathering, &tail, err);
    json_t *review = report_finish(&gathering.report, &gathering.fold);
    if (result != 0) {
        json_decref(review);
    } else if (strcmp(format, "json") == 0) {
        print_json(review);
    } else {
        print(format, review);
        json_decref(review);
    }
    fold_release(&gathering.fold);
    return result;
}

static int run(const struct invocation *invocation, struct error *err)
{
    const char *format = invocation_value(invocation, "format");
    if (format == NULL) {
        format = wants_json(invocation) ? "json" : "markdown";
    }
    if (strcmp(format, "markdown") != 0 && strcmp(format, "html") != 0 &&
        strcmp(format, "json") != 0) {
        return error_set(err, ERROR_USAGE, "--format is markdown, html or json, not '%s'", format);
    }
    struct run_reading reading;
    int status = run_reading_open(&reading, invocation, invocation_argument(invocation, 0), err);
    if (status == 0) {
        status = report(&reading, format, err);
    }
    run_reading_release(&reading);
    return status;
}

const struct command command_report = {
    .name = "report",
    .arguments = "RUN",
    .summary = "the post-incident review of a run, from its journal alone",
    .least_arguments = 1,
    .most_arguments = 1,
    .options = options,
    .run = run,
};
