/* The site file is the organisation's own; what is checked here is only what drctl itself reads
 * from it, and that it is a map without expressions: it is what expressions are made from. */
#include "plan/site.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "plan/template.h"

static struct error *complain(const struct document *document, const struct node *at,
                              struct error_list *errors, const char *message)
{
    return error_list_add_at(errors, ERROR_INVALID, document->file, at->at.line, at->at.column,
                             "%s", message);
}

static void check_no_expressions(const struct document *document, const struct node *node,
                                 struct error_list *errors)
{
    if (node->kind == NODE_TEXT && template_is_needed(node->text)) {
        struct error *err = complain(document, node, errors, "a site file has no expressions");
        error_hint(err, "plans have; the site file says what is");
    }
    for (size_t i = 0; i < node->count; i++) {
        check_no_expressions(document, node->items[i], errors);
    }
}

/* The names that drctl reads by itself, and what they have to be. */
static const struct {
    const char *name;
    enum node_kind kind;
    const char *message;
} known[] = {
    {"name", NODE_TEXT, "the site's name is text"},
    {"environments", NODE_MAP, "environments is a map: name to facts"},
    {"contacts", NODE_LIST, "contacts is a list"},
    {"drills", NODE_LIST, "drills is a list"},
    {"lock", NODE_MAP, "lock is a map"},
};

static void check_known(const struct document *document, struct error_list *errors)
{
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        const struct node *node = node_get(document->root, known[i].name);
        if (node != NULL && node->kind != known[i].kind) {
            complain(document, node, errors, known[i].message);
        }
    }
}

struct site *site_parse(struct span source, const char *file, struct error_list *errors)
{
    size_t before = errors->errors.count + errors->dropped;
    struct document *document = document_parse(source, file, errors);
    if (document == NULL) {
        return NULL;
    }
    if (document->root->kind != NODE_MAP) {
        complain(document, document->root, errors, "a site file is a map of names");
    } else {
        check_known(document, errors);
        check_no_expressions(document, document->root, errors);
    }
    if (errors->errors.count + errors->dropped != before) {
        document_free(document);
        return NULL;
    }
    struct site *site = memory_new(1, sizeof *site);
    site->document = document;
    site->values = node_to_json(document->root);
    return site;
}

void site_free(struct site *site)
{
    if (site != NULL) {
        json_decref(site->values);
        document_free(site->document);
        free(site);
    }
}

struct mark site_position(const struct site *site, const char *path)
{
    const struct node *node = site->document->root;
    while (node != NULL && *path != '\0') {
        size_t size_bytes = strcspn(path, ".");
        CLEANUP(memory_cleanup) char *key = memory_text_n(path, size_bytes);
        node = node_get(node, key);
        path += size_bytes + (path[size_bytes] == '.');
    }
    return node != NULL ? node->at : (struct mark){0, 0};
}
