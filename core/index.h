/* An index from text to a row: finds, never enumerates, so no result depends on hash order. */
#ifndef CORE_INDEX_H
#define CORE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index_slot {
    const char *key; /* borrowed; outlives the index */
    void *value;
    uint64_t hash;
};
struct index { /* all zero is empty */
    struct index_slot *slots;
    size_t count, capacity;
};

/* Makes room for that many more; false: no memory. */
bool index_reserve(struct index *index, size_t more);
/* Adds or replaces; false: no memory (never while there is room). */
bool index_put(struct index *index, const char *key, void *value);
/* Takes it out if this is its value. */
void index_remove(struct index *index, const char *key, const void *value);
void *index_get(const struct index *index, const char *key); /* NULL: not there */
void index_free(struct index *index);

#endif
