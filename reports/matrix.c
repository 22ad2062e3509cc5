/* Which oracle sees which planted bug. */
#include "reports/matrix.h"

#include "reports/ways.h"

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

static struct tally tally(const struct report_matrix *matrix, unsigned oracle) {
    struct tally sum = {0};
    for (size_t i = 0; i < matrix->count; i++) {
        const struct report_planted *bug = &matrix->bugs[i];
        if (!sees(bug, oracle))
            continue;
        sum.sees++;
        sum.first += is_first(bug, oracle);
        sum.alone += seen_by(bug, matrix->oracles) == 1;
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

static void put_tallies(FILE *out, const struct report_matrix *matrix) {
    static const char *const rows[] = {"sees", "first", "alone"};
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        fprintf(out, "| *%s* |", rows[row]);
        for (unsigned i = 1; i <= matrix->oracles; i++) {
            struct tally sum = tally(matrix, i);
            fprintf(out, " %u |", row == 0 ? sum.sees : row == 1 ? sum.first : sum.alone);
        }
        fputs(matrix->has_sweep ? " | |\n" : " |\n", out);
    }
}

static void put_sweep(FILE *out, const struct report_planted *bug) {
    if (bug->swept[0] != '\0')
        fprintf(out, " %s by %" PRIu64, bug->swept, bug->seed);
    fputs(" |", out);
}

static void put_matrix(FILE *out, const struct report_matrix *matrix) {
    fputs("| planted bug |", out);
    for (unsigned i = 1; i <= matrix->oracles; i++)
        fprintf(out, " I%u |", i);
    fprintf(out, " lines |%s\n|---|", matrix->has_sweep ? " sweep |" : "");
    for (unsigned i = 0; i < matrix->oracles + 1 + matrix->has_sweep; i++)
        fputs("---|", out);
    fputc('\n', out);
    for (size_t i = 0; i < matrix->count; i++) {
        fprintf(out, "| %s |", matrix->bugs[i].name);
        put_marks(out, &matrix->bugs[i], matrix->oracles);
        fprintf(out, " %s |", matrix->bugs[i].check);
        if (matrix->has_sweep)
            put_sweep(out, &matrix->bugs[i]);
        fputc('\n', out);
    }
    put_tallies(out, matrix);
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
    fprintf(out, " | %s:%d | %s | %s |\n", bug->file, bug->line, bug->profile, bug->met);
}

static size_t count_caught(const struct report_matrix *matrix) {
    size_t caught = 0;
    for (size_t i = 0; i < matrix->count; i++)
        caught += matrix->bugs[i].caught;
    return caught;
}

bool report_matrix_markdown(FILE *out, const struct report_matrix *matrix) {
    fprintf(
        out,
        "# Which oracle sees which planted bug\n\n"
        "%zu of %zu planted bugs caught, each in the scenario that it names. **1**: the "
        "invariant that breaks first; x: one that breaks\nas well, when those that broke "
        "before it are not judged; -: not judged. *lines*: what a line of the scenario\n"
        "says besides. *alone*: bugs that no other oracle sees there. Where a bug is explored, the "
        "others are asked in its\nfirst few hundred lives.%s\n\n",
        count_caught(matrix), matrix->count,
        matrix->has_sweep ? " *sweep*: what breaks in random timelines, without any scenario, and "
                            "by which seed first."
                          : "");
    put_matrix(out, matrix);
    report_ways_markdown(out, matrix);
    fputs(
        "\n## What it took\n\nRuns of the scenario (lives, where it is explored) until the bug "
        "was found, of so many made, and the smallest plan.\n*met by*: what found it in the core, "
        "before it was planted.\n\n"
        "| planted bug | the fault | breaks | found in | smallest plan | scenario | profile | met "
        "by |\n|---|---|---|---|---|---|---|---|\n",
        out);
    for (size_t i = 0; i < matrix->count; i++)
        put_found(out, &matrix->bugs[i]);
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

static void put_seed(FILE *out, const struct report_planted *bug) {
    put_string(out, "swept", bug->swept);
    if (bug->swept[0] != '\0')
        fprintf(out, ",\"seed\":%" PRIu64, bug->seed);
}

static void put_bug(FILE *out, const struct report_planted *bug,
                    const struct report_matrix *matrix) {
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
    fprintf(out, ",\"strikes\":%u", bug->strikes);
    put_string(out, "replay", bug->replay);
    put_numbers(out, "judged", bug->judged, matrix->oracles);
    put_numbers(out, "broken", bug->broken, matrix->oracles);
    put_string(out, "check", bug->check);
    put_string(out, "met", bug->met);
    if (matrix->has_sweep)
        put_seed(out, bug);
    fputs("}\n", out);
}

bool report_matrix_json(FILE *out, const struct report_matrix *matrix) {
    for (size_t i = 0; i < matrix->count; i++)
        put_bug(out, &matrix->bugs[i], matrix);
    for (unsigned i = 1; i <= matrix->oracles; i++) {
        struct tally sum = tally(matrix, i);
        fprintf(out,
                "{\"type\":\"oracle\",\"name\":\"I%u\",\"sees\":%u,\"first\":%u,\"alone\":%u}\n", i,
                sum.sees, sum.first, sum.alone);
    }
    report_ways_json(out, matrix);
    return fflush(out) == 0 && ferror(out) == 0;
}
