/* Requests to S3, by the path of the bucket. Removing a version by its id and copying one over its
 * key may be repeated without harm, so a broken connection is simply answered by the same request;
 * only copies are looked at first after an interruption, since each one adds a version. */
#include "storage/s3_client.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "net/uri.h"
#include "net/xml.h"

static char *object_path(const struct s3_client *s3, const char *key)
{
    struct buffer path = BUFFER_INIT;
    buffer_append_char(&path, '/');
    uri_encode(&path, span_of_text(s3->bucket), false);
    if (key != NULL) {
        buffer_append_char(&path, '/');
        uri_encode(&path, span_of_text(key), true);
    }
    return buffer_take(&path);
}

static int call(struct s3_client *s3, struct api_request *request, const char *key,
                struct api_answer *ret_answer, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = object_path(s3, key);
    request->service = "s3";
    request->path = path;
    int status = net_session_call(s3->session, request, ret_answer, err);
    s3->requests += ret_answer->attempts > 0 ? ret_answer->attempts : 1;
    return status;
}

/* --- reading --------------------------------------------------------------------------------- */

int s3_get_versioning(struct s3_client *s3, char **ret_status, struct error *err)
{
    struct uri_pairs query = {0};
    uri_pairs_add(&query, "versioning", "");
    struct api_request request = {
        .operation = "GetBucketVersioning", .method = "GET", .query = &query};
    struct api_answer answer = {0};
    int status = call(s3, &request, NULL, &answer, err);
    if (status == 0) {
        CLEANUP(xml_free)
        xmlDoc *document = xml_parse(buffer_span(&answer.body), "S3's answer", err);
        status = document != NULL ? 0 : -1;
        if (document != NULL) {
            *ret_status = xml_child_text(xmlDocGetRootElement(document), "Status");
        }
    }
    net_answer_release(&answer);
    uri_pairs_release(&query);
    return status;
}

int s3_list_versions(struct s3_client *s3, const char *prefix, const char *key_marker,
                     const char *version_marker, struct s3_page *ret_page, struct error *err)
{
    struct uri_pairs query = {0};
    uri_pairs_add(&query, "versions", "");
    uri_pairs_add(&query, "encoding-type", "url");
    if (prefix[0] != '\0') {
        uri_pairs_add(&query, "prefix", prefix);
    }
    if (key_marker != NULL) {
        uri_pairs_add(&query, "key-marker", key_marker);
    }
    if (version_marker != NULL) {
        uri_pairs_add(&query, "version-id-marker", version_marker);
    }
    struct api_request request = {
        .operation = "ListObjectVersions", .method = "GET", .query = &query};
    struct api_answer answer = {0};
    int status = call(s3, &request, NULL, &answer, err);
    if (status == 0) {
        status = s3_parse_page(buffer_span(&answer.body), ret_page, err);
    }
    net_answer_release(&answer);
    uri_pairs_release(&query);
    return status;
}

/* --- removing -------------------------------------------------------------------------------- */

/* XML 1.0 has no word for control characters; such a key is removed by a request of its own. */
static bool fits_xml(const char *key)
{
    for (; *key != '\0'; key++) {
        if ((unsigned char)*key < 0x20) {
            return false;
        }
    }
    return true;
}

static int delete_one(struct s3_client *s3, const struct s3_object_version *version,
                      struct error *err)
{
    struct uri_pairs query = {0};
    uri_pairs_add(&query, "versionId", version->id);
    struct api_request request = {.operation = "DeleteObject", .method = "DELETE", .query = &query};
    struct api_answer answer = {0};
    int status = call(s3, &request, version->key, &answer, err);
    net_answer_release(&answer);
    uri_pairs_release(&query);
    return status;
}

/* The service wants to know that the list came over whole. */
static void add_checksum(struct http_headers *headers, struct span body)
{
    unsigned char digest[DIGEST_SIZE];
    unsigned char text[64];
    digest_sha256(body, digest);
    EVP_EncodeBlock(text, digest, DIGEST_SIZE);
    http_headers_add(headers, "x-amz-checksum-sha256", (const char *)text);
    http_headers_add(headers, "Content-Type", "application/xml");
}

