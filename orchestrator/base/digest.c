/* OpenSSL behind four plain functions; its one-shot calls fail only when memory is exhausted. */
#include "base/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

void digest_sha256(struct span bytes, unsigned char digest[DIGEST_SIZE])
{
    if (EVP_Digest(bytes.data, bytes.size_bytes, digest, NULL, EVP_sha256(), NULL) != 1) {
        abort();
    }
}

void digest_hex(const unsigned char digest[DIGEST_SIZE], char hex[DIGEST_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[DIGEST_HEX_SIZE - 1] = '\0';
}

void digest_sha256_hex(struct span bytes, char hex[DIGEST_HEX_SIZE])
{
    unsigned char digest[DIGEST_SIZE];
    digest_sha256(bytes, digest);
    digest_hex(digest, hex);
}

void digest_hmac_sha256(struct span key, struct span bytes, unsigned char digest[DIGEST_SIZE])
{
    unsigned int size;
    if (HMAC(EVP_sha256(), key.data, (int)key.size_bytes, (const unsigned char *)bytes.data,
             bytes.size_bytes, digest, &size) == NULL) {
        abort();
    }
}
