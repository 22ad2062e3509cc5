/* Failing call number N, for N = 1, 2, 3 ... until a whole run meets no fault.
 *
 * What fails is an allocation of the OMS (sim/shortage.h) or one of its calls at a port: a disk call
 * with an input/output error, a broker call with a lost request. Each fails once, or it and all
 * after it: allocations for the rest of that life, port calls until faults stop. After each run
 *
 * (1) all invariants hold that the OMS claims, and
 * (2) every decision is as after the run without a fault, or, when the OMS never acknowledged it, as
 *     before: known to nobody. So it is with a cancel. Doubt that a person must settle (an order that is held,
 *     its reason recorded) is allowed only where the broker's profile asks for it, or where calls
 *     went on failing. */
#ifndef FUZZ_SWEEP_H
#define FUZZ_SWEEP_H

#include "scenarios/lang/run.h"
#include "sim/shortage.h"

#include <stdbool.h>

/* What fails: the allocators of sim/shortage.h, then the ports. */
enum { SWEEP_PORTS = SHORTAGE_OF_COUNT, SWEEP_KINDS };
const char *sweep_kind_name(int kind); /* "core allocation", "port call" ... */

struct sweep_fault {
    int kind;
    unsigned long nth; /* from 1; 0: nothing fails */
    bool lasting;      /* and all after it */
};

/* All faults of one kind. */
struct sweep_count {
    unsigned long tried; /* runs in which it struck */
    unsigned long broke; /* of those */
};

enum { SWEEP_TEXT_SIZE = RUN_HEADLINE_SIZE + 200 };
struct sweep_result {
    struct sweep_count kinds[SWEEP_KINDS];
    bool found;
    struct sweep_fault first;   /* the first that broke something */
    char text[SWEEP_TEXT_SIZE]; /* what it broke; or, without `ran`, why nothing could be swept */
    bool ran;                   /* the run without a fault passed */
};

/* Kinds that a configuration has: an OMS uses cJSON and libcurl only behind the wire; its store is
 * the same behind both doors, so SQLite's allocations are tried at the direct one; and a loaded OMS's
 * own allocations are not seen. */
bool sweep_has(int kind, const struct run_config *config, const struct run_options *options);

/* Sweeps all kinds over one scenario; quantifiers strike nowhere. options->plan, until and points
 * are not used. */
void sweep_scenario(const struct scenario *scenario, const struct run_config *config,
                    const struct run_options *options, struct sweep_result *result);
/* One of its runs, with its story in *trace (NULL: none). False: it broke something, or (nth = 0)
 * failed; `text` says what. *struck: the fault did strike. */
bool sweep_one(const struct scenario *scenario, const struct run_config *config,
               const struct run_options *options, const struct sweep_fault *fault,
               struct trace *trace, bool *struck, char text[SWEEP_TEXT_SIZE]);

#endif
