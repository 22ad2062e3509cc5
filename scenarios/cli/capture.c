/* Keeping what is written to standard output for a while, instead of showing it. */
#include "scenarios/cli/capture.h"

#include "sim/check.h"

#include <unistd.h>

struct capture capture_begin(void) {
    struct capture capture = {.kept = tmpfile(), .shown = -1};
    fflush(stdout);
    if (capture.kept != NULL)
        capture.shown = dup(STDOUT_FILENO);
    if (capture.shown >= 0)
        dup2(fileno(capture.kept), STDOUT_FILENO);
    return capture;
}

char *capture_end(struct capture *capture) {
    char *text = NULL;
    size_t size = 0, used = 0;
    fflush(stdout);
    if (capture->shown >= 0) {
        dup2(capture->shown, STDOUT_FILENO);
        close(capture->shown);
        fseek(capture->kept, 0, SEEK_END);
        size = (size_t)ftell(capture->kept);
        rewind(capture->kept);
    }
    text = check_alloc(size + 1);
    if (size > 0)
        used = fread(text, 1, size, capture->kept);
    text[used] = '\0';
    if (capture->kept != NULL)
        fclose(capture->kept);
    *capture = (struct capture){.shown = -1};
    return text;
}
