/* XML that comes from the network, read with libxml2: no DTD, no entities, no fetching. Namespaces
 * are ignored; elements are found by their local name. */
#ifndef DRCTL_NET_XML_H
#define DRCTL_NET_XML_H

#include <libxml/tree.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/span.h"

/* Parses a whole document. Returns it for xml_free(), or NULL with ERROR_INVALID and the line; name
 * is what errors call it. */
MUST_USE xmlDoc *xml_parse(struct span text, const char *name, struct error *err);
void xml_free(xmlDoc **document); /* for CLEANUP() as well */

bool xml_is(const xmlNode *node, const char *name);

/* The first child element of that name (NULL: of any), and the next sibling of that name. NULL when
 * there is none. A parent or node of NULL is accepted. */
const xmlNode *xml_child(const xmlNode *parent, const char *name);
const xmlNode *xml_next(const xmlNode *node, const char *name);

/* The text of an element, and of a child by its name; NULL when it is not there. The caller frees
 * it. */
char *xml_text(const xmlNode *node);
char *xml_child_text(const xmlNode *parent, const char *name);

/* Appends text with the five characters that XML reserves escaped, and bytes that XML cannot hold
 * left out. */
void xml_append_escaped(struct buffer *out, const char *text);

#endif
