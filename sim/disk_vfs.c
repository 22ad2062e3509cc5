/* The simulated disk as SQLite sees it: a VFS per process, asking its port at every call.
 *
 * (1) Nothing reaches the disk for a handle that is stale or a port that is dead.
 * (2) Every call that was asked about and not killed is reported once, also when it failed.
 * (3) Closing always releases the handle.
 * (4) Answers of the VFS that steer SQLite (access; on a disk of profile "simple" also sector size
 *     and characteristics) are those of SQLite's own unix VFS, so that the sequence of calls is the
 *     one of a real store. */
#include "sim/disk_file.h"
#include "sim/memory.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKASIDE_SLOT = 1200, LOOKASIDE_SLOTS = 100 };

/* What a VFS stands for: one process after the other, each from one attach to the next. */
struct process {
    sqlite3_vfs vfs;
    bool read_only;
    struct disk *disk;
    struct port *port;
    uint64_t generation; /* of the attach */
    uint64_t random;
};

struct handle {
    sqlite3_file base;
    struct process *process;
    struct handle *next, *previous; /* all open handles */
    int slot;                       /* DISK_NO_FILE: the empty WAL shown to a reader */
    uint64_t serial, era, generation;
    enum site_object object;
    int lock;
    bool keep_wal, read_only;
};

static struct handle *handles;

/* ---- asking and telling ---- */

/* What a failed call returns when nothing says otherwise. */
static int failure_of(enum site_op op) {
    switch (op) {
    case SITE_DISK_OPEN:
        return SQLITE_CANTOPEN;
    case SITE_DISK_READ:
        return SQLITE_IOERR_READ;
    case SITE_DISK_WRITE:
        return SQLITE_IOERR_WRITE;
    case SITE_DISK_TRUNCATE:
        return SQLITE_IOERR_TRUNCATE;
    case SITE_DISK_SYNC:
        return SQLITE_IOERR_FSYNC;
    case SITE_DISK_DELETE:
        return SQLITE_IOERR_DELETE;
    case SITE_DISK_LOCK:
        return SQLITE_IOERR_LOCK;
    case SITE_DISK_STAT:
        return SQLITE_IOERR_FSTAT;
    case SITE_DISK_REST:
    case SITE_BROKER_SUBMIT:
    case SITE_BROKER_LOOKUP:
    case SITE_BROKER_ORDERS:
    case SITE_BROKER_FILLS:
    case SITE_BROKER_POSITIONS:
    case SITE_BROKER_ACCOUNT:
    case SITE_BROKER_CANCEL:
    case SITE_WIRE_REQUEST:
    case SITE_WIRE_REPLY:
    case SITE_OP_COUNT:
        break;
    }
    abort(); /* no disk asks about these */
}

/* What an answer makes of a call of `op`; SQLITE_OK: it takes its course. */
static int result_of(enum site_op op, const struct port_answer *answer) {
    switch (answer->act) {
    case ACT_NONE:
    case ACT_STALL:
        return SQLITE_OK;
    case ACT_SHORT:
        assert(op == SITE_DISK_READ);
        return SQLITE_IOERR_SHORT_READ;
    case ACT_SYNC_LATE:
    case ACT_SYNC_LIES:
        assert(op == SITE_DISK_SYNC);
        return SQLITE_OK;
    case ACT_FAIL:
        return answer->arg[0] ? (int)answer->arg[0] : failure_of(op);
    case ACT_FULL:
        return SQLITE_FULL;
    case ACT_SYNC_DROPPED_CLEAN:
    case ACT_SYNC_KEPT_DIRTY:
    case ACT_SYNC_REVERTED:
        assert(op == SITE_DISK_SYNC);
        return SQLITE_IOERR_FSYNC;
    case ACT_REFUSED:
    case ACT_LOST:
    case ACT_LOST_REPLY:
    case ACT_NO_REPLY:
    case ACT_DROPPED:
    case ACT_LATE:
    case ACT_TWICE:
    case ACT_ERROR:
    case ACT_ERROR_AFTER:
    case ACT_WRONG:
    case ACT_HANG:
    case ACT_DRIP:
    case ACT_CLOSE:
    case ACT_RESET:
    case ACT_FLIP: /* at rest, where no call is */
    case ACT_CUT:
    case ACT_MISSING:
    case ACT_RESTORED:
    case ACT_COUNT:
        break;
    }
    abort(); /* no disk can do these: whoever planned it did not look at the site */
}

struct question {
    struct port *port; /* to be told of the end; NULL: nobody */
    struct port_call call;
    struct port_answer answer;
};

