/* What this program calls itself, and what it was built from. */
#ifndef SCENARIOS_CLI_VERSION_H
#define SCENARIOS_CLI_VERSION_H

#define CRASHGATE_VERSION "0.1.0"

/* A digest of the sources, in hexadecimal: builds by different compilers share it, and give the
 * same results. "unknown" where the build did not tell. */
const char *version_sources(void);

#endif
