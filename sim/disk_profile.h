/* Kinds of disk: what a power loss may do to unsynced writes beyond leaving some of them out.
 *
 * A profile is data: the simulated disk (sim/disk.h) follows it, and so does what its VFS says about
 * sectors and overwriting, so that SQLite takes the precautions it takes on such a disk. */
#ifndef SIM_DISK_PROFILE_H
#define SIM_DISK_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

/* name, bytes in a sector, power-safe overwrite (bytes of a sector that are not written stay what
 * they are), torn writes, zeros (a file may have grown, and what was written there is missing),
 * names (created and deleted names are sure only once their folder was synced), what a failed fsync
 * typically leaves (words of "disk.sync fails"), meaning */
#define DISK_PROFILES(X)                                                                           \
    X("simple", 4096, true, false, false, false, "kept-dirty, dropped-clean",                      \
      "each unsynced write survives whole or not at all")                                          \
    X("ext4", 4096, true, true, true, false, "dropped-clean",                                      \
      "ordered data, delayed allocation: the newest write that survives may be torn, or the file " \
      "grew and reads as zeros there")                                                             \
    X("ext4-data-journal", 4096, true, false, false, false, "late",                                \
      "data goes through the journal: writes are whole; old kernels report a failed fsync late")   \
    X("xfs", 4096, true, true, true, true, "dropped-clean",                                        \
      "as ext4, and a name is sure only once its folder was synced")                               \
    X("btrfs", 4096, true, false, false, true, "reverted",                                         \
      "copy on write: writes are whole; a name is sure only once its folder was synced")           \
    X("no-psow-512", 512, false, true, false, false, "dropped-clean",                              \
      "the sector being written when the power goes may hold garbage, old bytes in it included")   \
    X("no-psow-4096", 4096, false, true, false, false, "dropped-clean",                            \
      "the same with large sectors; database pages must be no smaller (option page-size)")

struct disk_profile {
    const char *name;
    int sector;
    bool power_safe, torn, zeros, names;
    const char *aftermaths; /* parted by ", " */
    const char *meaning;
};

/* In a fixed order, "simple" first; NULL past the last. */
const struct disk_profile *disk_profile_at(size_t index);
/* NULL: there is none of that name. */
const struct disk_profile *disk_profile_find(const char *name);

#endif
