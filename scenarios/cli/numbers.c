/* Reading whole numbers: no sign, no blank, no unit. */
#include "scenarios/cli/numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool number_take(const char **text, uint64_t *value) {
    char *end = NULL;
    if (**text < '0' || **text > '9')
        return false;
    errno = 0;
    *value = strtoull(*text, &end, 10);
    *text = end;
    return errno == 0;
}

bool number_read(const char *text, uint64_t *value) {
    return number_take(&text, value) && *text == '\0';
}

bool number_read_range(const char *text, uint64_t *first, uint64_t *last) {
    if (!number_take(&text, first))
        return false;
    *last = *first;
    if (strncmp(text, "..", 2) == 0) {
        text += 2;
        if (!number_take(&text, last))
            return false;
    }
    return *text == '\0' && *first <= *last && *last <= UINT64_MAX / 2;
}
