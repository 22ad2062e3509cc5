/* What a search over worlds remembers: which keys it has met, and what is still to be done, the
 * cheapest first. */
#ifndef FAULTINJECT_FRONTIER_H
#define FAULTINJECT_FRONTIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys with a value each. Two different worlds with one 64-bit key would be taken for one: among a
 * million keys that has a chance of about one in forty million. */
struct keymap {
    struct keymap_slot {
        uint64_t key, value; /* key 0: empty */
    } * slots;
    size_t count, size;
};
/* The value of a key, or NULL; valid until the next keymap_put. */
uint64_t *keymap_find(const struct keymap *map, uint64_t key);
/* Adds a key that is not there. */
void keymap_put(struct keymap *map, uint64_t key, uint64_t value);
void keymap_free(struct keymap *map);

/* Work by cost (crashes and faults so far), and within one cost what has no fault before what has;
 * then in the order in which it came. */
enum { FRONTIER_COST_MAX = 64 };
struct frontier {
    struct frontier_queue {
        void **v;
        size_t n, cap, at;
    } queues[FRONTIER_COST_MAX][2];
    size_t waiting, most; /* now, and at the worst moment */
};
/* False: the cost is beyond what is kept. */
bool frontier_push(struct frontier *frontier, unsigned cost, bool faulty, void *work);
/* The next, or NULL; *cost is its cost. */
void *frontier_pop(struct frontier *frontier, unsigned *cost);
void frontier_free(struct frontier *frontier);

#endif
