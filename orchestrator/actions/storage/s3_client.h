/* What undeleting asks of S3. Every request is counted: recoveries of millions of objects are paid
 * for, and waited for, by the request. */
#ifndef DRCTL_ACTIONS_S3_CLIENT_H
#define DRCTL_ACTIONS_S3_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/vector.h"
#include "network/net_session.h"

struct s3_client {
    struct net_session *session;
    const char *bucket;
    size_t requests;
};

/* A version of an object, or a delete marker. */
struct s3_version {
    char *key;
    char *id;
    char *etag;          /* with its quotes; NULL for a marker */
    char *storage_class; /* NULL for a marker */
    int64_t at_ns;       /* LastModified */
    int64_t size_bytes;
    bool is_marker;
    bool is_latest;
};

void s3_version_release(struct s3_version *version);

struct s3_page {
    VECTOR(struct s3_version)
    items;          /* by key, and of one key the newest first */
    char *next_key; /* NULL: this was the last page */
    char *next_version;
};

void s3_page_release(struct s3_page *page);

/* "Enabled" or "Suspended"; NULL in *ret_status when the bucket never had versions. The caller
 * frees it. */
MUST_USE int s3_get_versioning(struct s3_client *s3, char **ret_status, struct error *err);

/* One page of what is there below a prefix, from behind the given place on (NULL: from the start).
 */
MUST_USE int s3_list_versions(struct s3_client *s3, const char *prefix, const char *key_marker,
                              const char *version_marker, struct s3_page *ret_page,
                              struct error *err);

/* Reads the body of such a page. */
MUST_USE int s3_parse_page(struct span body, struct s3_page *ret_page, struct error *err);

enum { S3_DELETE_LIMIT = 1000, S3_COPIES_AT_ONCE = 16 };

struct s3_object_version {
    const char *key;
    const char *id;
    const char *etag;          /* of the version; for copies */
    const char *storage_class; /* for copies; NULL or "STANDARD": the bucket's default */
};

/* Removes versions for good, at most S3_DELETE_LIMIT; one that is gone already counts as removed.
 * ret_failed (may hold some already) gets the indices of those that the service refused for the
 * moment; a refusal that is final is an error. */
struct s3_indices {
    VECTOR(size_t)
    list;
};
MUST_USE int s3_delete_versions(struct s3_client *s3, const struct s3_object_version *versions,
                                size_t count, struct s3_indices *ret_failed, struct error *err);

/* Copies versions over their own keys, at most S3_COPIES_AT_ONCE, all at once. With look_first, a
 * key whose content has the version's ETag already is left alone. */
MUST_USE int s3_copy_back(struct s3_client *s3, const struct s3_object_version *versions,
                          size_t count, bool look_first, struct error *err);

#endif
