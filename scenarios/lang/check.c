/* Checks what one line alone cannot tell: a scenario as a whole.
 *
 * A scenario with lines that were not understood is checked only for contradictions between the
 * lines that were; what is missing may stand in the others. */
#include "core/decimal.h"
#include "scenarios/lang/parser.h"

#include <string.h>

struct check {
    struct scenario *s;
    struct diags *diags;
    const struct parser_source *source;
    bool quantifier_seen, crash_seen, second_seen;
};

/* The text of a line of the file being read; empty for a used file. */
static const char *source_line(const struct parser_source *source, const struct scn_place *place,
                               size_t *length) {
    const char *text = source->text, *end = source->text + source->length;
    *length = 0;
    if (place->file != source->name)
        return "";
    for (int line = 1; line < place->line; line++)
        text = (const char *)memchr(text, '\n', (size_t)(end - text)) + 1;
    const char *newline = memchr(text, '\n', (size_t)(end - text));
    *length = (size_t)((newline == NULL ? end : newline) - text);
    if (*length > 0 && text[*length - 1] == '\r')
        (*length)--;
    return text;
}

/* A mistake at the first `word` of the line from its place on, or at the place itself. */
static struct diag *mistake(struct check *c, enum diag_code code, const struct scn_place *place,
                            const char *word) {
    size_t length, word_length = strlen(word), at = (size_t)place->col - 1;
    const char *line = source_line(c->source, place, &length);
    int col = place->col, underlined = 1;
    for (; at + word_length <= length; at++) {
        if (memcmp(line + at, word, word_length) == 0) {
            col = (int)at + 1;
            underlined = (int)word_length;
            break;
        }
    }
    return diags_add(c->diags, code, place->file, place->line, col, underlined, line, length);
}

static bool is_quantifier(const struct scn_line *line) {
    if (line->statement == SCN_CRASH)
        return line->args.crash.where >= SCN_CRASH_AT_RANDOM;
    return line->statement == SCN_FAULT && line->args.strike.times == SCN_EACH_CALL;
}

void scenario_derive(struct scenario *s) {
    s->wire_only =
        s->options[SCN_OPTION_DOOR].set && s->options[SCN_OPTION_DOOR].value == SCN_DOOR_WIRE;
    for (size_t i = 0; i < s->line_count; i++) {
        const struct scn_line *line = &s->lines[i];
        const struct fault_kind *kind = line->args.strike.fault.kind;
        s->quantified = s->quantified || is_quantifier(line);
        if (line->statement == SCN_CRASH && line->args.crash.depth != SCN_ONCE)
            s->depth = line->args.crash.depth;
        if (line->statement == SCN_CRASH && line->args.crash.kind == SCN_NONE)
            s->uses_default_crash = true;
        if (line->statement == SCN_FAULT && kind != NULL && kind->wire_only)
            s->wire_only = true;
    }
}

/* ---- decisions ---- */

static void check_signal(struct check *c, const struct scn_line *line) {
    struct scenario *s = c->s;
    const struct scn_args *args = &line->args;
    if (args->qty_nanos <= 0) {
        char text[DECIMAL_TEXT_MAX];
        decimal_format(args->qty_nanos, 0, text);
        diag_say(mistake(c, DIAG_NUMBER, &line->place, text), "quantity %s must be positive", text);
    }
    if (args->decision < 0 || args->symbol < 0 || s->decisions[args->decision].first_signal < 0)
        return;
    const struct scn_decision *decision = &s->decisions[args->decision];
    const struct scn_line *first = &s->lines[decision->first_signal];
    const struct scn_args *was = &first->args;
    if (was->symbol != args->symbol || was->side != args->side ||
        was->qty_nanos != args->qty_nanos || was->price_nanos != args->price_nanos ||
        was->tif != args->tif || was->until_ns != args->until_ns)
        diag_say(mistake(c, DIAG_TWO_PAYLOADS, &line->place, decision->name),
                 "%s is signalled with another payload than on line %d", decision->name,
                 first->place.line);
}

static bool same_payload(const struct oms_decision *a, const struct oms_decision *b) {
    return strcmp(a->symbol, b->symbol) == 0 && a->side == b->side &&
           a->qty_nanos == b->qty_nanos && a->limit_nanos == b->limit_nanos;
}

