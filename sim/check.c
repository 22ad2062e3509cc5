/* How our own mistakes end: with a place, and exit code 70. */
#include "sim/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_INTERNAL = 70 };

_Noreturn void check_failed(const char *file, int line, const char *condition) {
    fprintf(stderr, "%s:%d: internal error: '%s' does not hold\n", file, line, condition);
    exit(EXIT_INTERNAL);
}

void *check_alloc(size_t size) {
    void *memory = malloc(size);
    CHECK(memory != NULL || size == 0);
    return memory;
}

void *check_zalloc(size_t count, size_t size) {
    void *memory = calloc(count, size);
    CHECK(memory != NULL || count == 0 || size == 0);
    return memory;
}

void *check_realloc(void *old, size_t size) {
    void *memory = realloc(old, size);
    CHECK(memory != NULL);
    return memory;
}

void *check_copy(const void *from, size_t count, size_t size) {
    void *to = NULL;
    if (count == 0)
        return NULL;
    to = check_alloc(count * size);
    memcpy(to, from, count * size);
    return to;
}
