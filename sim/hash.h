/* A 64-bit hash that is the same on every machine: for fingerprints, keys and named seeds. */
#ifndef SIM_HASH_H
#define SIM_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_mix(uint64_t x) {
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline uint64_t hash_u64(uint64_t hash, uint64_t value) {
    return hash_mix(hash ^ hash_mix(value + UINT64_C(0x9e3779b97f4a7c15)));
}

/* Bytes are read as little-endian words, so that the result does not depend on the machine. */
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length) {
    const unsigned char *p = bytes;
    uint64_t word = 0;
    size_t i = 0;
    for (i = 0; i + 8 <= length; i += 8) {
        word = 0;
        for (int b = 7; b >= 0; b--)
            word = (word << 8) | p[i + (size_t)b];
        hash = hash_u64(hash, word);
    }
    word = 0;
    for (size_t b = length; b > i; b--)
        word = (word << 8) | p[b - 1];
    return hash_u64(hash_u64(hash, word), length);
}

static inline uint64_t hash_text(uint64_t hash, const char *text) {
    return hash_bytes(hash, text, strlen(text));
}

/* Independent generators by name: a new draw in one place moves no other. */
static inline uint64_t seed_named(uint64_t seed, const char *name) {
    return hash_text(hash_mix(seed + 1), name);
}

/* splitmix64: the next value of a generator whose state is one word. */
static inline uint64_t random_next(uint64_t *state) {
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return hash_mix(*state);
}

#endif
