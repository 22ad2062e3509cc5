/* The floor under a life: the same SQL, with nothing around it but files that are plain memory. */
#include "scenarios/cli/bench.h"

#include "sim/check.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATEMENTS_MAX = 4096, BARE_FILES = 3, BARE_SIZE = 1 << 20 };

/* One step of the recording, in the order things happened. */
enum step_kind { STEP_OPEN, STEP_RUN, STEP_CLOSE };
struct step {
    enum step_kind kind;
    char *sql;    /* RUN */
    size_t first; /* RUN: the step of this life that ran the same text first */
};

struct floor {
    struct step *steps;
    size_t count, cap;
    unsigned statements;
    unsigned char *image; /* the first database */
    int image_size;
    bool lost; /* something could not be written down */
};

/* ---- a VFS that moves bytes and does nothing else ---- */

struct bare_file {
    bool there;
    int size;
    unsigned char bytes[BARE_SIZE];
};
struct bare_handle {
    sqlite3_file base;
    struct bare_file *file;
};

static struct bare_file bare_files[BARE_FILES]; /* database, log, journal */

static struct bare_file *bare_find(const char *name) {
    size_t length = strlen(name);
    bool is_log = length > 4 && strcmp(name + length - 4, "-wal") == 0;
    bool is_journal = length > 8 && strcmp(name + length - 8, "-journal") == 0;
    return &bare_files[is_log ? 1 : is_journal ? 2 : 0];
}

static struct bare_file *bare_of(sqlite3_file *file) {
    return ((struct bare_handle *)file)->file;
}

static int bare_close(sqlite3_file *file) {
    (void)file;
    return SQLITE_OK;
}

