/* The disk: files with a cache, a device, and operations on their way from one to the other.
 *
 * (1) A file that is not `poisoned`: device + all pending operations in order = cache.
 * (2) A file body with more than one user is never changed: own_file comes first.
 * (3) A pending operation is a choice: what the device holds already, with nothing pending over it,
 *     is not recorded; but where overwriting is not power-safe it is, as one that is `same`.
 * (4) Nothing hashed depends on slots, serials, sequence numbers or eras, only on their order. */
#include "sim/disk_file.h"

#include "sim/hash.h"
#include "sim/image.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum op_kind { OP_WRITE, OP_TRUNCATE, OP_DELETE };

/* A pending operation; a file's operations are a list from newest to oldest whose older part is
 * shared between copies. */
struct op {
    unsigned users;
    enum op_kind kind;
    struct op *older;
    unsigned depth; /* operations from here to the oldest */
    uint64_t sequence;
    int64_t offset; /* truncate: the new size */
    int length;
    bool same; /* the device holds these bytes already */
    bool hashed;
    uint64_t hash;
    unsigned char bytes[];
};

struct file {
    unsigned users;
    char name[DISK_NAME_SIZE];
    uint64_t name_hash;
    uint64_t serial;
    bool name_durable;
    bool poisoned; /* the cache may hold what neither the device nor a pending operation has */
    bool late;     /* a sync lied: the next one has to tell */
    bool
        deleted; /* its newest operation deletes it: nobody can open it, a power loss may undo it */
    struct image cache, device;
    struct op *newest;
};

struct disk {
    const struct disk_profile *profile;
    struct file *files[DISK_FILES_MAX];
    int slots; /* all files are in slots below this one */
    uint64_t next_serial, next_sequence;
    uint64_t era;
};

/* ---- pending operations ---- */

static struct op *op_share(struct op *op) {
    if (op)
        op->users++;
    return op;
}

static void ops_release(struct op *op) {
    while (op && --op->users == 0) {
        struct op *older = op->older;
        free(op);
        op = older;
    }
}

static unsigned ops_count(const struct op *newest) {
    return newest ? newest->depth : 0;
}

static uint64_t op_hash(struct op *op) {
    if (!op->hashed) {
        uint64_t place = hash_u64((uint64_t)op->offset, (uint64_t)op->kind);
        op->hash = hash_u64(place, hash_bytes(0, op->bytes, (size_t)op->length));
        op->hashed = true;
    }
    return op->hash;
}

static bool op_equal(const struct op *a, const struct op *b) {
    return a == b || (a->kind == b->kind && a->offset == b->offset && a->length == b->length &&
                      memcmp(a->bytes, b->bytes, (size_t)a->length) == 0);
}

static void op_apply(const struct op *op, struct image *device) {
    switch (op->kind) {
    case OP_WRITE:
        image_write(device, op->offset, op->bytes, op->length);
        break;
    case OP_TRUNCATE:
        image_resize(device, op->offset);
        break;
    case OP_DELETE: /* is about the file, not about what is in it */
        break;
    }
}

/* Whether an operation on [offset, end) of the file could meet one that is pending. */
static bool ops_touch(const struct op *newest, int64_t offset, int64_t end) {
    for (const struct op *op = newest; op; op = op->older)
        if (op->offset < end && (op->kind == OP_TRUNCATE || op->offset + op->length > offset))
            return true;
    return false;
}

static struct op *file_record(struct disk *disk, struct file *file, enum op_kind kind,
                              int64_t offset, const void *bytes, int length) {
    struct op *op = image_alloc(sizeof *op + (size_t)length);
    *op = (struct op){.users = 1,
                      .kind = kind,
                      .older = file->newest,
                      .depth = ops_count(file->newest) + 1,
                      .sequence = disk->next_sequence++,
                      .offset = offset,
                      .length = length};
    if (length > 0)
        memcpy(op->bytes, bytes, (size_t)length);
    return file->newest = op;
}

/* All pending operations of a disk, oldest first. */
struct queue {
    unsigned count;
    struct queued {
        struct op *op;
        int slot;
    } ops[DISK_PENDING_MAX];
};

