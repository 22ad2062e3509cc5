/* The calls of AFL++'s custom mutators, as AFL++ 4.04c looks for them in a shared object. */
#ifndef FUZZ_AFL_MUTATOR_H
#define FUZZ_AFL_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* The state of one mutator, freed with afl_custom_deinit. `afl` is not looked at; `seed` is AFL++'s
 * own, so that afl-fuzz -s is all that an instance's chance comes from. */
void *afl_custom_init(void *afl, unsigned seed);
void afl_custom_deinit(void *data);
/* Edits `bytes`; `other_bytes` (NULL: none) is another input to take records from. Returns how many
 * bytes *out has, which are the mutator's until its next call: always more than 0. */
size_t afl_custom_fuzz(void *data, uint8_t *bytes, size_t size, uint8_t **out, uint8_t *other_bytes,
                       size_t other_size, size_t max_size);
/* What was done last, for a file name. */
const char *afl_custom_describe(void *data, size_t max_length);

/* Shorter inputs: how many trials at most; the next one; how it went, and how many there were. That
 * reaches the first number when nothing is left to try. */
int32_t afl_custom_init_trim(void *data, uint8_t *bytes, size_t size);
size_t afl_custom_trim(void *data, uint8_t **out);
int32_t afl_custom_post_trim(void *data, unsigned char success);

#endif
