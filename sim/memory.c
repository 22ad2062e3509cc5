/* Size classes on free lists, for SQLite. Single-threaded, like everything in the simulation. */
#include "sim/memory.h"

#include "sim/shortage.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Classes of 16, 32, 48 ... bytes up to 1 KiB, then doubling up to 64 KiB; larger ones are
 * malloc's. */
enum {
    STEP = 16,
    SMALL_MAX = 1024,
    SMALL_CLASSES = SMALL_MAX / STEP,
    LARGE_CLASSES = 6,
    CLASSES = SMALL_CLASSES + LARGE_CLASSES,
    SLAB = 1 << 20,
    HUGE_CLASS = CLASSES
};

/* In front of every block; the union keeps what follows aligned. */
union header {
    struct {
        uint32_t size, class;
    } is;
    max_align_t align;
};
struct free_block {
    struct free_block *next;
};

static struct free_block *free_lists[CLASSES];
static unsigned char *slab;
static size_t slab_left;

static uint32_t class_of(size_t size) {
    uint32_t class = SMALL_CLASSES;
    if (size <= SMALL_MAX)
        return (uint32_t)((size + STEP - 1) / STEP) - (size > 0);
    for (size_t limit = 2 * SMALL_MAX; class < CLASSES && size > limit; limit *= 2)
        class ++;
    return class;
}

static size_t class_size(uint32_t class) {
    return class < SMALL_CLASSES ? (size_t)(class + 1) * STEP
                                 : (size_t)SMALL_MAX << (class - SMALL_CLASSES + 1);
}

static union header *from_slab(size_t size) {
    union header *header = NULL;
    if (slab_left < size) {
        slab = malloc(SLAB);
        slab_left = slab != NULL ? SLAB : 0;
    }
    if (slab_left < size)
        return NULL;
    header = (union header *)(void *)slab;
    slab += size;
    slab_left -= size;
    return header;
}

static void *take(int wanted) {
    size_t size = (size_t)wanted;
    uint32_t class = class_of(size);
    union header *header = NULL;
    if (class == HUGE_CLASS) {
        header = malloc(sizeof *header + size);
    } else if (free_lists[class] != NULL) {
        struct free_block *block = free_lists[class];
        free_lists[class] = block->next;
        return block;
    } else {
        size = class_size(class);
        header = from_slab(sizeof *header + size);
    }
    if (header == NULL)
        return NULL;
    header->is.size = (uint32_t)size;
    header->is.class = class;
    return header + 1;
}

static void give(void *memory) {
    union header *header = (union header *)memory - 1;
    struct free_block *block = memory;
    if (memory == NULL)
        return;
    if (header->is.class == HUGE_CLASS) {
        free(header);
        return;
    }
    block->next = free_lists[header->is.class];
    free_lists[header->is.class] = block;
}

static int size_of(void *memory) {
    return memory == NULL ? 0 : (int)((union header *)memory - 1)->is.size;
}

static void *resize(void *memory, int wanted) {
    void *grown = NULL;
    if (wanted <= size_of(memory))
        return memory;
    grown = take(wanted);
    if (grown == NULL)
        return NULL;
    memcpy(grown, memory, (size_t)size_of(memory));
    give(memory);
    return grown;
}

static int round_up(int wanted) {
    uint32_t class = class_of((size_t)wanted);
    return class == HUGE_CLASS ? (wanted + 7) & ~7 : (int)class_size(class);
}

/* ---- the same, with shortages (sim/shortage.h) ---- */

static sqlite3_mem_methods allocator; /* the one that serves */

static void *take_if_there(int wanted) {
    return shortage_strikes(SHORTAGE_SQLITE) ? NULL : allocator.xMalloc(wanted);
}

static void *resize_if_there(void *memory, int wanted) {
    return shortage_strikes(SHORTAGE_SQLITE) ? NULL : allocator.xRealloc(memory, wanted);
}

static int start(void *unused) {
    (void)unused;
    return SQLITE_OK;
}

static void stop(void *unused) {
    (void)unused;
}

#if defined(__SANITIZE_ADDRESS__)
enum { UNDER_SANITIZER = 1 };
#elif defined(__has_feature)
enum { UNDER_SANITIZER = __has_feature(address_sanitizer) };
#else
enum { UNDER_SANITIZER = 0 };
#endif

void memory_for_sqlite(void) {
    static const sqlite3_mem_methods ours = {.xMalloc = take,
                                             .xFree = give,
                                             .xRealloc = resize,
                                             .xSize = size_of,
                                             .xRoundup = round_up,
                                             .xInit = start,
                                             .xShutdown = stop};
    sqlite3_mem_methods short_of;
    allocator = ours;
    if (UNDER_SANITIZER)
        sqlite3_config(SQLITE_CONFIG_GETMALLOC, &allocator);
    short_of = allocator;
    short_of.xMalloc = take_if_there;
    short_of.xRealloc = resize_if_there;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &short_of);
}
