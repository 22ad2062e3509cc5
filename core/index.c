/* Open addressing with linear probing; at most half full. */
#include "core/index.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 16 };

static uint64_t hash_text(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static struct index_slot *find_slot(const struct index *index, const char *key, uint64_t hash) {
    size_t i = (size_t)hash & (index->capacity - 1);
    while (index->slots[i].key != NULL &&
           (index->slots[i].hash != hash || strcmp(index->slots[i].key, key) != 0)) {
        i = (i + 1) & (index->capacity - 1);
    }
    return &index->slots[i];
}

/* Where something that is not there yet goes. */
static struct index_slot *find_gap(const struct index *index, uint64_t hash) {
    size_t i = (size_t)hash & (index->capacity - 1);
    while (index->slots[i].key != NULL) {
        i = (i + 1) & (index->capacity - 1);
    }
    return &index->slots[i];
}

bool index_reserve(struct index *index, size_t more) {
    struct index grown = {.capacity = index->capacity ? index->capacity : FIRST_CAPACITY};

    while ((index->count + more) * 2 > grown.capacity) {
        grown.capacity *= 2;
    }
    if (grown.capacity == index->capacity) {
        return true;
    }
    grown.slots = calloc(grown.capacity, sizeof *grown.slots);
    if (grown.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < index->capacity; i++) {
        if (index->slots[i].key != NULL) {
            *find_gap(&grown, index->slots[i].hash) = index->slots[i];
        }
    }
    grown.count = index->count;
    free(index->slots);
    *index = grown;
    return true;
}

bool index_put(struct index *index, const char *key, void *value) {
    const uint64_t hash = hash_text(key);
    struct index_slot *slot;
    if (!index_reserve(index, 1)) {
        return false;
    }
    slot = find_slot(index, key, hash);
    index->count += slot->key == NULL;
    *slot = (struct index_slot){key, value, hash};
    return true;
}

/* What comes after it without a gap may have been pushed past its place: it moves up. */
static void close_gap(struct index *index, size_t gap) {
    const size_t mask = index->capacity - 1;
    for (size_t i = (gap + 1) & mask; index->slots[i].key != NULL; i = (i + 1) & mask) {
        const size_t home = (size_t)index->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            index->slots[gap] = index->slots[i];
            gap = i;
        }
    }
    index->slots[gap] = (struct index_slot){NULL, NULL, 0};
}

void index_remove(struct index *index, const char *key, const void *value) {
    struct index_slot *slot = index->capacity > 0 ? find_slot(index, key, hash_text(key)) : NULL;
    if (slot != NULL && slot->key != NULL && slot->value == value) {
        close_gap(index, (size_t)(slot - index->slots));
        index->count--;
    }
}

void *index_get(const struct index *index, const char *key) {
    return index->capacity > 0 ? find_slot(index, key, hash_text(key))->value : NULL;
}

void index_free(struct index *index) {
    free(index->slots);
    *index = (struct index){0};
}
