/* Text that others wrote, made fit for forms that allow UTF-8 only. */
#include "reports/text.h"

#include <stdlib.h>
#include <string.h>

static int is_tail(unsigned char c) {
    return (c & 0xc0) == 0x80;
}

size_t report_utf8_length(const char *text) {
    const unsigned char *c = (const unsigned char *)text;
    if (c[0] < 0x80)
        return 1;
    if (c[0] >= 0xc2 && c[0] < 0xe0)
        return is_tail(c[1]) ? 2 : 0;
    if (c[0] >= 0xe0 && c[0] < 0xf0) {
        int narrow = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] >= 0xa0);
        return !narrow && is_tail(c[1]) && is_tail(c[2]) ? 3 : 0;
    }
    if (c[0] >= 0xf0 && c[0] < 0xf5) {
        int narrow = (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] >= 0x90);
        return !narrow && is_tail(c[1]) && is_tail(c[2]) && is_tail(c[3]) ? 4 : 0;
    }
    return 0;
}

char *report_valid_utf8(const char *text) {
    static const char replacement[] = "\xef\xbf\xbd";
    char *out = malloc(strlen(text) * 3 + 1);
    size_t used = 0;
    if (out == NULL)
        return NULL;
    while (*text != '\0') {
        size_t length = report_utf8_length(text);
        memcpy(out + used, length == 0 ? replacement : text, length == 0 ? 3 : length);
        used += length == 0 ? 3 : length;
        text += length == 0 ? 1 : length;
    }
    out[used] = '\0';
    return out;
}
