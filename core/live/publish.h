/* A file that appears under its name whole and durable, or not at all. */
#ifndef CORE_LIVE_PUBLISH_H
#define CORE_LIVE_PUBLISH_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

/* All zero is nothing. Paths are absolute. */
struct publish {
    char folder[PATH_MAX];
    char path[PATH_MAX + 256];      /* where it is to be */
    char temporary[PATH_MAX + 300]; /* where it grows; "": not made, or done with */
    bool replaces;
};

/* Makes an empty file (mode 0600) beside `path`, to be filled under its temporary name. Without
 * `replaces`, nothing may be there; with it, only a regular file may. False: `err` was told. */
bool publish_begin(struct publish *publish, const char *path, bool replaces, FILE *err);
/* Syncs the file, gives it its name, syncs the folder. False: `err` was told, and the temporary
 * file is gone. */
bool publish_finish(struct publish *publish, FILE *err);
/* The same file with `suffix` behind both its names, beside it. False: too long; `err` was told. */
bool publish_beside(const struct publish *publish, const char *suffix, struct publish *beside,
                    FILE *err);
/* Takes the temporary file away, if there is one. */
void publish_drop(struct publish *publish);

#endif
