/* A power loss: which pending operations survive, what becomes of the newest of them, and its name. */
#include "sim/disk_parts.h"

#include "sim/hash.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* ---- power: which operations survive ---- */

/* Outcomes of `count` operations. Few: all subsets, bit i = operation i, oldest = bit 0. Many:
 *   0 | first 1 .. count-1 | all but 0 .. count-2 | only 1 .. count-1 | all
 * (all but the newest and only the oldest are prefixes already). */
enum outcome_kind { OUTCOME_SUBSET, OUTCOME_FIRST, OUTCOME_BUT, OUTCOME_ONLY };
/* What may have become of the newest operation that survives, the one under way. */
enum damage_kind { DAMAGE_NONE, DAMAGE_TORN, DAMAGE_TAIL, DAMAGE_GARBAGE, DAMAGE_ZEROS };
struct outcome {
    enum outcome_kind kind;
    unsigned number; /* the bits; how many; which operation, from 0 */
    enum damage_kind damage;
    unsigned sectors; /* TORN, TAIL: how many landed; GARBAGE: which one, from 1 */
};

static bool is_reduced(unsigned count) {
    return count > DISK_SUBSET_BITS;
}

/* Outcomes without damage. */
static unsigned outcome_total(unsigned count) {
    return is_reduced(count) ? 3 * count - 1 : 1u << count;
}

static struct outcome outcome_of(unsigned which, unsigned count) {
    if (!is_reduced(count))
        return (struct outcome){.kind = OUTCOME_SUBSET, .number = which};
    if (which < count)
        return (struct outcome){.kind = OUTCOME_FIRST, .number = which};
    if (which < 2 * count - 1)
        return (struct outcome){.kind = OUTCOME_BUT, .number = which - count};
    if (which < 3 * count - 2)
        return (struct outcome){.kind = OUTCOME_ONLY, .number = which - (2 * count - 2)};
    return (struct outcome){.kind = OUTCOME_FIRST, .number = count};
}

static bool outcome_keeps(struct outcome outcome, unsigned i) {
    switch (outcome.kind) {
    case OUTCOME_SUBSET:
        return outcome.number >> i & 1;
    case OUTCOME_FIRST:
        return i < outcome.number;
    case OUTCOME_BUT:
        return i != outcome.number;
    case OUTCOME_ONLY:
        return i == outcome.number;
    }
    return false;
}

unsigned disk_pending(const struct disk *disk) {
    unsigned count = 0;
    for (int slot = 0; slot < disk->slots; slot++)
        if (disk->files[slot] && disk_is_choosable(disk->files[slot]))
            count += disk_ops_count(disk->files[slot]->newest);
    return count;
}

unsigned disk_pending_ops(const struct disk *disk, struct disk_pending_op *ops, unsigned max) {
    struct queue queue;
    disk_queue_fill(&queue, disk, true);
    for (unsigned i = 0; i < queue.count && i < max; i++) {
        const struct op *op = queue.ops[i].op;
        ops[i] = (struct disk_pending_op){.on = disk_class(disk->files[queue.ops[i].slot]->name),
                                          .is_write = op->kind == OP_WRITE,
                                          .offset = op->offset,
                                          .end = op->offset + op->length};
    }
    return queue.count;
}

/* ---- power: damage ---- */

static unsigned sectors_of(const struct op *op, int sector) {
    if (op->length == 0)
        return 0;
    return (unsigned)((op->offset + op->length - 1) / sector - op->offset / sector + 1);
}

/* Ways in which one operation can be damaged when it is the newest to survive: torn after 1, 2 ...
 * sectors, the same from its end, garbage in sector 1, 2 ..., zeros. */
struct damages {
    unsigned cuts, garbage, zeros;
    bool reduced; /* it could be torn at more places */
};

static struct damages damages_of(const struct disk *disk, const struct queued *queued) {
    const struct disk_profile *profile = disk->profile;
    const struct op *op = queued->op;
    struct damages damages = {0};
    if (op->kind != OP_WRITE)
        return damages;
    if (!profile->power_safe)
        damages.garbage = sectors_of(op, profile->sector);
    if (op->same)
        return damages;
    if (profile->torn && op->length > 0)
        damages.cuts = sectors_of(op, DISK_BLOCK) - 1;
    damages.reduced = damages.cuts > DISK_CUTS_MAX;
    if (damages.reduced)
        damages.cuts = DISK_CUTS_MAX;
    damages.zeros =
        profile->zeros && op->offset + op->length > disk->files[queued->slot]->device.size;
    return damages;
}

