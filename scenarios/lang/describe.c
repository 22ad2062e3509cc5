/* What will happen, in words: settings, the timeline line by line, defaults included. */
#include "scenarios/lang/describe.h"

#include "scenarios/lang/parser.h"
#include "scenarios/lang/printer.h"
#include "scenarios/lang/time_text.h"

#include <stdarg.h>
#include <string.h>

enum { LINE_COLUMN = 4 };

/* ---- settings ---- */

static void setting(FILE *out, const char *name, bool written, const char *value) {
    fprintf(out, "  %-10s%s%s\n", name, value, written ? "" : "   (nothing was written)");
}

static void describe_profiles(const struct scenario *s, FILE *out) {
    for (size_t i = 0; i < s->profile_count; i++)
        fprintf(out, "  %-10s%s: %s%s\n", i == 0 ? "broker" : "", s->profiles[i]->name,
                s->profiles[i]->guarantee,
                s->written[SCN_HEADER_PROFILE] ? "" : "   (nothing was written)");
}

static void describe_crashes(const struct scenario *s, FILE *out) {
    static const char *const what[] = {
        [SCN_KILL] = "the process dies, the machine and its memory live on",
        [SCN_POWER] = "the machine dies: every subset of the unsynced writes, a run each"};
    for (size_t i = 0; i < s->crash_count; i++)
        fprintf(out, "  %-10s%s: %s\n", i == 0 ? "crashes" : "", scn_crash_kind_name(s->crashes[i]),
                what[s->crashes[i]]);
}

static void describe_givens(const struct scenario *s, FILE *out) {
    for (size_t i = 0; i < s->given_count; i++) {
        printer_given(s, &s->givens[i], out);
        fputc('\n', out);
    }
    if (s->given_count == 0)
        fputs("  given     no positions, the kill switch off\n", out);
}

static void describe_settings(const struct scenario *s, FILE *out) {
    char text[TIME_TEXT_SIZE], number[32], clock[TIME_TEXT_SIZE];
    setting(out, "date", s->written[SCN_HEADER_DATE], time_format_date(s->date_ns, text));
    setting(out, "pace", s->written[SCN_HEADER_PACE], time_format_duration(s->pace_ns, text));
    snprintf(number, sizeof number, "%llu", (unsigned long long)s->seed);
    setting(out, "seed", s->written[SCN_HEADER_SEED], number);
    describe_profiles(s, out);
    describe_crashes(s, out);
    describe_givens(s, out);
    for (enum scn_option o = 0; o < SCN_OPTION_COUNT; o++) {
        if (!s->options[o].set)
            continue;
        printer_option(s, o, out);
        fputc('\n', out);
    }
    for (size_t i = 0; i < s->decision_count; i++) {
        printer_decision(s, &s->decisions[i], out);
        fputc('\n', out);
    }
    fprintf(out, "  start     the first life boots at %s %s\n", time_format_date(s->start_ns, text),
            time_format_clock(s->start_ns, clock));
}

/* ---- lines ---- */

static void describe_when(const struct scenario *s, const struct scn_line *line, char *out,
                          size_t size) {
    const struct scn_when *when = &line->when;
    char clock[TIME_TEXT_SIZE];
    const char *name =
        when->point.decision >= 0 ? s->decisions[when->point.decision].name : "any order";
    switch (when->base) {
    case SCN_FROM_BEGINNING:
        snprintf(out, size, "%s",
                 printer_is_timeless_check(line) ? "all the time" : "from the beginning");
        return;
    case SCN_AT:
        snprintf(out, size, "%s", time_format_clock(when->ns, clock));
        return;
    case SCN_AFTER_CRASH:
        snprintf(out, size, "%s after the crash of line %d", time_format_duration(when->ns, clock),
                 s->lines[when->anchor].place.line);
        return;
    case SCN_AFTER_RESTART:
        snprintf(out, size, "%s after the restart of line %d",
                 time_format_duration(when->ns, clock), s->lines[when->anchor].place.line);
        return;
    case SCN_BEFORE_POINT:
    case SCN_AFTER_POINT:
        snprintf(out, size, "when '%s' of %s %s", scn_point_name(when->point.kind), name,
                 when->base == SCN_BEFORE_POINT ? "is about to happen" : "has happened");
        return;
    }
}

