/* A page of ListObjectVersions. S3 lists by key and of one key the newest first; an emulator may
 * put all markers behind all versions, and then the order is made here. Keys come percent-encoded
 * (encoding-type=url, with + for a blank), since XML cannot hold every key. A page may well hold
 * markers only: what tells the end is IsTruncated and nothing else. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/xml.h"
#include "storage/s3_client.h"

void s3_version_release(struct s3_version *version)
{
    free(version->key);
    free(version->id);
    free(version->etag);
    free(version->storage_class);
}

void s3_page_release(struct s3_page *page)
{
    vector_each (struct s3_version *, version, &page->items) {
        s3_version_release(version);
    }
    vector_release(&page->items);
    free(page->next_key);
    free(page->next_version);
    *page = (struct s3_page){0};
}

static int hex_digit(char digit)
{
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
           : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                          : -1;
}

/* In place; what is no code stays as it is. */
static void decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        int high = *from == '%' ? hex_digit(from[1]) : -1;
        int low = high >= 0 ? hex_digit(from[2]) : -1;
        if (low >= 0) {
            *to++ = (char)(high * 16 + low);
            from += 2;
        } else {
            *to++ = (char)(*from == '+' ? ' ' : *from);
        }
    }
    *to = '\0';
}

static char *key_text(const xmlNode *node, const char *name, bool encoded)
{
    char *key = xml_child_text(node, name);
    if (key != NULL && encoded) {
        decode(key);
    }
    return key;
}

static bool is_true(const xmlNode *node, const char *name)
{
    CLEANUP(memory_cleanup) char *text = xml_child_text(node, name);
    return text != NULL && strcmp(text, "true") == 0;
}

static int read_version(const xmlNode *node, bool encoded, struct s3_page *page, struct error *err)
{
    CLEANUP(memory_cleanup) char *at = xml_child_text(node, "LastModified");
    CLEANUP(memory_cleanup) char *size = xml_child_text(node, "Size");
    struct s3_version version = {
        .key = key_text(node, "Key", encoded),
        .id = xml_child_text(node, "VersionId"),
        .etag = xml_child_text(node, "ETag"),
        .storage_class = xml_child_text(node, "StorageClass"),
        .size_bytes = size != NULL ? strtoll(size, NULL, 10) : 0,
        .is_marker = xml_is(node, "DeleteMarker"),
        .is_latest = is_true(node, "IsLatest"),
    };
    if (version.key == NULL || version.id == NULL || at == NULL ||
        clock_parse_rfc3339(at, &version.at_ns, err) != 0) {
        s3_version_release(&version);
        return error_set(err, ERROR_INVALID, "S3 lists a version without key, id or time");
    }
    vector_push(&page->items, version);
    return 0;
}

/* --- order ----------------------------------------------------------------------------------- */

static int compare(const void *left, const void *right)
{
    const struct s3_version *a = left;
    const struct s3_version *b = right;
    int keys = strcmp(a->key, b->key);
    if (keys != 0) {
        return keys;
    }
    if (a->is_latest != b->is_latest) {
        return a->is_latest ? -1 : 1;
    }
    return a->at_ns == b->at_ns ? 0 : a->at_ns > b->at_ns ? -1 : 1;
}

static void put_in_order(struct s3_page *page)
{
    for (size_t i = 1; i < page->items.count; i++) {
        if (compare(&page->items.items[i - 1], &page->items.items[i]) > 0) {
            qsort(page->items.items, page->items.count, sizeof page->items.items[0], compare);
            return;
        }
    }
}

int s3_parse_page(struct span body, struct s3_page *ret_page, struct error *err)
{
    CLEANUP(xml_free) xmlDoc *document = xml_parse(body, "the listing of S3", err);
    if (document == NULL) {
        return -1;
    }
    const xmlNode *root = xmlDocGetRootElement(document);
    CLEANUP(memory_cleanup) char *encoding = xml_child_text(root, "EncodingType");
    bool encoded = encoding != NULL && strcmp(encoding, "url") == 0;
    struct s3_page page = {0};
    for (const xmlNode *node = xml_child(root, NULL); node != NULL; node = xml_next(node, NULL)) {
        bool is_entry = xml_is(node, "Version") || xml_is(node, "DeleteMarker");
        if (is_entry && read_version(node, encoded, &page, err) != 0) {
            s3_page_release(&page);
            return -1;
        }
    }
    if (is_true(root, "IsTruncated")) {
        page.next_key = key_text(root, "NextKeyMarker", encoded);
        page.next_version = xml_child_text(root, "NextVersionIdMarker");
        if (page.next_key == NULL) {
            s3_page_release(&page);
            return error_set(err, ERROR_INVALID, "S3 does not say where its listing goes on");
        }
    }
    put_in_order(&page);
    *ret_page = page;
    return 0;
}
