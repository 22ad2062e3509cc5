/* Figures for people, and the real clock that measures how long work took. */
#ifndef SCENARIOS_CLI_FIGURES_H
#define SCENARIOS_CLI_FIGURES_H

#include <stdint.h>

enum { FIGURE_SIZE = 40 };

/* "12,345". Returns out. */
const char *figure_grouped(uint64_t number, char out[FIGURE_SIZE]);

/* Seconds of a clock that never goes back; only differences mean something, and none of them
 * reaches a result. */
double figure_wall_s(void);

#endif
