/* Ways of finding planted bugs: how many each of them finds, and which of them finds alone. */
#ifndef REPORTS_WAYS_H
#define REPORTS_WAYS_H

#include "reports/matrix.h"

/* What the scenario of a bug does to find it. id, name for programs, in words */
#define REPORT_WAYS(X)                                                              \
    X(TOLD, "told", "as it is told, with no crash or fault of the runner's choice") \
    X(TRIED, "tried", "one crash or fault, tried everywhere in it")                 \
    X(TRIED_MORE, "tried-more", "two or more, tried everywhere in it")              \
    X(EXPLORED, "explored", "explored, and one crash or fault is enough")           \
    X(EXPLORED_MORE, "explored-more", "explored: it takes two or more, one on the other")
enum report_way {
#define X(id, name, words) REPORT_WAY_##id,
    REPORT_WAYS(X)
#undef X
        REPORT_WAY_COUNT
};

enum report_way report_way_of(const struct report_planted *bug);

/* Of the bugs that were caught: */
struct report_way_tally {
    size_t bugs, swept; /* found in this way; and by the sweep as well */
};
struct report_way_tally report_way_count(const struct report_matrix *matrix, enum report_way way);

/* As a section of Markdown, and as lines of JSON. */
void report_ways_markdown(FILE *out, const struct report_matrix *matrix);
void report_ways_json(FILE *out, const struct report_matrix *matrix);

#endif
