/* The disk: files with a cache, a device, and operations on their way from one to the other.
 *
 * (1) A file that is not `poisoned`: device + all pending operations in order = cache.
 * (2) A file body with more than one user is never changed: own_file comes first.
 * (3) A pending operation is a choice: what the device holds already, with nothing pending over it,
 *     is not recorded.
 * (4) Nothing hashed depends on slots, serials, sequence numbers or eras, only on their order. */
#include "sim/disk_file.h"

#include "sim/hash.h"
#include "sim/image.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum op_kind { OP_WRITE, OP_TRUNCATE };

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
    struct image cache, device;
    struct op *newest;
};

struct disk {
    struct file *files[DISK_FILES_MAX];
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
    }
}

/* Whether an operation on [offset, end) of the file could meet one that is pending. */
static bool ops_touch(const struct op *newest, int64_t offset, int64_t end) {
    for (const struct op *op = newest; op; op = op->older)
        if (op->offset < end && (op->kind == OP_TRUNCATE || op->offset + op->length > offset))
            return true;
    return false;
}

static void file_record(struct disk *disk, struct file *file, enum op_kind kind, int64_t offset,
                        const void *bytes, int length) {
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
    file->newest = op;
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
    for (int slot = 0; slot < DISK_FILES_MAX; slot++) {
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

int disk_slot_find(const struct disk *disk, const char *name) {
    for (int slot = 0; slot < DISK_FILES_MAX; slot++)
        if (disk->files[slot] && strcmp(disk->files[slot]->name, name) == 0)
            return slot;
    return DISK_NO_FILE;
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
    return slot;
}

uint64_t disk_slot_serial(const struct disk *disk, int slot) {
    return disk->files[slot] ? disk->files[slot]->serial : 0;
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

static bool has_room(const struct disk *disk, int64_t end) {
    unsigned pending = 0;
    for (int slot = 0; slot < DISK_FILES_MAX; slot++)
        if (disk->files[slot])
            pending += ops_count(disk->files[slot]->newest);
    return end <= IMAGE_SIZE_MAX && pending < DISK_PENDING_MAX;
}

bool disk_slot_write(struct disk *disk, int slot, int64_t offset, const void *bytes, int length) {
    int64_t end = offset + length;
    if (!has_room(disk, end))
        return false;
    struct file *file = own_file(disk, slot);
    image_write(&file->cache, offset, bytes, length);
    bool changes_nothing =
        image_holds(&file->device, offset, bytes, length) && !ops_touch(file->newest, offset, end);
    if (!changes_nothing)
        file_record(disk, file, OP_WRITE, offset, bytes, length);
    return true;
}

bool disk_slot_truncate(struct disk *disk, int slot, int64_t size) {
    if (!has_room(disk, size))
        return false;
    struct file *file = own_file(disk, slot);
    image_resize(&file->cache, size);
    bool changes_nothing = file->device.size == size && !ops_touch(file->newest, size, INT64_MAX);
    if (!changes_nothing)
        file_record(disk, file, OP_TRUNCATE, size, NULL, 0);
    return true;
}

static void apply_oldest_first(const struct op *newest, struct image *device) {
    const struct op *ops[DISK_PENDING_MAX];
    unsigned count = 0;
    for (const struct op *op = newest; op; op = op->older)
        ops[count++] = op;
    while (count > 0)
        op_apply(ops[--count], device);
}

void disk_slot_sync(struct disk *disk, int slot) {
    struct file *file = disk->files[slot];
    if (file->name_durable && !file->newest)
        return;
    file = own_file(disk, slot);
    if (file->poisoned) {
        apply_oldest_first(file->newest, &file->device);
        file->poisoned = !image_equal(&file->cache, &file->device);
    }
    if (!file->poisoned)
        image_assign(&file->device, &file->cache); /* by (1); shares the blocks */
    ops_release(file->newest);
    file->newest = NULL;
    file->name_durable = true;
}

void disk_slot_forget(struct disk *disk, int slot) {
    struct file *file = own_file(disk, slot);
    ops_release(file->newest);
    file->newest = NULL;
    file->poisoned = !image_equal(&file->cache, &file->device);
}

void disk_slot_delete(struct disk *disk, int slot) {
    file_release(disk->files[slot]);
    disk->files[slot] = NULL;
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
    *disk = (struct disk){.next_serial = 1, .next_sequence = 1, .era = next_era()};
    return disk;
}

struct disk *disk_copy(const struct disk *disk) {
    struct disk *copy = image_alloc(sizeof *copy);
    *copy = *disk;
    copy->era = next_era();
    for (int slot = 0; slot < DISK_FILES_MAX; slot++)
        if (copy->files[slot])
            copy->files[slot]->users++;
    return copy;
}

void disk_free(struct disk *disk) {
    if (!disk)
        return;
    for (int slot = 0; slot < DISK_FILES_MAX; slot++)
        file_release(disk->files[slot]);
    free(disk);
}

static uint64_t file_hash(const struct file *file) {
    uint64_t content = hash_u64(image_hash(&file->cache), image_hash(&file->device));
    return hash_u64(hash_u64(file->name_hash, content), file->name_durable);
}

uint64_t disk_hash(const struct disk *disk) {
    struct queue queue;
    uint64_t files = 0; /* a sum, because slots have an order and files have not */
    for (int slot = 0; slot < DISK_FILES_MAX; slot++)
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
    for (int slot = 0; slot < DISK_FILES_MAX; slot++) {
        const struct file *file = disk->files[slot];
        if (file)
            files += hash_u64(file->name_hash, image_hash(&file->cache));
    }
    return hash_u64(files, 1);
}

static bool same_files(const struct disk *a, const struct disk *b) {
    int balance = 0;
    for (int slot = 0; slot < DISK_FILES_MAX; slot++) {
        balance += (a->files[slot] != NULL) - (b->files[slot] != NULL);
        const struct file *x = a->files[slot];
        if (!x)
            continue;
        int other = disk_slot_find(b, x->name);
        if (other == DISK_NO_FILE)
            return false;
        const struct file *y = b->files[other];
        bool same =
            x == y || (x->name_durable == y->name_durable && image_equal(&x->cache, &y->cache) &&
                       image_equal(&x->device, &y->device));
        if (!same)
            return false;
    }
    return balance == 0;
}

bool disk_equal(const struct disk *a, const struct disk *b) {
    struct queue x, y;
    if (!same_files(a, b))
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
    for (int slot = 0; slot < DISK_FILES_MAX; slot++) {
        const struct file *file = disk->files[slot];
        if (file &&
            (file->newest || !file->name_durable || !image_equal(&file->cache, &file->device)))
            return false;
    }
    return true;
}

/* ---- power ---- */

/* Outcomes of `count` operations. Few: all subsets, bit i = operation i, oldest = bit 0. Many:
 *   0 | first 1 .. count-1 | all but 0 .. count-2 | only 1 .. count-1 | all
 * (all but the newest and only the oldest are prefixes already). */
enum outcome_kind { OUTCOME_SUBSET, OUTCOME_FIRST, OUTCOME_BUT, OUTCOME_ONLY };
struct outcome {
    enum outcome_kind kind;
    unsigned number; /* the bits; how many; which operation, from 0 */
};

static bool is_reduced(unsigned count) {
    return count > DISK_SUBSET_BITS;
}

static unsigned outcome_total(unsigned count) {
    return is_reduced(count) ? 3 * count - 1 : 1u << count;
}

static struct outcome outcome_of(unsigned which, unsigned count) {
    if (!is_reduced(count))
        return (struct outcome){OUTCOME_SUBSET, which};
    if (which < count)
        return (struct outcome){OUTCOME_FIRST, which};
    if (which < 2 * count - 1)
        return (struct outcome){OUTCOME_BUT, which - count};
    if (which < 3 * count - 2)
        return (struct outcome){OUTCOME_ONLY, which - (2 * count - 2)};
    return (struct outcome){OUTCOME_FIRST, count};
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
    for (int slot = 0; slot < DISK_FILES_MAX; slot++)
        if (disk->files[slot] && is_choosable(disk->files[slot]))
            count += ops_count(disk->files[slot]->newest);
    return count;
}

unsigned disk_power_outcomes(const struct disk *disk, bool *reduced) {
    unsigned count = disk_pending(disk);
    if (reduced)
        *reduced = is_reduced(count);
    return outcome_total(count);
}

static void boot_file(struct disk *disk, int slot) {
    struct file *file = disk->files[slot];
    if (!file->name_durable) {
        disk_slot_delete(disk, slot);
        return;
    }
    if (!file->newest && image_equal(&file->cache, &file->device))
        return;
    file = own_file(disk, slot);
    image_assign(&file->cache, &file->device);
    ops_release(file->newest);
    file->newest = NULL;
    file->poisoned = false;
}

void disk_power(struct disk *disk, unsigned which) {
    struct queue queue;
    queue_fill(&queue, disk, true);
    assert(which < outcome_total(queue.count));
    struct outcome outcome = outcome_of(which, queue.count);
    for (unsigned i = 0; i < queue.count; i++)
        if (outcome_keeps(outcome, i))
            op_apply(queue.ops[i].op, &own_file(disk, queue.ops[i].slot)->device);
    for (int slot = 0; slot < DISK_FILES_MAX; slot++)
        if (disk->files[slot])
            boot_file(disk, slot);
    disk->era = next_era();
}

void disk_kill(struct disk *disk) {
    disk->era = next_era();
}

static void write_bits(unsigned bits, unsigned count, char *out, size_t size) {
    char text[DISK_OUTCOME_SIZE] = "0b";
    for (unsigned i = 0; i < count; i++)
        text[2 + i] = bits >> (count - 1 - i) & 1 ? '1' : '0';
    snprintf(out, size, "%s", text);
}

char *disk_outcome_name(const struct disk *disk, unsigned which, char *out, size_t size) {
    unsigned count = disk_pending(disk);
    struct outcome outcome = outcome_of(which, count);
    if (which == 0 || which + 1 == outcome_total(count)) {
        snprintf(out, size, "%s", which == 0 ? "none" : "all");
        return out;
    }
    switch (outcome.kind) {
    case OUTCOME_SUBSET:
        write_bits(outcome.number, count, out, size);
        break;
    case OUTCOME_FIRST:
        snprintf(out, size, "first%u", outcome.number);
        break;
    case OUTCOME_BUT:
        snprintf(out, size, "but%u", outcome.number + 1);
        break;
    case OUTCOME_ONLY:
        snprintf(out, size, "only%u", outcome.number + 1);
        break;
    }
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

bool disk_outcome_parse(const struct disk *disk, const char *text, unsigned *which) {
    unsigned count = disk_pending(disk), total = outcome_total(count);
    if (strncmp(text, "0b", 2) == 0)
        return parse_bits(text + 2, count, which);
    if (strcmp(text, "none") == 0 || strcmp(text, "all") == 0) {
        *which = *text == 'n' ? 0 : total - 1;
        return true;
    }
    for (unsigned i = 0; is_reduced(count) && i < total; i++) {
        char name[DISK_OUTCOME_SIZE];
        if (strcmp(disk_outcome_name(disk, i, name, sizeof name), text) == 0) {
            *which = i;
            return true;
        }
    }
    return false;
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
    disk_slot_delete(disk, slot);
    return true;
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