static void check_decisions(struct check *c, bool broken) {
    struct scenario *s = c->s;
    for (size_t i = 0; i < s->decision_count; i++) {
        const struct scn_decision *one = &s->decisions[i];
        if (one->first_signal < 0) {
            if (!broken)
                diag_say(mistake(c, DIAG_NEVER_SIGNALLED, &one->place, one->name),
                         "%s is never signalled", one->name);
            continue;
        }
        for (size_t k = 0; k < i; k++) {
            const struct scn_decision *other = &s->decisions[k];
            if (other->first_signal < 0 || !same_payload(&one->payload, &other->payload))
                continue;
            struct diag *diag =
                mistake(c, DIAG_SAME_PAYLOAD, &s->lines[one->first_signal].place, one->name);
            diag_say(diag, "%s and %s want the same symbol, side, quantity and price", other->name,
                     one->name);
            diag_note(diag, "make one differ, so that their orders can be told apart");
        }
    }
}

/* ---- symbols ---- */

static bool trades(const struct scn_line *line, int symbol) {
    return line->args.symbol == symbol &&
           (line->statement == SCN_SIGNAL || line->statement == SCN_BROKER_FOREIGN);
}

static void check_symbol(struct check *c, const struct scn_line *line, int symbol) {
    const struct scenario *s = c->s;
    struct guess guess;
    if (symbol < 0)
        return;
    for (size_t i = 0; i < s->given_count; i++) {
        if (s->givens[i].args.symbol == symbol)
            return;
    }
    guess = guess_start(s->symbols[symbol], strlen(s->symbols[symbol]));
    for (size_t i = 0; i < s->line_count; i++) {
        if (trades(&s->lines[i], symbol))
            return;
        for (int k = 0; k < (int)s->symbol_count; k++) {
            if (k != symbol && trades(&s->lines[i], k))
                guess_offer(&guess, s->symbols[k]);
        }
    }
    struct diag *diag = mistake(c, DIAG_UNUSED_SYMBOL, &line->place, s->symbols[symbol]);
    diag_say(diag, "nothing in this scenario trades %s", s->symbols[symbol]);
    if (guess.best != NULL)
        diag_note(diag, "did you mean '%.*s'?", (int)guess.best_length, guess.best);
}

/* ---- lines ---- */

static bool needs_time(const struct scn_line *line) {
    switch (line->statement) {
    case SCN_SIGNAL:
    case SCN_CANCEL:
    case SCN_RESTART:
    case SCN_START_SECOND:
    case SCN_RECONCILE:
    case SCN_EXPECT:
    case SCN_WITHIN:
    case SCN_OMS_CHECKS:
    case SCN_OMS_SENDS:
    case SCN_OMS_RECORDS:
    case SCN_OMS_SKIPS:
    case SCN_OMS_RECONCILES:
    case SCN_OMS_HALTS:
    case SCN_OMS_REFUSES:
    case SCN_BROKER_FILLS_SYMBOL:
    case SCN_BROKER_FOREIGN:
    case SCN_RESOLVES:
        return true;
    case SCN_CRASH:
        return line->args.crash.where == SCN_CRASH_NOW;
    case SCN_BROKER_ACCEPTS:
    case SCN_BROKER_REJECTS:
    case SCN_BROKER_CANCELS:
    case SCN_BROKER_EXPIRES:
    case SCN_BROKER_LOSES:
    case SCN_BROKER_FILLS:
    case SCN_BROKER_BUSTS:
    case SCN_BROKER_CORRECTS:
    case SCN_BROKER_FILLS_ALL:
    case SCN_BROKER_BURNS_IDS:
    case SCN_BROKER_KEEPS_IDS:
    case SCN_BROKER_SAYS:
    case SCN_BROKER_CHAINS:
    case SCN_BROKER_DOWN:
    case SCN_BROKER_BACK:
    case SCN_FAULT:
    case SCN_KILL_SWITCH_TRIPS:
    case SCN_KILL_SWITCH_RELEASES:
    case SCN_HALT_FILE_SETS:
    case SCN_HALT_FILE_CLEARS:
    case SCN_CLOCK_FORWARD:
    case SCN_CLOCK_BACK:
    case SCN_ALWAYS:
    case SCN_FINALLY:
    case SCN_REACH_CRASH:
    case SCN_REACH_FAULT:
    case SCN_REACH:
    case SCN_STATEMENT_COUNT:
        return false;
    }
    return false;
}

