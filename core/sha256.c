/* SHA-256, written from FIPS 180-4. */
#include "core/sha256.h"

#include <string.h>

static const uint32_t round_constants[SHA256_BLOCK] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t value, int by) {
    return value >> by | value << (32 - by);
}

/* One round; `a` is where the first of the eight words stands. */
static inline void take_round(uint32_t s[8], int a, uint32_t t) {
    const uint32_t e = s[(a + 4) % 8], first = s[a];
    const uint32_t choice = (e & s[(a + 5) % 8]) ^ (~e & s[(a + 6) % 8]);
    const uint32_t majority =
        (first & s[(a + 1) % 8]) ^ (first & s[(a + 2) % 8]) ^ (s[(a + 1) % 8] & s[(a + 2) % 8]);

    t += s[(a + 7) % 8] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice;
    s[(a + 3) % 8] += t;
    s[(a + 7) % 8] = t + (rotate(first, 2) ^ rotate(first, 13) ^ rotate(first, 22)) + majority;
}

static void take_block(struct sha256 *sha) {
    uint32_t w[SHA256_BLOCK], s[8];

    for (int i = 0; i < 16; i++) {
        const unsigned char *at = sha->block + i * 4;
        w[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    }
    for (int i = 16; i < SHA256_BLOCK; i++) {
        const uint32_t a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        const uint32_t b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    memcpy(s, sha->state, sizeof s);
    for (int i = 0; i < SHA256_BLOCK; i += 8) {
        /* The eight words move one place a round; named anew each round they need not move. */
        take_round(s, 0, round_constants[i] + w[i]);
        take_round(s, 7, round_constants[i + 1] + w[i + 1]);
        take_round(s, 6, round_constants[i + 2] + w[i + 2]);
        take_round(s, 5, round_constants[i + 3] + w[i + 3]);
        take_round(s, 4, round_constants[i + 4] + w[i + 4]);
        take_round(s, 3, round_constants[i + 5] + w[i + 5]);
        take_round(s, 2, round_constants[i + 6] + w[i + 6]);
        take_round(s, 1, round_constants[i + 7] + w[i + 7]);
    }
    for (int i = 0; i < 8; i++) {
        sha->state[i] += s[i];
    }
}

void sha256_start(struct sha256 *sha) {
    *sha = (struct sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                     0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_add(struct sha256 *sha, const void *bytes, size_t length) {
    const unsigned char *at = bytes;
    while (length > 0) {
        const size_t used = (size_t)(sha->length % SHA256_BLOCK);
        const size_t room = SHA256_BLOCK - used;
        const size_t part = length < room ? length : room;
        memcpy(sha->block + used, at, part);
        sha->length += part;
        at += part;
        length -= part;
        if (part == room) {
            take_block(sha);
        }
    }
}

void sha256_finish(struct sha256 *sha, unsigned char digest[SHA256_SIZE]) {
    static const unsigned char padding[SHA256_BLOCK] = {0x80};
    const uint64_t bits = sha->length * 8;
    const size_t used = (size_t)(sha->length % SHA256_BLOCK);
    unsigned char size[8];

    for (int i = 0; i < 8; i++) {
        size[i] = (unsigned char)(bits >> (56 - 8 * i));
    }
    sha256_add(sha, padding, 1 + (2 * SHA256_BLOCK - 1 - sizeof size - used) % SHA256_BLOCK);
    sha256_add(sha, size, sizeof size);
    for (int i = 0; i < SHA256_SIZE; i++) {
        digest[i] = (unsigned char)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
    }
}
