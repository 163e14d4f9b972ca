/* Two calls of STS's query protocol. Neither changes anything, so both may be repeated. */
#include "network/sts_session.h"

#include <stdlib.h>

#include "base/memory.h"
#include "net/credential_answer.h"
#include "net/xml.h"

#define STS_VERSION "2011-06-15"

void sts_identity_release(struct sts_identity *identity)
{
    free(identity->account);
    free(identity->arn);
    free(identity->user_id);
    *identity = (struct sts_identity){0};
}

static int ask(struct net_session *session, const char *operation, struct uri_pairs *form,
               const struct credentials *credentials, struct api_answer *ret_answer,
               struct error *err)
{
    struct http_headers headers = {0};
    CLEANUP(buffer_release) struct buffer body = BUFFER_INIT;
    http_headers_add(&headers, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    uri_pairs_add(form, "Action", operation);
    uri_pairs_add(form, "Version", STS_VERSION);
    uri_encode_pairs(&body, form);
    struct api_request request = {
        .service = "sts",
        .operation = operation,
        .method = "POST",
        .headers = &headers,
        .body = buffer_span(&body),
        .credentials = credentials,
    };
    int status = net_session_call(session, &request, ret_answer, err);
    http_headers_release(&headers);
    return status;
}

static int read_identity(struct span answer, struct sts_identity *ret_identity, struct error *err)
{
    CLEANUP(xml_free) xmlDoc *document = xml_parse(answer, "STS's answer", err);
    if (document == NULL) {
        return -1;
    }
    const xmlNode *result = xml_child(xmlDocGetRootElement(document), "GetCallerIdentityResult");
    struct sts_identity identity = {xml_child_text(result, "Account"),
                                    xml_child_text(result, "Arn"),
                                    xml_child_text(result, "UserId")};
    if (identity.account == NULL || identity.arn == NULL) {
        sts_identity_release(&identity);
        return error_set(err, ERROR_INVALID, "STS does not say who we are");
    }
    *ret_identity = identity;
    return 0;
}

int sts_get_identity(struct net_session *session, const struct credentials *credentials,
                     struct sts_identity *ret_identity, struct error *err)
{
    struct uri_pairs form = {0};
    struct api_answer answer;
    int status = ask(session, "GetCallerIdentity", &form, credentials, &answer, err);
    if (status == 0) {
        status = read_identity(buffer_span(&answer.body), ret_identity, err);
    }
    net_answer_release(&answer);
    uri_pairs_release(&form);
    return status;
}

int sts_assume_role(struct net_session *session, const struct sts_role *role,
                    struct credentials *ret_credentials, struct error *err)
{
    struct uri_pairs form = {0};
    struct api_answer answer;
    uri_pairs_add(&form, "RoleArn", role->arn);
    uri_pairs_add(&form, "RoleSessionName", role->session_name);
    if (role->external_id != NULL) {
        uri_pairs_add(&form, "ExternalId", role->external_id);
    }
    if (role->duration_s > 0) {
        uri_pairs_add_integer(&form, "DurationSeconds", role->duration_s);
    }
    int status = ask(session, "AssumeRole", &form, NULL, &answer, err);
    if (status == 0) {
        status = credential_answer_sts(buffer_span(&answer.body), ret_credentials, err);
    }
    if (answer.body.data != NULL) {
        explicit_bzero(answer.body.data, answer.body.size_bytes);
    }
    net_answer_release(&answer);
    uri_pairs_release(&form);
    return status;
}
