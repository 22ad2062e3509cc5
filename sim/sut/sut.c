/* The OMSs under test: the built-in ones, and loading others. */
#include "sim/sut/sut.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct sut *const built_in[] = {&sut_core, &sut_seed_protocol};
enum { BUILT_IN_COUNT = sizeof built_in / sizeof built_in[0] };

const struct sut *sut_at(size_t index) {
    return index < BUILT_IN_COUNT ? built_in[index] : NULL;
}

const struct sut *sut_find(const char *name) {
    for (size_t i = 0; i < BUILT_IN_COUNT; i++) {
        if (strcmp(built_in[i]->name, name) == 0)
            return built_in[i];
    }
    return NULL;
}

const struct sut *sut_load(const char *file, char why[SUT_WHY_SIZE]) {
    void *object = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    const struct sut *sut = NULL;
    if (object == NULL) {
        snprintf(why, SUT_WHY_SIZE, "cannot load an OMS: %s", dlerror());
        return NULL;
    }
    sut = dlsym(object, "sut_export");
    if (sut == NULL)
        snprintf(why, SUT_WHY_SIZE, "%s exports no 'sut_export'", file);
    else if (sut->abi != SUT_ABI) {
        snprintf(why, SUT_WHY_SIZE, "%s was built for interface version %u, this is %d", file,
                 sut->abi, SUT_ABI);
        sut = NULL;
    }
    return sut;
}

void sut_meaning_free(struct sut_meaning *meaning) {
    free(meaning->moments);
    free(meaning->booked);
    free(meaning->known);
    free(meaning->anchors);
    *meaning = (struct sut_meaning){0};
}
