/* Values from expressions. What is secret travels with a value as a mirror of it, so that
 * inputs.password is secret, inputs.region is not, and toJSON(inputs) is. Error sentences name
 * kinds and keys, never values, since a value may be a secret. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/nearest.h"
#include "plan/expression.h"
#include "plan/functions.h"

struct evaluation {
    const struct context *context;
    bool lenient; /* what is not there is null */
    size_t bad_offset;
    struct error *err;
};

static int evaluate(struct evaluation *e, const struct expression *expression, struct value *ret);

static int fail_at(struct evaluation *e, const struct expression *expression)
{
    e->bad_offset = expression->offset;
    return -1;
}

static const struct expression *operand(const struct expression *expression, size_t index)
{
    return expression->operands.items[index];
}

static int evaluate_leniently(struct evaluation *e, const struct expression *expression,
                              struct value *ret)
{
    bool before = e->lenient;
    e->lenient = true;
    int result = evaluate(e, expression, ret);
    e->lenient = before;
    return result;
}

static int give(struct value *ret, json_t *json)
{
    *ret = (struct value){json, NULL};
    return 0;
}

/* The path as it was written, as far as it is one: "site.environments[…].region". */
static void append_path(struct buffer *out, const struct expression *expression)
{
    switch (expression->kind) {
    case EXPRESSION_ROOT:
        buffer_append_text(out, expression->name);
        break;
    case EXPRESSION_MEMBER:
        append_path(out, operand(expression, 0));
        buffer_append_format(out, ".%s", expression->name);
        break;
    case EXPRESSION_INDEX:
        append_path(out, operand(expression, 0));
        buffer_append_text(out, "[…]");
        break;
    case EXPRESSION_CALL:
        buffer_append_format(out, "%s(…)", expression->function->name);
        break;
    default:
        buffer_append_text(out, "the value");
        break;
    }
}

static int evaluate_root(struct evaluation *e, const struct expression *expression,
                         struct value *ret)
{
    json_t *json = json_object_get(e->context->values, expression->name);
    if (json != NULL) {
        ret->json = json_incref(json);
        ret->secrets = json_object_get(e->context->secrets, expression->name);
        return 0;
    }
    if (e->lenient) {
        return give(ret, json_null());
    }
    error_set(e->err, ERROR_INVALID, "there is no '%s' here", expression->name);
    return fail_at(e, expression);
}

/* True for steps.ID.outputs, whose missing keys have a reason. */
static bool is_step_outputs(const struct expression *expression)
{
    if (expression->kind != EXPRESSION_MEMBER || strcmp(expression->name, "outputs") != 0) {
        return false;
    }
    const struct expression *step = operand(expression, 0);
    return (step->kind == EXPRESSION_MEMBER || step->kind == EXPRESSION_INDEX) &&
           operand(step, 0)->kind == EXPRESSION_ROOT &&
           strcmp(operand(step, 0)->name, "steps") == 0;
}

/* Why a step has no such output: its status says. */
static void hint_step_status(struct evaluation *e, const struct expression *step)
{
    struct value value = {NULL, NULL};
    struct evaluation inner = {.context = e->context, .lenient = true};
    if (evaluate(&inner, step, &value) == 0) {
        const char *status = json_string_value(json_object_get(value.json, "status"));
        if (status != NULL) {
            error_hint(e->err, "the step's status is %s", status);
        }
        value_release(&value);
    }
}

static int report_missing(struct evaluation *e, const struct expression *expression,
                          const struct expression *left, json_t *object, const char *key)
{
    CLEANUP(buffer_release) struct buffer path = BUFFER_INIT;
    append_path(&path, left);
    error_set(e->err, ERROR_INVALID, "%s has no '%s'", buffer_text(&path), key);
    struct nearest nearest;
    nearest_init(&nearest, key);
    const char *known;
    json_t *unused;
    json_object_foreach (object, known, unused) {
        nearest_offer(&nearest, known);
    }
    if (nearest.best != NULL) {
        error_hint(e->err, "did you mean '%s'?", nearest.best);
    } else if (is_step_outputs(left)) {
        hint_step_status(e, operand(left, 0));
    }
    return fail_at(e, expression);
}

static const json_t *secrets_below(const json_t *secrets, const char *key)
{
    return json_is_true(secrets) ? secrets : json_object_get(secrets, key);
}

