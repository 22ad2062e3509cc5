/* A fast 64-bit hash of bytes, the same on every machine. Not for keeping secrets. */
#ifndef SIM_HASH_H
#define SIM_HASH_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The product of two numbers, folded: every bit of both reaches every bit of the result. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b) {
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)(a ^ UINT64_C(0xa0761d6478bd642f)) * (b ^ UINT64_C(0xe7037ed1a0b428db));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_load(const unsigned char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return le64toh(word);
}

static inline uint64_t hash_bytes(const void *bytes, size_t length) {
    const unsigned char *at = bytes;
    uint64_t hash = UINT64_C(0x8ebc6af09c88c6e3) ^ length;
    size_t left = length;
    for (; left >= 16; at += 16, left -= 16)
        hash = hash_mix(hash_load(at) ^ hash, hash_load(at + 8));
    unsigned char tail[16] = {0};
    memcpy(tail, at, left);
    return hash_mix(hash_mix(hash_load(tail) ^ hash, hash_load(tail + 8)), length);
}

#endif
