/* oms parity: what this ledger has traded, against a list of signals or another ledger. */
#include "core/live/fence.h"
#include "core/live/parity_print.h"
#include "core/live/reports.h"
#include "core/live/signals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DAY_NS (INT64_C(86400) * PROFILE_SECOND_NS)

/* What is of these moments is compared; a decision of another time may match all the same. */
struct span {
    int64_t from_ns, to_ns; /* to: not any more */
};

static int fail_memory(const struct call *call) {
    fputs("oms: no memory for the comparison\n", call->err);
    return CLI_ENVIRONMENT;
}

static struct span whole_day(int64_t day) {
    return (struct span){day * DAY_NS, (day + 1) * DAY_NS};
}

/* ---- ledgers ---- */

/* This one's: as the running process has it, or as it lies when nobody runs on it. */
static int read_ours(struct session *s, const struct call *call, struct oms_trades *trades) {
    struct oms_error error = {0};
    int exit = s->oms != NULL ? CLI_OK : session_refuse_if_running(s);
    if (exit != CLI_OK)
        return exit;
    enum oms_code code = s->oms != NULL ? oms_trades(s->oms, trades, &error)
                                        : oms_trades_at(&s->place, trades, &error);
    /* who came meanwhile may have written what was read */
    exit = s->oms != NULL ? CLI_OK : session_refuse_if_running(s);
    return exit == CLI_OK && code != OMS_OK ? session_fail(s, call->err, code, &error) : exit;
}

static bool is_same_file(const char *a, const char *b) {
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

static bool is_running(const struct call *call, const char *path) {
    long holder = (long)fence_holder(path);
    if (holder != 0)
        fprintf(
            call->err,
            "oms: --against %s: process %ld runs on it, and what the file shows is not all there "
            "is: wait for it to end, or take a copy\n",
            path, holder);
    return holder != 0;
}

static int read_other(struct session *s, const struct call *call, struct oms_trades *trades) {
    struct oms_error error = {0};
    char path[CLI_PATH_SIZE];
    struct oms_place place = {.path = path};
    if (!report_path(call, call->args->against, path))
        return CLI_ENVIRONMENT;
    if (is_same_file(path, s->args->db)) {
        fprintf(call->err, "oms: --against %s: must be another ledger than --db %s\n", path,
                s->args->db);
        return CLI_USAGE;
    }
    if (is_running(call, path))
        return CLI_ENVIRONMENT;
    enum oms_code code = oms_trades_at(&place, trades, &error);
    if (is_running(call, path))
        return CLI_ENVIRONMENT;
    if (code == OMS_OK)
        return CLI_OK;
    fprintf(call->err, "oms: --against %s: %s: %s\n", path, oms_code_name(code), error.text);
    return CLI_ENVIRONMENT;
}

/* ---- as the two lists of a comparison ---- */

static bool is_inside(const struct span *span, int64_t at_ns) {
    return at_ns >= span->from_ns && at_ns < span->to_ns;
}

static struct parity_actual *actual_of(const struct oms_trades *trades, const struct span *span) {
    struct parity_actual *list = calloc(trades->n + 1, sizeof *list);
    for (size_t i = 0; list != NULL && i < trades->n; i++) {
        const struct oms_traded *from = &trades->v[i];
        struct parity_actual *to = &list[i];
        *to = (struct parity_actual){.side = from->decision.side,
                                     .qty_nanos = from->decision.qty_nanos,
                                     .filled_nanos = from->filled_nanos,
                                     .cost = from->cost,
                                     .elsewhere = !is_inside(span, from->created_ns)};
        memcpy(to->id, from->decision.id, sizeof to->id);
        memcpy(to->symbol, from->decision.symbol, sizeof to->symbol);
    }
    return list;
}

/* What the other ledger executed is due here, at its average price, rounded half away from zero. */
static struct parity_expected *expected_of(const struct oms_trades *trades, const struct span *span,
                                           size_t *count) {
    struct parity_expected *list = calloc(trades->n + 1, sizeof *list);
    *count = 0;
    for (size_t i = 0; list != NULL && i < trades->n; i++) {
        const struct oms_traded *from = &trades->v[i];
        struct parity_expected *to = &list[*count];
        if (!is_inside(span, from->created_ns))
            continue;
        *to = (struct parity_expected){.side = from->decision.side,
                                       .qty_nanos = from->decision.qty_nanos,
                                       .due_nanos = from->filled_nanos};
        if (from->filled_nanos > 0)
            to->price_nanos = (int64_t)decimal_divide_rounded(from->cost, from->filled_nanos);
        memcpy(to->id, from->decision.id, sizeof to->id);
        memcpy(to->symbol, from->decision.symbol, sizeof to->symbol);
        (*count)++;
    }
    return list;
}

static int compare(const struct call *call, const struct parity_expected *expected,
                   size_t expected_count, const struct oms_trades *ours, const struct span *span) {
    struct oms_error error = {0};
    struct parity parity = {0};
    struct parity_actual *actual = actual_of(ours, span);
    int exit = CLI_OK;
    if (actual == NULL || expected == NULL) {
        exit = fail_memory(call);
    } else if (!parity_compare(expected, expected_count, actual, ours->n, &call->args->limits,
                               &parity, &error)) {
        fprintf(call->err, "oms: %s\n", error.text);
        exit = CLI_ENVIRONMENT;
    } else {
        exit = report_show(call, parity_json(&parity), parity_print, &parity);
        exit = exit == CLI_OK && !parity.agrees ? CLI_APART : exit;
    }
    parity_free(&parity);
    free(actual);
    return exit;
}

static int against_ledger(struct session *s, const struct call *call,
                          const struct oms_trades *ours) {
    struct oms_trades other = {0};
    struct span span = {INT64_MIN, INT64_MAX};
    int exit = read_other(s, call, &other);
    if (call->args->one_day)
        span = whole_day(call->args->day);
    if (exit == CLI_OK) {
        size_t count = 0;
        struct parity_expected *expected = expected_of(&other, &span, &count);
        exit = compare(call, expected, count, ours, &span);
        free(expected);
    }
    oms_trades_free(&other);
    return exit;
}

/* ---- signals ---- */

static int read_signals(const struct call *call, struct signals *signals) {
    char path[CLI_PATH_SIZE], why[SIGNALS_WHY_SIZE];
    if (!report_path(call, call->args->signals, path))
        return CLI_ENVIRONMENT;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fprintf(call->err, "oms: --signals %s: %s\n", path, strerror(errno));
        return CLI_ENVIRONMENT;
    }
    bool read = signals_read(file, call->args->signals, signals, why);
    fclose(file);
    if (!read)
        fprintf(call->err, "oms: %s\n", why);
    return read ? CLI_OK : CLI_USAGE;
}

