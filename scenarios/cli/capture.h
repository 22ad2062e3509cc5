/* Keeping what is written to standard output for a while, instead of showing it. */
#ifndef SCENARIOS_CLI_CAPTURE_H
#define SCENARIOS_CLI_CAPTURE_H

#include <stdbool.h>
#include <stdio.h>

struct capture {
    FILE *kept; /* NULL: there could be none, and nothing is held back */
    int shown;  /* where standard output went before */
};

/* From here on standard output is kept, up to capture_end. They nest. */
struct capture capture_begin(void);
/* What was written meanwhile; the caller frees it. Ends the program with 70 without memory. */
char *capture_end(struct capture *capture);

#endif