static int by_sequence(const void *a, const void *b) {
    const struct queued *x = a, *y = b;
    return (x->op->sequence > y->op->sequence) - (x->op->sequence < y->op->sequence);
}

/* A file whose name is not durable goes with a power loss, whatever of it was written. */
static bool is_choosable(const struct file *file) {
    return file->name_durable;
}

static void queue_file(struct queue *queue, const struct file *file, int slot) {
    unsigned at = queue->count += ops_count(file->newest);
    for (struct op *op = file->newest; op; op = op->older)
        queue->ops[--at] = (struct queued){op, slot};
}

static void queue_fill(struct queue *queue, const struct disk *disk, bool choosable_only) {
    int files = 0;
    queue->count = 0;
    for (int slot = 0; slot < disk->slots; slot++) {
        const struct file *file = disk->files[slot];
        if (!file || !file->newest || (choosable_only && !is_choosable(file)))
            continue;
        queue_file(queue, file, slot);
        files++;
    }
    if (files > 1)
        qsort(queue->ops, queue->count, sizeof queue->ops[0], by_sequence);
}

/* ---- files ---- */

static void file_release(struct file *file) {
    if (!file || --file->users > 0)
        return;
    image_free(&file->cache);
    image_free(&file->device);
    ops_release(file->newest);
    free(file);
}

static struct file *own_file(struct disk *disk, int slot) {
    struct file *file = disk->files[slot];
    if (file->users == 1)
        return file;
    struct file *own = image_alloc(sizeof *own);
    *own = *file;
    own->users = 1;
    image_copy(&own->cache, &file->cache);
    image_copy(&own->device, &file->device);
    own->newest = op_share(file->newest);
    file_release(file);
    return disk->files[slot] = own;
}

/* At most one file that is there and one that is deleted have the same name. */
static int find_file(const struct disk *disk, const char *name, bool deleted) {
    for (int slot = 0; slot < disk->slots; slot++)
        if (disk->files[slot] && disk->files[slot]->deleted == deleted &&
            strcmp(disk->files[slot]->name, name) == 0)
            return slot;
    return DISK_NO_FILE;
}

int disk_slot_find(const struct disk *disk, const char *name) {
    return find_file(disk, name, false);
}

int disk_slot_create(struct disk *disk, const char *name) {
    size_t length = strlen(name);
    if (length >= DISK_NAME_SIZE)
        return DISK_NO_FILE;
    int slot = 0;
    while (slot < DISK_FILES_MAX && disk->files[slot])
        slot++;
    if (slot == DISK_FILES_MAX)
        return DISK_NO_FILE;
    struct file *file = image_alloc(sizeof *file);
    *file = (struct file){.users = 1, .serial = disk->next_serial++};
    memcpy(file->name, name, length + 1);
    file->name_hash = hash_bytes(0, name, length);
    disk->files[slot] = file;
    disk->slots = slot >= disk->slots ? slot + 1 : disk->slots;
    return slot;
}

uint64_t disk_slot_serial(const struct disk *disk, int slot) {
    const struct file *file = disk->files[slot];
    return file && !file->deleted ? file->serial : 0;
}

int64_t disk_slot_size(const struct disk *disk, int slot) {
    return disk->files[slot]->cache.size;
}

int disk_slot_read(const struct disk *disk, int slot, int64_t offset, void *out, int length) {
    return image_read(&disk->files[slot]->cache, offset, out, length);
}

uint64_t disk_slot_block_hash(const struct disk *disk, int slot, int64_t n) {
    return image_block_hash(&disk->files[slot]->cache, n);
}

static void apply_oldest_first(const struct op *newest, struct image *device) {
    const struct op *ops[DISK_PENDING_MAX];
    unsigned count = 0;
    for (const struct op *op = newest; op; op = op->older)
        ops[count++] = op;
    while (count > 0)
        op_apply(ops[--count], device);
}

static void drop_operations(struct file *file) {
    ops_release(file->newest);
    file->newest = NULL;
}