static unsigned damage_total(const struct disk *disk, const struct queued *queued) {
    struct damages damages = damages_of(disk, queued);
    return 2 * damages.cuts + damages.garbage + damages.zeros;
}

static void damage_at(const struct disk *disk, const struct queued *queued, unsigned n,
                      struct outcome *outcome) {
    struct damages damages = damages_of(disk, queued);
    if (n < damages.cuts) {
        outcome->damage = DAMAGE_TORN;
        outcome->sectors = n + 1;
    } else if (n < 2 * damages.cuts) {
        outcome->damage = DAMAGE_TAIL;
        outcome->sectors = n - damages.cuts + 1;
    } else if (n < 2 * damages.cuts + damages.garbage) {
        outcome->damage = DAMAGE_GARBAGE;
        outcome->sectors = n - 2 * damages.cuts + 1;
    } else {
        outcome->damage = DAMAGE_ZEROS;
    }
}

static bool knows_damage(const struct disk_profile *profile) {
    return !profile->power_safe || profile->torn || profile->zeros;
}

/* Operations that survive below the newest one, i, when that is damaged: any subset of them, or,
 * where there are too many, all. */
static unsigned below_damaged(unsigned i, unsigned count) {
    return count > DISK_DAMAGE_BITS ? 1 : 1u << i;
}

static struct outcome outcome_below(unsigned i, unsigned below, unsigned count) {
    if (is_reduced(count))
        return (struct outcome){.kind = OUTCOME_FIRST, .number = i + 1};
    if (count > DISK_DAMAGE_BITS)
        below = (1u << i) - 1;
    return (struct outcome){.kind = OUTCOME_SUBSET, .number = 1u << i | below};
}

/* Damaged outcomes are numbered from the last undamaged one on, by the newest survivor, then by
 * those below it, then by its damage; the last outcome of all is "all". */
static unsigned damaged_total(const struct disk *disk, const struct queue *queue) {
    unsigned total = 0;
    for (unsigned i = 0; knows_damage(disk->profile) && i < queue->count; i++)
        total += below_damaged(i, queue->count) * damage_total(disk, &queue->ops[i]);
    return total;
}

static struct outcome outcome_at(const struct disk *disk, const struct queue *queue,
                                 unsigned which) {
    unsigned whole = outcome_total(queue->count), i = 0, n = which - (whole - 1);
    unsigned damaged = damaged_total(disk, queue);
    assert(which < whole + damaged);
    if (which < whole - 1)
        return outcome_of(which, queue->count);
    if (n == damaged)
        return outcome_of(whole - 1, queue->count);
    for (;; i++) {
        unsigned ways = damage_total(disk, &queue->ops[i]);
        unsigned here = below_damaged(i, queue->count) * ways;
        if (n < here) {
            struct outcome outcome = outcome_below(i, n / ways, queue->count);
            damage_at(disk, &queue->ops[i], n % ways, &outcome);
            return outcome;
        }
        n -= here;
    }
}

unsigned disk_power_outcomes(const struct disk *disk, bool *reduced) {
    struct queue queue;
    unsigned count = disk_pending(disk);
    bool less = is_reduced(count);
    if (!knows_damage(disk->profile) || count == 0) {
        if (reduced)
            *reduced = less;
        return outcome_total(count);
    }
    disk_queue_fill(&queue, disk, true);
    less = less || count > DISK_DAMAGE_BITS;
    for (unsigned i = 0; i < count; i++)
        less = less || damages_of(disk, &queue.ops[i]).reduced;
    if (reduced)
        *reduced = less;
    return outcome_total(count) + damaged_total(disk, &queue);
}

/* ---- power: it goes ---- */

/* Bytes that nobody wrote, the same in every process. */
static void write_garbage(struct image *device, int64_t from, int64_t to) {
    uint64_t state = hash_u64((uint64_t)from, (uint64_t)to);
    for (int64_t at = from; at < to; at += (int64_t)sizeof state) {
        int64_t left = to - at;
        state = hash_u64(state, UINT64_C(0x9e3779b97f4a7c15));
        image_write(device, at, &state,
                    left < (int64_t)sizeof state ? (int)left : (int)sizeof state);
    }
}

