/* The scrub's safety net where overwriting is not power-safe: copies beside the store.
 *
 * On such a disk a power loss ruins the sector that is being written, so database and log may only
 * be rewritten in place while a whole copy of both is on the device.
 *
 *   copy made and synced -> database and log rewritten and synced -> log moved into the database
 *   -> copy voided and synced
 *
 * Invariant (1): nobody adds anything to the store while a whole copy exists, so that putting it back
 * is right whenever it is found. A copy that was cut short does not match its digest: then nothing was
 * rewritten yet, and it is ignored.
 *
 * A copy that reads as whole need not be on the device: its maker may have been killed before the
 * sync, or its sync may have failed. Nor may it be written again in its place, for it may be all
 * there is. So a start that finds one copies it to a second place, syncs that, and only then puts
 * the store back. Invariant (2): the store is rewritten only while exactly one copy reads as whole,
 * and this very start has written and synced it. Where two are found, the newer one's maker had not
 * begun to rewrite the store yet: the older one is kept, and the newer one's place is free.
 *
 * A copy: a header (what it is, its generation, the two sizes, SHA-256 of all that follows), the
 * database, the log.
 */
#include "core/check.h"
#include "core/sha256.h"
#include "core/store.h"

#include <string.h>

enum { SIZES_AT = 8, DIGEST_AT = 24, GENERATION_AT = 56, HEADER = 64, FILES = 2 };
static const char magic[SIZES_AT + 1] = "cgOMcopy";

struct header {
    sqlite3_int64 size[FILES]; /* of database and log */
    sqlite3_int64 generation;  /* 1, or one more than the copy's that it is a copy of */
    unsigned char digest[SHA256_SIZE];
};

struct copy {
    sqlite3_file *file; /* NULL: not there */
    struct header header;
    bool whole; /* every byte of it is right */
};

bool store_needs_copy(const struct store *store) {
    const sqlite3_io_methods *methods = store->fence->pMethods;
    return (methods->xDeviceCharacteristics(store->fence) & SQLITE_IOCAP_POWERSAFE_OVERWRITE) == 0;
}

static const char *path_of(const struct store *store, int file) {
    return file == 0 ? store->path : sqlite3_filename_wal(store->path);
}

static int kind_of(int file) {
    return file == 0 ? SQLITE_OPEN_MAIN_DB : SQLITE_OPEN_WAL;
}

/* As a journal a copy gets the database's permissions, and its name is synced with it. */
static int open_copy(struct store *store, int which, struct copy *copy) {
    return store_file_open(store, store->copy_path[which],
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_JOURNAL,
                           &copy->file);
}

/* The first place is always used; a second one only once it was needed. */
static int open_copies(struct store *store, struct copy copies[STORE_COPIES]) {
    int there = 0;
    int rc = open_copy(store, 0, &copies[0]);

    if (rc == SQLITE_OK) {
        rc = store->vfs->xAccess(store->vfs, store->copy_path[1], SQLITE_ACCESS_EXISTS, &there);
    }
    return rc == SQLITE_OK && there ? open_copy(store, 1, &copies[1]) : rc;
}

static void close_copies(struct copy copies[STORE_COPIES]) {
    for (int i = 0; i < STORE_COPIES; i++) {
        store_file_close(&copies[i].file);
    }
}

static void put_number(char *out, sqlite3_int64 number) {
    for (int i = 0; i < 8; i++) {
        out[i] = (char)(number >> (8 * i) & 0xff);
    }
}

static sqlite3_int64 get_number(const char *in) {
    sqlite3_uint64 number = 0;
    for (int i = 7; i >= 0; i--) {
        number = number << 8 | (unsigned char)in[i];
    }
    return (sqlite3_int64)number;
}

static void start_digest(struct sha256 *sha, const struct header *header) {
    char numbers[(FILES + 1) * 8];
    for (int i = 0; i < FILES; i++) {
        put_number(numbers + 8 * i, header->size[i]);
    }
    put_number(numbers + 8 * FILES, header->generation);
    sha256_start(sha);
    sha256_add(sha, numbers, sizeof numbers);
}

/* Moves `length` bytes; `to` may be NULL: they are only read. */
static int move_bytes(sqlite3_file *from, sqlite3_int64 from_at, sqlite3_file *to,
                      sqlite3_int64 to_at, sqlite3_int64 length, struct sha256 *sha, char *chunk) {
    int rc = SQLITE_OK;
    for (sqlite3_int64 at = 0; rc == SQLITE_OK && at < length; at += STORE_CHUNK) {
        const int part = length - at < STORE_CHUNK ? (int)(length - at) : STORE_CHUNK;
        rc = from->pMethods->xRead(from, chunk, part, from_at + at);
        if (rc == SQLITE_OK) {
            sha256_add(sha, chunk, (size_t)part);
        }
        if (rc == SQLITE_OK && to != NULL) {
            rc = to->pMethods->xWrite(to, chunk, part, to_at + at);
        }
    }
    return rc;
}

