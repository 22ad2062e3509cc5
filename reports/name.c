/* What a report calls a run, and what broke in it. */
#include "reports/name.h"

#include <stdio.h>

const char *report_configuration(const struct report_run *run, char out[REPORT_NAME_SIZE]) {
    const char *const parts[] = {run->oms, run->profile, run->crash, run->door};
    const char *before = "";
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && used < REPORT_NAME_SIZE; i++) {
        if (parts[i] == NULL || parts[i][0] == '\0')
            continue;
        used += (size_t)snprintf(out + used, REPORT_NAME_SIZE - used, "%s%s", before, parts[i]);
        before = ", ";
    }
    return out;
}

const char *report_code(const struct report_run *run) {
    if (run->finding_count > 0)
        return run->findings[0].code;
    return run->code != NULL && run->code[0] != '\0' ? run->code : report_verdict_key(run->verdict);
}

const char *report_what(const struct report_run *run) {
    return run->finding_count > 0 ? run->findings[0].headline : run->note;
}

int report_line(const struct report_run *run) {
    return run->finding_count > 0 && run->findings[0].line > 0 ? run->findings[0].line : run->line;
}
