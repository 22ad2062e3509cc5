/* What follows all code that AFL++ counts. */
#ifndef FUZZ_AFL_GUARDS_H
#define FUZZ_AFL_GUARDS_H

/* Never called: code behind which counters can stand. */
void afl_guards(void);

#endif
