/* How a parity comparison is shown. */
#ifndef CORE_LIVE_PARITY_PRINT_H
#define CORE_LIVE_PARITY_PRINT_H

#include "core/parity.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/* Text for people; `parity` is a struct parity. */
void parity_print(const void *parity, FILE *out);
/* The same as one object, owned by the caller. */
cJSON *parity_json(const struct parity *parity);

#endif