static void write_part(struct image *device, const struct op *op, int64_t from, int64_t to) {
    if (to > from)
        image_write(device, from, op->bytes + (from - op->offset), (int)(to - from));
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* `size`: of the device's file before any operation reached it. */
static void apply_damaged(const struct disk *disk, const struct op *op, struct outcome outcome,
                          int64_t size, struct image *device) {
    int sector = outcome.damage == DAMAGE_GARBAGE ? disk->profile->sector : DISK_BLOCK;
    int64_t first = op->offset / sector, end = op->offset + op->length;
    int64_t at = 0;
    switch (outcome.damage) {
    case DAMAGE_NONE:
        disk_op_apply(op, device);
        return;
    case DAMAGE_TORN:
        write_part(device, op, op->offset, (first + outcome.sectors) * sector);
        return;
    case DAMAGE_TAIL:
        at = (first + sectors_of(op, sector) - outcome.sectors) * sector;
        write_part(device, op, at, end);
        return;
    case DAMAGE_GARBAGE:
        at = (first + outcome.sectors - 1) * sector;
        write_part(device, op, op->offset, at);
        write_garbage(device, at, least(at + sector, most(device->size, end)));
        return;
    case DAMAGE_ZEROS:
        write_part(device, op, op->offset, least(size, end));
        if (device->size < end)
            image_resize(device, end);
        return;
    }
}

static void boot_file(struct disk *disk, int slot) {
    struct file *file = disk->files[slot];
    if (!file->name_durable) {
        disk_drop_file(disk, slot);
        return;
    }
    if (!file->newest && !file->late && image_equal(&file->cache, &file->device))
        return;
    file = disk_own_file(disk, slot);
    image_assign(&file->cache, &file->device);
    disk_drop_operations(file);
    file->poisoned = file->late = file->deleted = false;
}

static void apply_survivors(struct disk *disk, const struct queue *queue, struct outcome outcome) {
    int64_t sizes[DISK_FILES_MAX] = {0};
    unsigned newest = queue->count;
    while (newest > 0 && !outcome_keeps(outcome, newest - 1))
        newest--;
    for (int slot = 0; slot < disk->slots; slot++)
        sizes[slot] = disk->files[slot] ? disk->files[slot]->device.size : 0;
    for (unsigned i = 0; i < newest; i++) {
        const struct queued *queued = &queue->ops[i];
        if (!outcome_keeps(outcome, i))
            continue;
        struct image *device = &disk_own_file(disk, queued->slot)->device;
        if (i + 1 == newest)
            apply_damaged(disk, queued->op, outcome, sizes[queued->slot], device);
        else
            disk_op_apply(queued->op, device);
    }
}

void disk_power(struct disk *disk, unsigned which) {
    struct queue queue;
    disk_queue_fill(&queue, disk, true);
    struct outcome outcome = outcome_at(disk, &queue, which);
    bool gone[DISK_FILES_MAX] = {false};
    for (unsigned i = 0; i < queue.count; i++)
        if (queue.ops[i].op->kind == OP_DELETE && outcome_keeps(outcome, i))
            gone[queue.ops[i].slot] = true;
    apply_survivors(disk, &queue, outcome);
    for (int slot = 0; slot < disk->slots; slot++) {
        if (disk->files[slot] && gone[slot])
            disk_drop_file(disk, slot);
        else if (disk->files[slot])
            boot_file(disk, slot);
    }
    disk->era = disk_next_era();
}

void disk_kill(struct disk *disk) {
    disk->era = disk_next_era();
}

/* ---- power: outcomes as text ---- */

static void write_bits(unsigned bits, unsigned count, char *out, size_t size) {
    char text[DISK_OUTCOME_SIZE] = "0b";
    for (unsigned i = 0; i < count; i++)
        text[2 + i] = bits >> (count - 1 - i) & 1 ? '1' : '0';
    snprintf(out, size, "%s", text);
}

static void write_survivors(struct outcome outcome, unsigned count, char *out, size_t size) {
    bool all = true, none = true;
    for (unsigned i = 0; i < count; i++) {
        all = all && outcome_keeps(outcome, i);
        none = none && !outcome_keeps(outcome, i);
    }
    if (none || all) {
        snprintf(out, size, "%s", none ? "none" : "all");
        return;
    }
    switch (outcome.kind) {
    case OUTCOME_SUBSET:
        write_bits(outcome.number, count, out, size);
        return;
    case OUTCOME_FIRST:
        snprintf(out, size, "first%u", outcome.number);
        return;
    case OUTCOME_BUT:
        snprintf(out, size, "but%u", outcome.number + 1);
        return;
    case OUTCOME_ONLY:
        snprintf(out, size, "only%u", outcome.number + 1);
        return;
    }
}

static void write_damage(struct outcome outcome, char *out, size_t size) {
    static const char *const words[] = {[DAMAGE_NONE] = "",
                                        [DAMAGE_TORN] = "+torn",
                                        [DAMAGE_TAIL] = "+tail",
                                        [DAMAGE_GARBAGE] = "+garbage",
                                        [DAMAGE_ZEROS] = "+zeros"};
    if (outcome.sectors > 0)
        snprintf(out, size, "%s%u", words[outcome.damage], outcome.sectors);
    else
        snprintf(out, size, "%s", words[outcome.damage]);
}

char *disk_outcome_name(const struct disk *disk, unsigned which, char *out, size_t size) {
    struct queue queue;
    char damage[DISK_OUTCOME_SIZE];
    disk_queue_fill(&queue, disk, true);
    struct outcome outcome = outcome_at(disk, &queue, which);
    write_survivors(outcome, queue.count, out, size);
    write_damage(outcome, damage, sizeof damage);
    snprintf(out + strlen(out), size - strlen(out), "%s", damage);
    return out;
}

/* Whether the disk has the outcome of these bits (leading zeros may be left out). */
static bool parse_bits(const char *digits, unsigned count, unsigned *which) {
    unsigned bits = 0;
    size_t length = strlen(digits);
    if (is_reduced(count) || length == 0 || length > DISK_SUBSET_BITS)
        return false;
    if (strspn(digits, "01") != length)
        return false;
    for (; *digits; digits++)
        bits = bits << 1 | (*digits == '1');
    *which = bits;
    return bits < outcome_total(count);
}

/* An outcome without damage, as its number among those. */
static bool parse_survivors(const char *text, unsigned count, unsigned *which) {
    unsigned total = outcome_total(count);
    if (strncmp(text, "0b", 2) == 0)
        return parse_bits(text + 2, count, which);
    if (strcmp(text, "none") == 0 || strcmp(text, "all") == 0) {
        *which = *text == 'n' ? 0 : total - 1;
        return true;
    }
    for (unsigned i = 0; is_reduced(count) && i < total; i++) {
        char name[DISK_OUTCOME_SIZE];
        write_survivors(outcome_of(i, count), count, name, sizeof name);
        if (strcmp(name, text) == 0) {
            *which = i;
            return true;
        }
    }
    return false;
}

static bool same_survivors(struct outcome a, struct outcome b, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (outcome_keeps(a, i) != outcome_keeps(b, i))
            return false;
    return true;
}

/* The damaged outcome with these survivors and this damage. */
static bool find_damaged(const struct disk *disk, const struct queue *queue,
                         struct outcome survivors, const char *damage, unsigned *which) {
    unsigned first = outcome_total(queue->count) - 1, total = damaged_total(disk, queue);
    for (unsigned i = 0; i < total; i++) {
        struct outcome outcome = outcome_at(disk, queue, first + i);
        char text[DISK_OUTCOME_SIZE];
        write_damage(outcome, text, sizeof text);
        if (strcmp(text, damage) == 0 && same_survivors(outcome, survivors, queue->count)) {
            *which = first + i;
            return true;
        }
    }
    return false;
}

bool disk_outcome_parse(const struct disk *disk, const char *text, unsigned *which) {
    struct queue queue;
    char survivors[DISK_OUTCOME_SIZE];
    size_t length = strcspn(text, "+");
    unsigned undamaged = 0;
    if (length >= sizeof survivors)
        return false;
    memcpy(survivors, text, length);
    survivors[length] = '\0';
    disk_queue_fill(&queue, disk, true);
    if (!parse_survivors(survivors, queue.count, &undamaged))
        return false;
    if (text[length] != '\0')
        return find_damaged(disk, &queue, outcome_of(undamaged, queue.count), text + length, which);
    *which = undamaged;
    if (undamaged + 1 == outcome_total(queue.count))
        *which += damaged_total(disk, &queue);
    return true;
}