/* First word of a statement, for messages and carets. */
static const char *first_word(const struct scn_line *line, char *out, size_t size) {
    const char *shape = verb_statements[line->statement].shape;
    snprintf(out, size, "%.*s", (int)shape_word(shape), shape);
    return out;
}

static void check_crash(struct check *c, const struct scn_line *line) {
    if (line->args.crash.kind == SCN_NONE && c->s->crash_count == 0) {
        struct diag *diag = mistake(c, DIAG_CRASH_KIND, &line->place, "crash");
        diag_say(diag, "what kind of crash?");
        diag_note(diag, "write 'crash kill' or 'crash power', or the header: crashes kill, power");
    }
    c->crash_seen = true;
}

/* `reach crash` names one place; it does not quantify itself. */
static void check_reached_crash(struct check *c, const struct scn_line *line) {
    if (line->args.crash.where >= SCN_CRASH_ANYWHERE)
        diag_say(mistake(c, DIAG_REACH_PLACE, &line->place,
                         line->args.crash.depth == SCN_ONCE
                             ? "anywhere"
                             : scn_depth_name(line->args.crash.depth)),
                 "'reach crash' names a point or a site that some run crashed at");
}

static void check_quantifier(struct check *c, const struct scn_line *line) {
    if (!is_quantifier(line))
        return;
    if (line->statement == SCN_CRASH && line->args.crash.depth == SCN_AGAIN && c->s->disk != NULL &&
        !c->s->disk->power_safe)
        diag_say(mistake(c, DIAG_DISK_EXPLORED, &line->place, "anywhere"),
                 "'crash again anywhere' cannot be explored on disk %s", c->s->disk->name);
    if (c->quantifier_seen)
        diag_say(mistake(c, DIAG_TWO_QUANTIFIERS, &line->place, "anywhere"),
                 "a second 'anywhere': this version of the language has one for a scenario");
    c->quantifier_seen = true;
}

static void check_fault(struct check *c, const struct scn_line *line) {
    const struct fault_kind *kind = line->args.strike.fault.kind;
    const struct scn_option_value *door = &c->s->options[SCN_OPTION_DOOR];
    if (kind != NULL && kind->wire_only && door->set && door->value == SCN_DOOR_DIRECT)
        diag_say(mistake(c, DIAG_WIRE_ONLY, &line->place, kind->name),
                 "%s needs bytes on a wire, but the header says option door = direct", kind->name);
}

/* Worlds are merged when what is past in them is past for good. */
static void check_clock(struct check *c, const struct scn_line *line) {
    if ((line->statement == SCN_CLOCK_FORWARD || line->statement == SCN_CLOCK_BACK) &&
        c->s->depth == SCN_AGAIN)
        diag_say(mistake(c, DIAG_CLOCK_EXPLORED, &line->place, "clock"),
                 "'crash again anywhere' cannot be explored with a clock that jumps");
}

static void check_resolution(struct check *c, const struct scn_line *line) {
    enum oms_state state = line->args.state;
    if (state == OMS_STATE_CANCELED || state == OMS_STATE_WORKING)
        return;
    struct diag *diag = mistake(c, DIAG_NO_SUCH_WORD, &line->place, oms_state_name(state));
    diag_say(diag, "a person cannot make an order %s", oms_state_name(state));
    diag_note(diag, "'canceled': it is not at the broker; 'working': it is what the broker has");
}

static void check_sort(struct check *c, const struct scn_line *line) {
    char word[32];
    bool reaches = line->statement == SCN_REACH || line->statement == SCN_REACH_CRASH ||
                   line->statement == SCN_REACH_FAULT;
    bool observed = scn_statement_sort(line->statement) == SCN_OBSERVED ||
                    line->statement == SCN_EXPECT || line->statement == SCN_WITHIN;
    first_word(line, word, sizeof word);
    if (c->s->quantified && observed) {
        struct diag *diag = mistake(c, DIAG_QUANTIFIED, &line->place, word);
        diag_say(diag, "'%s' cannot be true in every run of a scenario with 'anywhere'", word);
        diag_note(diag, "such a scenario holds only stimuli, always, finally and reach");
    }
    if (!c->s->quantified && reaches)
        diag_say(mistake(c, DIAG_REACH, &line->place, word),
                 "'reach' looks at all runs of an 'anywhere', and this scenario has none");
}

