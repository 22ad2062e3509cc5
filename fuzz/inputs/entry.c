/* One target in the form that AFL++ and libFuzzer take: compiled with -DFUZZ_INPUT=input_plan. */
#include "fuzz/inputs/inputs.h"

#include <stdlib.h>

#ifndef FUZZ_INPUT
#define FUZZ_INPUT input_plan
#endif

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int reading;

/* No reader has business to end the program. */
static void no_exit(void) {
    if (reading)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    inputs_prepare();
    atexit(no_exit);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    reading = 1;
    FUZZ_INPUT(data, size);
    reading = 0;
    return 0;
}
