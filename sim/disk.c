/* The disk: files with a cache, a device, and operations on their way from one to the other.
 *
 * (1) A file that is not `poisoned`: device + all pending operations in order = cache.
 * (2) A file body with more than one user is never changed: disk_own_file comes first.
 * (3) A pending operation is a choice: what the device holds already, with nothing pending over it,
 *     is not recorded; but where overwriting is not power-safe it is, as one that is `same`.
 * (4) Nothing hashed depends on slots, serials, sequence numbers or eras, only on their order. */
#include "sim/disk_parts.h"

#include "sim/hash.h"

#include <stdlib.h>
#include <string.h>

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

void disk_op_apply(const struct op *op, struct image *device) {
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
                      .depth = disk_ops_count(file->newest) + 1,
                      .sequence = disk->next_sequence++,
                      .offset = offset,
                      .length = length};
    if (length > 0)
        memcpy(op->bytes, bytes, (size_t)length);
    return file->newest = op;
}

static int by_sequence(const void *a, const void *b) {
    const struct queued *x = a, *y = b;
    return (x->op->sequence > y->op->sequence) - (x->op->sequence < y->op->sequence);
}

static void queue_file(struct queue *queue, const struct file *file, int slot) {
    unsigned at = queue->count += disk_ops_count(file->newest);
    for (struct op *op = file->newest; op; op = op->older)
        queue->ops[--at] = (struct queued){op, slot};
}

void disk_queue_fill(struct queue *queue, const struct disk *disk, bool choosable_only) {
    int files = 0;
    queue->count = 0;
    for (int slot = 0; slot < disk->slots; slot++) {
        const struct file *file = disk->files[slot];
        if (!file || !file->newest || (choosable_only && !disk_is_choosable(file)))
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

struct file *disk_own_file(struct disk *disk, int slot) {
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
        disk_op_apply(ops[--count], device);
}

void disk_drop_operations(struct file *file) {
    ops_release(file->newest);
    file->newest = NULL;
}

/* What nobody syncs is written back sooner or later. */
static void write_back(struct disk *disk) {
    for (int slot = 0; slot < disk->slots; slot++) {
        if (disk->files[slot] && disk->files[slot]->newest && !disk->files[slot]->deleted) {
            struct file *file = disk_own_file(disk, slot);
            apply_oldest_first(file->newest, &file->device);
            disk_drop_operations(file);
        }
    }
}

static bool make_room(struct disk *disk, int64_t end) {
    unsigned pending = 0;
    for (int slot = 0; slot < disk->slots; slot++)
        if (disk->files[slot])
            pending += disk_ops_count(disk->files[slot]->newest);
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
    struct file *file = disk_own_file(disk, slot);
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
    struct file *file = disk_own_file(disk, slot);
    image_resize(&file->cache, size);
    bool changes_nothing = file->device.size == size && !ops_touch(file->newest, size, INT64_MAX);
    if (!changes_nothing)
        file_record(disk, file, OP_TRUNCATE, size, NULL, 0);
    return true;
}

void disk_drop_file(struct disk *disk, int slot) {
    file_release(disk->files[slot]);
    disk->files[slot] = NULL;
}

/* Names that were made or deleted are so for good. */
static void sync_folder(struct disk *disk) {
    for (int slot = 0; slot < disk->slots; slot++) {
        struct file *file = disk->files[slot];
        if (file && file->deleted)
            disk_drop_file(disk, slot);
        else if (file && !file->name_durable)
            disk_own_file(disk, slot)->name_durable = true;
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
        disk_own_file(disk, slot)->name_durable = true;
    else if (class == ON_WAL || class == ON_JOURNAL || is_like_journal(name))
        sync_folder(disk);
}

static bool tell_late_failure(struct disk *disk, int slot) {
    if (!disk->files[slot]->late)
        return false;
    disk_own_file(disk, slot)->late = false;
    return true;
}

bool disk_slot_sync(struct disk *disk, int slot) {
    if (!disk->files[slot]->name_durable)
        sync_name(disk, slot);
    if (!disk->files[slot]->newest)
        return !tell_late_failure(disk, slot);
    struct file *file = disk_own_file(disk, slot);
    if (file->poisoned) {
        apply_oldest_first(file->newest, &file->device);
        file->poisoned = !image_equal(&file->cache, &file->device);
    }
    if (!file->poisoned)
        image_assign(&file->device, &file->cache); /* by (1); shares the blocks */
    disk_drop_operations(file);
    return !tell_late_failure(disk, slot);
}

void disk_slot_forget(struct disk *disk, int slot, bool late) {
    struct file *file = disk_own_file(disk, slot);
    disk_drop_operations(file);
    file->poisoned = !image_equal(&file->cache, &file->device);
    file->late = file->late || late;
}

void disk_slot_revert(struct disk *disk, int slot) {
    struct file *file = disk_own_file(disk, slot);
    disk_drop_operations(file);
    image_assign(&file->cache, &file->device);
    file->poisoned = false;
}

void disk_slot_delete(struct disk *disk, int slot, bool with_folder) {
    if (!disk->profile->names || !disk->files[slot]->name_durable) {
        disk_drop_file(disk, slot);
    } else {
        struct file *file = disk_own_file(disk, slot);
        file->deleted = true;
        file_record(disk, file, OP_DELETE, 0, NULL, 0);
    }
    if (with_folder)
        sync_folder(disk);
}

/* ---- the value ---- */

/* Eras are never hashed and only compared for being the same, so counting them here is no chance.
 */
uint64_t disk_next_era(void) {
    static uint64_t eras;
    return ++eras;
}

uint64_t disk_era(const struct disk *disk) {
    return disk->era;
}

struct disk *disk_new(void) {
    struct disk *disk = image_alloc(sizeof *disk);
    *disk = (struct disk){.profile = disk_profile_at(0),
                          .next_serial = 1,
                          .next_sequence = 1,
                          .era = disk_next_era()};
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
    copy->era = disk_next_era();
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
    disk_queue_fill(&queue, disk, false);
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
    disk_queue_fill(&x, a, false);
    disk_queue_fill(&y, b, false);
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
    struct file *file = disk_own_file(disk, slot);
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
    disk_drop_file(disk, slot);
    return true;
}

bool disk_file_cut(struct disk *disk, const char *name, int64_t size) {
    int slot = disk_slot_find(disk, name);
    if (slot == DISK_NO_FILE || size < 0 || size >= disk->files[slot]->cache.size)
        return false;
    struct file *file = disk_own_file(disk, slot);
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
            disk_drop_file(disk, slot);
    for (int slot = 0; slot < disk->slots; slot++) {
        const struct file *old = from->files[slot];
        if (!old || old->deleted || is_named(old, except))
            continue;
        struct file *file = disk->files[disk_slot_create(disk, old->name)];
        image_assign(&file->cache, &old->cache);
        image_assign(&file->device, &old->cache);
        file->name_durable = true;
    }
    disk->era = disk_next_era();
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