/* What nobody syncs is written back sooner or later. */
static void write_back(struct disk *disk) {
    for (int slot = 0; slot < disk->slots; slot++) {
        if (disk->files[slot] && disk->files[slot]->newest && !disk->files[slot]->deleted) {
            struct file *file = own_file(disk, slot);
            apply_oldest_first(file->newest, &file->device);
            drop_operations(file);
        }
    }
}

static bool make_room(struct disk *disk, int64_t end) {
    unsigned pending = 0;
    for (int slot = 0; slot < disk->slots; slot++)
        if (disk->files[slot])
            pending += ops_count(disk->files[slot]->newest);
    if (pending >= DISK_PENDING_MAX)
        write_back(disk);
    return end <= IMAGE_SIZE_MAX;
}

/* Writing the same once more: whichever of the two survives, the same is there. */
static bool is_repeated(const struct op *newest, int64_t offset, const void *bytes, int length) {
    return newest && newest->kind == OP_WRITE && newest->offset == offset &&
           newest->length == length && memcmp(newest->bytes, bytes, (size_t)length) == 0;
}

bool disk_slot_write(struct disk *disk, int slot, int64_t offset, const void *bytes, int length) {
    int64_t end = offset + length;
    if (!make_room(disk, end))
        return false;
    struct file *file = own_file(disk, slot);
    image_write(&file->cache, offset, bytes, length);
    bool changes_nothing =
        image_holds(&file->device, offset, bytes, length) && !ops_touch(file->newest, offset, end);
    if (!changes_nothing && disk->profile->power_safe &&
        is_repeated(file->newest, offset, bytes, length))
        return true;
    if (!changes_nothing || !disk->profile->power_safe)
        file_record(disk, file, OP_WRITE, offset, bytes, length)->same = changes_nothing;
    return true;
}

bool disk_slot_truncate(struct disk *disk, int slot, int64_t size) {
    if (!make_room(disk, size))
        return false;
    struct file *file = own_file(disk, slot);
    image_resize(&file->cache, size);
    bool changes_nothing = file->device.size == size && !ops_touch(file->newest, size, INT64_MAX);
    if (!changes_nothing)
        file_record(disk, file, OP_TRUNCATE, size, NULL, 0);
    return true;
}

static void drop_file(struct disk *disk, int slot) {
    file_release(disk->files[slot]);
    disk->files[slot] = NULL;
}

/* Names that were made or deleted are so for good. */
static void sync_folder(struct disk *disk) {
    for (int slot = 0; slot < disk->slots; slot++) {
        struct file *file = disk->files[slot];
        if (file && file->deleted)
            drop_file(disk, slot);
        else if (file && !file->name_durable)
            own_file(disk, slot)->name_durable = true;
    }
}

/* What an OMS may open as if it were a journal: a copy of its store, and a segment of its archive. */
static bool is_like_journal(const char *name) {
    return strstr(name, ARCHIVE_ENDING) != NULL || strstr(name, "-copy") != NULL;
}

/* The first sync of a file: does it make the name durable? SQLite's unix VFS syncs the folder with
 * a log or journal that it made, and with no other file. */
static void sync_name(struct disk *disk, int slot) {
    const char *name = disk->files[slot]->name;
    enum site_object class = disk_class(name);
    if (!disk->profile->names)
        own_file(disk, slot)->name_durable = true;
    else if (class == ON_WAL || class == ON_JOURNAL || is_like_journal(name))
        sync_folder(disk);
}

static bool tell_late_failure(struct disk *disk, int slot) {
    if (!disk->files[slot]->late)
        return false;
    own_file(disk, slot)->late = false;
    return true;
}

bool disk_slot_sync(struct disk *disk, int slot) {
    if (!disk->files[slot]->name_durable)
        sync_name(disk, slot);
    if (!disk->files[slot]->newest)
        return !tell_late_failure(disk, slot);
    struct file *file = own_file(disk, slot);
    if (file->poisoned) {
        apply_oldest_first(file->newest, &file->device);
        file->poisoned = !image_equal(&file->cache, &file->device);
    }
    if (!file->poisoned)
        image_assign(&file->device, &file->cache); /* by (1); shares the blocks */
    drop_operations(file);
    return !tell_late_failure(disk, slot);
}