static void check_terms(struct check *c, const struct scn_line *line, bool broken) {
    for (size_t i = 0; i < line->term_count && !broken; i++) {
        check_symbol(c, line, line->terms[i].args.symbol);
        if (line->terms[i].kind == SCN_COND_SECOND_REFUSED && !c->second_seen &&
            line->when.base != SCN_FROM_BEGINNING)
            diag_say(mistake(c, DIAG_SECOND, &line->place, "second"),
                     "no 'start second' above that could be refused");
    }
}

/* A bust or a correction is about an execution that a line above names. */
static void check_fill_name(struct check *c, const struct scn_line *line) {
    const char *name = line->args.name;
    struct guess guess = guess_start(name, strlen(name));
    for (const struct scn_line *above = c->s->lines; above < line; above++) {
        if ((above->statement != SCN_BROKER_FILLS && above->statement != SCN_BROKER_FILLS_SYMBOL) ||
            above->args.name[0] == '\0')
            continue;
        if (strcmp(above->args.name, name) == 0)
            return;
        guess_offer(&guess, above->args.name);
    }
    struct diag *diag = mistake(c, DIAG_NO_SUCH_FILL, &line->place, name);
    diag_say(diag, "no execution above is named '%s'; name it with: broker fills ... as %s", name,
             name);
    if (guess.best != NULL)
        diag_note(diag, "did you mean '%.*s'?", (int)guess.best_length, guess.best);
}

static void check_line(struct check *c, const struct scn_line *line, bool broken) {
    char word[32];
    if (line->when.base == SCN_FROM_BEGINNING && needs_time(line) && !broken)
        diag_say(mistake(c, DIAG_TIME_NEEDED, &line->place, first_word(line, word, sizeof word)),
                 "'%s' happens at a moment, and no line above it has a time", word);
    if (line->statement == SCN_CRASH && !broken)
        check_crash(c, line);
    if (line->statement == SCN_RESTART && !c->crash_seen && !broken) {
        struct diag *diag = mistake(c, DIAG_RESTART, &line->place, "restart");
        diag_say(diag, "a restart without a crash above it");
        diag_note(diag, "an OMS that stopped itself is buried with 'crash kill' or 'crash power'");
    }
    if (line->statement == SCN_SIGNAL)
        check_signal(c, line);
    if ((line->statement == SCN_BROKER_FILLS || line->statement == SCN_BROKER_FILLS_SYMBOL ||
         line->statement == SCN_BROKER_FOREIGN || line->statement == SCN_BROKER_CORRECTS) &&
        line->args.qty_nanos <= 0) {
        char text[DECIMAL_TEXT_MAX];
        decimal_format(line->args.qty_nanos, 0, text);
        diag_say(mistake(c, DIAG_NUMBER, &line->place, text), "quantity %s must be positive", text);
    }
    if (line->statement == SCN_BROKER_FILLS_SYMBOL && !broken)
        check_symbol(c, line, line->args.symbol);
    if (line->statement == SCN_BROKER_BUSTS || line->statement == SCN_BROKER_CORRECTS)
        check_fill_name(c, line);
    if (line->statement == SCN_START_SECOND)
        c->second_seen = true;
    if (line->statement == SCN_FAULT)
        check_fault(c, line);
    if (line->statement == SCN_RESOLVES && !broken)
        check_resolution(c, line);
    if (line->statement == SCN_REACH_CRASH)
        check_reached_crash(c, line);
    check_quantifier(c, line);
    check_clock(c, line);
    check_sort(c, line);
    check_terms(c, line, broken);
}

void scenario_check(struct scenario *scenario, bool broken, const struct parser_source *source,
                    struct diags *diags) {
    struct check c = {scenario, diags, source, false, false, false};
    if (scenario->line_count == 0 && !broken)
        diag_say(mistake(&c, DIAG_EMPTY, &scenario->place, "scenario"), "a scenario without lines");
    for (size_t i = 0; i < scenario->line_count; i++)
        check_line(&c, &scenario->lines[i], broken);
    check_decisions(&c, broken);
}