/* ---- looking ---- */

static void read_header(const char *bytes, struct header *header) {
    for (int i = 0; i < FILES; i++) {
        header->size[i] = get_number(bytes + SIZES_AT + 8 * i);
    }
    header->generation = get_number(bytes + GENERATION_AT);
    memcpy(header->digest, bytes + DIGEST_AT, SHA256_SIZE);
}

/* Could a file of `size` bytes be the copy that this header speaks of? */
static bool sizes_fit(const struct header *header, sqlite3_int64 size) {
    sqlite3_int64 left = size - HEADER;
    for (int i = 0; i < FILES; i++) {
        if (header->size[i] < 0 || header->size[i] > left) {
            return false;
        }
        left -= header->size[i];
    }
    return left == 0;
}

/* Is the copy whole? */
static int check_copy(struct copy *copy, char *chunk) {
    unsigned char digest[SHA256_SIZE];
    struct sha256 sha;
    sqlite3_int64 size = 0;
    int rc = copy->file->pMethods->xFileSize(copy->file, &size);

    if (rc != SQLITE_OK || size < HEADER) {
        return rc;
    }
    rc = copy->file->pMethods->xRead(copy->file, chunk, HEADER, 0);
    if (rc != SQLITE_OK || memcmp(chunk, magic, SIZES_AT) != 0) {
        return rc;
    }
    read_header(chunk, &copy->header);
    if (!sizes_fit(&copy->header, size)) {
        return SQLITE_OK;
    }
    start_digest(&sha, &copy->header);
    rc = move_bytes(copy->file, HEADER, NULL, 0, size - HEADER, &sha, chunk);
    sha256_finish(&sha, digest);
    copy->whole = rc == SQLITE_OK && memcmp(digest, copy->header.digest, SHA256_SIZE) == 0;
    return rc;
}

/* ---- making ---- */

/* The copy's last write, and its sync. */
static int finish_copy(struct copy *copy, struct sha256 *sha) {
    char bytes[HEADER] = {0};
    int rc = SQLITE_OK;

    sha256_finish(sha, copy->header.digest);
    memcpy(bytes, magic, SIZES_AT);
    for (int i = 0; i < FILES; i++) {
        put_number(bytes + SIZES_AT + 8 * i, copy->header.size[i]);
    }
    memcpy(bytes + DIGEST_AT, copy->header.digest, SHA256_SIZE);
    put_number(bytes + GENERATION_AT, copy->header.generation);
    rc = copy->file->pMethods->xWrite(copy->file, bytes, HEADER, 0);
    return rc == SQLITE_OK ? copy->file->pMethods->xSync(copy->file, SQLITE_SYNC_FULL) : rc;
}

/* Appends one file of the store, of `size` bytes, to its copy; 0: it is not there. */
static int add_file(struct store *store, struct copy *copy, sqlite3_int64 at, int which,
                    struct sha256 *sha, char *chunk, sqlite3_int64 size) {
    sqlite3_file *file = NULL;
    int rc = SQLITE_OK;

    if (size == 0) {
        return SQLITE_OK;
    }
    rc = store_file_open(store, path_of(store, which), SQLITE_OPEN_READWRITE | kind_of(which),
                         &file);
    if (rc == SQLITE_OK) {
        rc = move_bytes(file, 0, copy->file, at, size, sha, chunk);
    }
    store_file_close(&file);
    return rc;
}

static int copy_store(struct store *store, struct copy *copy, char *chunk) {
    struct sha256 sha;
    struct oms_error ignored;
    bool exists = false;
    int64_t size[FILES] = {0};
    sqlite3_int64 at = HEADER;
    int rc = SQLITE_OK;

    CHECK(copy->file != NULL);
    rc = copy->file->pMethods->xTruncate(copy->file, 0);
    copy->header.generation = 1;
    for (int i = 0; rc == SQLITE_OK && i < FILES; i++) {
        if (store_exists(store, path_of(store, i), &exists, &size[i], &ignored) != OMS_OK) {
            rc = SQLITE_IOERR;
        }
        copy->header.size[i] = size[i];
    }
    start_digest(&sha, &copy->header);
    for (int i = 0; rc == SQLITE_OK && i < FILES; i++) {
        rc = add_file(store, copy, at, i, &sha, chunk, copy->header.size[i]);
        at += copy->header.size[i];
    }
    return rc == SQLITE_OK ? finish_copy(copy, &sha) : rc;
}

