/* Where the committed part of a write-ahead log ends. */
#ifndef CORE_LOG_END_H
#define CORE_LOG_END_H

#include <sqlite3.h>

/* Reads the log as SQLite's recovery does (https://www.sqlite.org/fileformat2.html, section 4) and
 * gives the end of its last commit. When nothing behind that could ever count again (the log is
 * none, or its next frame belongs to another generation) *end is `size`.
 *
 * Why it matters: frames of a transaction that was cut short stay behind the last commit until they
 * are overwritten. A later life that happens to write the first of them with the very same bytes,
 * and then loses power, would find the old transaction done. SQLITE_OK, or the error of a read. */
int log_end_find(sqlite3_file *log, sqlite3_int64 size, sqlite3_int64 *end);
/* The same for a log that has been read as a whole. */
int log_end_in(const void *bytes, sqlite3_int64 size, sqlite3_int64 *end);

#endif
