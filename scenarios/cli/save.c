/* Files are written aside, synced, and put in place by one rename or link. */
#include "scenarios/cli/save.h"

#include "sim/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

static bool cannot(const char *what, const char *path) {
    fprintf(stderr, "crashgate: cannot %s %s: %s\n", what, path, strerror(errno));
    return false;
}

static bool write_all(int fd, const char *text, size_t length) {
    while (length > 0) {
        ssize_t n = write(fd, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        length -= (size_t)n;
    }
    return true;
}

/* The name itself has to be on the device, too. */
static bool sync_folder(const char *path) {
    char folder[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    int fd = -1;
    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
             slash == NULL ? "." : path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool synced = fsync(fd) == 0;
    close(fd);
    return synced;
}

static bool put_in_place(const char *aside, const char *path, enum save how) {
    if (how == SAVE_REPLACE)
        return rename(aside, path) == 0;
    if (link(aside, path) != 0)
        return false;
    unlink(aside);
    return true;
}

bool save_bytes(const char *path, const char *text, size_t length, enum save how) {
    char aside[PATH_SIZE];
    struct stat about;
    mode_t mode = stat(path, &about) == 0 ? about.st_mode & 0777 : 0644;
    int fd = -1, failed = 0;
    if ((size_t)snprintf(aside, sizeof aside, "%s.XXXXXX", path) >= sizeof aside) {
        errno = ENAMETOOLONG;
        return false;
    }
    fd = mkstemp(aside);
    if (fd < 0)
        return false;
    bool written = write_all(fd, text, length) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    failed = errno;
    if (close(fd) != 0 && written) {
        failed = errno;
        written = false;
    }
    if (written && !put_in_place(aside, path, how)) {
        failed = errno;
        written = false;
    }
    if (!written) {
        unlink(aside);
        errno = failed;
        return false;
    }
    return sync_folder(path);
}

bool save_file(const char *path, const char *text, size_t length, enum save how) {
    return save_bytes(path, text, length, how) || cannot("write", path);
}

char *read_regular(const char *path, long most, char *why, size_t why_size) {
    char *text = NULL;
    struct stat about;
    FILE *in = fopen(path, "r");
    if (in == NULL || fstat(fileno(in), &about) != 0) {
        snprintf(why, why_size, "%.300s cannot be read: %s", path, strerror(errno));
    } else if (!S_ISREG(about.st_mode) || about.st_size > most) {
        snprintf(why, why_size, "%.300s is no file of at most %ld bytes", path, most);
    } else {
        text = check_alloc((size_t)about.st_size + 1);
        text[fread(text, 1, (size_t)about.st_size, in)] = '\0';
    }
    if (in != NULL)
        fclose(in);
    return text;
}

char *read_whole(const char *path, size_t *length) {
    bool standard = strcmp(path, "-") == 0;
    FILE *in = standard ? stdin : fopen(path, "rb");
    char *text = check_alloc(SAVE_TEXT_MAX + 2);
    if (in == NULL) {
        cannot("read", path);
        free(text);
        return NULL;
    }
    *length = fread(text, 1, SAVE_TEXT_MAX + 1, in);
    bool failed = ferror(in) != 0;
    if (failed)
        cannot("read", path);
    else if (*length > SAVE_TEXT_MAX)
        fprintf(stderr, "crashgate: %s is larger than %d bytes\n", path, SAVE_TEXT_MAX);
    if (!standard)
        fclose(in);
    if (failed || *length > SAVE_TEXT_MAX) {
        free(text);
        return NULL;
    }
    text[*length] = '\0';
    return text;
}
