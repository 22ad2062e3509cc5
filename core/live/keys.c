/* Reading keys, and refusing where somebody else could. */
#include "core/live/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char ID_NAME[] = "APCA_API_KEY_ID", SECRET_NAME[] = "APCA_API_SECRET_KEY";

struct complaint {
    const char *file;
    char *why;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static bool refuse(const struct complaint *complaint,
                                                         const char *format, ...) {
    va_list list;
    int length = snprintf(complaint->why, complaint->size, "key file %s: ", complaint->file);
    va_start(list, format);
    if (length > 0 && (size_t)length < complaint->size)
        vsnprintf(complaint->why + length, complaint->size - (size_t)length, format, list);
    va_end(list);
    return false;
}

/* ---- a file ---- */

static bool is_private(int fd, const struct complaint *complaint) {
    struct stat status;
    if (fstat(fd, &status) != 0)
        return refuse(complaint, "%s", strerror(errno));
    if (!S_ISREG(status.st_mode))
        return refuse(complaint, "it must be a regular file");
    if (status.st_uid != geteuid())
        return refuse(complaint, "it belongs to user %ld; it must be this process's own (user %ld)",
                      (long)status.st_uid, (long)geteuid());
    if ((status.st_mode & 077) != 0)
        return refuse(complaint,
                      "its mode is %04o: others can reach it; it must be 0600: chmod 600",
                      (unsigned)status.st_mode & 07777);
    if (status.st_size > KEYS_FILE_MAX)
        return refuse(complaint, "it has %lld bytes, at most %d are expected",
                      (long long)status.st_size, KEYS_FILE_MAX);
    return true;
}

/* The value when the line is this name's; NULL: another line. */
static const char *value_of(const char *line, const char *name) {
    size_t length = strlen(name);
    return strncmp(line, name, length) == 0 && line[length] == '=' ? line + length + 1 : NULL;
}

static bool take(const char *value, char out[KEYS_SIZE], const char *name, unsigned number,
                 const struct complaint *complaint) {
    if (out[0] != '\0')
        return refuse(complaint, "line %u: %s is there twice", number, name);
    if (value[0] == '\0' || strlen(value) >= KEYS_SIZE)
        return refuse(complaint, "line %u: the value of %s must have 1 to %d characters", number,
                      name, KEYS_SIZE - 1);
    memcpy(out, value, strlen(value) + 1);
    return true;
}

static bool read_line(const char *line, unsigned number, struct keys *keys,
                      const struct complaint *complaint) {
    const char *id = value_of(line, ID_NAME), *secret = value_of(line, SECRET_NAME);
    if (line[strspn(line, " \t")] == '\0' || line[0] == '#')
        return true;
    if (id != NULL)
        return take(id, keys->key_id, ID_NAME, number, complaint);
    if (secret != NULL)
        return take(secret, keys->secret, SECRET_NAME, number, complaint);
    return refuse(complaint, "line %u is neither %s=... nor %s=... (not shown here)", number,
                  ID_NAME, SECRET_NAME);
}

static bool read_lines(char *text, struct keys *keys, const struct complaint *complaint) {
    unsigned number = 0;
    for (char *line = text, *next = NULL; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (!read_line(line, ++number, keys, complaint))
            return false;
    }
    if (keys->key_id[0] == '\0' || keys->secret[0] == '\0')
        return refuse(complaint, "there is no line %s=...",
                      keys->key_id[0] == '\0' ? ID_NAME : SECRET_NAME);
    return true;
}

static bool from_file(struct keys *keys, const struct complaint *complaint) {
    char text[KEYS_FILE_MAX + 1];
    /* what is behind a link is judged, not the link */
    int fd = open(complaint->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return refuse(complaint, "%s", strerror(errno));
    bool fine = is_private(fd, complaint);
    ssize_t length = fine ? read(fd, text, sizeof text - 1) : 0;
    if (fine && length < 0)
        fine = refuse(complaint, "%s", strerror(errno));
    close(fd);
    if (fine) {
        text[length] = '\0';
        fine = read_lines(text, keys, complaint);
    }
    explicit_bzero(text, sizeof text);
    return fine;
}

/* ---- the environment ---- */

static bool from_environment(struct keys *keys, char *why, size_t size) {
    const char *id = getenv(ID_NAME), *secret = getenv(SECRET_NAME);
    if (id == NULL || secret == NULL) {
        snprintf(why, size, "no keys: set %s and %s, or give --key-file FILE", ID_NAME,
                 SECRET_NAME);
        return false;
    }
    snprintf(keys->key_id, sizeof keys->key_id, "%s", id);
    snprintf(keys->secret, sizeof keys->secret, "%s", secret);
    return true;
}

bool keys_find(const char *file, struct keys *keys, char *why, size_t why_size) {
    struct complaint complaint = {.file = file, .why = why, .size = why_size};
    memset(keys, 0, sizeof *keys);
    bool found = file != NULL ? from_file(keys, &complaint) : from_environment(keys, why, why_size);
    if (!found)
        keys_forget(keys);
    return found;
}

void keys_forget(struct keys *keys) {
    explicit_bzero(keys, sizeof *keys);
}
