/* Stores as older versions of the core made them. */
#ifndef SIM_SUT_CORE_OLDER_H
#define SIM_SUT_CORE_OLDER_H

#include <stdbool.h>

/* Turns a store of the newest version, in which nothing is archived and on which nobody runs, into
 * what version `version` would have left. Versions: 3. False: it cannot be done. */
bool core_make_older(const char *vfs, const char *path, int version);

#endif