/* left[key] or left.key; takes left. */
static int take_member(struct evaluation *e, const struct expression *expression,
                       struct value *left, const char *key, struct value *ret)
{
    json_t *child = json_object_get(left->json, key);
    int result = 0;
    if (child != NULL) {
        ret->json = json_incref(child);
        ret->secrets = secrets_below(left->secrets, key);
    } else if (e->lenient && (json_is_null(left->json) || json_is_object(left->json))) {
        give(ret, json_null());
    } else if (json_is_object(left->json)) {
        result = report_missing(e, expression, operand(expression, 0), left->json, key);
    } else {
        CLEANUP(buffer_release) struct buffer path = BUFFER_INIT;
        append_path(&path, operand(expression, 0));
        error_set(e->err, ERROR_INVALID, "%s is %s and has no '%s'", buffer_text(&path),
                  value_phrase(left->json), key);
        result = fail_at(e, expression);
    }
    value_release(left);
    return result;
}

static int evaluate_member(struct evaluation *e, const struct expression *expression,
                           struct value *ret)
{
    struct value left;
    if (evaluate(e, operand(expression, 0), &left) != 0) {
        return -1;
    }
    return take_member(e, expression, &left, expression->name, ret);
}

/* left[number]; takes left. */
static int take_item(struct evaluation *e, const struct expression *expression, struct value *left,
                     json_int_t index, struct value *ret)
{
    int result = 0;
    json_t *item = index >= 0 ? json_array_get(left->json, (size_t)index) : NULL;
    if (item != NULL) {
        CLEANUP(memory_cleanup) char *key = memory_format("%lld", (long long)index);
        ret->json = json_incref(item);
        ret->secrets = secrets_below(left->secrets, key);
    } else if (e->lenient) {
        give(ret, json_null());
    } else {
        CLEANUP(buffer_release) struct buffer path = BUFFER_INIT;
        append_path(&path, operand(expression, 0));
        error_set(e->err, ERROR_INVALID, "%s has %zu items, counted from 0, and none at %lld",
                  buffer_text(&path), json_array_size(left->json), (long long)index);
        result = fail_at(e, expression);
    }
    value_release(left);
    return result;
}

static int index_value(struct evaluation *e, const struct expression *expression,
                       struct value *left, const json_t *index, struct value *ret)
{
    if (json_is_array(left->json) && json_is_integer(index)) {
        return take_item(e, expression, left, json_integer_value(index), ret);
    }
    if (json_is_array(left->json) || (!json_is_string(index) && !json_is_integer(index))) {
        int result = e->lenient && json_is_null(index) ? give(ret, json_null()) : -1;
        if (result != 0) {
            error_set(e->err, ERROR_INVALID, "%s cannot be indexed by %s", value_phrase(left->json),
                      value_phrase(index));
            fail_at(e, expression);
        }
        value_release(left);
        return result;
    }
    CLEANUP(memory_cleanup) char *key = NULL;
    if (value_to_text(index, &key, e->err) != 0) {
        value_release(left);
        return fail_at(e, expression);
    }
    return take_member(e, expression, left, key, ret);
}

static int evaluate_index(struct evaluation *e, const struct expression *expression,
                          struct value *ret)
{
    struct value left;
    struct value index;
    if (evaluate(e, operand(expression, 0), &left) != 0) {
        return -1;
    }
    if (evaluate(e, operand(expression, 1), &index) != 0) {
        value_release(&left);
        return -1;
    }
    int result = index_value(e, expression, &left, index.json, ret);
    if (result == 0 && value_is_secret(&index)) {
        ret->secrets = json_true();
    }
    value_release(&index);
    return result;
}

static int is_empty_at(struct evaluation *e, const struct expression *expression,
                       const json_t *value, bool *ret_empty)
{
    return value_is_empty(value, ret_empty, e->err) == 0 ? 0 : fail_at(e, expression);
}

static int evaluate_not(struct evaluation *e, const struct expression *expression,
                        struct value *ret)
{
    struct value value;
    bool empty;
    if (evaluate(e, operand(expression, 0), &value) != 0) {
        return -1;
    }
    int result = is_empty_at(e, operand(expression, 0), value.json, &empty);
    value_release(&value);
    return result == 0 ? give(ret, json_boolean(empty)) : -1;
}

static int evaluate_and_or(struct evaluation *e, const struct expression *expression,
                           struct value *ret)
{
    bool is_or = expression->kind == EXPRESSION_OR;
    const struct expression *left_operand = operand(expression, 0);
    struct value left;
    bool empty;
    if ((is_or ? evaluate_leniently(e, left_operand, &left) : evaluate(e, left_operand, &left)) !=
        0) {
        return -1;
    }
    if (is_empty_at(e, left_operand, left.json, &empty) != 0) {
        value_release(&left);
        return -1;
    }
    if (is_or != empty) {
        *ret = left;
        return 0;
    }
    value_release(&left);
    return evaluate(e, operand(expression, 1), ret);
}

