/* Temporary file, sync, rename, sync of the folder. */
#include "core/live/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(const char *path, const char *what, FILE *err) {
    fprintf(err, "oms: file %s: %s\n", path, what);
    return false;
}

/* The folder's real path, and the file's in it. */
static bool find(struct publish *publish, const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    char folder[PATH_MAX];
    int length = slash == NULL ? snprintf(folder, sizeof folder, ".")
                 : slash == path
                     ? snprintf(folder, sizeof folder, "/")
                     : snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    if (length >= (int)sizeof folder || strlen(name) > NAME_MAX - sizeof ".part-XXXXXX" ||
        name[0] == '\0') {
        errno = name[0] == '\0' ? EISDIR : ENAMETOOLONG;
        return false;
    }
    if (realpath(folder, publish->folder) == NULL)
        return false;
    snprintf(publish->path, sizeof publish->path, "%s/%s", publish->folder, name);
    return true;
}

bool publish_begin(struct publish *publish, const char *path, bool replaces, FILE *err) {
    struct stat status;
    *publish = (struct publish){.replaces = replaces};
    if (!find(publish, path))
        return fail(path, strerror(errno), err);
    if (lstat(publish->path, &status) == 0) {
        if (!replaces)
            return fail(path, "there is something there already; it was left alone", err);
        if (!S_ISREG(status.st_mode))
            return fail(path, "what is there is not a regular file; it was left alone", err);
    }
    snprintf(publish->temporary, sizeof publish->temporary, "%s.part-XXXXXX", publish->path);
    int fd = mkstemp(publish->temporary); /* 0600 */
    if (fd < 0) {
        publish->temporary[0] = '\0';
        return fail(path, strerror(errno), err);
    }
    close(fd);
    return true;
}

static bool append(char *path, size_t size, const char *suffix) {
    size_t length = strlen(path);
    return snprintf(path + length, size - length, "%s", suffix) < (int)(size - length);
}

bool publish_beside(const struct publish *publish, const char *suffix, struct publish *beside,
                    FILE *err) {
    *beside = *publish;
    return (append(beside->path, sizeof beside->path, suffix) &&
            append(beside->temporary, sizeof beside->temporary, suffix)) ||
           fail(publish->path, strerror(ENAMETOOLONG), err);
}

static bool sync_path(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return synced;
}

/* Never over something that has come meanwhile, unless it may be replaced. */
static bool give_name(const struct publish *publish) {
    if (publish->replaces)
        return rename(publish->temporary, publish->path) == 0;
    if (link(publish->temporary, publish->path) != 0)
        return false;
    unlink(publish->temporary);
    return true;
}

bool publish_finish(struct publish *publish, FILE *err) {
    bool named = sync_path(publish->temporary, O_RDONLY) && give_name(publish);
    bool done = named && sync_path(publish->folder, O_RDONLY | O_DIRECTORY);
    if (!done)
        fail(publish->path,
             errno == EEXIST ? "there is something there already; it was left alone"
                             : strerror(errno),
             err);
    if (named && !done && !publish->replaces)
        unlink(publish->path); /* it was made here */
    if (named)
        publish->temporary[0] = '\0';
    publish_drop(publish);
    return done;
}

void publish_drop(struct publish *publish) {
    if (publish->temporary[0] != '\0')
        unlink(publish->temporary);
    publish->temporary[0] = '\0';
}
