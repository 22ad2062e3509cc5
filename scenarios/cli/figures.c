/* Grouping digits, and reading the clock. */
#include "scenarios/cli/figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

const char *figure_grouped(uint64_t number, char out[FIGURE_SIZE]) {
    char digits[FIGURE_SIZE];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, number), at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

double figure_wall_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
