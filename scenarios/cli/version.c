/* What this program was built from, as the build tells it. */
#include "scenarios/cli/version.h"

#ifndef CRASHGATE_SOURCES
#define CRASHGATE_SOURCES "unknown"
#endif

const char *version_sources(void) {
    return CRASHGATE_SOURCES;
}
