/* Plain scalars by the core schema of YAML 1.2: `no`, `on` and `12:30` are text, unlike in YAML
 * 1.1. Numbers with leading zeros are text, too, since they are account numbers more often than
 * anything else; so is what would lose digits as a number. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/document.h"

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(text, *words) == 0) {
            return true;
        }
    }
    return false;
}

static bool resolve_integer(struct node *node)
{
    const char *text = node->text;
    const char *digits = text + (*text == '-' || *text == '+');
    int base = 10;
    const char *allowed = "0123456789";
    if (digits == text && strncmp(text, "0x", 2) == 0) {
        base = 16;
        allowed = "0123456789abcdefABCDEF";
        digits = text += 2;
    } else if (digits == text && strncmp(text, "0o", 2) == 0) {
        base = 8;
        allowed = "01234567";
        digits = text += 2;
    } else if (digits[0] == '0' && digits[1] != '\0') {
        return false;
    }
    if (*digits == '\0' || digits[strspn(digits, allowed)] != '\0') {
        return false;
    }
    errno = 0;
    long long value = strtoll(text, NULL, base);
    if (errno != 0) {
        return false;
    }
    node->kind = NODE_INTEGER;
    node->integer = value;
    return true;
}

/* [-+]? ( \.[0-9]+ | [0-9]+(\.[0-9]*)? ) ([eE][-+]?[0-9]+)? */
static bool looks_like_real(const char *at)
{
    at += *at == '-' || *at == '+';
    size_t whole = strspn(at, "0123456789");
    if (whole > 1 && *at == '0') {
        return false;
    }
    at += whole;
    size_t fraction = 0;
    if (*at == '.') {
        fraction = strspn(++at, "0123456789");
        at += fraction;
    }
    if (whole + fraction == 0) {
        return false;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '-' || *at == '+';
        size_t exponent = strspn(at, "0123456789");
        at += exponent;
        if (exponent == 0) {
            return false;
        }
    }
    return *at == '\0';
}

static bool has_a_point_or_exponent(const char *text)
{
    return strpbrk(text, ".eE") != NULL;
}

static bool resolve_real(struct node *node)
{
    if (!looks_like_real(node->text) || !has_a_point_or_exponent(node->text)) {
        return false;
    }
    double value = strtod(node->text, NULL);
    if (!isfinite(value)) {
        return false;
    }
    node->kind = NODE_REAL;
    node->real = value;
    return true;
}

void scalar_resolve(struct node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", NULL};
    static const char *const no[] = {"false", "False", "FALSE", NULL};
    if (is_one_of(node->text, nulls)) {
        node->kind = NODE_NULL;
    } else if (is_one_of(node->text, yes) || is_one_of(node->text, no)) {
        node->kind = NODE_BOOLEAN;
        node->boolean = is_one_of(node->text, yes);
    } else if (!resolve_integer(node) && !resolve_real(node)) {
        node->kind = NODE_TEXT;
    }
}
