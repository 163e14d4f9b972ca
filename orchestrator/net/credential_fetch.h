/* One execution of a recipe: the source, then the roles, to credentials. */
#ifndef DRCTL_NET_CREDENTIAL_FETCH_H
#define DRCTL_NET_CREDENTIAL_FETCH_H

#include "net/api_call.h"
#include "net/credential_recipe.h"

struct credential_fetch;

/* Starts it, on the loop; the recipe is taken over. done() is called later, once, unless it was
 * abandoned. */
struct credential_fetch *credential_fetch_start(uv_loop_t *loop, struct api_client *client,
                                                struct credential_recipe *recipe_take,
                                                api_credentials_done *done, void *context);

/* Stops the work; done() is not called any more. */
void credential_fetch_abandon(struct credential_fetch *fetch);

#endif
