/* The client's XML is the one of its outputs in which NULL differs from the text NULL and a tab
 * from the border of a column. */
#include "base/json.h"
#include "database/sql_client.h"
#include "net/xml.h"

static json_t *field_value(const xmlNode *field)
{
    xmlChar *nil = xmlGetProp(field, (const xmlChar *)"nil");
    bool is_null = nil != NULL;
    xmlFree(nil);
    CLEANUP(memory_cleanup) char *text = is_null ? NULL : xml_text(field);
    return is_null ? json_null() : json_string(text != NULL ? text : "");
}

static json_t *row_object(const xmlNode *row)
{
    json_t *object = json_object();
    for (const xmlNode *field = xml_child(row, "field"); field != NULL;
         field = xml_next(field, "field")) {
        xmlChar *name = xmlGetProp(field, (const xmlChar *)"name");
        json_object_set_new(object, name != NULL ? (const char *)name : "", field_value(field));
        xmlFree(name);
    }
    return object;
}

int sql_parse_rows(struct span xml, json_t **ret_rows, struct error *err)
{
    if (xml.size_bytes == 0) {
        *ret_rows = json_array();
        return 0;
    }
    CLEANUP(xml_free) xmlDoc *document = xml_parse(xml, "the result of a query", err);
    if (document == NULL) {
        return error_hint(err, "one statement at a time, and binary columns by HEX()");
    }
    json_t *rows = json_array();
    for (const xmlNode *row = xml_child(xmlDocGetRootElement(document), "row"); row != NULL;
         row = xml_next(row, "row")) {
        json_array_append_new(rows, row_object(row));
    }
    *ret_rows = rows;
    return 0;
}
