/* The simulated disk: what survives a crash of the store, as a value, and the SQLite VFS over it.
 *
 * Per file: the cache (what reads show), the device (what power loss leaves), the ordered list of
 * pending operations (write, truncate) since the last sync, whether the name is durable, and blocks
 * that are clean in the cache but not on the device (after a failed sync that dropped them).
 *   sync   pending -> device
 *   kill   the cache stays, and so does everything else; locks and open handles are gone
 *   power  the device, after any chosen subset of the pending operations, becomes the cache
 * A pending write that repeats the newest pending one is not another choice, and one that equals what
 * the device already holds is none (unless overwriting is not
 * power-safe: then it endangers what it overwrites).
 * The name of a new file is durable once the file was synced: a power loss before that removes it.
 * A delete is durable at once. On a disk whose profile (sim/disk_profile.h) has `names` both need a
 * sync of the folder: the VFS makes one, as SQLite's unix VFS does, with the first sync of a new log
 * or journal and with a delete that asks for it; a delete before that is one more operation that a
 * power loss may undo. Other properties of the profile add outcomes to a power loss, each about the
 * newest write that survives it, the one that was under way. Where a file would grow beyond IMAGE_SIZE_MAX (sim/image.h) a write is
 * SQLITE_FULL; where DISK_PENDING_MAX operations are pending, all of them are written back, as what
 * nobody syncs is by a kernel sooner or later. */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "sim/disk_profile.h"
#include "sim/port.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DISK_FILES_MAX = 32, DISK_NAME_SIZE = 48, DISK_BLOCK = 512, DISK_PENDING_MAX = 4096 };

struct disk; /* opaque value; blocks are shared copy-on-write between copies, single-threaded */

struct disk *disk_new(void);                     /* of profile "simple" */
struct disk *disk_copy(const struct disk *disk); /* cheap: shares blocks */
void disk_free(struct disk *disk);               /* NULL is allowed */
/* Part of the value: copied, hashed, compared. The profile is borrowed (a row of its table). */
void disk_set_profile(struct disk *disk, const struct disk_profile *profile);
const struct disk_profile *disk_profile_of(const struct disk *disk);

/* A hash of everything above, locks excluded; of what reads show (the cache) only. Stable across
 * processes and machines. */
uint64_t disk_hash(const struct disk *disk);
uint64_t disk_cache_hash(const struct disk *disk);
bool disk_equal(const struct disk *a, const struct disk *b);
/* A hash of what a database's content does not tell of a disk: its profile, failures that the next
 * sync of a file will tell, and what reads show of other files than the database `path`, its log,
 * its fence and its archive. 0: nothing of the sort. */
uint64_t disk_aside_hash(const struct disk *disk, const char *path);
/* The same of the fence's bytes. 0: there are none. */
uint64_t disk_fence_hash(const struct disk *disk, const char *path);
/* A hash of what reads show of the database's archive: files that are named after it and this. 0:
 * there are none. */
#define ARCHIVE_ENDING "-archive"
uint64_t disk_archive_hash(const struct disk *disk, const char *path);

/* Outcomes of a power loss as it stands now: 2^p for p choosable pending operations when
 * p <= DISK_SUBSET_BITS; beyond that none, all, every prefix, every single drop and every single
 * keep, and *reduced is true. At least 1. Outcome 0 is "nothing pending survives"; the last is
 * "all". Between them, after the subsets, come those in which the newest surviving write is damaged,
 * as far as the profile knows damage: for every subset when p <= DISK_DAMAGE_BITS, else for every
 * prefix, and *reduced is true. A write is torn at DISK_CUTS_MAX places at most; beyond, *reduced. */
