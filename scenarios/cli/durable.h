/* Files that are there whole or not at all. */
#ifndef SCENARIOS_CLI_DURABLE_H
#define SCENARIOS_CLI_DURABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Writes it beside its place, makes it durable, and gives it its name last: whoever opens the name
 * sees the old file or this one. False: errno says what failed, and the old file is as it was. */
bool durable_write(const char *path, const char *text, size_t length);

#endif
