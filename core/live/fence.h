/* Who runs on a store right now, as the kernel knows it. */
#ifndef CORE_LIVE_FENCE_H
#define CORE_LIVE_FENCE_H

#include <sys/types.h>

/* The process that holds the fence of the store at `db`; 0: nobody, or it cannot be told. Only
 * looks: takes no lock, so it keeps no instance from starting. Not for a process that holds the
 * fence itself, which would lose it. */
pid_t fence_holder(const char *db);

#endif
