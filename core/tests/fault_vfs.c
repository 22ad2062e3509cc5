/* A VFS over the default one whose n-th call fails, for the core's tests. */
#include "core/tests/fault_vfs.h"

#include <sqlite3.h>
#include <string.h>

struct fault_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs fault_vfs;
static struct fault_plan plan;
static int calls;
static bool fired;

void fault_arm(struct fault_plan next) {
    plan = next;
    calls = 0;
    fired = false;
}

int fault_calls(void) {
    return calls;
}

bool fault_fired(void) {
    return fired;
}

/* Does this call fail? */
static bool strike(bool is_sync) {
    if (plan.only_syncs && !is_sync) {
        return false;
    }
    calls++;
    if (plan.at == 0 || (plan.sticky ? calls < plan.at : calls != plan.at)) {
        return false;
    }
    fired = true;
    return true;
}

static sqlite3_file *real_of(sqlite3_file *file) {
    return ((struct fault_file *)file)->real;
}

static int file_close(sqlite3_file *file) {
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *out, int length, sqlite3_int64 offset) {
    return real_of(file)->pMethods->xRead(real_of(file), out, length, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset) {
    const bool fails = strike(false);
    int rc = SQLITE_OK;
    if (!fails || plan.has_effect) {
        rc = real_of(file)->pMethods->xWrite(real_of(file), bytes, length, offset);
    }
    return fails ? plan.code : rc;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return strike(false) ? plan.code : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags) {
    (void)flags; /* what reached the real file is enough here: no power is lost */
    (void)file;
    return strike(true) ? plan.code : SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int file_lock(sqlite3_file *file, int level) {
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level) {
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_reserved(sqlite3_file *file, int *out) {
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int file_control(sqlite3_file *file, int op, void *arg) {
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int file_sector(sqlite3_file *file) {
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_device(sqlite3_file *file) {
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static const sqlite3_io_methods methods = {.iVersion = 1,
                                           .xClose = file_close,
                                           .xRead = file_read,
                                           .xWrite = file_write,
                                           .xTruncate = file_truncate,
                                           .xSync = file_sync,
                                           .xFileSize = file_size,
                                           .xLock = file_lock,
                                           .xUnlock = file_unlock,
                                           .xCheckReservedLock = file_reserved,
                                           .xFileControl = file_control,
                                           .xSectorSize = file_sector,
                                           .xDeviceCharacteristics = file_device};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                    int *out_flags) {
    struct fault_file *fault = (struct fault_file *)file;
    int rc;
    (void)vfs;
    fault->base.pMethods = NULL;
    fault->real = (sqlite3_file *)(void *)(fault + 1);
    memset(fault->real, 0, (size_t)real_vfs->szOsFile);
    rc = real_vfs->xOpen(real_vfs, name, fault->real, flags, out_flags);
    if (rc == SQLITE_OK) {
        fault->base.pMethods = &methods;
    }
    return rc;
}

void fault_register(void) {
    if (real_vfs != NULL) {
        return;
    }
    real_vfs = sqlite3_vfs_find(NULL);
    fault_vfs = *real_vfs;
    fault_vfs.zName = "fault";
    fault_vfs.szOsFile = (int)sizeof(struct fault_file) + real_vfs->szOsFile;
    fault_vfs.xOpen = vfs_open;
    (void)sqlite3_vfs_register(&fault_vfs, 0);
}
