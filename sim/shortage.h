/* Memory that runs out: which of the allocations of the OMS under test fails.
 *
 * Only what the OMS asks for counts, not what the harness asks for, though both run in one thread.
 * Four allocators serve it, each counted by itself:
 *
 *   core      malloc and its like, called by the core and its adapter (the Makefile gives the
 *             objects of the OMS's half in libcrashgate.a the names below)
 *   SQLite, cJSON, libcurl    by the hooks these libraries offer
 *
 * (1) An allocation counts between shortage_inside(true) and what takes it back; the stage says so
 *     around its calls into the OMS, and takes it back while a port of its own acts.
 * (2) A shortage that lasts ends with the process: the next life has fresh memory. */
#ifndef SIM_SHORTAGE_H
#define SIM_SHORTAGE_H

#include <stdbool.h>
#include <stddef.h>

/* id, name */
#define SHORTAGES(X)    \
    X(CORE, "core")     \
    X(SQLITE, "SQLite") \
    X(JSON, "cJSON")    \
    X(CURL, "libcurl")
enum shortage_of {
#define X(id, name) SHORTAGE_##id,
    SHORTAGES(X)
#undef X
        SHORTAGE_OF_COUNT
};
const char *shortage_name(enum shortage_of of);

/* Hooks libcurl and cJSON; before libcurl is first used in this process. SQLite is hooked by
 * sim/memory.c. */
void shortage_install(void);

/* From now on the nth allocation of that kind fails (0: none does), and with `lasting` all of that
 * kind after it in the same life. Counting begins anew. */
void shortage_plan(enum shortage_of of, unsigned long nth, bool lasting);
/* Nothing fails any more, and nothing is counted. */
void shortage_off(void);
/* The OMS that ran is gone. */
void shortage_life_over(void);
/* Allocations counted, and those of them that failed, since shortage_plan. */
unsigned long shortage_counted(enum shortage_of of);
unsigned long shortage_failed(void);

/* Whether the OMS acts now; returns what was so before, to be put back. */
bool shortage_inside(bool oms);

/* For allocators: counts one; true: it fails. */
bool shortage_strikes(enum shortage_of of);

/* What the OMS's half calls instead of malloc, calloc, realloc and strdup. */
void *sut_malloc(size_t size);
void *sut_calloc(size_t count, size_t size);
void *sut_realloc(void *old, size_t size);
char *sut_strdup(const char *text);

#endif
