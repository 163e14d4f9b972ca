/* AWS credentials: keys, and finding them where botocore would find them. */
#ifndef DRCTL_NET_CREDENTIALS_H
#define DRCTL_NET_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

struct credentials {
    char *access_key;
    char *secret_key;
    char *token;           /* NULL when the keys are long-lived */
    int64_t expires_at_ns; /* wall clock; 0: they do not expire */
    const char *source;    /* "environment", "assume-role", …: for people, never a secret */
};

/* Overwrites the secrets and frees them. */
void credentials_release(struct credentials *credentials);

/* A copy with memory of its own. */
struct credentials credentials_copy(const struct credentials *credentials);

/* True when they still hold for at least margin_ms. */
bool credentials_hold(const struct credentials *credentials, int64_t now_ns, int64_t margin_ms);

#endif