static int copy_copy(const struct copy *from, struct copy *copy, char *chunk) {
    struct sha256 sha;
    int rc = copy->file->pMethods->xTruncate(copy->file, 0);

    copy->header = from->header;
    copy->header.generation++;
    start_digest(&sha, &copy->header);
    if (rc == SQLITE_OK) {
        rc = move_bytes(from->file, HEADER, copy->file, HEADER,
                        from->header.size[0] + from->header.size[1], &sha, chunk);
    }
    return rc == SQLITE_OK ? finish_copy(copy, &sha) : rc;
}

/* It does not read as whole any more. It is written and not only cut off, so that the sync behind it
 * has something to write, whatever became of the one before. */
static int void_copy(const struct copy *copy) {
    static const char nothing[HEADER];
    const int rc = copy->file->pMethods->xWrite(copy->file, nothing, HEADER, 0);
    return rc == SQLITE_OK ? copy->file->pMethods->xTruncate(copy->file, HEADER) : rc;
}

/* ---- putting back ---- */

static int put_back_file(struct store *store, const struct copy *copy, sqlite3_int64 from,
                         int which, char *chunk) {
    const sqlite3_int64 size = copy->header.size[which];
    sqlite3_file *file = NULL;
    struct sha256 unused;
    int rc = store_file_open(store, path_of(store, which),
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | kind_of(which), &file);

    sha256_start(&unused);
    if (rc == SQLITE_OK) {
        rc = move_bytes(copy->file, from, file, 0, size, &unused, chunk);
    }
    if (rc == SQLITE_OK) {
        rc = file->pMethods->xTruncate(file, size);
    }
    if (rc == SQLITE_OK) {
        rc = file->pMethods->xSync(file, SQLITE_SYNC_FULL);
    }
    store_file_close(&file);
    return rc;
}

/* An earlier start was cut short while `found` was whole: the store becomes what it says. */
static int put_back(struct store *store, const struct copy *found, struct copy *safe, char *chunk) {
    sqlite3_int64 at = HEADER;
    int rc = copy_copy(found, safe, chunk);

    if (rc == SQLITE_OK) {
        rc = void_copy(found);
    }
    for (int i = 0; rc == SQLITE_OK && i < FILES; i++) {
        rc = put_back_file(store, safe, at, i, chunk);
        at += safe->header.size[i];
    }
    return rc;
}

/* Of the whole ones the oldest; STORE_COPIES when there is none. */
static int find_whole(const struct copy copies[STORE_COPIES]) {
    int found = STORE_COPIES;
    for (int i = 0; i < STORE_COPIES; i++) {
        if (copies[i].whole && (found == STORE_COPIES ||
                                copies[i].header.generation < copies[found].header.generation)) {
            found = i;
        }
    }
    return found;
}

int store_copy_make(struct store *store, char *chunk) {
    struct copy copies[STORE_COPIES] = {0};
    int found = STORE_COPIES;
    int rc = open_copies(store, copies);

    for (int i = 0; rc == SQLITE_OK && i < STORE_COPIES; i++) {
        rc = copies[i].file != NULL ? check_copy(&copies[i], chunk) : SQLITE_OK;
    }
    found = find_whole(copies);
    if (rc == SQLITE_OK && found == STORE_COPIES) {
        rc = copy_store(store, &copies[0], chunk);
    } else if (rc == SQLITE_OK) {
        const int safe = 1 - found;
        rc = copies[safe].file == NULL ? open_copy(store, safe, &copies[safe]) : SQLITE_OK;
        rc = rc == SQLITE_OK ? put_back(store, &copies[found], &copies[safe], chunk) : rc;
    }
    close_copies(copies);
    return rc;
}

int store_copy_drop(struct store *store) {
    struct copy copies[STORE_COPIES] = {0};
    int rc = open_copies(store, copies);

    for (int i = 0; i < STORE_COPIES; i++) {
        if (rc == SQLITE_OK && copies[i].file != NULL) {
            rc = void_copy(&copies[i]);
            rc = rc == SQLITE_OK ? copies[i].file->pMethods->xSync(copies[i].file, SQLITE_SYNC_FULL)
                                 : rc;
        }
    }
    close_copies(copies);
    return rc;
}
