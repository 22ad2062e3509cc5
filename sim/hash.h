/* A fast 64-bit hash that is the same on every machine: for fingerprints, keys and named seeds. Not
 * for keeping secrets. */
#ifndef SIM_HASH_H
#define SIM_HASH_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Adds a word: the folded product, so that every bit of both reaches every bit of the result. */
static inline uint64_t hash_u64(uint64_t hash, uint64_t value) {
    __extension__ typedef unsigned __int128 wide;
    wide product =
        (wide)(hash ^ UINT64_C(0xa0761d6478bd642f)) * (value ^ UINT64_C(0xe7037ed1a0b428db));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_load(const unsigned char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return le64toh(word);
}

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length) {
    const unsigned char *at = bytes;
    unsigned char tail[16] = {0};
    size_t left = length;
    hash = hash ^ UINT64_C(0x8ebc6af09c88c6e3) ^ length;
    for (; left >= 16; at += 16, left -= 16)
        hash = hash_u64(hash_load(at) ^ hash, hash_load(at + 8));
    memcpy(tail, at, left);
    return hash_u64(hash_u64(hash_load(tail) ^ hash, hash_load(tail + 8)), length);
}

static inline uint64_t hash_text(uint64_t hash, const char *text) {
    return hash_bytes(hash, text, strlen(text));
}

/* Independent generators by name: a new draw in one place moves no other. */
static inline uint64_t seed_named(uint64_t seed, const char *name) {
    return hash_text(hash_u64(seed, 1), name);
}

/* splitmix64: the next value of a generator whose state is one word. */
static inline uint64_t random_next(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

#endif
