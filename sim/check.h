/* CHECK: what must hold in our own code, on in every build. The world's errors are codes, not this.
 */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

/* Prints file, line and condition on standard error and exits with 70 (internal error). */
_Noreturn void check_failed(const char *file, int line, const char *condition);

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

/* malloc, calloc and realloc that end the program with 70 when there is no memory. */
#include <stddef.h>
void *check_alloc(size_t size);
void *check_zalloc(size_t count, size_t size);
void *check_realloc(void *old, size_t size);
/* A copy of an array; NULL when it has no elements. */
void *check_copy(const void *from, size_t count, size_t size);
/* Makes room for one more element in a growing array; `ceiling` is checked. */
#define CHECK_ROOM(array, count, cap, ceiling)                         \
    do {                                                               \
        if ((count) == (cap)) {                                        \
            CHECK((count) < (size_t)(ceiling));                        \
            (cap) = (cap) == 0 ? 8 : (cap)*2;                          \
            (array) = check_realloc((array), (cap) * sizeof *(array)); \
        }                                                              \
    } while (0)

#endif
