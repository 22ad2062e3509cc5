/* Room behind the last counter of an instrumented program, linked last. AFL++ 4.04 gives a function that
 * chooses between values one counter too few and uses its neighbour's: the last function of a program has
 * none, and wrote wherever what stands behind them pointed. Counters stand in the order of the code that
 * they count ("o"), and so there is some. */
#include "fuzz/afl_guards.h"

void afl_guards(void) {
}

__asm__(".section __sancov_guards,\"awo\",@progbits,.text\n"
        ".balign 4\n"
        ".zero 16\n"
        ".previous\n");