static int evaluate_conditional(struct evaluation *e, const struct expression *expression,
                                struct value *ret)
{
    struct value condition;
    bool empty;
    if (evaluate(e, operand(expression, 0), &condition) != 0) {
        return -1;
    }
    int result = is_empty_at(e, operand(expression, 0), condition.json, &empty);
    value_release(&condition);
    return result == 0 ? evaluate(e, operand(expression, empty ? 2 : 1), ret) : -1;
}

/* A number, or a text that reads as one. */
static bool as_number(const json_t *value, double *ret)
{
    if (json_is_number(value)) {
        *ret = json_number_value(value);
        return true;
    }
    const char *text = json_string_value(value);
    if (text == NULL || text[0] == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0') {
        return false;
    }
    char *end;
    *ret = strtod(text, &end);
    return *end == '\0' && isfinite(*ret);
}

static bool is_same(const json_t *a, const json_t *b)
{
    double x;
    double y;
    if (json_is_integer(a) && json_is_integer(b)) {
        return json_integer_value(a) == json_integer_value(b);
    }
    if ((json_is_number(a) || json_is_number(b)) && as_number(a, &x) && as_number(b, &y)) {
        return !(x < y) && !(x > y);
    }
    if (json_is_boolean(a) && json_is_string(b)) {
        return strcmp(json_is_true(a) ? "true" : "false", json_string_value(b)) == 0;
    }
    if (json_is_string(a) && json_is_boolean(b)) {
        return is_same(b, a);
    }
    return json_equal(a, b);
}

/* -1, 0 or 1 in *ret_order. */
static int order_of(struct evaluation *e, const struct expression *expression, const json_t *a,
                    const json_t *b, int *ret_order)
{
    if (json_is_integer(a) && json_is_integer(b)) {
        json_int_t left = json_integer_value(a);
        json_int_t right = json_integer_value(b);
        *ret_order = (left > right) - (left < right);
        return 0;
    }
    double x;
    double y;
    if ((json_is_number(a) || json_is_number(b)) && as_number(a, &x) && as_number(b, &y)) {
        *ret_order = (x > y) - (x < y);
        return 0;
    }
    if (json_is_string(a) && json_is_string(b)) {
        int order = strcmp(json_string_value(a), json_string_value(b));
        *ret_order = (order > 0) - (order < 0);
        return 0;
    }
    error_set(e->err, ERROR_INVALID, "%s and %s have no order", value_phrase(a), value_phrase(b));
    return fail_at(e, expression);
}

static int compare(struct evaluation *e, const struct expression *expression, const json_t *a,
                   const json_t *b, struct value *ret)
{
    enum expression_kind kind = expression->kind;
    if (kind == EXPRESSION_EQUAL || kind == EXPRESSION_UNEQUAL) {
        return give(ret, json_boolean(is_same(a, b) == (kind == EXPRESSION_EQUAL)));
    }
    int order;
    if (order_of(e, expression, a, b, &order) != 0) {
        return -1;
    }
    bool holds = kind == EXPRESSION_LESS         ? order < 0
                 : kind == EXPRESSION_LESS_EQUAL ? order <= 0
                 : kind == EXPRESSION_GREATER    ? order > 0
                                                 : order >= 0;
    return give(ret, json_boolean(holds));
}

static int evaluate_comparison(struct evaluation *e, const struct expression *expression,
                               struct value *ret)
{
    struct value left;
    struct value right;
    if (evaluate(e, operand(expression, 0), &left) != 0) {
        return -1;
    }
    if (evaluate(e, operand(expression, 1), &right) != 0) {
        value_release(&left);
        return -1;
    }
    int result = compare(e, expression, left.json, right.json, ret);
    value_release(&left);
    value_release(&right);
    return result;
}

static int evaluate_list(struct evaluation *e, const struct expression *expression,
                         struct value *ret)
{
    json_t *list = json_array();
    const json_t *secrets = NULL;
    for (size_t i = 0; i < expression->operands.count; i++) {
        struct value item;
        if (evaluate(e, operand(expression, i), &item) != 0) {
            json_decref(list);
            return -1;
        }
        secrets = value_is_secret(&item) ? json_true() : secrets;
        json_array_append_new(list, item.json);
    }
    *ret = (struct value){list, secrets};
    return 0;
}

