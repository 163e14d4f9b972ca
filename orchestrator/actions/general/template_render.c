/* template.render: a file with ${{ … }} in it becomes one without. The expressions are those of
 * plans, and they see exactly what the step hands over as `values`: a template can be understood,
 * and tried, without the plan around it. What a template refers to and does not get is an error at
 * its line and column; nothing is ever left blank. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "plan/template.h"

enum { TEMPLATE_LIMIT_BYTES = 4 * 1024 * 1024 }; /* written by people, as plans are */

static const char *const formats[] = {"text", "json", NULL};

static const struct parameter parameters[] = {
    {.name = "file",
     .type = VALUE_PATH,
     .exposed = true,
     .one_of = "file",
     .doc = "The template: beside the plan, or in a folder templates/ there or one level up"},
    {.name = "inline",
     .type = VALUE_STRING,
     .one_of = "file",
     .doc = "The template itself; write "
            "$${{ for its ${{"},
    {.name = "values",
     .type = VALUE_MAP,
     .default_json = "{}",
     .doc = "What the template's expressions see: each key is a name in them"},
    {.name = "to",
     .type = VALUE_PATH,
     .exposed = true,
     .doc = "File to write, relative to the run's working folder; otherwise the text is an output"},
    {.name = "format",
     .type = VALUE_CHOICE,
     .choices = formats,
     .default_json = "\"text\"",
     .doc = "json: the result has to be JSON, and is an output as such"},
    {0}};

static const struct output outputs[] = {
    {.name = "path", .type = VALUE_PATH, .doc = "The file that was written; null without `to`"},
    {.name = "text", .type = VALUE_STRING, .doc = "The text; null with `to`"},
    {.name = "json", .type = VALUE_ANY, .doc = "The value, with `format: json`"},
    {0}};

struct source {
    char *name;            /* what errors call it */
    struct buffer content; /* without NUL inside */
};

static void source_release(struct source *source)
{
    free(source->name);
    buffer_release(&source->content);
}

/* --- where templates are --------------------------------------------------------------------- */

static char *find_file(const struct attempt *attempt, const char *file)
{
    static const char *const folders[] = {"", "templates/", "../templates/"};
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        CLEANUP(memory_cleanup) char *name = memory_format("%s%s", folders[i], file);
        char *path = attempt_plan_path(attempt, file[0] == '/' ? file : name);
        if (file_exists(path)) {
            return path;
        }
        free(path);
    }
    return NULL;
}

static int read_source(const struct attempt *attempt, struct source *source, struct error *err)
{
    const char *text = attempt_text(attempt, "inline");
    if (text != NULL) {
        source->name = memory_text("inline template");
        buffer_append_text(&source->content, text);
        return 0;
    }
    const char *file = attempt_text(attempt, "file");
    source->name = find_file(attempt, file);
    if (source->name == NULL) {
        error_set(err, ERROR_NOT_FOUND, "there is no template %s", file);
        return error_hint(err, "it is looked for beside the plan, in templates/ there, and in "
                               "../templates/");
    }
    if (file_read(source->name, TEMPLATE_LIMIT_BYTES, &source->content, err) != 0) {
        return -1;
    }
    struct span content = buffer_span(&source->content);
    size_t valid_bytes = text_valid_utf8_prefix(content);
    if (valid_bytes < content.size_bytes || strlen(buffer_text(&source->content)) != valid_bytes) {
        return error_set(err, ERROR_INVALID, "%s is not a text in UTF-8", source->name);
    }
    return 0;
}

/* --- filling in ------------------------------------------------------------------------------ */

/* Puts the place in the template in front of an error. */
static int place(const struct source *source, size_t offset, struct error *failure,
                 struct error *err)
{
    size_t line;
    size_t column;
    text_position(buffer_span(&source->content), offset, &line, &column);
    error_set_at(err, failure->code, source->name, line, column, "%s", failure->message);
    if (failure->hint != NULL) {
        error_hint(err, "%s", failure->hint);
    }
    error_release(failure);
    return -1;
}

