/* An answer may come from anybody who sits between us and AWS, so the parser is given no feature
 * that a well-meant answer does not need. libxml2's built-in limits (depth 256, 10 MB of text) stay
 * in force, since XML_PARSE_HUGE is not given. */
#include "net/xml.h"

#include <libxml/parser.h>
#include <limits.h>
#include <string.h>

#include "base/memory.h"

static int fail(xmlParserCtxt *context, const char *name, struct error *err)
{
    const xmlError *last = xmlCtxtGetLastError(context);
    size_t line = last != NULL && last->line > 0 ? (size_t)last->line : 1;
    CLEANUP(memory_cleanup)
    char *reason =
        memory_text(last != NULL && last->message != NULL ? last->message : "no element");
    reason[strcspn(reason, "\r\n")] = '\0';
    return error_set_at(err, ERROR_INVALID, name, line, 1, "not valid XML: %s", reason);
}

xmlDoc *xml_parse(struct span text, const char *name, struct error *err)
{
    if (text.size_bytes == 0 || text.size_bytes > INT_MAX) {
        error_set(err, ERROR_INVALID, "%s: not an XML document", name);
        return NULL;
    }
    xmlParserCtxt *context = xmlNewParserCtxt();
    xmlDoc *document = xmlCtxtReadMemory(context, text.data, (int)text.size_bytes, NULL, NULL,
                                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                             XML_PARSE_NOCDATA);
    if (document == NULL || xmlDocGetRootElement(document) == NULL) {
        fail(context, name, err);
        xml_free(&document);
    } else if (document->intSubset != NULL || document->extSubset != NULL) {
        error_set(err, ERROR_INVALID, "%s: a document type is not accepted", name);
        xml_free(&document);
    }
    xmlFreeParserCtxt(context);
    return document;
}

void xml_free(xmlDoc **document)
{
    xmlFreeDoc(*document);
    *document = NULL;
}

bool xml_is(const xmlNode *node, const char *name)
{
    return node != NULL && node->type == XML_ELEMENT_NODE &&
           (name == NULL || strcmp((const char *)node->name, name) == 0);
}

static const xmlNode *first_of(const xmlNode *node, const char *name)
{
    while (node != NULL && !xml_is(node, name)) {
        node = node->next;
    }
    return node;
}

const xmlNode *xml_child(const xmlNode *parent, const char *name)
{
    return parent != NULL ? first_of(parent->children, name) : NULL;
}

const xmlNode *xml_next(const xmlNode *node, const char *name)
{
    return node != NULL ? first_of(node->next, name) : NULL;
}

char *xml_text(const xmlNode *node)
{
    if (node == NULL) {
        return NULL;
    }
    xmlChar *content = xmlNodeGetContent(node);
    char *text = memory_text(content != NULL ? (const char *)content : "");
    xmlFree(content);
    return text;
}

char *xml_child_text(const xmlNode *parent, const char *name)
{
    return xml_text(xml_child(parent, name));
}

void xml_append_escaped(struct buffer *out, const char *text)
{
    static const struct {
        char byte;
        const char *entity;
    } reserved[] = {
        {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&apos;"}};
    for (; *text != '\0'; text++) {
        const char *entity = NULL;
        for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
            entity = reserved[i].byte == *text ? reserved[i].entity : entity;
        }
        if (entity != NULL) {
            buffer_append_text(out, entity);
        } else if ((unsigned char)*text >= ' ' || strchr("\t\r\n", *text) != NULL) {
            buffer_append_char(out, *text);
        }
    }
}