/* default(a, b) and coalesce(a, b, …): the first that is there; the last has to be. */
static int evaluate_first_present(struct evaluation *e, const struct expression *call,
                                  struct value *ret)
{
    for (size_t i = 0; i + 1 < call->operands.count; i++) {
        struct value value;
        if (evaluate_leniently(e, operand(call, i), &value) != 0) {
            return -1;
        }
        if (!json_is_null(value.json)) {
            *ret = value;
            return 0;
        }
        value_release(&value);
    }
    return evaluate(e, operand(call, call->operands.count - 1), ret);
}

static int evaluate_exists(struct evaluation *e, const struct expression *call, struct value *ret)
{
    struct value value;
    if (evaluate_leniently(e, operand(call, 0), &value) != 0) {
        return -1;
    }
    bool is_there = !json_is_null(value.json);
    value_release(&value);
    return give(ret, json_boolean(is_there));
}

static json_t *call_function(struct evaluation *e, const struct expression *expression,
                             struct value *arguments)
{
    const struct function *function = expression->function;
    size_t count = expression->operands.count;
    json_t *json[FUNCTION_ANY_COUNT];
    bool secret = false;
    for (size_t i = 0; i < count; i++) {
        json[i] = arguments[i].json;
        secret |= value_is_secret(&arguments[i]);
        if (e->lenient && json_is_null(json[i])) {
            return json_null();
        }
    }
    struct function_call call = {function, e->context, json, count, e->lenient};
    json_t *result = function->call(&call, e->err);
    if (result == NULL && secret) {
        error_release(e->err);
        error_set(e->err, ERROR_INVALID, "%s() cannot work on this secret value", function->name);
    }
    /* cppcheck-suppress returnDanglingLifetime ; no function keeps the call */
    return result;
}

static int evaluate_ordinary_call(struct evaluation *e, const struct expression *expression,
                                  struct value *ret)
{
    struct value arguments[FUNCTION_ANY_COUNT];
    size_t count = 0;
    const json_t *secrets = NULL;
    int result = 0;
    while (result == 0 && count < expression->operands.count) {
        result = evaluate(e, operand(expression, count), &arguments[count]);
        if (result == 0 && !expression->function->tells_nothing &&
            value_is_secret(&arguments[count])) {
            secrets = json_true();
        }
        count += result == 0;
    }
    if (result == 0) {
        json_t *json = call_function(e, expression, arguments);
        *ret = (struct value){json, secrets};
        result = json != NULL ? 0 : fail_at(e, expression);
    }
    for (size_t i = 0; i < count; i++) {
        value_release(&arguments[i]);
    }
    return result;
}

static int evaluate_call(struct evaluation *e, const struct expression *expression,
                         struct value *ret)
{
    if (expression->function->call != NULL) {
        return evaluate_ordinary_call(e, expression, ret);
    }
    return strcmp(expression->function->name, "exists") == 0
               ? evaluate_exists(e, expression, ret)
               : evaluate_first_present(e, expression, ret);
}

static int evaluate(struct evaluation *e, const struct expression *expression, struct value *ret)
{
    switch (expression->kind) {
    case EXPRESSION_LITERAL:
        return give(ret, json_incref(expression->literal));
    case EXPRESSION_ROOT:
        return evaluate_root(e, expression, ret);
    case EXPRESSION_MEMBER:
        return evaluate_member(e, expression, ret);
    case EXPRESSION_INDEX:
        return evaluate_index(e, expression, ret);
    case EXPRESSION_CALL:
        return evaluate_call(e, expression, ret);
    case EXPRESSION_LIST:
        return evaluate_list(e, expression, ret);
    case EXPRESSION_NOT:
        return evaluate_not(e, expression, ret);
    case EXPRESSION_AND:
    case EXPRESSION_OR:
        return evaluate_and_or(e, expression, ret);
    case EXPRESSION_CONDITIONAL:
        return evaluate_conditional(e, expression, ret);
    default:
        return evaluate_comparison(e, expression, ret);
    }
}

int expression_evaluate(const struct expression *expression, const struct context *context,
                        struct value *ret, size_t *ret_offset, struct error *err)
{
    /* Sentences are rebuilt when a secret is involved, so there has to be an error to rebuild. */
    struct error local = ERROR_INIT;
    struct evaluation e = {.context = context, .err = err != NULL ? err : &local};
    struct value value = {NULL, NULL};
    int result = evaluate(&e, expression, &value);
    if (result == 0) {
        *ret = value;
    } else {
        *ret_offset = e.bad_offset;
    }
    error_release(&local);
    return result;
}
