/* What a world means while its OMS is dead: a key under which worlds that have the same future are
 * one, whatever bytes, clocks and counters made them.
 *
 * It consists of what the OMS can act on in its store as SQLite would recover it (from what reads
 * show, and, where a power loss would show something else, from the set of all that it could show),
 * the exchange's books, the requests under way, and the few switches of the world. Times are taken
 * relative to now and only as far as something still depends on them: what is past is past.
 *
 * Left out on purpose, and why it is sound: reasons, log rows and counters of the store that no
 * start acts on (the OMS says which, sim/sut/sut.h); how long the log is, unless the next checkpoint
 * is near; salts, checksums, and what lies behind the
 * last commit (a start cuts it off before it writes). What is not known is kept whole: that costs merging, never truth. */
#ifndef SIM_MEANING_H
#define SIM_MEANING_H

#include "sim/sut/sut.h"
#include "sim/world.h"

#include <stdint.h>

/* Moments (absolute, later than now) at which something in the world begins to act otherwise. */
struct moments {
    int64_t *v;
    size_t n, cap;
};
void moments_add(struct moments *moments, int64_t at_ns);
/* Sorts them and drops doubles. */
void moments_sort(struct moments *moments);
void moments_free(struct moments *moments);

/* Wrong keys, to prove that a wrong key is noticed. */
enum meaning_without {
    MEANING_WHOLE = 0,
    MEANING_WITHOUT_EXCHANGE = 1,
    MEANING_WITHOUT_TIMES = 2,
    MEANING_CACHE_ONLY = 4
};

/* The world's key; *pending (if not NULL) gets the moments it depends on. `config` is what the OMS
 * will be started with. */
uint64_t meaning_of_world(const struct sut *sut, const struct sut_config *config,
                          struct world *world, const char *path, unsigned without,
                          struct moments *pending);

/* A time in a key: how far ahead it is; past ones are equal. Also notes it as pending. */
uint64_t meaning_time(uint64_t hash, int64_t at_ns, int64_t now_ns, struct moments *pending);

/* Forgets the stores that were read. */
void meaning_forget(void);

#endif