static int append_value(const struct value *value, struct buffer *text, struct error *err)
{
    if (json_is_null(value->json)) {
        return error_set(err, ERROR_INVALID, "the value is null, and null has no text");
    }
    if (json_is_array(value->json) || json_is_object(value->json)) {
        CLEANUP(memory_cleanup) char *json = json_canonical(value->json);
        buffer_append_text(text, json);
        return 0;
    }
    CLEANUP(memory_cleanup) char *scalar = NULL;
    if (value_to_text(value->json, &scalar, err) != 0) {
        return -1;
    }
    buffer_append_text(text, scalar);
    return 0;
}

static int append_part(const struct template_part *part, const struct context *context,
                       struct buffer *text, size_t *ret_offset, struct error *err)
{
    if (part->literal != NULL) {
        buffer_append_text(text, part->literal);
        return 0;
    }
    struct value value = {0};
    *ret_offset = part->expression->offset;
    if (expression_evaluate(part->expression, context, &value, ret_offset, err) != 0) {
        return -1;
    }
    int status = append_value(&value, text, err);
    value_release(&value);
    return status;
}

static int fill_in(const struct source *source, const struct context *context, struct buffer *text,
                   struct error *err)
{
    struct template parsed = {0};
    struct error failure = ERROR_INIT;
    size_t offset = 0;
    int status = template_parse(buffer_text(&source->content), &parsed, &offset, &failure);
    for (size_t i = 0; status == 0 && i < parsed.parts.count; i++) {
        status = append_part(&parsed.parts.items[i], context, text, &offset, &failure);
    }
    template_release(&parsed);
    return status == 0 ? 0 : place(source, offset, &failure, err);
}

/* --- handing over ---------------------------------------------------------------------------- */

static int write_result(struct attempt *attempt, const char *to, const struct buffer *text,
                        struct error *err)
{
    CLEANUP(memory_cleanup) char *path = NULL;
    if (file_join_inside(attempt_work_directory(attempt), to, &path, err) != 0) {
        return error_context(err, "`to`");
    }
    CLEANUP(memory_cleanup) char *folder = memory_text_n(path, (size_t)(strrchr(path, '/') - path));
    if (file_make_directories(folder, FILE_PRIVATE_DIRECTORY_MODE, err) != 0 ||
        file_write(path, buffer_span(text), FILE_PRIVATE_MODE, FILE_ATOMIC, err) != 0) {
        return -1;
    }
    attempt_say(attempt, "wrote %s", path);
    attempt_set_output_text(attempt, "path", path);
    attempt_set_output(attempt, "text", json_null());
    return 0;
}

static int hand_over(struct attempt *attempt, const struct source *source,
                     const struct buffer *text, struct error *err)
{
    if (strcmp(attempt_text(attempt, "format"), "json") == 0) {
        json_t *value = json_parse(buffer_span(text), "the result", err);
        if (value == NULL) {
            return error_context(err, "%s", source->name);
        }
        attempt_set_output(attempt, "json", value);
    }
    const char *to = attempt_text(attempt, "to");
    if (to != NULL) {
        return write_result(attempt, to, text, err);
    }
    attempt_set_output_text(attempt, "text", buffer_text(text));
    attempt_set_output(attempt, "path", json_null());
    return 0;
}

static int run(struct attempt *attempt, struct error *err)
{
    CLEANUP(source_release) struct source source = {NULL, BUFFER_INIT};
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    if (read_source(attempt, &source, err) != 0) {
        return -1;
    }
    struct context context = {
        .values = json_deep_copy(attempt_argument(attempt, "values")),
        .secrets = json_object(),
        .now_ns = clock_wall_ns(),
    };
    int status = fill_in(&source, &context, &text, err);
    context_release(&context);
    return status == 0 ? hand_over(attempt, &source, &text, err) : -1;
}

const struct action action_template_render = {
    .description =
        {
            .name = "template.render",
            .summary = "Fill in a template",
            .doc = "The template holds expressions as plans do, in ${{ }}. They see the keys of "
                   "`values` and nothing else; pass on what is needed, for instance "
                   "`{inputs: \"${{ inputs }}\"}`. A list or map becomes JSON.",
            .parameters = parameters,
            .outputs = outputs,
        },
    .run = run,
    .interrupted = "It writes nothing outside the run's working folder and is done again.",
};