/* Asks the port. Not SQLITE_OK: the call must have no effect and ends with this code. */
static int ask(struct question *question, const struct process *process, struct port_call call) {
    struct port *port = process->port;
    *question = (struct question){.call = call};
    if (!port)
        return SQLITE_OK;
    if (!port_alive(port))
        return failure_of(call.site.op);
    question->answer = port->before(port->ctx, &question->call);
    if (question->answer.act == ACT_STALL && !port->dead)
        port->wait(port->ctx, port->now(port->ctx) + question->answer.arg[0]);
    if (port->dead)
        return failure_of(call.site.op);
    question->port = port;
    return result_of(call.site.op, &question->answer);
}

/* Reports the end of a call; returns what the caller of the VFS gets. */
static int tell(const struct question *question, int rc) {
    struct port *port = question->port;
    if (!port)
        return rc;
    port->after(port->ctx, &question->call);
    return port->dead ? failure_of(question->call.site.op) : rc;
}

static bool is_alive(const struct process *process) {
    return process->disk && (!process->port || port_alive(process->port));
}

/* ---- handles ---- */

static struct handle *handle_of(sqlite3_file *file) {
    return (struct handle *)file;
}

/* A handle of an earlier life, or of a file that was deleted under it. */
static bool is_stale(const struct handle *handle) {
    const struct process *process = handle->process;
    if (handle->generation != process->generation || handle->era != disk_era(process->disk))
        return true;
    return handle->slot != DISK_NO_FILE &&
           disk_slot_serial(process->disk, handle->slot) != handle->serial;
}

static int ask_handle(struct question *question, const struct handle *handle, enum site_op op,
                      int64_t offset, int64_t length) {
    *question = (struct question){0};
    if (is_stale(handle))
        return failure_of(op);
    struct port_call call = {
        .site = {op, handle->object}, .offset = offset, .length = length, .ref = ""};
    return ask(question, handle->process, call);
}

static void handle_link(struct handle *handle) {
    handle->next = handles;
    if (handles)
        handles->previous = handle;
    handles = handle;
}

static void handle_unlink(struct handle *handle) {
    if (handle->next)
        handle->next->previous = handle->previous;
    if (handle->previous)
        handle->previous->next = handle->next;
    else
        handles = handle->next;
}

static int sim_close(sqlite3_file *file) {
    handle_unlink(handle_of(file));
    return SQLITE_OK;
}

static int sim_read(sqlite3_file *file, void *out, int length, sqlite3_int64 offset) {
    const struct handle *handle = handle_of(file);
    struct question question;
    int rc = ask_handle(&question, handle, SITE_DISK_READ, offset, length);
    bool cut = rc == SQLITE_IOERR_SHORT_READ;
    if (rc == SQLITE_OK || cut) {
        int asked = cut ? length / 2 : length, inside = 0;
        memset((char *)out + asked, 0, (size_t)(length - asked));
        if (handle->slot == DISK_NO_FILE)
            memset(out, 0, (size_t)asked);
        else
            inside = disk_slot_read(handle->process->disk, handle->slot, offset, out, asked);
        rc = inside < length ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
    }
    return tell(&question, rc);
}

/* How much of a write is done: all of it unless it fails. */
static int length_landing(const struct question *question, int rc, int length) {
    if (rc == SQLITE_OK)
        return length;
    if (!question->port)
        return 0;
    switch ((enum lands)question->answer.arg[1]) {
    case LANDS_NONE:
        return 0;
    case LANDS_PART:
        return length / 2;
    case LANDS_ALL:
        return length;
    }
    return 0;
}

static int sim_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset) {
    const struct handle *handle = handle_of(file);
    struct process *process = handle->process;
    struct question question;
    if (process->read_only)
        return SQLITE_READONLY;
    int rc = ask_handle(&question, handle, SITE_DISK_WRITE, offset, length);
    int landing = length_landing(&question, rc, length);
    if (landing > 0 && !disk_slot_write(process->disk, handle->slot, offset, bytes, landing))
        rc = SQLITE_FULL;
    return tell(&question, rc);
}

static int sim_truncate(sqlite3_file *file, sqlite3_int64 size) {
    const struct handle *handle = handle_of(file);
    struct process *process = handle->process;
    struct question question;
    if (process->read_only)
        return SQLITE_READONLY;
    int rc = ask_handle(&question, handle, SITE_DISK_TRUNCATE, size, 0);
    if (rc == SQLITE_OK && !disk_slot_truncate(process->disk, handle->slot, size))
        rc = SQLITE_FULL;
    return tell(&question, rc);
}

