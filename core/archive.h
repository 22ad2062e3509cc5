/* The archive as the OMS knows it: which segments there are, what may be in them, and the one that
 * was read last.
 *
 * Segments are a stack. Each holds finished orders and their executions; of every symbol the
 * archive's executions come before the live ones (core/position.h: struct position_base), so that
 * what they add up to can be kept in their place. Whoever needs to change something in a segment
 * takes back the newest ones until it is live again (core/archiving.c). */
#ifndef CORE_ARCHIVE_H
#define CORE_ARCHIVE_H

#include "core/ledger.h"
#include "core/store.h"

struct archive {              /* all zero is empty */
    struct segment_row *rows; /* by id, which is 1, 2, 3 ... */
    size_t count, capacity;
    int64_t orders;      /* in all of them */
    struct segment kept; /* the one that was read last */
};

/* Reads the rows; `segments`: how many there must be. Their files must be there, and with `check`
 * the rows whole. */
enum oms_code archive_load(struct archive *archive, struct store *store, int64_t segments,
                           bool check, struct oms_error *error);
/* The same, as many as the database says there are. */
enum oms_code archive_load_named(struct archive *archive, struct store *store, bool check,
                                 struct oms_error *error);
void archive_free(struct archive *archive);

/* The newest segment; *row is taken over with its filter. False: no memory, nothing taken. */
bool archive_push(struct archive *archive, const struct segment_row *row);
void archive_pop(struct archive *archive);

/* Segment `id`, borrowed until the next call here. OMS_CORRUPT: it is not the one that was written.
 */
enum oms_code archive_read(struct archive *archive, struct store *store, int64_t id,
                           const struct segment **segment, struct oms_error *error);

/* The archived order with this client order id, or broker's id; *order is NULL when there is none,
 * else borrowed until the next call here, and archive->kept is the segment it is in. */
enum oms_code archive_find(struct archive *archive, struct store *store, enum segment_id which,
                           const char *id, const struct order **order, struct oms_error *error);

/* Looks at one segment; `corrections`: of its executions, none of which is corrected elsewhere.
 * SQLITE_OK, or why the walk ends. */
typedef int archive_look(void *context, const struct segment *segment,
                         const struct ledger *corrections);
/* Lets `look` see every segment, oldest first. SQLITE_OK, what it ended with, or SQLITE_NOMEM; when
 * a segment cannot be read, SQLITE_CORRUPT or SQLITE_IOERR, and *error says which. */
int archive_walk(struct archive *archive, struct store *store, archive_look *look, void *context,
                 struct oms_error *error);

#endif
