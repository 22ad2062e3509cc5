/* Ways of finding planted bugs, counted. */
#include "reports/ways.h"

#include <inttypes.h>

static const struct {
    const char *name, *words;
} ways[] = {
#define X(id, name, words) {name, words},
    REPORT_WAYS(X)
#undef X
};

enum report_way report_way_of(const struct report_planted *bug) {
    if (bug->explored)
        return bug->strikes > 1 ? REPORT_WAY_EXPLORED_MORE : REPORT_WAY_EXPLORED;
    if (bug->strikes == 0)
        return REPORT_WAY_TOLD;
    return bug->strikes > 1 ? REPORT_WAY_TRIED_MORE : REPORT_WAY_TRIED;
}

static bool is_swept(const struct report_planted *bug) {
    return bug->swept[0] != '\0';
}

struct report_way_tally report_way_count(const struct report_matrix *matrix, enum report_way way) {
    struct report_way_tally tally = {0};
    for (size_t i = 0; i < matrix->count; i++) {
        const struct report_planted *bug = &matrix->bugs[i];
        if (!bug->caught || report_way_of(bug) != way)
            continue;
        tally.bugs++;
        tally.swept += is_swept(bug);
    }
    return tally;
}

static struct report_way_tally count_all(const struct report_matrix *matrix) {
    struct report_way_tally all = {0};
    for (int way = 0; way < REPORT_WAY_COUNT; way++) {
        struct report_way_tally tally = report_way_count(matrix, (enum report_way)way);
        all.bugs += tally.bugs;
        all.swept += tally.swept;
    }
    return all;
}

/* ---- Markdown ---- */

static void put_row(FILE *out, const struct report_matrix *matrix, const char *words,
                    struct report_way_tally tally) {
    fprintf(out, "| %s | %zu |", words, tally.bugs);
    if (matrix->has_sweep)
        fprintf(out, " %zu | %zu |", tally.swept, tally.bugs - tally.swept);
    fputc('\n', out);
}

/* Bugs that the core had before anybody planted them. */
static void put_met(FILE *out, const struct report_matrix *matrix) {
    const char *before = "\nPlanted again, after the core really had them and no scenario of that "
                         "day told of them: ";
    for (size_t i = 0; i < matrix->count; i++) {
        const struct report_planted *bug = &matrix->bugs[i];
        if (bug->met[0] == '\0')
            continue;
        fprintf(out, "%s%s (%s)", before, bug->name, bug->met);
        before = ", ";
    }
    if (before[0] == ',')
        fputs(".\n", out);
}

void report_ways_markdown(FILE *out, const struct report_matrix *matrix) {
    struct report_way_tally all = count_all(matrix);
    fputs("\n## Which way finds them\n\n", out);
    if (matrix->has_sweep)
        fprintf(
            out,
            "The sweep plays random timelines, here seeds %" PRIu64 " to %" PRIu64
            " until one breaks something, through the direct door and\nwith nothing said of any "
            "bug: it finds %zu of %zu. The core passes all of these seeds.\n\n",
            matrix->first_seed, matrix->last_seed, all.swept, all.bugs);
    fputs(matrix->has_sweep ? "| its scenario finds it | bugs | the sweep as well | the scenario "
                              "only |\n|---|---|---|---|\n"
                            : "| its scenario finds it | bugs |\n|---|---|\n",
          out);
    for (int way = 0; way < REPORT_WAY_COUNT; way++)
        put_row(out, matrix, ways[way].words, report_way_count(matrix, (enum report_way)way));
    put_row(out, matrix, "*in all*", all);
    put_met(out, matrix);
}

/* ---- JSON ---- */

void report_ways_json(FILE *out, const struct report_matrix *matrix) {
    for (int way = 0; way < REPORT_WAY_COUNT; way++) {
        struct report_way_tally tally = report_way_count(matrix, (enum report_way)way);
        fprintf(out, "{\"type\":\"way\",\"name\":\"%s\",\"bugs\":%zu", ways[way].name, tally.bugs);
        if (matrix->has_sweep)
            fprintf(out, ",\"swept\":%zu", tally.swept);
        fputs("}\n", out);
    }
    if (matrix->has_sweep)
        fprintf(out,
                "{\"type\":\"sweep\",\"first\":%" PRIu64 ",\"last\":%" PRIu64 ",\"sees\":%zu}\n",
                matrix->first_seed, matrix->last_seed, count_all(matrix).swept);
}