__attribute__((format(printf, 2, 3))) static void note(FILE *out, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("        ", out);
    vfprintf(out, format, args);
    fputc('\n', out);
    va_end(args);
}

static void describe_signal(const struct scenario *s, const struct scn_line *line, FILE *out) {
    const struct scn_args *args = &line->args;
    char one[TIME_TEXT_SIZE], two[TIME_TEXT_SIZE], three[TIME_TEXT_SIZE];
    int first = s->decisions[args->decision].first_signal;
    if (first >= 0 && &s->lines[first] != line)
        note(out, "the same decision again: known to an OMS that took it before");
    note(out, "%s order, in force '%s'%s%s", scn_has(args, SCN_SLOT_PRICE) ? "a limit" : "a market",
         broker_tif_name(args->tif), scn_has(args, SCN_SLOT_TIF) ? "" : " (nothing was written)",
         args->until_ns == 0 ? ", no expiry" : "");
    if (line->when.base == SCN_AT && s->pace_ns > 0)
        note(out, "an idle OMS decides at %s, sends at %s, records at %s",
             time_format_clock(line->when.ns + s->pace_ns, one),
             time_format_clock(line->when.ns + 2 * s->pace_ns, two),
             time_format_clock(line->when.ns + 3 * s->pace_ns, three));
}

static void describe_crash(const struct scenario *s, const struct scn_line *line, FILE *out) {
    const struct scn_crash *crash = &line->args.crash;
    if (crash->kind == SCN_NONE)
        note(out, "of each kind that the header 'crashes' names (%zu), a configuration each",
             s->crash_count);
    if (crash->where >= SCN_CRASH_ANYWHERE)
        note(out, "for all: one run for each crash point from here to the next restart, %s",
             crash->where == SCN_CRASH_ANYWHERE ? "anywhere" : "within these bounds");
    else if (crash->where != SCN_CRASH_NOW)
        note(out, "armed from here on; if the place is never reached, the scenario is in error");
    if (crash->depth == SCN_TWICE)
        note(out, "and for each of them every crash point of the next life: all pairs");
    if (crash->depth == SCN_AGAIN)
        note(out, "any number of crashes: explored by 'crashgate explore', not run");
}

static void describe_fault(const struct scn_strike *strike, FILE *out) {
    const struct fault_kind *kind = strike->fault.kind;
    char text[FAULT_TEXT_SIZE];
    note(out, "%s", kind->meaning);
    if (kind->args[0].name != NULL && !strike->arg_written[0] && strike->times != SCN_EACH_CALL)
        note(out, "as %s", fault_format(&strike->fault, text));
    if (strike->times == SCN_NEXT_CALL)
        note(out, "it strikes the next call%s", strike->times_written ? "" : " only");
    if (strike->times == SCN_EACH_CALL)
        note(out, "for all: one run for each call from here to the end");
    for (unsigned i = 1; i < 32; i++) {
        if ((kind->suspends & 1u << i) != 0)
            note(out, "it suspends I%u", i);
    }
}

static void describe_line(const struct scenario *s, const struct scn_line *line, FILE *out) {
    char when[100];
    describe_when(s, line, when, sizeof when);
    fprintf(out, "%*d  %-18s  ", LINE_COLUMN, line->place.line, when);
    scenario_print_line(s, line, out);
    fputc('\n', out);
    if (line->statement != SCN_SIGNAL && line->statement != SCN_FAULT &&
        (line->statement != SCN_CRASH || line->args.crash.where == SCN_CRASH_NOW))
        note(out, "%s", verb_statements[line->statement].help);
    if (line->statement == SCN_SIGNAL)
        describe_signal(s, line, out);
    if (line->statement == SCN_CRASH)
        describe_crash(s, line, out);
    if (line->statement == SCN_FAULT)
        describe_fault(&line->args.strike, out);
    if ((line->statement == SCN_BROKER_FILLS || line->statement == SCN_BROKER_FILLS_SYMBOL) &&
        !scn_has(&line->args, SCN_SLOT_PRICE))
        note(out, "at the order's limit (no price was written)");
}

void scenario_describe(const struct scenario *s, FILE *out) {
    describe_settings(s, out);
    fputs("\nline  time                what\n", out);
    for (size_t i = 0; i < s->line_count; i++)
        describe_line(s, &s->lines[i], out);
}
