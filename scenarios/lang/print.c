/* Writes scenarios in their one canonical form, and compares them. */
#include "core/decimal.h"
#include "scenarios/lang/parser.h"
#include "scenarios/lang/printer.h"
#include "scenarios/lang/time_text.h"

#include <string.h>

enum { TIME_WIDTH = 10, WHEN_TEXT_SIZE = 2 * TIME_TEXT_SIZE + SCN_NAME_SIZE };

/* ---- words ---- */

static void put_text(const char *text, FILE *out) {
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void put_decimal(int64_t nanos, int decimals, FILE *out) {
    char text[DECIMAL_TEXT_MAX];
    fputs(decimal_format(nanos, decimals, text), out);
}

static void put_duration(int64_t ns, FILE *out) {
    char text[TIME_TEXT_SIZE];
    fputs(time_format_duration(ns, text), out);
}

/* A time of day, with its date when that is not `day_ns`. */
static void put_until(int64_t ns, int64_t day_ns, FILE *out) {
    char text[TIME_TEXT_SIZE];
    if (time_day(ns) != day_ns)
        fprintf(out, "%s ", time_format_date(ns, text));
    fputs(time_format_clock(ns, text), out);
}

static void put_point(const struct scenario *s, const struct scn_point *point, FILE *out) {
    fputs(point_rows[point->kind].word, out);
    if (point->decision >= 0)
        fprintf(out, " %s", s->decisions[point->decision].name);
}

static void put_site(struct site site, FILE *out) {
    char name[SITE_NAME_SIZE];
    fputs(site_name(site, name), out);
}

static void put_crash(const struct scenario *s, const struct scn_crash *crash, FILE *out) {
    static const char *const places[] = {
        "",
        "before ",
        "after ",
        "at ",
        "at random ",
        "anywhere",
        "anywhere before ",
        "anywhere after ",
        "anywhere between ",
    };
    if (crash->kind != SCN_NONE)
        fprintf(out, "%s%s", scn_crash_kind_name((enum scn_crash_kind)crash->kind),
                crash->where == SCN_CRASH_NOW ? "" : " ");
    if (crash->depth != SCN_ONCE)
        fprintf(out, "%s ", scn_depth_name(crash->depth));
    fputs(places[crash->where], out);
    switch (crash->where) {
    case SCN_CRASH_NOW:
    case SCN_CRASH_ANYWHERE:
        return;
    case SCN_CRASH_AT_RANDOM:
        fprintf(out, "%lld times", (long long)crash->occurrence);
        return;
    case SCN_CRASH_AT_SITE:
        put_site(crash->site, out);
        if (crash->occurrence != 1)
            fprintf(out, "@%lld", (long long)crash->occurrence);
        return;
    case SCN_CRASH_ANYWHERE_BETWEEN:
        put_point(s, &crash->point, out);
        fputs(" and ", out);
        put_point(s, &crash->to, out);
        return;
    case SCN_CRASH_BEFORE:
    case SCN_CRASH_AFTER:
    case SCN_CRASH_ANYWHERE_BEFORE:
    case SCN_CRASH_ANYWHERE_AFTER:
        put_point(s, &crash->point, out);
        return;
    }
}

static void put_fault_arguments(const struct scn_strike *strike, FILE *out) {
    const struct fault_kind *kind = strike->fault.kind;
    const char *before = "(";
    for (int i = 0; i < FAULT_ARGS_MAX && kind->args[i].name != NULL; i++) {
        int64_t value = strike->fault.arg[i];
        if (!strike->arg_written[i])
            continue;
        fprintf(out, "%s%s=", before, kind->args[i].name);
        before = ", ";
        switch (kind->args[i].type) {
        case FAULT_ARG_INT:
            fprintf(out, "%lld", (long long)value);
            break;
        case FAULT_ARG_DURATION:
            put_duration(value, out);
            break;
        case FAULT_ARG_WORD:
            fputs(kind->args[i].words[value], out);
            break;
        }
    }
    if (before[0] == ',')
        fputc(')', out);
}

static void put_strike(const struct scn_strike *strike, int64_t day_ns, FILE *out) {
    put_site(strike->site, out);
    fprintf(out, " %s", strike->fault.kind->name);
    put_fault_arguments(strike, out);
    switch (strike->times) {
    case SCN_NEXT_CALL:
        fputs(strike->times_written ? " once" : "", out);
        return;
    case SCN_ALL_CALLS:
        fputs(" always", out);
        return;
    case SCN_EACH_CALL:
        fputs(" anywhere", out);
        return;
    case SCN_ON_CALLS:
        fprintf(out, " on call %lld", (long long)strike->first);
        if (strike->last != strike->first)
            fprintf(out, "..%lld", (long long)strike->last);
        return;
    case SCN_UNTIL:
        fputs(" until ", out);
        put_until(strike->until_ns, day_ns, out);
        return;
    }
}

/* ---- shapes ---- */

struct printed {
    const struct scenario *s;
    const struct scn_args *args;
    const struct scn_term *terms;
    size_t term_count;
    int64_t day_ns; /* of the line, for `until` */
    FILE *out;
};

static void put_shape(const struct printed *p, const char *shape, size_t length);

static void put_terms(const struct printed *p) {
    for (size_t i = 0; i < p->term_count; i++) {
        struct printed term = {p->s, &p->terms[i].args, NULL, 0, p->day_ns, p->out};
        const char *shape = verb_conditions[p->terms[i].kind].shape;
        fputs(i > 0 ? " or " : "", p->out);
        put_shape(&term, shape, strlen(shape));
    }
}

static void put_tags(const struct scenario *s, FILE *out) {
    for (size_t i = 0; i < s->tag_count; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", s->tags[i]);
}

static void put_kinds(const struct scenario *s, FILE *out) {
    for (size_t i = 0; i < s->crash_count; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", scn_crash_kind_name(s->crashes[i]));
}

static void put_profiles(const struct scenario *s, FILE *out) {
    for (size_t i = 0; i < s->profile_count; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", s->profiles[i]->name);
}

static void put_slot(const struct printed *p, enum scn_slot slot) {
    const struct scn_args *a = p->args;
    char text[TIME_TEXT_SIZE];
    switch (slot) {
    case SCN_SLOT_DECISION:
        fputs(p->s->decisions[a->decision].name, p->out);
        return;
    case SCN_SLOT_NEW_DECISION:
    case SCN_SLOT_FILL:
        fputs(a->name, p->out);
        return;
    case SCN_SLOT_SIDE:
        fputs(a->side == BROKER_SELL ? "sell" : "buy", p->out);
        return;
    case SCN_SLOT_QTY:
        put_decimal(a->qty_nanos, 0, p->out);
        return;
    case SCN_SLOT_SYMBOL:
    case SCN_SLOT_SAME_SYMBOL:
        fputs(p->s->symbols[a->symbol], p->out);
        return;
    case SCN_SLOT_PRICE:
        put_decimal(a->price_nanos, 2, p->out);
        return;
    case SCN_SLOT_TIF:
        fputs(broker_tif_name(a->tif), p->out);
        return;
    case SCN_SLOT_UNTIL:
        put_until(a->until_ns, p->day_ns, p->out);
        return;
    case SCN_SLOT_DUR:
        put_duration(a->duration_ns, p->out);
        return;
    case SCN_SLOT_TEXT:
    case SCN_SLOT_PATH:
        put_text(a->text, p->out);
        return;
    case SCN_SLOT_PRESENCE:
        fputs(a->present ? "present" : "absent", p->out);
        return;
    case SCN_SLOT_CRASH:
        put_crash(p->s, &a->crash, p->out);
        return;
    case SCN_SLOT_FAULT:
        put_strike(&a->strike, p->day_ns, p->out);
        return;
    case SCN_SLOT_SITE:
        put_site(a->site, p->out);
        return;
    case SCN_SLOT_COND:
        put_terms(p);
        return;
    case SCN_SLOT_CMP:
        fputs(cmp_signs[a->cmp], p->out);
        return;
    case SCN_SLOT_INTEGER:
        fprintf(p->out, "%lld", (long long)a->count);
        return;
    case SCN_SLOT_DISCREPANCY:
        fputs(oms_discrepancy_name((enum oms_discrepancy_type)a->discrepancy), p->out);
        return;
    case SCN_SLOT_SEVERITY:
        fputs(oms_severity_name((enum oms_severity)a->severity), p->out);
        return;
    case SCN_SLOT_STATE:
        fputs(oms_state_name(a->state), p->out);
        return;
    case SCN_SLOT_SWITCH:
        fputs(a->on ? "on" : "off", p->out);
        return;
    case SCN_SLOT_AMOUNT:
    case SCN_SLOT_MONEY:
        put_decimal(a->money_nanos, 2, p->out);
        return;
    case SCN_SLOT_TAGS:
        put_tags(p->s, p->out);
        return;
    case SCN_SLOT_DATE:
        fputs(time_format_date(p->s->date_ns, text), p->out);
        return;
    case SCN_SLOT_KINDS:
        put_kinds(p->s, p->out);
        return;
    case SCN_SLOT_PROFILES:
        put_profiles(p->s, p->out);
        return;
    case SCN_SLOT_DISK:
        fputs(p->s->disk->name, p->out);
        return;
    case SCN_SLOT_OPTION: /* printed by its header */
    case SCN_SLOT_COUNT:
        return;
    case SCN_SLOT_MARKET:
    case SCN_SLOT_REST:
    case SCN_SLOT_NO:
    case SCN_SLOT_DAILY:
        fputs(slot_shapes[slot], p->out);
        return;
    }
}

/* Whether every slot of an alternative was written. */
static bool is_written(const struct scn_args *args, const char *shape, size_t length) {
    bool any = false;
    for (size_t i = 0; i < length;) {
        size_t word = shape_word(shape + i);
        enum scn_slot slot = slot_of(shape + i, word);
        if (slot != SCN_SLOT_COUNT && !scn_has(args, slot))
            return false;
        any = any || slot != SCN_SLOT_COUNT;
        i += word == 0 ? 1 : word;
    }
    return any;
}

/* The alternative that was written, if one was. True: something was printed. */
static bool put_group(const struct printed *p, const char *shape, size_t length, bool spaced) {
    for (size_t from = 0; from < length;) {
        size_t n = 0;
        while (from + n < length && shape[from + n] != '|')
            n++;
        if (is_written(p->args, shape + from, n)) {
            fputs(spaced ? " " : "", p->out);
            put_shape(p, shape + from, n);
            return true;
        }
        from += n + 1;
    }
    return false;
}

static void put_shape(const struct printed *p, const char *shape, size_t length) {
    bool spaced = false; /* a blank is due before the next word */
    for (size_t i = 0; i < length;) {
        size_t word = shape_word(shape + i);
        if (shape[i] == '[') {
            size_t n = (size_t)((const char *)memchr(shape + i, ']', length - i) - (shape + i));
            spaced = put_group(p, shape + i + 1, n - 1, spaced) || spaced;
            i += n + 1;
        } else if (word == 0) {
            i++;
        } else {
            enum scn_slot slot = slot_of(shape + i, word);
            fputs(spaced ? " " : "", p->out);
            if (slot == SCN_SLOT_COUNT)
                fprintf(p->out, "%.*s", (int)word, shape + i);
            else
                put_slot(p, slot);
            spaced = true;
            i += word;
        }
    }
}

/* ---- lines and headers ---- */

void scenario_print_line(const struct scenario *scenario, const struct scn_line *line, FILE *out) {
    int64_t day = line->when.base == SCN_AT ? time_day(line->when.ns) : SCN_NONE;
    struct printed p = {scenario, &line->args, line->terms, line->term_count, day, out};
    const char *shape = verb_statements[line->statement].shape;
    put_shape(&p, shape, strlen(shape));
}

/* The time as it was written, "" when none was; "before send D1:" for a point. */
static void when_text(const struct scenario *s, const struct scn_when *when, char *out,
                      size_t size) {
    char date[TIME_TEXT_SIZE] = "", clock[TIME_TEXT_SIZE];
    switch (when->written) {
    case SCN_TIME_INHERITED:
        out[0] = '\0';
        return;
    case SCN_TIME_DATE_CLOCK:
        snprintf(out, size, "%s %s", time_format_date(when->ns, date),
                 time_format_clock(when->ns, clock));
        return;
    case SCN_TIME_CLOCK:
        snprintf(out, size, "%s", time_format_clock(when->ns, clock));
        return;
    case SCN_TIME_PLUS:
        snprintf(out, size, "+%s", time_format_duration(when->plus_ns, clock));
        return;
    case SCN_TIME_START_PLUS:
        snprintf(out, size, "start +%s", time_format_duration(when->plus_ns, clock));
        return;
    case SCN_TIME_CRASH_PLUS:
        snprintf(out, size, "crash +%s", time_format_duration(when->plus_ns, clock));
        return;
    case SCN_TIME_RESTART_PLUS:
        snprintf(out, size, "restart +%s", time_format_duration(when->plus_ns, clock));
        return;
    case SCN_TIME_POINT:
        snprintf(out, size, "%s %s%s%s:", when->base == SCN_BEFORE_POINT ? "before" : "after",
                 point_rows[when->point.kind].word, when->point.decision >= 0 ? " " : "",
                 when->point.decision >= 0 ? s->decisions[when->point.decision].name : "");
        return;
    }
}

int printer_time_width(const struct scenario *s) {
    int width = TIME_WIDTH;
    for (size_t i = 0; i < s->line_count; i++) {
        char text[WHEN_TEXT_SIZE];
        when_text(s, &s->lines[i].when, text, sizeof text);
        if ((int)strlen(text) + 2 > width)
            width = (int)strlen(text) + 2;
    }
    return width;
}

/* What holds for the whole run has its first word where others have their time. */
static void put_timeless(const struct scenario *s, const struct scn_line *line, FILE *out) {
    struct printed p = {s, &line->args, line->terms, line->term_count, SCN_NONE, out};
    const char *shape = verb_statements[line->statement].shape;
    size_t word = shape_word(shape);
    fprintf(out, "  %-*.*s", TIME_WIDTH, (int)word, shape);
    put_shape(&p, shape + word, strlen(shape) - word);
}

bool printer_is_timeless_check(const struct scn_line *line) {
    return scn_statement_sort(line->statement) == SCN_CHECK &&
           line->when.base == SCN_FROM_BEGINNING;
}

void printer_line(const struct scenario *s, const struct scn_line *line, int width, FILE *out) {
    char when[WHEN_TEXT_SIZE];
    if (printer_is_timeless_check(line)) {
        put_timeless(s, line, out);
        return;
    }
    when_text(s, &line->when, when, sizeof when);
    /* What is in force from the beginning has no time to stand below. */
    fprintf(out, "  %-*s", line->when.base == SCN_FROM_BEGINNING ? 0 : width, when);
    scenario_print_line(s, line, out);
}

/* "  tags      seed, smoke": a header's word in a column of its own. */
static void put_header(const struct scenario *s, enum scn_header header,
                       const struct scn_args *args, FILE *out) {
    struct printed p = {s, args, NULL, 0, s->date_ns, out};
    const char *shape = verb_headers[header].shape;
    size_t word = shape_word(shape);
    fprintf(out, "  %-*.*s", TIME_WIDTH, (int)word, shape);
    put_shape(&p, shape + word, strlen(shape) - word);
}

void printer_header(const struct scenario *s, enum scn_header header, FILE *out) {
    struct scn_args args = args_empty();
    args.duration_ns = s->pace_ns;
    args.count = (int64_t)s->seed;
    snprintf(args.text, sizeof args.text, "%s", s->origin);
    put_header(s, header, &args, out);
}

void printer_option(const struct scenario *s, enum scn_option option, FILE *out) {
    const struct option_row *row = &option_rows[option];
    char word[32];
    if (row->type == OPTION_WORD)
        option_word(row, s->options[option].value, word, sizeof word);
    else
        snprintf(word, sizeof word, "%lld", (long long)s->options[option].value);
    fprintf(out, "  %-*s%s = %s", TIME_WIDTH, "option", row->name, word);
}

void printer_given(const struct scenario *s, const struct scn_given *given, FILE *out) {
    put_header(s, given->kind, &given->args, out);
}

void printer_decision(const struct scenario *s, const struct scn_decision *decision, FILE *out) {
    struct scn_args args = args_empty();
    snprintf(args.name, sizeof args.name, "%s", decision->name);
    snprintf(args.text, sizeof args.text, "%s", decision->payload.id);
    put_header(s, SCN_HEADER_DECISION, &args, out);
}

void printer_use(const char *path, FILE *out) {
    fprintf(out, "  %-*s", TIME_WIDTH, "use");
    put_text(path, out);
}

void printer_title(const struct scenario *s, FILE *out) {
    fputs("scenario ", out);
    put_text(s->title, out);
}

static void print_headers(const struct scenario *s, FILE *out) {
    for (enum scn_header h = SCN_HEADER_TAGS; h <= SCN_HEADER_ORIGIN; h++) {
        if (!s->written[h])
            continue;
        printer_header(s, h, out);
        fputc('\n', out);
    }
    for (enum scn_option o = 0; o < SCN_OPTION_COUNT; o++) {
        if (!s->options[o].set)
            continue;
        printer_option(s, o, out);
        fputc('\n', out);
    }
    for (size_t i = 0; i < s->given_count; i++) {
        printer_given(s, &s->givens[i], out);
        fputc('\n', out);
    }
    for (size_t i = 0; i < s->decision_count; i++) {
        printer_decision(s, &s->decisions[i], out);
        fputc('\n', out);
    }
}

static void print_one(const struct scenario *s, FILE *out) {
    int width = printer_time_width(s);
    fputc('\n', out);
    printer_title(s, out);
    fputc('\n', out);
    print_headers(s, out);
    for (size_t i = 0; i < s->line_count; i++) {
        bool check = printer_is_timeless_check(&s->lines[i]);
        if (i == 0 || (check && !printer_is_timeless_check(&s->lines[i - 1])))
            fputc('\n', out);
        printer_line(s, &s->lines[i], width, out);
        fputc('\n', out);
    }
}

void scenario_print(const struct scenario_file *file, FILE *out) {
    fputs("crashgate 1\n", out);
    for (size_t i = 0; i < file->count; i++)
        print_one(&file->scenarios[i], out);
}

/* ---- comparison ---- */

static bool equal_point(const struct scn_point *a, const struct scn_point *b) {
    return a->kind == b->kind && a->decision == b->decision;
}

static bool equal_site(struct site a, struct site b) {
    return a.op == b.op && a.on == b.on;
}

static bool equal_crash(const struct scn_crash *a, const struct scn_crash *b) {
    return a->kind == b->kind && a->where == b->where && a->depth == b->depth &&
           equal_point(&a->point, &b->point) && equal_point(&a->to, &b->to) &&
           equal_site(a->site, b->site) && a->occurrence == b->occurrence;
}

static bool equal_strike(const struct scn_strike *a, const struct scn_strike *b) {
    for (int i = 0; i < FAULT_ARGS_MAX; i++) {
        if (a->fault.arg[i] != b->fault.arg[i] || a->arg_written[i] != b->arg_written[i])
            return false;
    }
    return equal_site(a->site, b->site) && a->fault.kind == b->fault.kind && a->times == b->times &&
           a->first == b->first && a->last == b->last && a->until_ns == b->until_ns &&
           a->times_written == b->times_written;
}

static bool equal_args(const struct scn_args *a, const struct scn_args *b) {
    return a->has == b->has && a->decision == b->decision && a->symbol == b->symbol &&
           a->side == b->side && a->tif == b->tif && a->qty_nanos == b->qty_nanos &&
           a->price_nanos == b->price_nanos && a->money_nanos == b->money_nanos &&
           a->until_ns == b->until_ns && a->duration_ns == b->duration_ns && a->count == b->count &&
           a->cmp == b->cmp && a->present == b->present && a->on == b->on &&
           a->discrepancy == b->discrepancy && a->severity == b->severity && a->state == b->state &&
           equal_site(a->site, b->site) && equal_crash(&a->crash, &b->crash) &&
           equal_strike(&a->strike, &b->strike) && strcmp(a->name, b->name) == 0 &&
           strcmp(a->text, b->text) == 0;
}

static bool equal_when(const struct scn_when *a, const struct scn_when *b) {
    return a->base == b->base && a->ns == b->ns && a->anchor == b->anchor &&
           equal_point(&a->point, &b->point) && a->written == b->written &&
           a->plus_ns == b->plus_ns;
}

static bool equal_line(const struct scn_line *a, const struct scn_line *b) {
    if (!equal_when(&a->when, &b->when) || a->statement != b->statement ||
        !equal_args(&a->args, &b->args) || a->term_count != b->term_count)
        return false;
    for (size_t i = 0; i < a->term_count; i++) {
        if (a->terms[i].kind != b->terms[i].kind ||
            !equal_args(&a->terms[i].args, &b->terms[i].args))
            return false;
    }
    return true;
}

static bool equal_decision(const struct scn_decision *a, const struct scn_decision *b) {
    const struct oms_decision *x = &a->payload, *y = &b->payload;
    return strcmp(a->name, b->name) == 0 && a->first_signal == b->first_signal &&
           strcmp(x->id, y->id) == 0 && strcmp(x->symbol, y->symbol) == 0 && x->side == y->side &&
           x->type == y->type && x->tif == y->tif && x->qty_nanos == y->qty_nanos &&
           x->limit_nanos == y->limit_nanos && x->expires_ns == y->expires_ns;
}

static bool equal_lists(const struct scenario *a, const struct scenario *b) {
    for (size_t i = 0; i < a->tag_count; i++) {
        if (strcmp(a->tags[i], b->tags[i]) != 0)
            return false;
    }
    for (size_t i = 0; i < a->crash_count; i++) {
        if (a->crashes[i] != b->crashes[i])
            return false;
    }
    for (size_t i = 0; i < a->profile_count; i++) {
        if (a->profiles[i] != b->profiles[i])
            return false;
    }
    for (size_t i = 0; i < SCN_OPTION_COUNT; i++) {
        if (a->options[i].set != b->options[i].set || a->options[i].value != b->options[i].value)
            return false;
    }
    for (size_t i = 0; i < a->given_count; i++) {
        if (a->givens[i].kind != b->givens[i].kind ||
            !equal_args(&a->givens[i].args, &b->givens[i].args))
            return false;
    }
    for (size_t i = 0; i < a->symbol_count; i++) {
        if (strcmp(a->symbols[i], b->symbols[i]) != 0)
            return false;
    }
    for (size_t i = 0; i < a->decision_count; i++) {
        if (!equal_decision(&a->decisions[i], &b->decisions[i]))
            return false;
    }
    return true;
}

bool scenario_equal(const struct scenario *a, const struct scenario *b) {
    if (strcmp(a->title, b->title) != 0 || strcmp(a->origin, b->origin) != 0 ||
        a->tag_count != b->tag_count || a->date_ns != b->date_ns || a->pace_ns != b->pace_ns ||
        a->crash_count != b->crash_count || a->profile_count != b->profile_count ||
        a->disk != b->disk || a->seed != b->seed || a->given_count != b->given_count ||
        a->decision_count != b->decision_count || a->symbol_count != b->symbol_count ||
        a->line_count != b->line_count || a->start_ns != b->start_ns ||
        a->quantified != b->quantified || a->depth != b->depth ||
        a->uses_default_crash != b->uses_default_crash || a->wire_only != b->wire_only ||
        !equal_lists(a, b))
        return false;
    for (size_t i = 0; i < a->line_count; i++) {
        if (!equal_line(&a->lines[i], &b->lines[i]))
            return false;
    }
    return true;
}
