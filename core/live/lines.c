/* Lines in and out of a descriptor that never blocks. */
#include "core/live/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool lines_prepare(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool make_room(char **bytes, size_t *room, size_t wanted) {
    size_t more = *room == 0 ? 4096 : *room;
    char *grown = NULL;
    while (more < wanted)
        more *= 2;
    if (more == *room)
        return true;
    grown = realloc(*bytes, more);
    if (grown == NULL)
        return false;
    *bytes = grown;
    *room = more;
    return true;
}

/* The rest of a line that is too long is dropped as it comes. */
static void skip(struct lines *lines) {
    char *end = memchr(lines->in, '\n', lines->in_length);
    size_t dropped = end == NULL ? lines->in_length : (size_t)(end - lines->in) + 1;
    lines->skipping = end == NULL;
    lines->in_length -= dropped;
    memmove(lines->in, lines->in + dropped, lines->in_length);
}

void lines_read(struct lines *lines, int fd) {
    while (!lines->ended && lines->in_length <= LINES_LENGTH_MAX) {
        ssize_t got = 0;
        if (!make_room(&lines->in, &lines->in_room, 2 * LINES_LENGTH_MAX)) {
            lines->ended = true;
            return;
        }
        got = read(fd, lines->in + lines->in_length, lines->in_room - lines->in_length - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        lines->ended = got <= 0;
        lines->in_length += got > 0 ? (size_t)got : 0;
        if (lines->skipping)
            skip(lines);
    }
}

/* Takes `length` bytes and what ends them off the front: the line is moved behind the rest. */
static const char *take(struct lines *lines, size_t length, size_t with_end) {
    static char line[LINES_LENGTH_MAX + 1];
    memcpy(line, lines->in, length);
    line[length] = '\0';
    lines->in_length -= with_end;
    memmove(lines->in, lines->in + with_end, lines->in_length);
    lines->count++;
    return line;
}

const char *lines_take(struct lines *lines, bool *too_long) {
    char *end = lines->in_length > 0 ? memchr(lines->in, '\n', lines->in_length) : NULL;
    size_t length = end == NULL ? lines->in_length : (size_t)(end - lines->in);
    *too_long = length > LINES_LENGTH_MAX;
    if (*too_long) {
        lines->skipping = true;
        skip(lines);
        lines->count++;
        return "";
    }
    if (end == NULL && (!lines->ended || length == 0))
        return NULL;
    return take(lines, length, length + (end != NULL));
}

void lines_put(struct lines *lines, int fd, const char *text) {
    size_t length = strlen(text);
    if (lines->broken)
        return;
    if (lines->out_length + length + 1 > LINES_PENDING_MAX ||
        !make_room(&lines->out, &lines->out_room, lines->out_length + length + 1)) {
        lines->broken = true;
        return;
    }
    memcpy(lines->out + lines->out_length, text, length);
    lines->out[lines->out_length + length] = '\n';
    lines->out_length += length + 1;
    lines_flush(lines, fd);
}

void lines_flush(struct lines *lines, int fd) {
    while (!lines->broken && lines->out_length > 0) {
        ssize_t put = write(fd, lines->out, lines->out_length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (put < 0) {
            lines->broken = true;
            return;
        }
        lines->out_length -= (size_t)put;
        memmove(lines->out, lines->out + put, lines->out_length);
    }
}

void lines_free(struct lines *lines) {
    free(lines->in);
    free(lines->out);
    *lines = (struct lines){0};
}