void disk_slot_forget(struct disk *disk, int slot, bool late) {
    struct file *file = own_file(disk, slot);
    drop_operations(file);
    file->poisoned = !image_equal(&file->cache, &file->device);
    file->late = file->late || late;
}

void disk_slot_revert(struct disk *disk, int slot) {
    struct file *file = own_file(disk, slot);
    drop_operations(file);
    image_assign(&file->cache, &file->device);
    file->poisoned = false;
}

void disk_slot_delete(struct disk *disk, int slot, bool with_folder) {
    if (!disk->profile->names || !disk->files[slot]->name_durable) {
        drop_file(disk, slot);
    } else {
        struct file *file = own_file(disk, slot);
        file->deleted = true;
        file_record(disk, file, OP_DELETE, 0, NULL, 0);
    }
    if (with_folder)
        sync_folder(disk);
}

/* ---- the value ---- */

/* Eras are never hashed and only compared for being the same, so counting them here is no chance.
 */
static uint64_t next_era(void) {
    static uint64_t eras;
    return ++eras;
}

uint64_t disk_era(const struct disk *disk) {
    return disk->era;
}

struct disk *disk_new(void) {
    struct disk *disk = image_alloc(sizeof *disk);
    *disk = (struct disk){
        .profile = disk_profile_at(0), .next_serial = 1, .next_sequence = 1, .era = next_era()};
    return disk;
}

void disk_set_profile(struct disk *disk, const struct disk_profile *profile) {
    disk->profile = profile;
}

const struct disk_profile *disk_profile_of(const struct disk *disk) {
    return disk->profile;
}

struct disk *disk_copy(const struct disk *disk) {
    struct disk *copy = image_alloc(sizeof *copy);
    *copy = *disk;
    copy->era = next_era();
    for (int slot = 0; slot < disk->slots; slot++)
        if (copy->files[slot])
            copy->files[slot]->users++;
    return copy;
}

void disk_free(struct disk *disk) {
    if (!disk)
        return;
    for (int slot = 0; slot < disk->slots; slot++)
        file_release(disk->files[slot]);
    free(disk);
}

static uint64_t file_hash(const struct file *file) {
    uint64_t content = hash_u64(image_hash(&file->cache), image_hash(&file->device));
    unsigned state = file->name_durable | (unsigned)file->deleted << 1 | (unsigned)file->late << 2;
    return hash_u64(hash_u64(file->name_hash, content), state);
}

/* The profile as a number that is the same in every process; 0 for "simple". */
static uint64_t profile_number(const struct disk *disk) {
    uint64_t number = 0;
    while (disk_profile_at(number) != disk->profile)
        number++;
    return number;
}

uint64_t disk_hash(const struct disk *disk) {
    struct queue queue;
    uint64_t files = profile_number(disk); /* a sum: slots have an order and files have not */
    for (int slot = 0; slot < disk->slots; slot++)
        if (disk->files[slot])
            files += file_hash(disk->files[slot]);
    queue_fill(&queue, disk, false);
    uint64_t hash = hash_u64(files, queue.count);
    for (unsigned i = 0; i < queue.count; i++) {
        const struct queued *queued = &queue.ops[i];
        uint64_t name = disk->files[queued->slot]->name_hash;
        hash = hash_u64(hash, hash_u64(name, op_hash(queued->op)));
    }
    return hash;
}

uint64_t disk_cache_hash(const struct disk *disk) {
    uint64_t files = 0;
    for (int slot = 0; slot < disk->slots; slot++) {
        const struct file *file = disk->files[slot];
        if (file && !file->deleted)
            files += hash_u64(file->name_hash, image_hash(&file->cache));
    }
    return hash_u64(files, 1);
}

static bool is_archive(const char *name, const char *path) {
    size_t length = strlen(path);
    return strncmp(name, path, length) == 0 &&
           strncmp(name + length, ARCHIVE_ENDING, sizeof ARCHIVE_ENDING - 1) == 0;
}

static bool is_store(const char *name, const char *path) {
    size_t length = strlen(path);
    return strncmp(name, path, length) == 0 &&
           (name[length] == '\0' || strcmp(name + length, "-wal") == 0 ||
            strcmp(name + length, "-lock") == 0);
}

