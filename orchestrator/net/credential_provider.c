/* Keeps one set of credentials for a client. Renewal begins before they end; when it fails while
 * the old ones still hold, those are given, because a recovery should not stop at a token service
 * that is busy. Answers always come from the loop, never from inside credential_provider_get(). */
#include "net/credential_provider.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/credential_fetch.h"
#include "net/oneshot.h"

/* botocore renews a quarter of an hour before the end; roles may last no longer than that. */
enum { RENEW_BEFORE_MS = 5 * 60 * 1000 };

struct waiter {
    api_credentials_done *done;
    void *context;
};

struct credential_provider {
    uv_loop_t *loop;
    struct api_client *client;
    struct credentials kept;
    struct credential_fetch *fetch; /* NULL when none is under way */
    struct oneshot *timer;          /* answers from what is kept */
    VECTOR(struct waiter)
    waiters;
    struct error err; /* of a recipe that could not be made */
};

static void answer_all(struct credential_provider *provider, const struct credentials *credentials,
                       struct error *err)
{
    /* A waiter may ask again, or close the client, from inside its done(). */
    struct waiter *waiters = provider->waiters.items;
    size_t count = provider->waiters.count;
    struct credentials copy = {0};
    if (credentials != NULL) {
        copy = credentials_copy(credentials);
    }
    struct error cause = ERROR_INIT;
    if (err != NULL) {
        error_move(&cause, err);
    }
    provider->waiters.items = NULL;
    provider->waiters.count = provider->waiters.capacity = 0;
    for (size_t i = 0; i < count; i++) {
        struct error own = ERROR_INIT;
        if (credentials == NULL) {
            error_set(&own, cause.code, "%s", cause.message);
            if (cause.hint != NULL) {
                error_hint(&own, "%s", cause.hint);
            }
        }
        waiters[i].done(waiters[i].context, copy.access_key != NULL ? &copy : NULL, &own);
        error_release(&own);
    }
    free(waiters);
    credentials_release(&copy);
    error_release(&cause);
}

static void on_kept(void *context)
{
    struct credential_provider *provider = context;
    answer_all(provider, error_is_set(&provider->err) ? NULL : &provider->kept, &provider->err);
}

static void on_fetched(void *context, const struct credentials *credentials, struct error *err)
{
    struct credential_provider *provider = context;
    int64_t now_ns = clock_wall_ns();
    provider->fetch = NULL;
    if (credentials != NULL) {
        credentials_release(&provider->kept);
        provider->kept = credentials_copy(credentials);
    }
    if (credentials_hold(&provider->kept, now_ns, 0)) {
        answer_all(provider, &provider->kept, NULL);
        return;
    }
    error_set(err, ERROR_NOT_READY, "the AWS credentials (%s) have expired",
              provider->kept.source != NULL ? provider->kept.source : "none");
    answer_all(provider, NULL, err);
}

static void start_fetch(struct credential_provider *provider)
{
    struct credential_recipe recipe;
    const struct aws_settings *settings = api_client_settings(provider->client);
    error_release(&provider->err);
    if (credential_recipe_make(settings, &recipe, &provider->err) != 0) {
        oneshot_start(provider->timer, 0);
        return;
    }
    provider->fetch =
        credential_fetch_start(provider->loop, provider->client, &recipe, on_fetched, provider);
}

struct credential_provider *credential_provider_new(uv_loop_t *loop, struct api_client *client)
{
    struct credential_provider *provider = memory_new(1, sizeof *provider);
    provider->loop = loop;
    provider->client = client;
    provider->timer = oneshot_new(loop, on_kept, provider);
    return provider;
}

void credential_provider_free(struct credential_provider *provider)
{
    if (provider == NULL) {
        return;
    }
    if (provider->fetch != NULL) {
        credential_fetch_abandon(provider->fetch);
    }
    oneshot_free(provider->timer);
    credentials_release(&provider->kept);
    vector_release(&provider->waiters);
    error_release(&provider->err);
    free(provider);
}

void credential_provider_get(struct credential_provider *provider, int64_t margin_ms,
                             api_credentials_done *done, void *context)
{
    struct waiter waiter = {done, context};
    vector_push(&provider->waiters, waiter);
    int64_t least_ms = margin_ms > RENEW_BEFORE_MS ? margin_ms : RENEW_BEFORE_MS;
    if (provider->fetch != NULL) {
        return;
    }
    if (credentials_hold(&provider->kept, clock_wall_ns(), least_ms)) {
        error_release(&provider->err);
        oneshot_start(provider->timer, 0);
    } else {
        start_fetch(provider);
    }
}

void credential_provider_forget(struct credential_provider *provider, const void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < provider->waiters.count; i++) {
        if (provider->waiters.items[i].context != context) {
            provider->waiters.items[kept++] = provider->waiters.items[i];
        }
    }
    provider->waiters.count = kept;
}

void credential_provider_drop(struct credential_provider *provider)
{
    credentials_release(&provider->kept);
}
