/* Which oracle sees which planted bug. */
#include "reports/matrix.h"

#include <inttypes.h>
#include <string.h>

static bool is_first(const struct report_planted *bug, unsigned oracle) {
    char name[16];
    snprintf(name, sizeof name, "I%u", oracle);
    return strcmp(bug->first, name) == 0;
}

static bool sees(const struct report_planted *bug, unsigned oracle) {
    return (bug->broken >> oracle & 1u) != 0;
}

/* How many oracles see it, a line of its scenario counted as one. */
static unsigned seen_by(const struct report_planted *bug, unsigned oracles) {
    unsigned count = bug->check[0] != '\0';
    for (unsigned i = 1; i <= oracles; i++)
        count += sees(bug, i);
    return count;
}

struct tally {
    unsigned sees, first, alone;
};

static struct tally tally(const struct report_planted *bugs, size_t count, unsigned oracle,
                          unsigned oracles) {
    struct tally sum = {0};
    for (size_t i = 0; i < count; i++) {
        if (!sees(&bugs[i], oracle))
            continue;
        sum.sees++;
        sum.first += is_first(&bugs[i], oracle);
        sum.alone += seen_by(&bugs[i], oracles) == 1;
    }
    return sum;
}

/* ---- Markdown ---- */

/* A cell of a table: no bar and no line end gets into it. */
static void put_cell(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputs("\\|", out);
        else
            fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
    }
}

static void put_marks(FILE *out, const struct report_planted *bug, unsigned oracles) {
    for (unsigned i = 1; i <= oracles; i++) {
        const char *mark = is_first(bug, i)               ? "**1**"
                           : sees(bug, i)                 ? "x"
                           : (bug->judged >> i & 1u) == 0 ? "-"
                                                          : "";
        fprintf(out, " %s |", mark);
    }
}

static void put_tallies(FILE *out, const struct report_planted *bugs, size_t count,
                        unsigned oracles) {
    static const char *const rows[] = {"sees", "first", "alone"};
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        fprintf(out, "| *%s* |", rows[row]);
        for (unsigned i = 1; i <= oracles; i++) {
            struct tally sum = tally(bugs, count, i, oracles);
            fprintf(out, " %u |", row == 0 ? sum.sees : row == 1 ? sum.first : sum.alone);
        }
        fputs(" |\n", out);
    }
}

static void put_matrix(FILE *out, const struct report_planted *bugs, size_t count,
                       unsigned oracles) {
    fputs("| planted bug |", out);
    for (unsigned i = 1; i <= oracles; i++)
        fprintf(out, " I%u |", i);
    fputs(" lines |\n|---|", out);
    for (unsigned i = 0; i <= oracles; i++)
        fputs("---|", out);
    fputc('\n', out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "| %s |", bugs[i].name);
        put_marks(out, &bugs[i], oracles);
        fprintf(out, " %s |\n", bugs[i].check);
    }
    put_tallies(out, bugs, count, oracles);
}

static void put_found(FILE *out, const struct report_planted *bug) {
    fprintf(out, "| %s | ", bug->name);
    put_cell(out, bug->fault);
    fprintf(out, " | %s | %s %" PRIu64, bug->caught ? bug->first : "MISSED",
            bug->explored ? "life" : "run", bug->needed);
    if (!bug->explored) /* an exploration ends with it */
        fprintf(out, " of %" PRIu64, bug->of);
    fputs(" | ", out);
    put_cell(out, bug->caught ? bug->plan : bug->why);
    fprintf(out, " | %s:%d | %s |\n", bug->file, bug->line, bug->profile);
}

bool report_matrix_markdown(FILE *out, const struct report_planted *bugs, size_t count,
                            unsigned oracles) {
    size_t caught = 0;
    for (size_t i = 0; i < count; i++)
        caught += bugs[i].caught;
    fprintf(
        out,
        "# Which oracle sees which planted bug\n\n"
        "%zu of %zu planted bugs caught, each in the scenario that it names. **1**: the "
        "invariant that breaks first; x: one that breaks\nas well, when those that broke "
        "before it are not judged; -: not judged. *lines*: what a line of the scenario\n"
        "says besides. *alone*: bugs that no other oracle sees there. Where a bug is explored, the "
        "others are asked in its\nfirst few hundred lives.\n\n",
        caught, count);
    put_matrix(out, bugs, count, oracles);
    fputs("\n## What it took\n\nRuns of the scenario (lives, where it is explored) until the bug "
          "was found, of so many made, and the smallest plan.\n\n"
          "| planted bug | the fault | breaks | found in | smallest plan | scenario | profile "
          "|\n|---|---|---|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < count; i++)
        put_found(out, &bugs[i]);
    return fflush(out) == 0 && ferror(out) == 0;
}

/* ---- JSON ---- */

static void put_string(FILE *out, const char *name, const char *text) {
    fprintf(out, ",\"%s\":\"", name);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < ' ')
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void put_numbers(FILE *out, const char *name, unsigned bits, unsigned oracles) {
    const char *comma = "";
    fprintf(out, ",\"%s\":[", name);
    for (unsigned i = 1; i <= oracles; i++) {
        if ((bits >> i & 1u) == 0)
            continue;
        fprintf(out, "%s\"I%u\"", comma, i);
        comma = ",";
    }
    fputc(']', out);
}

static void put_bug(FILE *out, const struct report_planted *bug, unsigned oracles) {
    fputs("{\"type\":\"planted\"", out);
    put_string(out, "name", bug->name);
    put_string(out, "fault", bug->fault);
    put_string(out, "file", bug->file);
    fprintf(out, ",\"line\":%d", bug->line);
    put_string(out, "profile", bug->profile);
    put_string(out, "crash", bug->crash);
    put_string(out, "door", bug->door);
    fprintf(out, ",\"caught\":%s", bug->caught ? "true" : "false");
    put_string(out, "why", bug->why);
    put_string(out, "first", bug->first);
    put_string(out, "unit", bug->explored ? "lives" : "runs");
    fprintf(out, ",\"needed\":%" PRIu64 ",\"of\":%" PRIu64, bug->needed, bug->of);
    put_string(out, "plan", bug->plan);
    put_string(out, "replay", bug->replay);
    put_numbers(out, "judged", bug->judged, oracles);
    put_numbers(out, "broken", bug->broken, oracles);
    put_string(out, "check", bug->check);
    fputs("}\n", out);
}

bool report_matrix_json(FILE *out, const struct report_planted *bugs, size_t count,
                        unsigned oracles) {
    for (size_t i = 0; i < count; i++)
        put_bug(out, &bugs[i], oracles);
    for (unsigned i = 1; i <= oracles; i++) {
        struct tally sum = tally(bugs, count, i, oracles);
        fprintf(out,
                "{\"type\":\"oracle\",\"name\":\"I%u\",\"sees\":%u,\"first\":%u,\"alone\":%u}\n", i,
                sum.sees, sum.first, sum.alone);
    }
    return fflush(out) == 0 && ferror(out) == 0;
}
