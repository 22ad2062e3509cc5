/* The simulated disk: what survives a crash of the store, as a value, and the SQLite VFS over it.
 *
 * Per file: the cache (what reads show), the device (what power loss leaves), the ordered list of
 * pending operations (write, truncate) since the last sync, whether the name is durable, and blocks
 * that are clean in the cache but not on the device (after a failed sync that dropped them).
 *   sync   pending -> device
 *   kill   the cache stays, and so does everything else; locks and open handles are gone
 *   power  the device, after any chosen subset of the pending operations, becomes the cache
 * A pending write that equals what the device already holds is no choice. */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "sim/port.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DISK_FILES_MAX = 8, DISK_NAME_SIZE = 48, DISK_BLOCK = 512, DISK_PENDING_MAX = 4096 };

struct disk; /* opaque value; blocks are shared copy-on-write between copies, single-threaded */

struct disk *disk_new(void);
struct disk *disk_copy(const struct disk *disk); /* cheap: shares blocks */
void disk_free(struct disk *disk);               /* NULL is allowed */

/* A hash of everything above, locks excluded; of what reads show (the cache) only. Stable across
 * processes and machines. */
uint64_t disk_hash(const struct disk *disk);
uint64_t disk_cache_hash(const struct disk *disk);
bool disk_equal(const struct disk *a, const struct disk *b);

/* Outcomes of a power loss as it stands now: 2^p for p choosable pending operations when
 * p <= DISK_SUBSET_BITS; beyond that none, all, every prefix, every single drop and every single
 * keep, and *reduced is true. At least 1. Outcome 0 is "nothing pending survives"; the last is
 * "all". */
enum { DISK_SUBSET_BITS = 10 };
unsigned disk_power_outcomes(const struct disk *disk, bool *reduced);
/* Number of choosable pending operations. */
unsigned disk_pending(const struct disk *disk);
/* Loses power with outcome `which` < disk_power_outcomes(). Releases locks. */
void disk_power(struct disk *disk, unsigned which);
/* What outcome `which` keeps, for plans: "none", "all" or "0b101" (newest operation is the leftmost
 * bit). And back: false when the text is no outcome of this disk. */
char *disk_outcome_name(const struct disk *disk, unsigned which, char *out, size_t size);
bool disk_outcome_parse(const struct disk *disk, const char *text, unsigned *which);
/* The process dies, the machine lives: releases its locks. */
void disk_kill(struct disk *disk);
/* cache == device everywhere and nothing is pending or poisoned: a power loss is a kill. */
bool disk_is_clean(const struct disk *disk);

/* Direct access, for damaging files in tests and for looking. False: no such file. */
bool disk_file_size(const struct disk *disk, const char *name, int64_t *size);
bool disk_file_read(const struct disk *disk, const char *name, int64_t offset, void *out,
                    int length);
bool disk_file_damage(struct disk *disk, const char *name, int64_t offset, const void *bytes,
                      int length);
bool disk_file_remove(struct disk *disk, const char *name);

/* ---- the VFS ---- */

/* Registers the VFSs "sim" and "sim2" (two processes over one disk) and "sim-peek" (read only, no
 * faults, no questions, for judges) once per process; "sim" becomes the default, because SQLite
 * takes its randomness from the default VFS. Initializes SQLite. Paths are plain names ("oms.db").
 */
void disk_vfs_register(void);

/* Points a VFS at a disk and at the port that is asked about every call. For "sim-peek" port is
 * NULL. The disk is borrowed until the next call. `seed` starts this VFS's randomness; SQLite's own
 * generator is reset too when the VFS is "sim", so that equal lives write equal bytes. */
void disk_vfs_attach(const char *vfs, struct disk *disk, struct port *port, uint64_t seed);

/* Class of a file by its name: db, wal, journal, lock or other. */
enum site_object disk_class(const char *name);

#endif
