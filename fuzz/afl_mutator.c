/* AFL++'s doors to the mutator of timelines: a shared object for AFL_CUSTOM_MUTATOR_LIBRARY.
 *
 * AFL++ has no header for them; these are the calls that its manual lists (4.04c). Its own edits would
 * tear records apart, so it is to be used with AFL_CUSTOM_MUTATOR_ONLY. */
#include "fuzz/afl_mutator.h"

#include "fuzz/mutator.h"

#include <stdio.h>
#include <stdlib.h>

enum { DESCRIPTION_SIZE = 64 };

struct afl_mutator {
    struct mutator mutator;
    struct trimmer trimmer;
    uint8_t out[TIMELINE_BYTES_MAX];
    char description[DESCRIPTION_SIZE];
};

void *afl_custom_init(void *afl, unsigned seed) {
    struct afl_mutator *m = calloc(1, sizeof *m);
    (void)afl;
    if (m == NULL) {
        fputs("afl_mutator: no memory\n", stderr);
        exit(1);
    }
    m->mutator = mutator_seeded(seed);
    return m;
}

void afl_custom_deinit(void *data) {
    free(data);
}

size_t afl_custom_fuzz(void *data, uint8_t *bytes, size_t size, uint8_t **out, uint8_t *other_bytes,
                       size_t other_size, size_t max_size) {
    struct afl_mutator *m = data;
    struct timeline timeline, other;
    size_t records = max_size < 2 * TIMELINE_UNIT ? 0 : max_size / TIMELINE_UNIT - 1;
    timeline_read(&timeline, bytes, size);
    if (other_bytes != NULL)
        timeline_read(&other, other_bytes, other_size);
    mutator_edit(&m->mutator, &timeline, other_bytes != NULL ? &other : NULL, records);
    *out = m->out;
    return timeline_write(&timeline, m->out);
}

const char *afl_custom_describe(void *data, size_t max_length) {
    struct afl_mutator *m = data;
    size_t size = max_length + 1 < sizeof m->description ? max_length + 1 : sizeof m->description;
    return mutator_describe(&m->mutator, m->description, size);
}

int32_t afl_custom_init_trim(void *data, uint8_t *bytes, size_t size) {
    struct afl_mutator *m = data;
    struct timeline timeline;
    timeline_read(&timeline, bytes, size);
    return (int32_t)trimmer_begin(&m->trimmer, &timeline);
}

size_t afl_custom_trim(void *data, uint8_t **out) {
    struct afl_mutator *m = data;
    struct timeline trial;
    trimmer_trial(&m->trimmer, &trial);
    *out = m->out;
    return timeline_write(&trial, m->out);
}

int32_t afl_custom_post_trim(void *data, unsigned char success) {
    struct afl_mutator *m = data;
    return (int32_t)trimmer_tell(&m->trimmer, success != 0);
}