/* Only those of the span; it is the days of the signals when no day was named. */
static void pick_days(const struct call *call, struct signals *signals, struct span *span) {
    size_t kept = 0;
    *span = (struct span){INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < signals->n; i++) {
        struct span day = whole_day(signals->times[i].at_ns / DAY_NS);
        span->from_ns = day.from_ns < span->from_ns ? day.from_ns : span->from_ns;
        span->to_ns = day.to_ns > span->to_ns ? day.to_ns : span->to_ns;
    }
    if (call->args->one_day)
        *span = whole_day(call->args->day);
    for (size_t i = 0; i < signals->n; i++)
        if (is_inside(span, signals->times[i].at_ns))
            signals->v[kept++] = signals->v[i];
    signals->n = kept;
}

static int against_signals(const struct call *call, const struct oms_trades *ours) {
    struct signals signals = {0};
    struct span span;
    int exit = read_signals(call, &signals);
    if (exit == CLI_OK && signals.n == 0) {
        fprintf(call->err, "oms: --signals %s: there is no signal in it: nothing was compared\n",
                call->args->signals);
        exit = CLI_USAGE;
    }
    if (exit == CLI_OK) {
        pick_days(call, &signals, &span);
        exit = compare(call, signals.v, signals.n, ours, &span);
    }
    signals_free(&signals);
    return exit;
}

int parity_begin(struct session *s, struct call *call) {
    struct oms_trades ours = {0};
    int exit = read_ours(s, call, &ours);
    if (exit == CLI_OK)
        exit = call->args->signals != NULL ? against_signals(call, &ours)
                                           : against_ledger(s, call, &ours);
    oms_trades_free(&ours);
    return exit;
}
