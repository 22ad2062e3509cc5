/* The disk as its VFS uses it: files by slot, the effects of calls, and when handles go stale. */
#ifndef SIM_DISK_FILE_H
#define SIM_DISK_FILE_H

#include "sim/disk.h"

enum { DISK_NO_FILE = -1 };

/* A slot below DISK_FILES_MAX, or DISK_NO_FILE: unknown; too many files or too long a name. */
int disk_slot_find(const struct disk *disk, const char *name);
int disk_slot_create(struct disk *disk, const char *name);

/* Tells a file from any other that had its slot before; never 0 for a file, 0 for an empty slot. */
uint64_t disk_slot_serial(const struct disk *disk, int slot);
/* Changes when every process on the disk has died: handles of another era are stale. */
uint64_t disk_era(const struct disk *disk);

/* Calls below take the slot of a file. */
int64_t disk_slot_size(const struct disk *disk, int slot);
/* Fills with zeros past the end; returns the number of bytes inside. */
int disk_slot_read(const struct disk *disk, int slot, int64_t offset, void *out, int length);
/* hash_bytes(0, ...) of the n-th DISK_BLOCK bytes that reads show, remembered with them. */
uint64_t disk_slot_block_hash(const struct disk *disk, int slot, int64_t n);
/* False: no room, for the file (IMAGE_SIZE_MAX) or for pending operations (DISK_PENDING_MAX). */
bool disk_slot_write(struct disk *disk, int slot, int64_t offset, const void *bytes, int length);
bool disk_slot_truncate(struct disk *disk, int slot, int64_t size);
/* Pending operations reach the device, and the name is durable. False: they did, and yet the call
 * must fail, for a failure before it that nobody was told of. */
bool disk_slot_sync(struct disk *disk, int slot);
/* Pending operations are forgotten: reads show them, the device will not get them. `late`: the next
 * sync tells. */
void disk_slot_forget(struct disk *disk, int slot, bool late);
/* Pending operations are undone: reads show what the device has. */
void disk_slot_revert(struct disk *disk, int slot);
/* `sync_folder`: durable when this returns. */
void disk_slot_delete(struct disk *disk, int slot, bool sync_folder);

#endif
