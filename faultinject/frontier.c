/* Open addressing and bucket queues. */
#include "faultinject/frontier.h"

#include "sim/check.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 1024, WORK_MAX = 1 << 26 };

static uint64_t marked(uint64_t key) {
    return key == 0 ? 1 : key;
}

static struct keymap_slot *place_of(const struct keymap *map, uint64_t key) {
    size_t at = (size_t)key & (map->size - 1);
    while (map->slots[at].key != 0 && map->slots[at].key != key)
        at = (at + 1) & (map->size - 1);
    return &map->slots[at];
}

uint64_t *keymap_find(const struct keymap *map, uint64_t key) {
    struct keymap_slot *slot = map->size == 0 ? NULL : place_of(map, marked(key));
    return slot == NULL || slot->key == 0 ? NULL : &slot->value;
}

static void grow(struct keymap *map) {
    struct keymap bigger = {.size = map->size == 0 ? SLOTS_FIRST : map->size * 2,
                            .count = map->count};
    bigger.slots = check_zalloc(bigger.size, sizeof *bigger.slots);
    for (size_t i = 0; i < map->size; i++) {
        if (map->slots[i].key != 0)
            *place_of(&bigger, map->slots[i].key) = map->slots[i];
    }
    free(map->slots);
    *map = bigger;
}

void keymap_put(struct keymap *map, uint64_t key, uint64_t value) {
    if (map->count * 2 >= map->size)
        grow(map);
    *place_of(map, marked(key)) = (struct keymap_slot){marked(key), value};
    map->count++;
}

void keymap_free(struct keymap *map) {
    free(map->slots);
    *map = (struct keymap){0};
}

bool frontier_push(struct frontier *frontier, unsigned cost, bool faulty, void *work) {
    struct frontier_queue *queue = NULL;
    if (cost >= FRONTIER_COST_MAX)
        return false;
    queue = &frontier->queues[cost][faulty];
    CHECK_ROOM(queue->v, queue->n, queue->cap, WORK_MAX);
    queue->v[queue->n++] = work;
    frontier->waiting++;
    if (frontier->waiting > frontier->most)
        frontier->most = frontier->waiting;
    return true;
}

void *frontier_pop(struct frontier *frontier, unsigned *cost) {
    for (unsigned i = 0; i < FRONTIER_COST_MAX; i++) {
        for (int faulty = 0; faulty < 2; faulty++) {
            struct frontier_queue *queue = &frontier->queues[i][faulty];
            if (queue->at == queue->n)
                continue;
            frontier->waiting--;
            *cost = i;
            return queue->v[queue->at++];
        }
    }
    return NULL;
}

void frontier_free(struct frontier *frontier) {
    for (unsigned i = 0; i < FRONTIER_COST_MAX; i++) {
        free(frontier->queues[i][0].v);
        free(frontier->queues[i][1].v);
    }
    *frontier = (struct frontier){0};
}
