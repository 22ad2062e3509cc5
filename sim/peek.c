/* Looking at a store, remembered by content. */
#include "sim/peek.h"

#include "sim/check.h"
#include "sim/content.h"
#include "sim/hash.h"
#include "sim/sut_call.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* Direct-mapped by content hash: a collision of places only costs another look. */
enum { PEEK_SLOTS = 4096 };
struct slot {
    uint64_t key; /* 0: empty */
    struct peek peek;
};
static struct slot *slots;
static uint16_t
    filled[PEEK_SLOTS]; /* the slots that are not empty, so that few are soon forgotten */
static size_t filled_count;
static unsigned long look_count, open_count;

static void clear(struct slot *slot) {
    oms_view_free(&slot->peek.view);
    *slot = (struct slot){0};
}

void peek_forget(void) {
    while (filled_count > 0)
        clear(&slots[filled[--filled_count]]);
}

void peek_count(unsigned long *looks, unsigned long *opens) {
    *looks = look_count;
    *opens = open_count;
}

void (*peek_watch)(bool begins);

static void look(const struct sut *sut, struct disk *disk, const char *path, struct peek *peek) {
    /* A look must not move the generator that the OMS under test draws from. */
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SAVE);
    disk_vfs_attach("sim-peek", disk, NULL, 0);
    peek->intact = sut_observe(sut, "sim-peek", path, true, &peek->view, peek->why);
    peek->readable = peek->intact;
    if (!peek->intact) {
        char ignored[SUT_WHY_SIZE];
        oms_view_free(&peek->view);
        peek->view = (struct oms_view){0};
        peek->readable = sut_observe(sut, "sim-peek", path, false, &peek->view, ignored);
    }
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_RESTORE);
    open_count++;
}

/* Stores with the same pages read alike, whatever bytes made them; others only byte for byte. One
 * store is looked at many times in a row, so what the same bytes said last is remembered. */
static uint64_t what_it_says(const struct disk *disk, const char *path) {
    static uint64_t last_bytes, last_said;
    uint64_t bytes = hash_text(disk_cache_hash(disk), path), content = 0;
    if (bytes != last_bytes) {
        last_said = content_hash(disk, path, &content)
                        ? hash_u64(content, disk_archive_hash(disk, path) + 1)
                        : hash_u64(bytes, 2);
        last_bytes = bytes;
    }
    return last_said;
}

const struct peek *peek_at(const struct sut *sut, struct disk *disk, const char *path) {
    uint64_t key = hash_u64(what_it_says(disk, path), (uint64_t)(uintptr_t)sut);
    struct slot *slot = NULL;
    if (slots == NULL)
        slots = check_zalloc(PEEK_SLOTS, sizeof *slots);
    key += key == 0;
    slot = &slots[key % PEEK_SLOTS];
    look_count++;
    if (slot->key != key) {
        if (slot->key == 0)
            filled[filled_count++] = (uint16_t)(key % PEEK_SLOTS);
        if (peek_watch != NULL)
            peek_watch(true);
        clear(slot);
        look(sut, disk, path, &slot->peek);
        if (peek_watch != NULL)
            peek_watch(false);
        slot->key = key;
    }
    return &slot->peek;
}
