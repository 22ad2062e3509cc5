/* Report for people: judgement first, then the story, then how to see it again. */
#include "reports/terminal.h"

#include "reports/text.h"

#include <string.h>
#include <unistd.h>

enum { PROGRESS_TITLE_MAX = 60 };

struct report_terminal report_terminal(FILE *out, const char *no_color) {
    bool terminal = isatty(fileno(out)) == 1;
    return (struct report_terminal){out, terminal && (no_color == NULL || no_color[0] == '\0'),
                                    terminal, false, false};
}

/* What others wrote cannot move the cursor: control characters and what is no UTF-8 become '?'. */
static void put_but(FILE *out, const char *text, char allowed) {
    while (*text != '\0') {
        const unsigned char *c = (const unsigned char *)text;
        size_t length = report_utf8_length(text);
        bool control = c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0);
        if (length == 0 || (control && text[0] != allowed))
            fputc('?', out);
        else
            fwrite(text, 1, length, out);
        text += length == 0 ? 1 : length;
    }
}

static void put(FILE *out, const char *text) {
    put_but(out, text, '\0');
}

/* As put, in a column at least `width` bytes wide. */
static void put_column(FILE *out, const char *text, size_t width) {
    put(out, text);
    for (size_t i = strlen(text); i < width; i++)
        fputc(' ', out);
}

static const char *color_of(enum report_verdict verdict) {
    switch (verdict) {
    case REPORT_PASS:
        return "32";
    case REPORT_FAIL:
    case REPORT_ERROR:
        return "31";
    case REPORT_INCONCLUSIVE:
    case REPORT_VERDICT_COUNT:
        return "33";
    }
    return "0";
}

static void put_verdict(const struct report_terminal *report, enum report_verdict verdict) {
    const char *word = report_verdict_word(verdict);
    if (report->color)
        fprintf(report->out, "\033[%sm%s\033[0m", color_of(verdict), word);
    else
        fputs(word, report->out);
}

static void wipe_progress(struct report_terminal *report) {
    if (report->line_shown)
        fputs("\r\033[K", report->out);
    report->line_shown = false;
}

void report_terminal_progress(struct report_terminal *report, uint64_t done, uint64_t of,
                              const char *title) {
    char cut[PROGRESS_TITLE_MAX + 1];
    if (!report->progress)
        return;
    wipe_progress(report);
    snprintf(cut, sizeof cut, "%s", title);
    fprintf(report->out, "  %llu", (unsigned long long)done);
    if (of > 0)
        fprintf(report->out, " of %llu", (unsigned long long)of);
    fputs("  ", report->out);
    put(report->out, cut);
    fflush(report->out);
    report->line_shown = true;
}

static void put_count(FILE *out, uint64_t count, const char *one, const char *many) {
    fprintf(out, "%llu %s", (unsigned long long)count, count == 1 ? one : many);
}

/* "[seed-protocol, label, power, wire]": what differs between runs of one scenario. */
static void put_configuration(FILE *out, const struct report_run *run) {
    const char *const parts[] = {run->oms, run->profile, run->crash, run->door};
    const char *before = "[";
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i] == NULL || parts[i][0] == '\0')
            continue;
        fputs(before, out);
        put(out, parts[i]);
        before = ", ";
    }
    if (before[0] == ',')
        fputc(']', out);
}

/* "61 crash points: 58 pass, 3 FAIL"; a single run needs no counting. */
static void put_counts(FILE *out, const struct report_run *run) {
    if (run->runs <= 1)
        return;
    fputs("   ", out);
    if (run->crash_points > 0)
        put_count(out, run->crash_points, "crash point", "crash points");
    if (run->crash_points > 0 && run->crash_points != run->runs)
        fputs(", ", out);
    if (run->crash_points != run->runs)
        put_count(out, run->runs, "run", "runs");
    if (run->runs_failed > 0)
        fprintf(out, ": %llu pass, %llu FAIL", (unsigned long long)(run->runs - run->runs_failed),
                (unsigned long long)run->runs_failed);
}

