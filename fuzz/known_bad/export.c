/* The core under the name that a loadable OMS exports; everything else in the object is hidden. */
#include "sim/sut/sut.h"

extern __attribute__((visibility("default"))) const struct sut sut_export;

/* A constant cannot be copied at compile time, so the core's own table takes the exported name. */
#define sut_core sut_export
#include "sim/sut/core.c"