/* A sync that goes wrong; the result is the answer's. */
static void sync_badly(struct disk *disk, int slot, enum act act) {
    if (act == ACT_SYNC_DROPPED_CLEAN || act == ACT_SYNC_LIES)
        disk_slot_forget(disk, slot, false);
    if (act == ACT_SYNC_LATE)
        disk_slot_forget(disk, slot, true);
    if (act == ACT_SYNC_REVERTED)
        disk_slot_revert(disk, slot);
}

static int sim_sync(sqlite3_file *file, int flags) {
    (void)flags; /* data and metadata alike: nothing here is durable without a sync */
    const struct handle *handle = handle_of(file);
    struct process *process = handle->process;
    struct question question;
    if (process->read_only)
        return SQLITE_OK;
    int rc = ask_handle(&question, handle, SITE_DISK_SYNC, 0, 0);
    enum act act = question.answer.act;
    if (rc == SQLITE_OK && (act == ACT_NONE || act == ACT_STALL)) {
        if (!disk_slot_sync(process->disk, handle->slot))
            rc = SQLITE_IOERR_FSYNC;
    } else if (question.port) {
        sync_badly(process->disk, handle->slot, act);
    }
    return tell(&question, rc);
}

static int sim_file_size(sqlite3_file *file, sqlite3_int64 *size) {
    const struct handle *handle = handle_of(file);
    struct question question;
    *size = 0;
    int rc = ask_handle(&question, handle, SITE_DISK_STAT, 0, 0);
    if (rc == SQLITE_OK && handle->slot != DISK_NO_FILE)
        *size = disk_slot_size(handle->process->disk, handle->slot);
    return tell(&question, rc);
}

/* ---- locks ---- */

/* The strongest lock that another handle of a living process holds on the same file. */
static int lock_of_others(const struct handle *mine) {
    int strongest = SQLITE_LOCK_NONE;
    for (const struct handle *other = handles; other; other = other->next) {
        bool same_file = other != mine && other->process->disk == mine->process->disk &&
                         other->serial == mine->serial && other->era == mine->era;
        if (!same_file || other->lock <= strongest || is_stale(other))
            continue;
        if (!other->process->port || !other->process->port->dead)
            strongest = other->lock;
    }
    return strongest;
}

/* none -> shared -> reserved -> (pending) -> exclusive. Pending lets no new reader in and waits for
 * the last one to leave; one handle at most is above shared. */
static int lock_raise(struct handle *handle, int wanted) {
    int others = lock_of_others(handle);
    if (others >= (wanted == SQLITE_LOCK_SHARED ? SQLITE_LOCK_PENDING : SQLITE_LOCK_RESERVED))
        return SQLITE_BUSY;
    if (wanted == SQLITE_LOCK_EXCLUSIVE && others == SQLITE_LOCK_SHARED) {
        handle->lock = SQLITE_LOCK_PENDING;
        return SQLITE_BUSY;
    }
    handle->lock = wanted;
    return SQLITE_OK;
}

static int sim_lock(sqlite3_file *file, int wanted) {
    struct handle *handle = handle_of(file);
    struct question question;
    if (handle->process->read_only || wanted <= handle->lock)
        return SQLITE_OK;
    if (handle->read_only && wanted > SQLITE_LOCK_SHARED)
        return SQLITE_IOERR_LOCK; /* as POSIX has it; nothing is tried, so nothing is asked */
    int rc = ask_handle(&question, handle, SITE_DISK_LOCK, 0, wanted);
    if (rc == SQLITE_OK)
        rc = lock_raise(handle, wanted);
    return tell(&question, rc);
}

static int sim_unlock(sqlite3_file *file, int wanted) {
    struct handle *handle = handle_of(file);
    if (wanted < handle->lock)
        handle->lock = wanted;
    return SQLITE_OK;
}

static int sim_check_reserved(sqlite3_file *file, int *reserved) {
    const struct handle *handle = handle_of(file);
    *reserved = 0;
    if (is_stale(handle) || !is_alive(handle->process))
        return SQLITE_IOERR_CHECKRESERVEDLOCK;
    if (!handle->process->read_only)
        *reserved =
            handle->lock >= SQLITE_LOCK_RESERVED || lock_of_others(handle) >= SQLITE_LOCK_RESERVED;
    return SQLITE_OK;
}

/* ---- the rest of a file ---- */

