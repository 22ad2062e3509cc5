/* How far the store had come, noted beside it: in the fence, which no copy of the database carries.
 *
 * A store that is older than its mark is a copy from before: orders may have been sent that it does
 * not know of.
 *
 * Invariant (1): the mark never runs ahead of the store it was written for: it is written once what
 * it counts is durable there. What a crash leaves of it, old or unreadable, can only make a start
 * less suspicious.
 *
 * The mark: what it is, the number, and the same number with every bit turned. */
#include "core/store.h"

#include <string.h>

enum { NUMBER_AT = 8, CHECK_AT = 16, MARK_SIZE = 24 };
static const unsigned char magic[NUMBER_AT + 1] = "cgOMmark";

static void put_number(unsigned char *out, uint64_t number) {
    for (int i = 0; i < 8; i++) {
        out[i] = (unsigned char)(number >> (8 * i) & 0xff);
    }
}

static uint64_t get_number(const unsigned char *in) {
    uint64_t number = 0;
    for (int i = 7; i >= 0; i--) {
        number = number << 8 | in[i];
    }
    return number;
}

int store_mark_read(struct store *store, int64_t *mark) {
    unsigned char bytes[MARK_SIZE];
    const int rc = store->fence->pMethods->xRead(store->fence, bytes, MARK_SIZE, 0);
    const bool whole = rc == SQLITE_OK && memcmp(bytes, magic, NUMBER_AT) == 0 &&
                       get_number(bytes + CHECK_AT) == ~get_number(bytes + NUMBER_AT);

    *mark = whole ? (int64_t)get_number(bytes + NUMBER_AT) : 0;
    return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : rc;
}

/* What a process that was killed has written and not synced is settled before anything else is. */
int store_mark_settle(struct store *store, int64_t *mark) {
    const int rc = store_mark_read(store, mark);
    return rc == SQLITE_OK ? store->fence->pMethods->xSync(store->fence, SQLITE_SYNC_FULL) : rc;
}

int store_mark_write(struct store *store, int64_t mark) {
    const sqlite3_io_methods *methods = store->fence->pMethods;
    unsigned char bytes[MARK_SIZE];
    int rc;

    memcpy(bytes, magic, NUMBER_AT);
    put_number(bytes + NUMBER_AT, (uint64_t)mark);
    put_number(bytes + CHECK_AT, ~(uint64_t)mark);
    rc = methods->xWrite(store->fence, bytes, MARK_SIZE, 0);
    return rc == SQLITE_OK ? methods->xSync(store->fence, SQLITE_SYNC_FULL) : rc;
}

int store_mark_forget(struct store *store) {
    int64_t mark;
    const int rc = store_mark_read(store, &mark);
    return rc == SQLITE_OK && mark > 0 ? store_mark_write(store, 0) : rc;
}
