/* The documents in which credentials come. Pure. */
#ifndef DRCTL_NET_CREDENTIAL_ANSWER_H
#define DRCTL_NET_CREDENTIAL_ANSWER_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/span.h"
#include "net/credentials.h"

/* Each gives credentials that the caller releases, or ERROR_INVALID; messages never quote the
 * document. */

/* credential_process and `aws configure export-credentials --format process` (Version 1). */
MUST_USE int credential_answer_process(struct span text, struct credentials *ret_credentials,
                                       struct error *err);

/* The container endpoint's and the instance metadata's JSON. */
MUST_USE int credential_answer_metadata(struct span text, struct credentials *ret_credentials,
                                        struct error *err);

/* STS's XML of AssumeRole and AssumeRoleWithWebIdentity. */
MUST_USE int credential_answer_sts(struct span text, struct credentials *ret_credentials,
                                   struct error *err);

#endif