enum { DISK_SUBSET_BITS = 10, DISK_DAMAGE_BITS = 8, DISK_CUTS_MAX = 128 };
unsigned disk_power_outcomes(const struct disk *disk, bool *reduced);
/* Number of choosable pending operations. */
unsigned disk_pending(const struct disk *disk);
/* One of them, the oldest being 0: the file's class, and which bytes it is about. */
struct disk_pending_op {
    enum site_object on;
    bool is_write;
    int64_t offset, end;
};
/* The oldest `max` of them. Returns how many there are. */
unsigned disk_pending_ops(const struct disk *disk, struct disk_pending_op *ops, unsigned max);
/* Loses power with outcome `which` < disk_power_outcomes(). Releases locks. */
void disk_power(struct disk *disk, unsigned which);
/* What outcome `which` keeps, for plans: "none", "all" or "0b101" (newest operation is the leftmost
 * bit); where outcomes are reduced, operations are counted from 1, the oldest: "first3", "but3",
 * "only3". What became of the newest of them follows: "+torn2" (its first two sectors of DISK_BLOCK
 * bytes landed), "+tail2" (its last two), "+garbage1" (the first sector it overlaps holds garbage,
 * what comes after did not land), "+zeros" (the file has grown, and reads as zeros there). And back:
 * false when the text is no outcome of this disk; leading zeros may be left out. */
enum { DISK_OUTCOME_SIZE = 32 };
char *disk_outcome_name(const struct disk *disk, unsigned which, char *out, size_t size);
bool disk_outcome_parse(const struct disk *disk, const char *text, unsigned *which);
/* Every process on the disk dies, the machine lives: their locks are gone, their handles are stale.
 */
void disk_kill(struct disk *disk);
/* cache == device everywhere and nothing is pending or poisoned: a power loss is a kill. */
bool disk_is_clean(const struct disk *disk);

/* Direct access to what reads show, for looking, and for damage (cache and device) in tests. False:
 * no such file, or not all of the bytes are inside it. */
bool disk_file_size(const struct disk *disk, const char *name, int64_t *size);
bool disk_file_read(const struct disk *disk, const char *name, int64_t offset, void *out,
                    int length);
bool disk_file_damage(struct disk *disk, const char *name, int64_t offset, const void *bytes,
                      int length);
bool disk_file_remove(struct disk *disk, const char *name);
/* Ends the file there, cache and device. False: no such file, or it is not longer than that. */
bool disk_file_cut(struct disk *disk, const char *name, int64_t size);
/* Files become those that reads show on `from`, durable; only what was deleted is gone. The file
 * named `except` stays as it is; NULL: none. */
void disk_restore(struct disk *disk, const struct disk *from, const char *except);

/* ---- the VFS ---- */

/* Registers the VFSs "sim" and "sim2" (two processes over one disk) and "sim-peek" (read only, no
 * faults, no questions, for judges) once per process; "sim" becomes the default, because SQLite
 * takes its randomness from the default VFS. Initializes SQLite (single-threaded, no memory
 * statistics), so call it before any other use of SQLite. Paths are plain names ("oms.db").
 * Temporary files are not offered (SQLITE_CANTOPEN): use temp_store=MEMORY. */
void disk_vfs_register(void);

/* Points a VFS at a disk and at the port that is asked about every call; without a port (NULL,
 * always for "sim-peek") nothing goes wrong and time stands still. Disk and port are borrowed until
 * the next attach of this VFS; a NULL disk detaches. Handles opened before are stale from here on:
 * their calls fail without effect and ask no port. `seed` starts this VFS's randomness; SQLite's
 * own generator is reset too when the VFS is "sim", so that equal lives write equal bytes.
 *
 * Asked: every open (also of what exists), read, write, truncate, sync, delete, file size, and every
 * lock that rises. Not asked, but failing when dead: access, and the check for a reserved lock;
 * not asked and always failing: a lock above shared on a handle that is read only, as with POSIX.
 * Unlock and close never fail. A process whose port is dead holds no locks.
 * "sim-peek" takes no locks and changes nothing (SQLITE_READONLY); open its connections with
 * locking_mode=EXCLUSIVE. An absent WAL reads as an empty one. */
void disk_vfs_attach(const char *vfs, struct disk *disk, struct port *port, uint64_t seed);

/* Class of a file by its name: db, wal, journal, lock or other. */
enum site_object disk_class(const char *name);

#endif
