/* A moment of a run: everything that is left of it when the OMS dies there, as a value. */
#ifndef SCENARIOS_LANG_MOMENT_H
#define SCENARIOS_LANG_MOMENT_H

#include "scenarios/lang/script.h"

struct moment;

/* A copy of what the world, the judge and the script hold now; the running OMS is no part of it.
 * Owned by its users: moment_share adds one, moment_release takes one away. */
struct moment *moment_take(const struct script *script);
struct moment *moment_share(struct moment *moment);
void moment_release(struct moment *moment); /* NULL is allowed */

/* Sets a script that runs no OMS back to it. */
void moment_restore(const struct moment *moment, struct script *script);

struct disk *moment_disk(const struct moment *moment);
int64_t moment_now_ns(const struct moment *moment);

#endif
