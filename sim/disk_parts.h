/* What the parts of the disk share: disk.c its files and what is pending of them, disk_power.c what a
 * power loss makes of that. Nobody else includes this. */
#ifndef SIM_DISK_PARTS_H
#define SIM_DISK_PARTS_H

#include "sim/disk_file.h"
#include "sim/image.h"

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

/* All pending operations of a disk, oldest first. */
struct queue {
    unsigned count;
    struct queued {
        struct op *op;
        int slot;
    } ops[DISK_PENDING_MAX];
};

/* How many operations there are from this one to the oldest; NULL: none. */
static inline unsigned disk_ops_count(const struct op *newest) {
    return newest ? newest->depth : 0;
}
/* The operation reaches the device. */
void disk_op_apply(const struct op *op, struct image *device);
/* Forgets what is pending of a file. */
void disk_drop_operations(struct file *file);
/* The pending operations of the disk; `choosable_only`: of those files that a power loss may leave. */
void disk_queue_fill(struct queue *queue, const struct disk *disk, bool choosable_only);
/* A file whose name is not durable goes with a power loss, whatever of it was written. */
static inline bool disk_is_choosable(const struct file *file) {
    return file->name_durable;
}
/* The file in the slot, for changing: a body that others use is copied first. */
struct file *disk_own_file(struct disk *disk, int slot);
/* The slot is empty then. */
void disk_drop_file(struct disk *disk, int slot);
/* A number that no other disk has, nor this one before. */
uint64_t disk_next_era(void);

#endif
