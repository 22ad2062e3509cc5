/* Files that are there whole or not at all. */
#include "scenarios/cli/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4200 };

static bool write_all(int file, const char *text, size_t length) {
    while (length > 0) {
        ssize_t n = write(file, text, length);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            text += n;
            length -= (size_t)n;
        }
    }
    return true;
}

/* The name itself is durable once its folder is. */
static bool sync_folder_of(const char *path) {
    char folder[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    int length = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    int file = -1;
    bool synced = false;
    snprintf(folder, sizeof folder, "%.*s", length, slash == NULL ? "." : path);
    file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    synced = file >= 0 && fsync(file) == 0;
    if (file >= 0)
        close(file);
    return synced;
}

bool durable_write(const char *path, const char *text, size_t length) {
    char beside[PATH_SIZE];
    int file = -1, failed = 0;
    bool written = false;
    if (snprintf(beside, sizeof beside, "%s.%ld.new", path, (long)getpid()) >= (int)sizeof beside) {
        errno = ENAMETOOLONG;
        return false;
    }
    file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    written = file >= 0 && write_all(file, text, length) && fsync(file) == 0;
    failed = errno;
    if (file >= 0 && close(file) != 0 && written) {
        failed = errno;
        written = false;
    }
    if (written && rename(beside, path) != 0) {
        failed = errno;
        written = false;
    }
    if (!written && file >= 0)
        unlink(beside);
    errno = failed;
    return written && sync_folder_of(path);
}