static int sim_file_control(sqlite3_file *file, int op, void *argument) {
    struct handle *handle = handle_of(file);
    int *value = argument;
    if (op != SQLITE_FCNTL_PERSIST_WAL)
        return SQLITE_NOTFOUND;
    if (*value < 0)
        *value = handle->keep_wal;
    else
        handle->keep_wal = *value != 0;
    return SQLITE_OK;
}

static const struct disk_profile *profile_of(sqlite3_file *file) {
    const struct disk *disk = handle_of(file)->process->disk;
    return disk ? disk_profile_of(disk) : disk_profile_at(0);
}

static int sim_sector_size(sqlite3_file *file) {
    return profile_of(file)->sector;
}

static int sim_characteristics(sqlite3_file *file) {
    return profile_of(file)->power_safe ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
}

/* Version 1: no shared memory; WAL needs locking_mode=EXCLUSIVE. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = sim_close,
    .xRead = sim_read,
    .xWrite = sim_write,
    .xTruncate = sim_truncate,
    .xSync = sim_sync,
    .xFileSize = sim_file_size,
    .xLock = sim_lock,
    .xUnlock = sim_unlock,
    .xCheckReservedLock = sim_check_reserved,
    .xFileControl = sim_file_control,
    .xSectorSize = sim_sector_size,
    .xDeviceCharacteristics = sim_characteristics,
};

/* ---- files by name ---- */

static struct process *process_of(sqlite3_vfs *vfs) {
    return vfs->pAppData;
}

/* Finds or creates the file an open means. */
static int open_slot(struct process *process, const char *name, int flags, int *slot) {
    *slot = disk_slot_find(process->disk, name);
    if (*slot != DISK_NO_FILE)
        return flags & SQLITE_OPEN_EXCLUSIVE ? SQLITE_CANTOPEN : SQLITE_OK;
    if (process->read_only && disk_class(name) == ON_WAL)
        return SQLITE_OK;
    if (!(flags & SQLITE_OPEN_CREATE))
        return SQLITE_CANTOPEN;
    if (process->read_only)
        return SQLITE_READONLY;
    *slot = disk_slot_create(process->disk, name);
    return *slot == DISK_NO_FILE ? SQLITE_CANTOPEN : SQLITE_OK;
}

static int open_handle(struct process *process, const char *name, int flags, int *out_flags,
                       struct handle *handle) {
    int slot;
    int rc = open_slot(process, name, flags, &slot);
    if (rc != SQLITE_OK)
        return rc;
    *handle = (struct handle){
        .base.pMethods = &methods,
        .process = process,
        .slot = slot,
        .serial = slot == DISK_NO_FILE ? 0 : disk_slot_serial(process->disk, slot),
        .era = disk_era(process->disk),
        .generation = process->generation,
        .object = disk_class(name),
        .read_only = (flags & SQLITE_OPEN_READONLY) != 0,
    };
    handle_link(handle);
    if (process->read_only)
        flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    if (out_flags)
        *out_flags = flags;
    return SQLITE_OK;
}

static int sim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                    int *out_flags) {
    struct process *process = process_of(vfs);
    struct handle *handle = handle_of(file);
    handle->base.pMethods = NULL; /* nothing to close until the open has succeeded */
    if (!process->disk || !name)
        return SQLITE_CANTOPEN;
    struct question question;
    struct port_call call = {.site = {SITE_DISK_OPEN, disk_class(name)}, .ref = ""};
    int rc = ask(&question, process, call);
    if (rc == SQLITE_OK)
        rc = open_handle(process, name, flags, out_flags, handle);
    rc = tell(&question, rc);
    if (rc != SQLITE_OK && handle->base.pMethods) {
        handle_unlink(handle); /* died after the effect: the file stays, the handle does not */
        handle->base.pMethods = NULL;
    }
    return rc;
}

static int sim_delete(sqlite3_vfs *vfs, const char *name, int sync_directory) {
    struct process *process = process_of(vfs);
    if (process->read_only)
        return SQLITE_READONLY;
    if (!process->disk)
        return SQLITE_IOERR_DELETE;
    struct question question;
    struct port_call call = {.site = {SITE_DISK_DELETE, disk_class(name)}, .ref = ""};
    int rc = ask(&question, process, call);
    int slot = disk_slot_find(process->disk, name);
    if (rc == SQLITE_OK && slot == DISK_NO_FILE)
        rc = SQLITE_IOERR_DELETE_NOENT;
    else if (rc == SQLITE_OK)
        disk_slot_delete(process->disk, slot, sync_directory != 0);
    return tell(&question, rc);
}

