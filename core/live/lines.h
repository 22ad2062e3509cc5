/* Lines over a descriptor that never blocks: what came so far, and what is still to be written. */
#ifndef CORE_LIVE_LINES_H
#define CORE_LIVE_LINES_H

#include <stdbool.h>
#include <stddef.h>

enum {
    LINES_LENGTH_MAX = 65536,        /* a longer line is told as such, and skipped to its end */
    LINES_PENDING_MAX = 16 * 1048576 /* more unread answers end the connection */
};

/* All zero is empty. */
struct lines {
    char *in, *out;
    size_t in_length, in_room;   /* came, not taken yet */
    size_t out_length, out_room; /* to be written */
    unsigned long count;         /* lines taken so far */
    bool skipping;               /* inside a line that is too long */
    bool ended;                  /* nothing more comes: end of file, or an error */
    bool broken;                 /* nothing more can be written */
};

/* Makes a descriptor non-blocking. False: errno says why. */
bool lines_prepare(int fd);

/* Reads what is there, until LINES_LENGTH_MAX is waiting to be taken. */
void lines_read(struct lines *lines, int fd);

/* The next whole line without its newline, valid until the next lines_read; a last one without a
 * newline counts once all has come. NULL: none yet. *too_long: it was, and "" is given for it. */
const char *lines_take(struct lines *lines, bool *too_long);

/* Adds a line (a newline is put behind it) and writes what can be written. */
void lines_put(struct lines *lines, int fd, const char *text);
/* Writes what is left, as far as it goes now. */
void lines_flush(struct lines *lines, int fd);

void lines_free(struct lines *lines);

#endif
