/* A scenario in words: what will happen, with everything spelled out that it leaves to defaults. */
#ifndef SCENARIOS_LANG_DESCRIBE_H
#define SCENARIOS_LANG_DESCRIBE_H

#include "scenarios/lang/ast.h"

void scenario_describe(const struct scenario *scenario, FILE *out);

#endif
