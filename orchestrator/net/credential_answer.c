/* Three documents with the same four values in them. A parser's own message may quote what it
 * stumbled over, so those are replaced. */
#include "net/credential_answer.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "net/xml.h"

static int set_expiry(const char *text, struct credentials *credentials, struct error *err)
{
    if (text == NULL) {
        credentials->expires_at_ns = 0;
        return 0;
    }
    struct error own = ERROR_INIT;
    int status = clock_parse_rfc3339(text, &credentials->expires_at_ns, &own);
    error_release(&own);
    return status == 0
               ? 0
               : error_set(err, ERROR_INVALID, "the credentials' expiry is not an RFC 3339 time");
}

static json_t *parse_quietly(struct span text, struct error *err)
{
    json_t *document = json_parse(text, "credentials", NULL);
    if (!json_is_object(document)) {
        json_cleanup(&document);
        error_set(err, ERROR_INVALID, "the credentials are not a JSON object");
    }
    return document;
}

static int take_json(const json_t *document, const char *token_key,
                     struct credentials *ret_credentials, struct error *err)
{
    const char *access_key = json_get_text(document, "AccessKeyId");
    const char *secret_key = json_get_text(document, "SecretAccessKey");
    struct credentials credentials = {0};
    if (access_key == NULL || secret_key == NULL) {
        return error_set(err, ERROR_INVALID, "the credentials lack AccessKeyId or SecretAccessKey");
    }
    if (set_expiry(json_get_text(document, "Expiration"), &credentials, err) != 0) {
        return -1;
    }
    credentials.access_key = memory_text(access_key);
    credentials.secret_key = memory_text(secret_key);
    credentials.token = memory_text(json_get_text(document, token_key));
    *ret_credentials = credentials;
    return 0;
}

int credential_answer_process(struct span text, struct credentials *ret_credentials,
                              struct error *err)
{
    CLEANUP(json_cleanup) json_t *document = parse_quietly(text, err);
    if (document == NULL) {
        return -1;
    }
    if (json_get_integer(document, "Version", 0) != 1) {
        return error_set(err, ERROR_INVALID, "the credentials are not of \"Version\": 1");
    }
    return take_json(document, "SessionToken", ret_credentials, err);
}

/* "AssumeRoleUnauthorizedAccess", and nothing that a secret could look like. */
static bool is_word(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t size_bytes = strlen(text);
    return size_bytes > 0 && size_bytes <= 64 && strspn(text, letters) == size_bytes;
}

int credential_answer_metadata(struct span text, struct credentials *ret_credentials,
                               struct error *err)
{
    CLEANUP(json_cleanup) json_t *document = parse_quietly(text, err);
    if (document == NULL) {
        return -1;
    }
    const char *code = json_get_text(document, "Code");
    if (code != NULL && strcmp(code, "Success") != 0) {
        return error_set(err, ERROR_FAILED, "the metadata service has no credentials: %s",
                         is_word(code) ? code : "it does not say why");
    }
    return take_json(document, "Token", ret_credentials, err);
}

int credential_answer_sts(struct span text, struct credentials *ret_credentials, struct error *err)
{
    struct error own = ERROR_INIT;
    CLEANUP(xml_free) xmlDoc *document = xml_parse(text, "credentials", &own);
    error_release(&own);
    if (document == NULL) {
        return error_set(err, ERROR_INVALID, "STS answered something that is not XML");
    }
    const xmlNode *root = xmlDocGetRootElement(document);
    const xmlNode *result = xml_child(root, "AssumeRoleResult");
    if (result == NULL) {
        result = xml_child(root, "AssumeRoleWithWebIdentityResult");
    }
    const xmlNode *node = xml_child(result, "Credentials");
    struct credentials credentials = {
        .access_key = xml_child_text(node, "AccessKeyId"),
        .secret_key = xml_child_text(node, "SecretAccessKey"),
        .token = xml_child_text(node, "SessionToken"),
    };
    CLEANUP(memory_cleanup) char *expiry = xml_child_text(node, "Expiration");
    if (credentials.access_key == NULL || credentials.secret_key == NULL) {
        error_set(err, ERROR_INVALID, "STS answered without credentials");
    } else if (set_expiry(expiry, &credentials, err) == 0) {
        *ret_credentials = credentials;
        return 0;
    }
    credentials_release(&credentials);
    return -1;
}