uint64_t disk_fence_hash(const struct disk *disk, const char *path) {
    for (int slot = 0; slot < disk->slots; slot++) {
        const struct file *file = disk->files[slot];
        if (file && !file->deleted && file->cache.size > 0 && is_store(file->name, path) &&
            disk_class(file->name) == ON_LOCK)
            return image_hash(&file->cache) | 1;
    }
    return 0;
}

uint64_t disk_aside_hash(const struct disk *disk, const char *path) {
    uint64_t hash = profile_number(disk);
    for (int slot = 0; slot < disk->slots; slot++) {
        const struct file *file = disk->files[slot];
        if (file && file->late)
            hash += hash_u64(file->name_hash, 1);
        if (file && !file->deleted && file->cache.size > 0 && !is_store(file->name, path) &&
            !is_archive(file->name, path))
            hash += hash_u64(file->name_hash, image_hash(&file->cache));
    }
    return hash;
}

uint64_t disk_archive_hash(const struct disk *disk, const char *path) {
    uint64_t hash = 0;
    for (int slot = 0; slot < disk->slots; slot++) {
        const struct file *file = disk->files[slot];
        if (file && !file->deleted && file->cache.size > 0 && is_archive(file->name, path))
            hash += hash_u64(file->name_hash, image_hash(&file->cache));
    }
    return hash;
}

static bool same_files(const struct disk *a, const struct disk *b) {
    int balance = 0;
    for (int slot = 0; slot < a->slots || slot < b->slots; slot++) {
        balance += (a->files[slot] != NULL) - (b->files[slot] != NULL);
        const struct file *x = a->files[slot];
        if (!x)
            continue;
        int other = find_file(b, x->name, x->deleted);
        if (other == DISK_NO_FILE)
            return false;
        const struct file *y = b->files[other];
        bool same =
            x == y || (x->name_durable == y->name_durable && x->late == y->late &&
                       image_equal(&x->cache, &y->cache) && image_equal(&x->device, &y->device));
        if (!same)
            return false;
    }
    return balance == 0;
}

bool disk_equal(const struct disk *a, const struct disk *b) {
    struct queue x, y;
    if (a->profile != b->profile || !same_files(a, b))
        return false;
    queue_fill(&x, a, false);
    queue_fill(&y, b, false);
    if (x.count != y.count)
        return false;
    for (unsigned i = 0; i < x.count; i++) {
        const char *of_x = a->files[x.ops[i].slot]->name, *of_y = b->files[y.ops[i].slot]->name;
        if (strcmp(of_x, of_y) != 0 || !op_equal(x.ops[i].op, y.ops[i].op))
            return false;
    }
    return true;
}

bool disk_is_clean(const struct disk *disk) {
    for (int slot = 0; slot < disk->slots; slot++) {
        const struct file *file = disk->files[slot];
        if (file && (file->newest || !file->name_durable || file->late ||
                     !image_equal(&file->cache, &file->device)))
            return false;
    }
    return true;
}

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
        if (disk->files[slot] && is_choosable(disk->files[slot]))
            count += ops_count(disk->files[slot]->newest);
    return count;
}

unsigned disk_pending_ops(const struct disk *disk, struct disk_pending_op *ops, unsigned max) {
    struct queue queue;
    queue_fill(&queue, disk, true);
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
    queue_fill(&queue, disk, true);
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
        op_apply(op, device);
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
        drop_file(disk, slot);
        return;
    }
    if (!file->newest && !file->late && image_equal(&file->cache, &file->device))
        return;
    file = own_file(disk, slot);
    image_assign(&file->cache, &file->device);
    drop_operations(file);
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
        struct image *device = &own_file(disk, queued->slot)->device;
        if (i + 1 == newest)
            apply_damaged(disk, queued->op, outcome, sizes[queued->slot], device);
        else
            op_apply(queued->op, device);
    }
}