/* Like the unix VFS: an empty file does not count as existing, but can be accessed. */
static int sim_access(sqlite3_vfs *vfs, const char *name, int flags, int *answer) {
    const struct process *process = process_of(vfs);
    *answer = 0;
    if (!is_alive(process))
        return SQLITE_IOERR_ACCESS;
    int slot = disk_slot_find(process->disk, name);
    if (slot == DISK_NO_FILE)
        return SQLITE_OK;
    *answer = flags == SQLITE_ACCESS_EXISTS ? disk_slot_size(process->disk, slot) > 0
                                            : flags == SQLITE_ACCESS_READ || !process->read_only;
    return SQLITE_OK;
}

static int sim_full_pathname(sqlite3_vfs *vfs, const char *name, int size, char *out) {
    (void)vfs;
    size_t length = strlen(name);
    if (length >= DISK_NAME_SIZE || length >= (size_t)size)
        return SQLITE_CANTOPEN;
    memcpy(out, name, length + 1);
    return SQLITE_OK;
}

/* ---- chance and time ---- */

/* splitmix64 */
static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int sim_randomness(sqlite3_vfs *vfs, int size, char *out) {
    struct process *process = process_of(vfs);
    uint64_t bits = 0;
    for (int i = 0; i < size; i++, bits >>= 8) {
        if (i % 8 == 0)
            bits = next_random(&process->random);
        out[i] = (char)(bits & 0xff);
    }
    return size;
}

static int64_t now_ns(const struct process *process) {
    return process->port ? process->port->now(process->port->ctx) : 0;
}

static int sim_sleep(sqlite3_vfs *vfs, int microseconds) {
    const struct process *process = process_of(vfs);
    if (process->port && port_alive(process->port))
        process->port->wait(process->port->ctx, now_ns(process) + microseconds * INT64_C(1000));
    return microseconds;
}

static int sim_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *julian_ms) {
    const sqlite3_int64 epoch_ms = INT64_C(210866760000000); /* 1970 in days of Julian, as ms */
    *julian_ms = epoch_ms + now_ns(process_of(vfs)) / 1000000;
    return SQLITE_OK;
}

static int sim_time_days(sqlite3_vfs *vfs, double *julian_days) {
    sqlite3_int64 julian_ms;
    int rc = sim_time_ms(vfs, &julian_ms);
    *julian_days = (double)julian_ms / 86400000.0;
    return rc;
}

static int sim_last_error(sqlite3_vfs *vfs, int size, char *out) {
    (void)vfs;
    if (size > 0)
        out[0] = '\0';
    return 0;
}

/* ---- registering and attaching ---- */

static struct process processes[] = {
    {.vfs.zName = "sim"},
    {.vfs.zName = "sim2"},
    {.vfs.zName = "sim-peek", .read_only = true},
};
enum { PROCESS_COUNT = sizeof processes / sizeof processes[0] };

static void process_register(struct process *process, bool is_default) {
    process->vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(struct handle),
        .mxPathname = DISK_NAME_SIZE - 1,
        .zName = process->vfs.zName,
        .pAppData = process,
        .xOpen = sim_open,
        .xDelete = sim_delete,
        .xAccess = sim_access,
        .xFullPathname = sim_full_pathname,
        .xRandomness = sim_randomness,
        .xSleep = sim_sleep,
        .xCurrentTime = sim_time_days,
        .xCurrentTimeInt64 = sim_time_ms,
        .xGetLastError = sim_last_error,
    };
    int rc = sqlite3_vfs_register(&process->vfs, is_default);
    assert(rc == SQLITE_OK);
    (void)rc;
}

void disk_vfs_register(void) {
    static bool registered;
    if (registered)
        return;
    registered = true;
    /* Only speed depends on these: one who initialized SQLite before us keeps its settings. */
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, LOOKASIDE_SLOT, LOOKASIDE_SLOTS);
    memory_for_sqlite();
    int rc = sqlite3_initialize();
    assert(rc == SQLITE_OK);
    (void)rc;
    for (int i = 0; i < PROCESS_COUNT; i++)
        process_register(&processes[i], i == 0);
}

void disk_vfs_attach(const char *vfs, struct disk *disk, struct port *port, uint64_t seed) {
    int i = 0;
    while (i < PROCESS_COUNT && strcmp(processes[i].vfs.zName, vfs) != 0)
        i++;
    assert(i < PROCESS_COUNT);
    struct process *process = &processes[i];
    assert(!port || !process->read_only);
    process->disk = disk;
    process->port = port;
    process->generation++;
    process->random = seed;
    if (i == 0)
        sqlite3_randomness(0, NULL);
}
