/* What the oms program shows of the store, as JSON and as text, shared by its commands. */
#ifndef CORE_LIVE_CLI_JSON_H
#define CORE_LIVE_CLI_JSON_H

#include "core/live/cli.h"
#include "core/live/rfc3339.h"

#include <cjson/cJSON.h>

/* Owned by the caller. */
cJSON *cli_order_json(const struct oms_order *order);
cJSON *cli_position_json(const struct oms_position *position);
cJSON *cli_discrepancy_json(const struct oms_discrepancy *found);
/* One line for people. */
void cli_print_discrepancy(const struct oms_discrepancy *found, FILE *out);

/* Writes it in one line, and frees it. */
void cli_put_json(cJSON *json, FILE *out);

/* A day since 1970 as in 2026-01-09. Returns out. */
char *cli_day(int64_t day, char out[RFC3339_SIZE]);

#endif
