/* Pieces of what the oms program shows, for the files that show it. */
#ifndef CORE_LIVE_CLI_JSON_H
#define CORE_LIVE_CLI_JSON_H

#include "core/live/rfc3339.h"
#include "core/oms.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/* New objects, owned by the caller. */
cJSON *cli_discrepancy_json(const struct oms_discrepancy *found);
cJSON *cli_position_json(const struct oms_position *position);
/* Writes it as one line and deletes it. */
void cli_print_json(cJSON *json, FILE *out);
/* One line for people. */
void cli_print_discrepancy(const struct oms_discrepancy *found, FILE *out);
/* "2026-01-09". Returns out. */
char *cli_format_day(int64_t day, char out[RFC3339_SIZE]);

#endif
