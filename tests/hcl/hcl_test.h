/* What the tests of hcl/ begin with. */
#ifndef DRCTL_TESTS_HCL_TEST_H
#define DRCTL_TESTS_HCL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "hcl/edit.h"
#include "hcl/hcl_document.h"
#include "hcl/locate.h"
#include "hcl/value.h"

/* A document that must parse. */
static inline struct hcl_document hcl_test_open(const char *name, const char *text)
{
    struct hcl_document document = {0};
    struct error err = ERROR_INIT;
    if (hcl_document_init(&document, name, hcl_format_of(name), span_of_text(text), &err) != 0) {
        fail_msg("%s:%zu:%zu: %s\n%s", name, err.line, err.column, err.message, text);
    }
    return document;
}

#endif
