/* The gate's manifest: how much a gate run must have tried, so that it cannot shrink unseen. */
#include "scenarios/cli/manifest.h"

#include "scenarios/cli/numbers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

enum { FILE_MAX = 16384, LINE_SIZE = 200, SEEDS_MAX = 1000000 };

static const struct {
    const char *name, *meaning;
    size_t offset;
    unsigned least;
} counts[] = {
#define X(name, least, meaning) {#name, meaning, offsetof(struct manifest, name), least},
    MANIFEST_COUNTS(X)
#undef X
};
enum { COUNTS = sizeof counts / sizeof counts[0] };

static uint64_t *count_at(struct manifest *manifest, size_t i) {
    return (uint64_t *)(void *)((char *)manifest + counts[i].offset);
}

static uint64_t value_at(const struct manifest *manifest, size_t i) {
    struct manifest copy = *manifest;
    return *count_at(&copy, i);
}

__attribute__((format(printf, 2, 3))) static bool because(char why[MANIFEST_WHY_SIZE],
                                                          const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(why, MANIFEST_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static size_t find_count(const char *name) {
    size_t i = 0;
    while (i < COUNTS && strcmp(counts[i].name, name) != 0)
        i++;
    return i;
}

/* How many are promised is told by which they are. */
static bool read_seeds(const char *value, int line, struct manifest *manifest) {
    if (value == NULL || !number_read_range(value, &manifest->first_seed, &manifest->last_seed))
        return false;
    manifest->seeds = manifest->last_seed - manifest->first_seed + 1;
    manifest->seeds_line = line;
    return manifest->seeds <= SEEDS_MAX;
}

static bool read_count(const char *value, size_t which, struct manifest *manifest) {
    return value != NULL && number_read(value, count_at(manifest, which)) &&
           *count_at(manifest, which) >= counts[which].least;
}

/* One line, without its end and its comment. */
static bool read_line(char *line, int number, struct manifest *manifest, unsigned *seen,
                      char *why) {
    static const char blank[] = " \t\r";
    char *rest = NULL;
    const char *name = strtok_r(line, blank, &rest);
    const char *value = strtok_r(NULL, blank, &rest);
    bool last = strtok_r(NULL, blank, &rest) == NULL;
    size_t which = COUNTS;
    if (name == NULL)
        return true;
    which = find_count(name);
    if (which == COUNTS)
        return because(why, "line %d: '%s' is no count the gate keeps", number, name);
    if ((*seen & 1u << which) != 0)
        return because(why, "line %d: '%s' is there twice", number, name);
    *seen |= 1u << which;
    if (strcmp(name, "seeds") == 0) {
        return (last && read_seeds(value, number, manifest)) ||
               because(why,
                       "line %d: 'seeds' must be followed by A..B, whole numbers with A <= B, "
                       "at most %d of them",
                       number, SEEDS_MAX);
    }
    return (last && read_count(value, which, manifest)) ||
           because(why, "line %d: '%s' must be followed by one whole number%s", number, name,
                   counts[which].least > 0 ? " above 0" : "");
}

bool manifest_parse(const char *text, struct manifest *manifest, char why[MANIFEST_WHY_SIZE]) {
    unsigned seen = 0;
    *manifest = (struct manifest){0};
    for (int number = 1; *text != '\0'; number++) {
        size_t length = strcspn(text, "\n");
        size_t used = strcspn(text, "#\n");
        char line[LINE_SIZE];
        if (used >= sizeof line)
            return because(why, "line %d: longer than %d characters", number, LINE_SIZE - 1);
        snprintf(line, sizeof line, "%.*s", (int)used, text);
        if (!read_line(line, number, manifest, &seen, why))
            return false;
        text += length + (text[length] == '\n');
    }
    for (size_t i = 0; i < COUNTS; i++) {
        if ((seen & 1u << i) == 0)
            return because(why, "it does not promise '%s' (%s)", counts[i].name, counts[i].meaning);
    }
    return true;
}

bool manifest_read(const char *path, struct manifest *manifest, char why[MANIFEST_WHY_SIZE]) {
    char text[FILE_MAX];
    size_t length = 0;
    bool whole = false;
    FILE *in = fopen(path, "r");
    if (in == NULL)
        return because(why, "%s", strerror(errno));
    length = fread(text, 1, sizeof text - 1, in);
    text[length] = '\0';
    whole = ferror(in) == 0 && feof(in) != 0;
    fclose(in);
    if (!whole)
        return because(why, "it cannot be read, or is longer than %d bytes", FILE_MAX - 1);
    if (strlen(text) != length)
        return because(why, "it is no text");
    return manifest_parse(text, manifest, why);
}

bool manifest_kept(const struct manifest *promised, const struct manifest *counted,
                   const char *path, FILE *out) {
    bool kept = true;
    for (size_t i = 0; i < COUNTS; i++) {
        uint64_t want = value_at(promised, i), have = value_at(counted, i);
        if (have >= want)
            continue;
        kept = false;
        fprintf(out,
                "FAIL  %s: %" PRIu64 " is less than the %" PRIu64 " that %s promises (%s): find "
                "out what is no longer tried; lower the promise only when that is meant\n",
                counts[i].name, have, want, path, counts[i].meaning);
    }
    return kept;
}
