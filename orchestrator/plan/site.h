/* The site file: facts about one organisation. A YAML or JSON map of the organisation's own making,
 * read by plans as site.…; a few names mean something to drctl itself and are checked here. */
#ifndef DRCTL_PLAN_SITE_H
#define DRCTL_PLAN_SITE_H

#include "plan/document.h"

struct site {
    json_t *values; /* an object */
    struct document *document;
};

/* Parses a site file; NULL when it cannot be used. All problems go to errors. */
MUST_USE struct site *site_parse(struct span source, const char *file, struct error_list *errors);
void site_free(struct site *site);

/* Where the value at a dotted path ("environments.prod.region") stands; line 0 when it is not
 * there. */
struct mark site_position(const struct site *site, const char *path);

#endif
