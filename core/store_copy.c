/* The scrub's safety net where overwriting is not power-safe: a copy beside the store.
 *
 * On such a disk a power loss ruins the sector that is being written, so database and log may only
 * be rewritten in place while a whole copy of both is on the device.
 *
 *   copy made and synced -> database and log rewritten and synced -> copy emptied and synced
 *
 * Invariant (1): nobody writes to the store while a whole copy exists, so that putting it back is
 * right whenever it is found. A copy that was cut short does not match its digest: then nothing was
 * rewritten yet, and it is ignored.
 *
 * The copy: a header (what it is, the two sizes, SHA-256 of sizes and bytes), the database, the log.
 */
#include "core/sha256.h"
#include "core/store.h"

#include <string.h>

enum { SIZES_AT = 8, DIGEST_AT = 24, HEADER = 64, FILES = 2 };
static const char magic[SIZES_AT + 1] = "cgOMcopy";

struct header {
    sqlite3_int64 size[FILES]; /* of database and log */
    unsigned char digest[SHA256_SIZE];
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

/* As a journal the copy gets the database's permissions, and its name is synced with it. */
static int open_copy(struct store *store, sqlite3_file **copy) {
    return store_file_open(store, store->copy_path,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_JOURNAL,
                           copy);
}

static void put_size(char *out, sqlite3_int64 size) {
    for (int i = 0; i < 8; i++) {
        out[i] = (char)(size >> (8 * i) & 0xff);
    }
}

static sqlite3_int64 get_size(const char *in) {
    sqlite3_uint64 size = 0;
    for (int i = 7; i >= 0; i--) {
        size = size << 8 | (unsigned char)in[i];
    }
    return (sqlite3_int64)size;
}

static void start_digest(struct sha256 *sha, const struct header *header) {
    char sizes[FILES * 8];
    for (int i = 0; i < FILES; i++) {
        put_size(sizes + 8 * i, header->size[i]);
    }
    sha256_start(sha);
    sha256_add(sha, sizes, sizeof sizes);
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

/* ---- putting back ---- */

/* *whole: there is a copy, and every byte of it is right. */
static int check_copy(sqlite3_file *copy, struct header *header, char *chunk, bool *whole) {
    unsigned char digest[SHA256_SIZE];
    struct sha256 sha;
    sqlite3_int64 size = 0;
    int rc = copy->pMethods->xFileSize(copy, &size);

    *whole = false;
    if (rc != SQLITE_OK || size < HEADER) {
        return rc;
    }
    rc = copy->pMethods->xRead(copy, chunk, HEADER, 0);
    if (rc != SQLITE_OK || memcmp(chunk, magic, SIZES_AT) != 0) {
        return rc;
    }
    for (int i = 0; i < FILES; i++) {
        header->size[i] = get_size(chunk + SIZES_AT + 8 * i);
        if (header->size[i] < 0 || header->size[i] > size) {
            return SQLITE_OK;
        }
    }
    memcpy(header->digest, chunk + DIGEST_AT, SHA256_SIZE);
    if (HEADER + header->size[0] + header->size[1] != size) {
        return SQLITE_OK;
    }
    start_digest(&sha, header);
    rc = move_bytes(copy, HEADER, NULL, 0, size - HEADER, &sha, chunk);
    sha256_finish(&sha, digest);
    *whole = rc == SQLITE_OK && memcmp(digest, header->digest, SHA256_SIZE) == 0;
    return rc;
}

static int put_back_file(struct store *store, sqlite3_file *copy, sqlite3_int64 from, int which,
                         sqlite3_int64 size, char *chunk) {
    sqlite3_file *file = NULL;
    struct sha256 unused;
    int rc = store_file_open(store, path_of(store, which),
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | kind_of(which), &file);

    sha256_start(&unused);
    if (rc == SQLITE_OK) {
        rc = move_bytes(copy, from, file, 0, size, &unused, chunk);
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

static int put_back(struct store *store, sqlite3_file *copy, char *chunk) {
    struct header header;
    bool whole = false;
    sqlite3_int64 at = HEADER;
    int rc = check_copy(copy, &header, chunk, &whole);

    for (int i = 0; rc == SQLITE_OK && whole && i < FILES; i++) {
        rc = put_back_file(store, copy, at, i, header.size[i], chunk);
        at += header.size[i];
    }
    return rc;
}

/* ---- making ---- */

/* Appends one file of the store; *size is what it holds, 0 when it is not there. */
static int add_file(struct store *store, sqlite3_file *copy, sqlite3_int64 at, int which,
                    struct sha256 *sha, char *chunk, sqlite3_int64 size) {
    sqlite3_file *file = NULL;
    int rc = SQLITE_OK;

    if (size == 0) {
        return SQLITE_OK;
    }
    rc = store_file_open(store, path_of(store, which), SQLITE_OPEN_READWRITE | kind_of(which),
                         &file);
    if (rc == SQLITE_OK) {
        rc = move_bytes(file, 0, copy, at, size, sha, chunk);
    }
    store_file_close(&file);
    return rc;
}

static int write_header(sqlite3_file *copy, const struct header *header) {
    char bytes[HEADER] = {0};
    memcpy(bytes, magic, SIZES_AT);
    for (int i = 0; i < FILES; i++) {
        put_size(bytes + SIZES_AT + 8 * i, header->size[i]);
    }
    memcpy(bytes + DIGEST_AT, header->digest, SHA256_SIZE);
    return copy->pMethods->xWrite(copy, bytes, HEADER, 0);
}

static int make(struct store *store, sqlite3_file *copy, char *chunk) {
    struct header header = {0};
    struct sha256 sha;
    struct oms_error ignored;
    bool exists = false;
    int64_t size[FILES] = {0};
    sqlite3_int64 at = HEADER;
    int rc = copy->pMethods->xTruncate(copy, 0);

    for (int i = 0; rc == SQLITE_OK && i < FILES; i++) {
        if (store_exists(store, path_of(store, i), &exists, &size[i], &ignored) != OMS_OK) {
            rc = SQLITE_IOERR;
        }
        header.size[i] = size[i];
    }
    start_digest(&sha, &header);
    for (int i = 0; rc == SQLITE_OK && i < FILES; i++) {
        rc = add_file(store, copy, at, i, &sha, chunk, header.size[i]);
        at += header.size[i];
    }
    sha256_finish(&sha, header.digest);
    if (rc == SQLITE_OK) {
        rc = write_header(copy, &header);
    }
    return rc == SQLITE_OK ? copy->pMethods->xSync(copy, SQLITE_SYNC_FULL) : rc;
}

int store_copy_make(struct store *store, char *chunk) {
    sqlite3_file *copy = NULL;
    int rc = open_copy(store, &copy);

    if (rc == SQLITE_OK) {
        rc = put_back(store, copy, chunk);
    }
    if (rc == SQLITE_OK) {
        rc = make(store, copy, chunk);
    }
    store_file_close(&copy);
    return rc;
}

int store_copy_drop(struct store *store) {
    sqlite3_file *copy = NULL;
    int rc = open_copy(store, &copy);

    if (rc == SQLITE_OK) {
        rc = copy->pMethods->xTruncate(copy, 0);
    }
    if (rc == SQLITE_OK) {
        rc = copy->pMethods->xSync(copy, SQLITE_SYNC_FULL);
    }
    store_file_close(&copy);
    return rc;
}
