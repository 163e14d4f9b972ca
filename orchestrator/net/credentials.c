/* The value type. Whoever holds secrets gives them back through here, so that they are overwritten
 * in one place. */
#include "net/credentials.h"

#include "base/clock.h"
#include "base/memory.h"

void credentials_release(struct credentials *credentials)
{
    memory_free_secret(credentials->access_key);
    memory_free_secret(credentials->secret_key);
    memory_free_secret(credentials->token);
    *credentials = (struct credentials){0};
}

struct credentials credentials_copy(const struct credentials *credentials)
{
    return (struct credentials){
        .access_key = memory_text(credentials->access_key),
        .secret_key = memory_text(credentials->secret_key),
        .token = memory_text(credentials->token),
        .expires_at_ns = credentials->expires_at_ns,
        .source = credentials->source,
    };
}

bool credentials_hold(const struct credentials *credentials, int64_t now_ns, int64_t margin_ms)
{
    return credentials->access_key != NULL &&
           (credentials->expires_at_ns == 0 ||
            now_ns + margin_ms * CLOCK_NS_PER_MS < credentials->expires_at_ns);
}