static void put_event(FILE *out, const struct report_event *event) {
    char line[32] = "";
    if (event->script_line > 0)
        snprintf(line, sizeof line, "line %d", event->script_line);
    fputs(event->marked ? " >" : "  ", out);
    put_column(out, event->time, 12);
    fprintf(out, "  %-8s  ", line);
    put_column(out, event->who, 7);
    fputc(' ', out);
    put(out, event->what);
    fputc('\n', out);
}

static void put_story(FILE *out, const struct report_event *events, size_t count) {
    for (size_t i = 0; i < count; i++)
        put_event(out, &events[i]);
}

void report_terminal_story(struct report_terminal *report, const struct report_event *events,
                           size_t count) {
    wipe_progress(report);
    put_story(report->out, events, count);
}

static void put_finding(FILE *out, const struct report_finding *finding) {
    put(out, finding->headline);
    fputc('\n', out);
    put_story(out, finding->events, finding->event_count);
    if (finding->replay[0] != '\0') {
        fputs("again: ", out);
        put(out, finding->replay);
        fputc('\n', out);
    }
    if (finding->shrunk != NULL && finding->shrunk[0] != '\0') {
        fputs("       ", out);
        put(out, finding->shrunk);
        fputc('\n', out);
    }
    if (finding->also > 0)
        fprintf(out, "also:  %llu other %s the same way\n", (unsigned long long)finding->also,
                finding->also == 1 ? "run fails" : "runs fail");
}

/* "FILE:LINE:1: error: TITLE [alpaca, direct]: HEADLINE [I1]"; nothing for a pass. */
static void put_brief(FILE *out, const struct report_run *run, int line, const char *text,
                      const char *code) {
    put(out, run->file);
    fprintf(out, ":%d:1: %s: ", line > 0 ? line : run->line,
            run->verdict == REPORT_INCONCLUSIVE ? "warning" : "error");
    put(out, run->scenario);
    fputc(' ', out);
    put_configuration(out, run);
    fputs(": ", out);
    put(out, text);
    fputs(" [", out);
    put(out, code);
    fputs("]\n", out);
}

static void put_briefs(FILE *out, const struct report_run *run) {
    if (run->note[0] != '\0')
        put_brief(out, run, run->line, run->note, run->code);
    for (size_t i = 0; i < run->finding_count; i++)
        put_brief(out, run, run->findings[i].line, run->findings[i].headline,
                  run->findings[i].code);
}

void report_terminal_run(struct report_terminal *report, const struct report_run *run) {
    FILE *out = report->out;
    wipe_progress(report);
    if (report->brief) {
        put_briefs(out, run);
        return;
    }
    put_verdict(report, run->verdict);
    fputs("  ", out);
    put(out, run->file);
    fprintf(out, ":%d  ", run->line);
    put(out, run->scenario);
    fputs("  ", out);
    put_configuration(out, run);
    put_counts(out, run);
    fputc('\n', out);
    if (run->note[0] != '\0') {
        put(out, run->note);
        fputc('\n', out);
    }
    for (size_t i = 0; i < run->finding_count; i++)
        put_finding(out, &run->findings[i]);
    if (run->finding_count > 0)
        fputc('\n', out);
}

void report_terminal_text(struct report_terminal *report, const char *text) {
    wipe_progress(report);
    put_but(report->out, text, '\n');
}

void report_terminal_totals(struct report_terminal *report, const struct report_totals *totals) {
    FILE *out = report->out;
    const char *before = "";
    wipe_progress(report);
    for (enum report_verdict v = REPORT_PASS; v < REPORT_VERDICT_COUNT; v++) {
        if (totals->scenarios[v] == 0 && v != REPORT_PASS)
            continue;
        fprintf(out, "%s%llu ", before, (unsigned long long)totals->scenarios[v]);
        put_verdict(report, v);
        before = ", ";
    }
    fputs("; ", out);
    put_count(out, totals->runs, "run", "runs");
    fputs(", ", out);
    put_count(out, totals->crash_points, "crash point", "crash points");
    fputs(", ", out);
    put_count(out, totals->lives, "life", "lives");
    fputs(", ", out);
    put_count(out, totals->faults_fired, "fault", "faults");
    fputs(" fired\n", out);
}
