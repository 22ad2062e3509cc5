/* What a store of the core means to its next start (see struct sut_meaning). */
#ifndef SIM_SUT_CORE_MEANING_H
#define SIM_SUT_CORE_MEANING_H

#include "sim/sut/sut.h"

bool core_meaning(const char *vfs, const char *path, const struct sut_config *config,
                  struct sut_meaning *meaning);

#endif
