/* Carries out a recipe for credentials and keeps what it yields. On the loop's thread. */
#ifndef DRCTL_NET_CREDENTIAL_PROVIDER_H
#define DRCTL_NET_CREDENTIAL_PROVIDER_H

#include "net/api_call.h"

struct credential_provider;

/* For the client's settings; the client makes the calls to STS. The recipe is made when the first
 * credentials are asked for. */
struct credential_provider *credential_provider_new(uv_loop_t *loop, struct api_client *client);

/* Forgets who waits, and frees it all. NULL is accepted. */
void credential_provider_free(struct credential_provider *provider);

/* As api_client_credentials(). Kept ones are given as long as they hold; several who ask at the
 * same time share one answer. */
void credential_provider_get(struct credential_provider *provider, int64_t margin_ms,
                             api_credentials_done *done, void *context);
void credential_provider_forget(struct credential_provider *provider, const void *context);

/* The kept credentials were refused as expired: ask anew next time. */
void credential_provider_drop(struct credential_provider *provider);

#endif
