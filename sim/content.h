/* What a database on a simulated disk says, as a hash of its content, whatever bytes say it. */
#ifndef SIM_CONTENT_H
#define SIM_CONTENT_H

#include "sim/disk.h"

#include <stdbool.h>
#include <stdint.h>

/* A hash of the pages that SQLite would read from the database `path`: those of the file, with the
 * committed frames of its log applied. Salts, checksums, what lies behind the last commit and how
 * often a page was written do not count, so equal stores of different lives are equal here.
 * False: the files are not a plain WAL-mode database (no file, odd sizes, a rollback journal, a
 * page or format that SQLite may refuse); then only equal bytes are sure to read alike. */
bool content_hash(const struct disk *disk, const char *path, uint64_t *hash);

/* The same, and how many frames of the log are committed. */
struct content {
    uint64_t hash;
    unsigned frames;
};
bool content_look(const struct disk *disk, const char *path, struct content *content);

#endif
