/* Sums of results, and their words. */
#include "reports/result.h"

#include <stdlib.h>

static const char *const words[] = {
#define X(id, word, key, meaning) word,
    REPORT_VERDICTS(X)
#undef X
};
static const char *const keys[] = {
#define X(id, word, key, meaning) key,
    REPORT_VERDICTS(X)
#undef X
};

const char *report_verdict_word(enum report_verdict verdict) {
    return words[verdict];
}

const char *report_verdict_key(enum report_verdict verdict) {
    return keys[verdict];
}

void report_totals_add(struct report_totals *totals, const struct report_run *run) {
    totals->scenarios[run->verdict]++;
    totals->runs += run->runs;
    totals->crash_points += run->crash_points;
    totals->lives += run->lives;
    totals->faults_fired += run->faults_fired;
}

void report_run_free(struct report_run *run) {
    for (size_t i = 0; i < run->finding_count; i++)
        free((void *)run->findings[i].events);
    free((void *)run->findings);
    run->findings = NULL;
    run->finding_count = 0;
}
