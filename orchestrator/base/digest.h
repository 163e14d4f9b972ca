/* SHA-256 and its HMAC. */
#ifndef DRCTL_BASE_DIGEST_H
#define DRCTL_BASE_DIGEST_H

#include <stddef.h>

#include "base/span.h"

enum { DIGEST_SIZE = 32, DIGEST_HEX_SIZE = 65 };

void digest_sha256(struct span bytes, unsigned char digest[DIGEST_SIZE]);

/* As 64 lower-case hexadecimal digits and a NUL. */
void digest_sha256_hex(struct span bytes, char hex[DIGEST_HEX_SIZE]);

void digest_hmac_sha256(struct span key, struct span bytes, unsigned char digest[DIGEST_SIZE]);

void digest_hex(const unsigned char digest[DIGEST_SIZE], char hex[DIGEST_HEX_SIZE]);

#endif
