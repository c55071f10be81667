// The one door to OpenSSL's libcrypto, which libcurl loads anyway: a SHA-256 digest.
#pragma once
#include <openssl/sha.h>
#include <stddef.h>

static inline void ccrypto_sha256(const void *_Nullable bytes, size_t count, void *_Nonnull digest) {
    SHA256((const unsigned char *)bytes, count, (unsigned char *)digest);
}