void disk_power(struct disk *disk, unsigned which) {
    struct queue queue;
    queue_fill(&queue, disk, true);
    struct outcome outcome = outcome_at(disk, &queue, which);
    bool gone[DISK_FILES_MAX] = {false};
    for (unsigned i = 0; i < queue.count; i++)
        if (queue.ops[i].op->kind == OP_DELETE && outcome_keeps(outcome, i))
            gone[queue.ops[i].slot] = true;
    apply_survivors(disk, &queue, outcome);
    for (int slot = 0; slot < disk->slots; slot++) {
        if (disk->files[slot] && gone[slot])
            drop_file(disk, slot);
        else if (disk->files[slot])
            boot_file(disk, slot);
    }
    disk->era = next_era();
}

void disk_kill(struct disk *disk) {
    disk->era = next_era();
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
    queue_fill(&queue, disk, true);
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
    queue_fill(&queue, disk, true);
    if (!parse_survivors(survivors, queue.count, &undamaged))
        return false;
    if (text[length] != '\0')
        return find_damaged(disk, &queue, outcome_of(undamaged, queue.count), text + length, which);
    *which = undamaged;
    if (undamaged + 1 == outcome_total(queue.count))
        *which += damaged_total(disk, &queue);
    return true;
}

/* ---- direct access ---- */

bool disk_file_size(const struct disk *disk, const char *name, int64_t *size) {
    int slot = disk_slot_find(disk, name);
    if (slot == DISK_NO_FILE)
        return false;
    *size = disk_slot_size(disk, slot);
    return true;
}

static bool is_inside(const struct file *file, int64_t offset, int length) {
    return offset >= 0 && length >= 0 && offset <= file->cache.size - length;
}

bool disk_file_read(const struct disk *disk, const char *name, int64_t offset, void *out,
                    int length) {
    int slot = disk_slot_find(disk, name);
    if (slot == DISK_NO_FILE || !is_inside(disk->files[slot], offset, length))
        return false;
    disk_slot_read(disk, slot, offset, out, length);
    return true;
}

bool disk_file_damage(struct disk *disk, const char *name, int64_t offset, const void *bytes,
                      int length) {
    int slot = disk_slot_find(disk, name);
    if (slot == DISK_NO_FILE || !is_inside(disk->files[slot], offset, length))
        return false;
    struct file *file = own_file(disk, slot);
    image_write(&file->cache, offset, bytes, length);
    image_write(&file->device, offset, bytes, length);
    if (file->newest)
        file->poisoned = true; /* a pending operation may repair the device only */
    return true;
}

bool disk_file_remove(struct disk *disk, const char *name) {
    int slot = disk_slot_find(disk, name);
    if (slot == DISK_NO_FILE)
        return false;
    drop_file(disk, slot);
    return true;
}

bool disk_file_cut(struct disk *disk, const char *name, int64_t size) {
    int slot = disk_slot_find(disk, name);
    if (slot == DISK_NO_FILE || size < 0 || size >= disk->files[slot]->cache.size)
        return false;
    struct file *file = own_file(disk, slot);
    image_resize(&file->cache, size);
    image_resize(&file->device, size);
    file->poisoned = file->poisoned || file->newest;
    return true;
}

static bool is_named(const struct file *file, const char *name) {
    return name != NULL && strcmp(file->name, name) == 0;
}

void disk_restore(struct disk *disk, const struct disk *from, const char *except) {
    for (int slot = 0; slot < disk->slots; slot++)
        if (disk->files[slot] && !is_named(disk->files[slot], except))
            drop_file(disk, slot);
    for (int slot = 0; slot < disk->slots; slot++) {
        const struct file *old = from->files[slot];
        if (!old || old->deleted || is_named(old, except))
            continue;
        struct file *file = disk->files[disk_slot_create(disk, old->name)];
        image_assign(&file->cache, &old->cache);
        image_assign(&file->device, &old->cache);
        file->name_durable = true;
    }
    disk->era = next_era();
}

enum site_object disk_class(const char *name) {
    static const struct {
        const char *ending;
        enum site_object class;
    } endings[] = {{"-wal", ON_WAL}, {"-journal", ON_JOURNAL}, {"-lock", ON_LOCK}, {".db", ON_DB}};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t ending = strlen(endings[i].ending);
        if (length >= ending && strcmp(name + length - ending, endings[i].ending) == 0)
            return endings[i].class;
    }
    return ON_OTHER;
}
