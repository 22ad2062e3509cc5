/* The fuzz target, in the form that AFL++ and libFuzzer take. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Takes the OMS under test from the environment (FUZZ_OMS: as --oms; the core when it is not set)
 * and makes every store. Ends the program with 5 when that fails. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
/* Plays the bytes as a timeline. A broken invariant is told on standard error and aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sut;
/* The OMS that FUZZ_OMS names. Ends the program with 5, and a message, when there is none. */
const struct sut *target_oms(void);

#endif
