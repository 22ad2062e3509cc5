/* The daily jobs of the oms program: the whole day against the broker, and parity. */
#ifndef CORE_LIVE_REPORTS_H
#define CORE_LIVE_REPORTS_H

#include "core/live/session.h"

#include <cjson/cJSON.h>

/* A path of a call, seen from where it was asked for. False: it is too long, which is said. */
bool report_path(const struct call *call, const char *path, char out[CLI_PATH_SIZE]);
/* Shows a report where the call wants it: JSON on its output, or text (`text` writes it, from `ctx`),
 * and JSON into its file besides, which is there whole or not at all. Deletes json. Returns CLI_OK, or
 * CLI_ENVIRONMENT after saying why. */
int report_show(const struct call *call, cJSON *json, void (*text)(const void *ctx, FILE *out),
                const void *ctx);

/* Shows the comparison of a day that the call asked for; `exit` is CLI_OK when it is seen through.
 * Returns the exit code: CLI_OK, CLI_WARNED or CLI_ENDED by severity. */
int daily_report(struct session *s, struct call *call, const struct oms_view *view, int exit);

/* Does all of `oms parity`. Returns the exit code. */
int parity_begin(struct session *s, struct call *call);

#endif