static void write_list(const struct s3_object_version *versions, size_t count, struct buffer *body)
{
    buffer_append_text(body, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < count; i++) {
        if (fits_xml(versions[i].key)) {
            buffer_append_text(body, "<Object><Key>");
            xml_append_escaped(body, versions[i].key);
            buffer_append_text(body, "</Key><VersionId>");
            xml_append_escaped(body, versions[i].id);
            buffer_append_text(body, "</VersionId></Object>");
        }
    }
    buffer_append_text(body, "<Quiet>true</Quiet></Delete>");
}

static bool is_passing(const char *code)
{
    return strcmp(code, "InternalError") == 0 || strcmp(code, "SlowDown") == 0 ||
           strcmp(code, "ServiceUnavailable") == 0;
}

static size_t index_of(const struct s3_object_version *versions, size_t count, const char *key,
                       const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(versions[i].key, key) == 0 && (id == NULL || strcmp(versions[i].id, id) == 0)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static int read_errors(struct span body, const struct s3_object_version *versions, size_t count,
                       struct s3_indices *failed, struct error *err)
{
    CLEANUP(xml_free) xmlDoc *document = xml_parse(body, "S3's answer", err);
    if (document == NULL) {
        return -1;
    }
    const xmlNode *root = xmlDocGetRootElement(document);
    for (const xmlNode *node = xml_child(root, "Error"); node != NULL;
         node = xml_next(node, "Error")) {
        CLEANUP(memory_cleanup) char *key = xml_child_text(node, "Key");
        CLEANUP(memory_cleanup) char *id = xml_child_text(node, "VersionId");
        CLEANUP(memory_cleanup) char *code = xml_child_text(node, "Code");
        CLEANUP(memory_cleanup) char *message = xml_child_text(node, "Message");
        size_t index = key != NULL ? index_of(versions, count, key, id) : SIZE_MAX;
        if (index == SIZE_MAX || code == NULL || !is_passing(code)) {
            return error_set(err, ERROR_FAILED, "S3 does not remove %s: %s: %s",
                             key != NULL ? key : "a key", code != NULL ? code : "?",
                             message != NULL ? message : "");
        }
        vector_push(&failed->list, index);
    }
    return 0;
}

static int delete_list(struct s3_client *s3, const struct s3_object_version *versions, size_t count,
                       struct s3_indices *failed, struct error *err)
{
    CLEANUP(buffer_release) struct buffer body = BUFFER_INIT;
    write_list(versions, count, &body);
    struct uri_pairs query = {0};
    uri_pairs_add(&query, "delete", "");
    struct http_headers headers = {0};
    add_checksum(&headers, buffer_span(&body));
    struct api_request request = {.operation = "DeleteObjects",
                                  .method = "POST",
                                  .query = &query,
                                  .headers = &headers,
                                  .body = buffer_span(&body)};
    struct api_answer answer = {0};
    int status = call(s3, &request, NULL, &answer, err);
    if (status == 0) {
        status = read_errors(buffer_span(&answer.body), versions, count, failed, err);
    }
    net_answer_release(&answer);
    http_headers_release(&headers);
    uri_pairs_release(&query);
    return status;
}

int s3_delete_versions(struct s3_client *s3, const struct s3_object_version *versions, size_t count,
                       struct s3_indices *ret_failed, struct error *err)
{
    size_t listed = 0;
    for (size_t i = 0; i < count; i++) {
        bool fits = fits_xml(versions[i].key);
        listed += fits;
        if (!fits && delete_one(s3, &versions[i], err) != 0) {
            return -1;
        }
    }
    return listed > 0 ? delete_list(s3, versions, count, ret_failed, err) : 0;
}

/* --- copying --------------------------------------------------------------------------------- */

struct copies;

struct copy {
    struct copies *copies;
    const struct s3_object_version *version;
    struct api_call *call; /* L: while it runs */
    bool done;             /* its content is there */
};

/* Several calls at once; fields marked L are of the loop's thread until the wait is over. */
struct copies {
    struct net_wait net;
    struct s3_client *s3;
    struct copy *list;
    size_t count;
    size_t left;     /* L: calls that did not end yet */
    size_t requests; /* L */
    bool looking;    /* HEAD instead of the copy itself */
};

/* S3 may say 200 at once and find out afterwards: the body tells. */
static int judge_copy(const struct copy *copy, const struct api_answer *answer, struct error *err)
{
    if (strstr(buffer_text(&answer->body), "<Error>") == NULL) {
        return 0;
    }
    return error_set(err, ERROR_FAILED, "S3 does not copy %s: %.200s", copy->version->key,
                     buffer_text(&answer->body));
}

static void judge_look(struct copy *copy, const struct api_answer *answer, struct error *err)
{
    const char *etag = http_headers_get(&answer->headers, "ETag");
    copy->done = !error_is_set(err) && etag != NULL && copy->version->etag != NULL &&
                 strcmp(etag, copy->version->etag) == 0;
    if (err->code == ERROR_NOT_FOUND || answer->status == 404) {
        error_release(err);
        *err = (struct error)ERROR_INIT;
    }
}

static void on_answer(void *context, struct api_answer *answer, struct error *err)
{
    struct copy *copy = context;
    struct copies *copies = copy->copies;
    copy->call = NULL;
    copies->requests += answer->attempts > 0 ? answer->attempts : 1;
    if (copies->looking) {
        judge_look(copy, answer, err);
    } else if (!error_is_set(err)) {
        copy->done = judge_copy(copy, answer, err) == 0;
    }
    if (error_is_set(err) && !error_is_set(&copies->net.err)) {
        error_move(&copies->net.err, err);
    }
    copies->left--;
    if (copies->left == 0) {
        attempt_wait_done(copies->net.wait);
    }
}

static void start_one(struct copies *copies, struct copy *copy)
{
    CLEANUP(memory_cleanup) char *path = object_path(copies->s3, copy->version->key);
    struct http_headers headers = {0};
    if (!copies->looking) {
        CLEANUP(memory_cleanup)
        char *source = memory_format("%s?versionId=%s", path, copy->version->id);
        http_headers_add(&headers, "x-amz-copy-source", source);
        const char *class = copy->version->storage_class;
        if (class != NULL && strcmp(class, "STANDARD") != 0) {
            http_headers_add(&headers, "x-amz-storage-class", class);
        }
    }
    struct api_request request = {
        .service = "s3",
        .operation = copies->looking ? "HeadObject" : "CopyObject",
        .method = copies->looking ? "HEAD" : "PUT",
        .path = path,
        .headers = &headers,
        .timeout_ms = INT64_C(600000), /* the service copies up to 5 GiB before it answers */
    };
    copy->call = api_call_start(net_session_client(copies->s3->session), &request, on_answer, copy);
    http_headers_release(&headers);
}

static void start_all(struct attempt_wait *wait, uv_loop_t *loop, void *context)
{
    struct copies *copies = context;
    (void)loop;
    copies->net.wait = wait;
    for (size_t i = 0; i < copies->count; i++) {
        copies->left += !copies->list[i].done;
    }
    if (copies->left == 0) {
        attempt_wait_done(wait);
        return;
    }
    for (size_t i = 0; i < copies->count; i++) {
        if (!copies->list[i].done) {
            start_one(copies, &copies->list[i]);
        }
    }
}

static void cancel_all(void *context)
{
    struct copies *copies = context;
    for (size_t i = 0; i < copies->count; i++) {
        if (copies->list[i].call != NULL) {
            api_call_cancel(copies->list[i].call);
        }
    }
}

static int run_copies(struct copies *copies, bool looking, struct error *err)
{
    copies->looking = looking;
    copies->left = 0;
    int status = net_wait_run(net_session_attempt(copies->s3->session), &copies->net, start_all,
                              cancel_all, copies, err);
    copies->s3->requests += copies->requests;
    copies->requests = 0;
    return status;
}

int s3_copy_back(struct s3_client *s3, const struct s3_object_version *versions, size_t count,
                 bool look_first, struct error *err)
{
    struct copies copies = {.s3 = s3, .count = count};
    copies.list = memory_new(count, sizeof *copies.list);
    for (size_t i = 0; i < count; i++) {
        copies.list[i] = (struct copy){.copies = &copies, .version = &versions[i]};
    }
    int status = look_first ? run_copies(&copies, true, err) : 0;
    if (status == 0) {
        status = run_copies(&copies, false, err);
    }
    free(copies.list);
    return status;
}
