/* Looking at a store without touching it: what the OMS that owns it believes. For judges. */
#ifndef SIM_PEEK_H
#define SIM_PEEK_H

#include "sim/disk.h"
#include "sim/sut/sut.h"

#include <stdbool.h>

/* What one disk says, by what its cache shows. */
struct peek {
    bool readable;          /* the store could be read */
    bool intact;            /* and passed its integrity check */
    char why[SUT_WHY_SIZE]; /* if not */
    struct oms_view view;   /* empty when not readable */
};

/* Looks at the store `path` on `disk` through the OMS's own reader. The answer is remembered by
 * content (a bounded number of them), stays valid until the next call, and is never NULL. May be
 * called in the middle of a port call: SQLite's random state is left as it was. */
const struct peek *peek_at(const struct sut *sut, struct disk *disk, const char *path);

/* A look is made or remembered, and nothing that is judged may tell which. Who measures what code
 * runs (a fuzzer) would tell: told before (begins) and after each look that is made. NULL: nobody. */
extern void (*peek_watch)(bool begins);

/* Forgets everything remembered. */
void peek_forget(void);

/* How many looks there were, and how many of them had to open the store. */
void peek_count(unsigned long *looks, unsigned long *opens);

#endif
