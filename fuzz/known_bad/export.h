/* Read before every source of a planted bug: the core's table takes the name that a loadable OMS
 * exports, and is the only thing that can be seen from outside. */
#ifndef FUZZ_KNOWN_BAD_EXPORT_H
#define FUZZ_KNOWN_BAD_EXPORT_H

#define sut_core sut_export
#include "sim/sut/sut.h"

extern __attribute__((visibility("default"))) const struct sut sut_export;

#endif