static int bare_read(sqlite3_file *handle, void *out, int length, sqlite3_int64 offset) {
    const struct bare_file *file = bare_of(handle);
    int inside = offset >= file->size           ? 0
                 : offset + length > file->size ? file->size - (int)offset
                                                : length;
    memcpy(out, file->bytes + offset, (size_t)inside);
    memset((unsigned char *)out + inside, 0, (size_t)(length - inside));
    return inside < length ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int bare_write(sqlite3_file *handle, const void *bytes, int length, sqlite3_int64 offset) {
    struct bare_file *file = bare_of(handle);
    if (offset + length > BARE_SIZE)
        return SQLITE_FULL;
    memcpy(file->bytes + offset, bytes, (size_t)length);
    if (offset + length > file->size)
        file->size = (int)offset + length;
    return SQLITE_OK;
}

static int bare_truncate(sqlite3_file *handle, sqlite3_int64 size) {
    bare_of(handle)->size = (int)size;
    return SQLITE_OK;
}

static int bare_sync(sqlite3_file *handle, int flags) {
    (void)handle, (void)flags;
    return SQLITE_OK;
}

static int bare_size(sqlite3_file *handle, sqlite3_int64 *size) {
    *size = bare_of(handle)->size;
    return SQLITE_OK;
}

static int bare_lock(sqlite3_file *handle, int level) {
    (void)handle, (void)level;
    return SQLITE_OK;
}

static int bare_reserved(sqlite3_file *handle, int *reserved) {
    (void)handle;
    *reserved = 0;
    return SQLITE_OK;
}

static int bare_control(sqlite3_file *handle, int op, void *argument) {
    (void)handle, (void)op, (void)argument;
    return SQLITE_NOTFOUND;
}

static int bare_sector(sqlite3_file *handle) {
    (void)handle;
    return 4096;
}

static int bare_characteristics(sqlite3_file *handle) {
    (void)handle;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods bare_methods = {
    .iVersion = 1,
    .xClose = bare_close,
    .xRead = bare_read,
    .xWrite = bare_write,
    .xTruncate = bare_truncate,
    .xSync = bare_sync,
    .xFileSize = bare_size,
    .xLock = bare_lock,
    .xUnlock = bare_lock,
    .xCheckReservedLock = bare_reserved,
    .xFileControl = bare_control,
    .xSectorSize = bare_sector,
    .xDeviceCharacteristics = bare_characteristics,
};

static int bare_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *handle, int flags,
                     int *flags_out) {
    (void)vfs;
    ((struct bare_handle *)handle)->file = bare_find(name);
    ((struct bare_handle *)handle)->file->there = true;
    handle->pMethods = &bare_methods;
    if (flags_out != NULL)
        *flags_out = flags;
    return SQLITE_OK;
}

static int bare_delete(sqlite3_vfs *vfs, const char *name, int sync) {
    struct bare_file *file = bare_find(name);
    (void)vfs, (void)sync;
    file->there = false;
    file->size = 0;
    return SQLITE_OK;
}

static int bare_access(sqlite3_vfs *vfs, const char *name, int flags, int *there) {
    (void)vfs, (void)flags;
    *there = bare_find(name)->there;
    return SQLITE_OK;
}

static int bare_full_name(sqlite3_vfs *vfs, const char *name, int size, char *out) {
    (void)vfs;
    snprintf(out, (size_t)size, "%s", name);
    return SQLITE_OK;
}

static int bare_random(sqlite3_vfs *vfs, int size, char *out) {
    (void)vfs;
    memset(out, 7, (size_t)size);
    return size;
}

static int bare_time(sqlite3_vfs *vfs, sqlite3_int64 *julian_ms) {
    (void)vfs;
    *julian_ms = 0;
    return SQLITE_OK;
}

static sqlite3_vfs bare_vfs = {
    .iVersion = 2,
    .szOsFile = sizeof(struct bare_handle),
    .mxPathname = 64,
    .zName = "bare",
    .xOpen = bare_open,
    .xDelete = bare_delete,
    .xAccess = bare_access,
    .xFullPathname = bare_full_name,
    .xRandomness = bare_random,
    .xCurrentTimeInt64 = bare_time,
};

/* ---- writing down ---- */

static struct floor *recording; /* sqlite3_auto_extension hands over no context */

static void note(struct floor *floor, enum step_kind kind, char *sql) {
    CHECK_ROOM(floor->steps, floor->count, floor->cap, STATEMENTS_MAX);
    floor->steps[floor->count] = (struct step){.kind = kind, .sql = sql, .first = floor->count};
    for (size_t i = floor->count; sql != NULL && i > 0; i--) {
        const struct step *earlier = &floor->steps[i - 1];
        if (earlier->kind == STEP_OPEN)
            break;
        if (earlier->sql != NULL && strcmp(earlier->sql, sql) == 0)
            floor->steps[floor->count].first = earlier->first;
    }
    floor->count++;
    floor->statements += kind == STEP_RUN;
}

/* SQLite reads the schema with a statement of its own; the replay's SQLite will do it too. */
static bool is_sqlites_own(const char *sql) {
    return strncmp(sql, "SELECT*FROM", 11) == 0 || strncmp(sql, "--", 2) == 0;
}

static int on_trace(unsigned what, void *ctx, void *subject, void *text) {
    struct floor *floor = ctx;
    char *sql = NULL;
    if (what == SQLITE_TRACE_CLOSE) {
        note(floor, STEP_CLOSE, NULL);
        return 0;
    }
    if (is_sqlites_own(text))
        return 0;
    sql = sqlite3_expanded_sql(subject);
    floor->lost = floor->lost || sql == NULL;
    if (sql != NULL)
        note(floor, STEP_RUN, sql);
    return 0;
}

static int on_open(sqlite3 *db, const char **error, const struct sqlite3_api_routines *api) {
    sqlite3_vfs *vfs = NULL;
    (void)error, (void)api;
    sqlite3_file_control(db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs);
    if (recording == NULL || vfs == NULL || strcmp(vfs->zName, "sim") != 0)
        return SQLITE_OK; /* the judge's looks are no part of the OMS */
    note(recording, STEP_OPEN, NULL);
    return sqlite3_trace_v2(db, SQLITE_TRACE_STMT | SQLITE_TRACE_CLOSE, on_trace, recording);
}

/* The database that the first life finds. */
static bool keep_image(struct floor *floor, const struct bench *bench) {
    struct sut_config config = {.profile = bench->profile, .account = "SIM", .page_size = 1024};
    char why[SUT_WHY_SIZE];
    struct disk *disk = stage_image(&sut_core, &config, bench->story->start_ns, NULL, 0, why);
    int64_t size = 0;
    bool read = disk != NULL && disk_file_size(disk, STAGE_STORE, &size) && size <= BARE_SIZE;
    if (read) {
        floor->image_size = (int)size;
        floor->image = check_zalloc(1, (size_t)size);
        read = disk_file_read(disk, STAGE_STORE, 0, floor->image, (int)size);
    }
    disk_free(disk);
    return read;
}

struct floor *floor_record(struct bench *bench, bool (*play)(struct bench *bench)) {
    struct floor *floor = check_zalloc(1, sizeof *floor);
    bool kept = sqlite3_vfs_register(&bare_vfs, 0) == SQLITE_OK && keep_image(floor, bench);
    recording = floor;
    sqlite3_auto_extension((void (*)(void))on_open);
    kept = kept && play(bench) && !floor->lost;
    sqlite3_cancel_auto_extension((void (*)(void))on_open);
    recording = NULL;
    if (kept && floor_replay(floor))
        return floor;
    floor_free(floor);
    return NULL;
}

void floor_free(struct floor *floor) {
    if (floor == NULL)
        return;
    for (size_t i = 0; i < floor->count; i++)
        sqlite3_free(floor->steps[i].sql);
    free(floor->steps);
    free(floor->image);
    free(floor);
}

unsigned floor_statements(const struct floor *floor) {
    return floor->statements;
}

/* ---- running it again ---- */

static void lay_image(const struct floor *floor) {
    for (int i = 0; i < BARE_FILES; i++)
        bare_files[i].size = 0;
    memcpy(bare_files[0].bytes, floor->image, (size_t)floor->image_size);
    bare_files[0].size = floor->image_size;
    bare_files[0].there = true;
}

static int open_bare(sqlite3 **db) {
    int rc = sqlite3_open_v2(STAGE_STORE, db, SQLITE_OPEN_READWRITE, "bare");
    sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return rc;
}

/* A text that came before in this life is prepared already, as it is in the OMS. */
static int run_step(const struct floor *floor, size_t i, sqlite3 *db, sqlite3_stmt **prepared) {
    sqlite3_stmt **statement = &prepared[floor->steps[i].first];
    int rc = *statement != NULL ? SQLITE_OK
                                : sqlite3_prepare_v2(db, floor->steps[i].sql, -1, statement, NULL);
    while (rc == SQLITE_OK && sqlite3_step(*statement) == SQLITE_ROW) {
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_reset(*statement);
    if (rc != SQLITE_OK)
        fprintf(stderr, "crashgate: bench: floor: %s: %s\n", floor->steps[i].sql,
                sqlite3_errmsg(db));
    return rc;
}

static int close_bare(const struct floor *floor, sqlite3 **db, sqlite3_stmt **prepared) {
    for (size_t i = 0; i < floor->count; i++) {
        sqlite3_finalize(prepared[i]);
        prepared[i] = NULL;
    }
    int rc = sqlite3_close(*db);
    *db = NULL;
    return rc;
}

bool floor_replay(struct floor *floor) {
    static sqlite3_stmt *prepared[STATEMENTS_MAX];
    sqlite3 *db = NULL;
    int rc = SQLITE_OK;
    lay_image(floor);
    for (size_t i = 0; rc == SQLITE_OK && i < floor->count; i++) {
        switch (floor->steps[i].kind) {
        case STEP_OPEN:
            rc = open_bare(&db);
            break;
        case STEP_RUN:
            rc = run_step(floor, i, db, prepared);
            break;
        case STEP_CLOSE:
            rc = close_bare(floor, &db, prepared);
            break;
        }
    }
    if (db != NULL)
        close_bare(floor, &db, prepared);
    return rc == SQLITE_OK;
}
