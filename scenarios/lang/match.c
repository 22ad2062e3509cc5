/* Matches one line against shapes and fills the slots.
 *
 * Every row that could fit is tried; the attempt that got furthest tells what was expected.
 * Mistakes in what a word means (an unknown profile) do not end an attempt: the line is understood
 * and all of them are told. */
#include "core/decimal.h"
#include "scenarios/lang/parser.h"
#include "scenarios/lang/time_text.h"
#include "sim/check.h"

#include <string.h>

#define OMS_DISCREPANCY_COUNT (sizeof discrepancy_words / sizeof discrepancy_words[0])
static const char *const discrepancy_words[] = {
#define X(id, word) word,
    OMS_DISCREPANCIES(X)
#undef X
};
static const char *const severity_words[] = {"INFO", "WARNING", "CRITICAL"};
static const char *const state_words[] = {
#define X(id, word, final, meaning) word,
    OMS_STATES(X)
#undef X
};
static const char *const tif_words[] = {
#define X(id, name) name,
    BROKER_TIFS(X)
#undef X
};
#define COUNT_OF(table) (sizeof(table) / sizeof(table)[0])

const struct token *parser_token(const struct parser *p) {
    return &p->tokens.v[p->at];
}

static void expect(struct parser *p, const char *text, size_t length, bool literal) {
    if (p->at < p->furthest)
        return;
    if (p->at > p->furthest) {
        p->furthest = p->at;
        p->expected_count = 0;
    }
    for (size_t i = 0; i < p->expected_count; i++) {
        if (p->expected[i].length == length && memcmp(p->expected[i].text, text, length) == 0)
            return;
    }
    if (p->expected_count < EXPECTED_MAX)
        p->expected[p->expected_count++] = (struct expected){text, length, literal};
}

void parser_expect(struct parser *p, const char *text, bool literal) {
    expect(p, text, strlen(text), literal);
}

/* Eats the word if it is next. */
static bool take(struct parser *p, const char *word, size_t length) {
    const struct token *token = parser_token(p);
    if ((token->kind == TOKEN_WORD || token->kind == TOKEN_SIGN) && token->length == length &&
        memcmp(token->start, word, length) == 0) {
        p->at++;
        return true;
    }
    expect(p, word, length, true);
    return false;
}

bool parser_take(struct parser *p, const char *word) {
    return take(p, word, strlen(word));
}

struct diag *parser_mistake(struct parser *p, enum diag_code code, const struct token *token) {
    return diags_add(p->diags, code, p->name, p->line_number, (int)(token->start - p->line) + 1,
                     token->length == 0 ? 1 : (int)token->length, p->line, p->line_length);
}

struct scn_args args_empty(void) {
    struct scn_args args;
    memset(&args, 0, sizeof args);
    args.decision = args.symbol = args.discrepancy = args.severity = SCN_NONE;
    args.crash.kind = SCN_NONE;
    args.crash.point.decision = args.crash.to.decision = SCN_NONE;
    return args;
}

/* ---- words ---- */

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

static bool is_alpha(char c) {
    return is_upper(c) || (c >= 'a' && c <= 'z');
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_name(const struct token *token) {
    if (token->kind != TOKEN_WORD || !is_alpha(token->start[0]) || token->length >= SCN_NAME_SIZE)
        return false;
    for (size_t i = 0; i < token->length; i++) {
        char c = token->start[i];
        if (!is_alpha(c) && !is_digit(c) && c != '_' && c != '-')
            return false;
    }
    return true;
}

static bool is_symbol(const struct token *token) {
    bool letter = false;
    if (token->kind != TOKEN_WORD || token->length >= BROKER_SYMBOL_SIZE)
        return false;
    for (size_t i = 0; i < token->length; i++) {
        char c = token->start[i];
        if (!is_upper(c) && !is_digit(c) && c != '.' && c != '/' && c != '-')
            return false;
        letter = letter || is_upper(c);
    }
    return letter;
}

/* [-]digits[.digits] */
static bool is_number(const struct token *token) {
    size_t dots = 0, digits = 0;
    if (token->kind != TOKEN_WORD)
        return false;
    for (size_t i = token->start[0] == '-' ? 1 : 0; i < token->length; i++) {
        if (token->start[i] == '.')
            dots++;
        else if (is_digit(token->start[i]))
            digits++;
        else
            return false;
    }
    return digits > 0 && dots <= 1;
}

static bool looks_like_time(const struct token *token) {
    return token->kind == TOKEN_WORD && is_digit(token->start[0]);
}

/* Index of the token among `words`, or SCN_NONE. */
static int word_index(const struct token *token, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (token_is(token, words[i]))
            return (int)i;
    }
    return SCN_NONE;
}

static void note_guess(struct diag *diag, const struct guess *guess) {
    if (guess->best != NULL)
        diag_note(diag, "did you mean '%.*s'?", (int)guess->best_length, guess->best);
}

/* One of a closed list; an unknown word is told, with a guess, and taken as the first. */
static bool closed_word(struct parser *p, const char *what, const char *const *words, size_t count,
                        int *index) {
    const struct token *token = parser_token(p);
    if (token->kind != TOKEN_WORD)
        return false;
    *index = word_index(token, words, count);
    if (*index == SCN_NONE) {
        struct guess guess = guess_start(token->start, token->length);
        struct diag *diag = parser_mistake(p, DIAG_NO_SUCH_WORD, token);
        diag_say(diag, "no such %s: '%.*s'", what, (int)token->length, token->start);
        for (size_t i = 0; i < count; i++)
            guess_offer(&guess, words[i]);
        note_guess(diag, &guess);
        *index = 0;
    }
    p->at++;
    return true;
}

/* ---- numbers ---- */

static size_t decimals(const struct token *token) {
    const char *dot = memchr(token->start, '.', token->length);
    return dot == NULL ? 0 : token->length - (size_t)(dot - token->start) - 1;
}

enum sign { ANY_SIGN, NOT_NEGATIVE, POSITIVE };

static bool number_slot(struct parser *p, const char *what, enum sign sign, int64_t *nanos) {
    const struct token *token = parser_token(p);
    if (!is_number(token))
        return false;
    p->at++;
    if (!decimal_parse_n(token->start, token->length, nanos)) {
        diag_say(parser_mistake(p, DIAG_NUMBER, token), "%s %.*s %s", what, (int)token->length,
                 token->start,
                 decimals(token) > 9 ? "has more than nine decimals" : "is too large");
        *nanos = 1;
    } else if (sign == POSITIVE && *nanos <= 0) {
        diag_say(parser_mistake(p, DIAG_NUMBER, token), "%s %.*s must be positive", what,
                 (int)token->length, token->start);
    } else if (sign == NOT_NEGATIVE && *nanos < 0) {
        diag_say(parser_mistake(p, DIAG_NUMBER, token), "%s %.*s must not be negative", what,
                 (int)token->length, token->start);
    }
    return true;
}

/* Digits only, in least..most. */
static bool integer_slot(struct parser *p, int64_t least, int64_t most, int64_t *value) {
    const struct token *token = parser_token(p);
    if (token->kind != TOKEN_WORD || !is_number(token) || decimals(token) > 0)
        return false;
    p->at++;
    *value = 0;
    bool fits = token->start[0] != '-';
    for (size_t i = 0; fits && i < token->length; i++) {
        fits = *value <= (INT64_MAX - 9) / 10;
        if (fits)
            *value = *value * 10 + (token->start[i] - '0');
    }
    if (!fits || *value < least || *value > most) {
        diag_say(parser_mistake(p, DIAG_NUMBER, token), "%.*s is outside %lld to %lld",
                 (int)token->length, token->start, (long long)least, (long long)most);
        *value = least;
    }
    return true;
}

static bool duration_slot(struct parser *p, int64_t *ns) {
    const struct token *token = parser_token(p);
    if (!looks_like_time(token))
        return false;
    p->at++;
    *ns = 0;
    if (!time_parse_duration(token->start, token->length, ns)) {
        struct diag *diag = parser_mistake(p, DIAG_DURATION, token);
        diag_say(diag, "no such duration: '%.*s'", (int)token->length, token->start);
        diag_note(diag, "a number and a unit: 5s, 200ms, 2m, 1h");
    }
    return true;
}

/* [DATE] CLOCK, later than the line. */
static bool until_slot(struct parser *p, int64_t *ns) {
    const struct token *token = parser_token(p);
    int64_t day = p->day_ns, clock = 0;
    if (!looks_like_time(token))
        return false;
    if (time_parse_date(token->start, token->length, &day))
        token = &p->tokens.v[++p->at];
    if (!looks_like_time(token))
        return false;
    p->at++;
    if (!time_parse_clock(token->start, token->length, &clock))
        diag_say(parser_mistake(p, DIAG_TIME, token), "no such time of day: '%.*s'; write HH:MM:SS",
                 (int)token->length, token->start);
    else if (p->when.base == SCN_AT && day + clock <= p->when.ns)
        diag_say(parser_mistake(p, DIAG_TIME, token),
                 "'until %.*s' is not later than the line itself", (int)token->length,
                 token->start);
    *ns = day + clock;
    return true;
}

/* ---- names ---- */

static bool decision_slot(struct parser *p, int *decision) {
    const struct token *token = parser_token(p);
    struct guess guess = guess_start(token->start, token->length);
    if (!is_name(token))
        return false;
    p->at++;
    for (size_t i = 0; i < p->scenario->decision_count; i++) {
        if (token_is(token, p->scenario->decisions[i].name)) {
            *decision = (int)i;
            return true;
        }
        guess_offer(&guess, p->scenario->decisions[i].name);
    }
    struct diag *diag = parser_mistake(p, DIAG_NO_SUCH_DECISION, token);
    diag_say(diag, "no such decision: '%.*s'", (int)token->length, token->start);
    if (guess.best != NULL && p->scenario->decision_count > 1)
        note_guess(diag, &guess);
    else
        diag_note(diag, "introduce it with: decision %.*s = \"...\"", (int)token->length,
                  token->start);
    *decision = SCN_NONE;
    return true;
}

static bool new_decision_slot(struct parser *p, struct scn_args *args) {
    const struct token *token = parser_token(p);
    if (!is_name(token))
        return false;
    p->at++;
    token_copy(token, args->name, sizeof args->name);
    return true;
}

static bool symbol_slot(struct parser *p, int *symbol) {
    const struct token *token = parser_token(p);
    struct scenario *s = p->scenario;
    /* After a discrepancy the symbol may be left out: these words go on. */
    if (token->kind != TOKEN_WORD || !is_alpha(token->start[0]) || token_is(token, "or") ||
        token_is(token, "severity"))
        return false;
    if (!is_symbol(token)) {
        struct diag *diag = parser_mistake(p, DIAG_SYMBOL, token);
        diag_say(diag, "no symbol: '%.*s'", (int)token->length, token->start);
        diag_note(diag, "capital letters, digits, '.', '/' and '-', at most %d",
                  BROKER_SYMBOL_SIZE - 1);
        p->at++;
        *symbol = SCN_NONE;
        return true;
    }
    p->at++;
    for (size_t i = 0; i < s->symbol_count; i++) {
        if (token_is(token, s->symbols[i])) {
            *symbol = (int)i;
            return true;
        }
    }
    if (s->symbol_count == SCN_SYMBOLS_MAX) {
        diag_say(parser_mistake(p, DIAG_TOO_MANY, token), "more than %d symbols", SCN_SYMBOLS_MAX);
        *symbol = SCN_NONE;
        return true;
    }
    token_copy(token, s->symbols[s->symbol_count], sizeof s->symbols[0]);
    *symbol = (int)s->symbol_count++;
    return true;
}

static bool same_symbol_slot(struct parser *p, const struct scn_args *args) {
    const struct token *token = parser_token(p);
    if (token->kind != TOKEN_WORD)
        return false;
    p->at++;
    if (args->symbol >= 0 && !token_is(token, p->scenario->symbols[args->symbol]))
        diag_say(parser_mistake(p, DIAG_SYMBOL, token),
                 "the two sides name different symbols: %s and %.*s",
                 p->scenario->symbols[args->symbol], (int)token->length, token->start);
    return true;
}

static bool discrepancy_slot(struct parser *p, int *type) {
    const struct token *token = parser_token(p);
    /* Types have an underscore, symbols never do: so a slip in a type is not taken for a symbol. */
    if (token->kind != TOKEN_WORD || memchr(token->start, '_', token->length) == NULL)
        return false;
    return closed_word(p, "type of discrepancy", discrepancy_words, OMS_DISCREPANCY_COUNT, type);
}

static bool text_slot(struct parser *p, char *out, size_t size) {
    const struct token *token = parser_token(p);
    if (token->kind != TOKEN_TEXT)
        return false;
    p->at++;
    if (!token_copy(token, out, size))
        diag_say(parser_mistake(p, DIAG_TOO_MANY, token), "a text of more than %zu bytes",
                 size - 1);
    return true;
}

static bool path_slot(struct parser *p, char *out, size_t size) {
    const struct token *token = parser_token(p);
    if (token->kind != TOKEN_WORD)
        return text_slot(p, out, size);
    p->at++;
    return token_copy(token, out, size);
}

/* ---- points, sites, crashes, faults ---- */

bool parse_point(struct parser *p, struct scn_point *point) {
    const struct token *token = parser_token(p);
    point->decision = SCN_NONE;
    for (size_t i = 0; i < SCN_POINT_COUNT; i++) {
        if (!token_is(token, point_rows[i].word)) {
            parser_expect(p, point_rows[i].word, true);
            continue;
        }
        p->at++;
        point->kind = (enum scn_point_kind)i;
        if (!point_rows[i].takes_decision)
            return true;
        /* "between send D1 and record D1": the word 'and' is no decision. */
        if (!is_name(parser_token(p)) || token_is(parser_token(p), "and"))
            parser_expect(p, slot_expected[SCN_SLOT_DECISION], false);
        else
            decision_slot(p, &point->decision);
        return true;
    }
    return false;
}

/* "disk.sync(wal)" is four tokens. */
static bool site_text(struct parser *p, char out[SITE_NAME_SIZE], struct token *whole) {
    const struct token *token = parser_token(p);
    if (token->kind != TOKEN_WORD || !is_alpha(token->start[0]))
        return false;
    *whole = *token;
    p->at++;
    if (token_is(parser_token(p), "(") && token[1].start == token->start + token->length &&
        token[2].kind == TOKEN_WORD && token_is(&token[3], ")")) {
        whole->length = (size_t)(token[3].start + 1 - token->start);
        p->at += 3;
    }
    if (whole->length >= SITE_NAME_SIZE) {
        memcpy(out, whole->start, SITE_NAME_SIZE - 1);
        out[SITE_NAME_SIZE - 1] = '\0';
    } else {
        memcpy(out, whole->start, whole->length);
        out[whole->length] = '\0';
    }
    return true;
}

/* Sites that begin with `text` and name an object: what "disk.sync" alone could have meant. */
static void note_objects(struct diag *diag, const char *text) {
    char list[DIAG_TEXT_SIZE] = "";
    size_t used = 0, length = strlen(text);
    for (unsigned i = 0; i < SITE_COUNT; i++) {
        struct site site = {i / SITE_OBJECT_COUNT, i % SITE_OBJECT_COUNT};
        char name[SITE_NAME_SIZE];
        if (!site_is_valid(site) || strncmp(site_name(site, name), text, length) != 0 ||
            name[length] != '(' || used >= sizeof list)
            continue;
        used +=
            (size_t)snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "", name);
    }
    if (used > 0)
        diag_note(diag, "one of: %s", list);
}

static void unknown_site(struct parser *p, const struct token *token, const char *text) {
    static char names[SITE_COUNT][SITE_NAME_SIZE]; /* the guess points into it */
    struct diag *diag = parser_mistake(p, DIAG_NO_SUCH_SITE, token);
    struct guess guess = guess_start(text, strlen(text));
    diag_say(diag, "no such site: '%s'", text);
    for (unsigned i = 0; i < SITE_COUNT; i++) {
        struct site site = {i / SITE_OBJECT_COUNT, i % SITE_OBJECT_COUNT};
        if (site_is_valid(site))
            guess_offer(&guess, site_name(site, names[i]));
    }
    note_guess(diag, &guess);
    note_objects(diag, text);
}

static bool site_slot(struct parser *p, struct site *site, bool *known, struct token *token) {
    char text[SITE_NAME_SIZE];
    if (!site_text(p, text, token))
        return false;
    *known = site_parse(text, site) && site_is_valid(*site);
    if (!*known)
        unknown_site(p, token, text);
    return true;
}

/* "twice", "again": words of the language that this version does not run. */
static bool refuse_later(struct parser *p, const char *word) {
    const struct token *token = parser_token(p);
    if (!token_is(token, word))
        return false;
    diag_say(parser_mistake(p, DIAG_NOT_YET, token), "'%s' is not in this version of the language",
             word);
    p->at++;
    return true;
}

static bool anywhere(struct parser *p, struct scn_crash *crash) {
    crash->where = SCN_CRASH_ANYWHERE;
    if (parser_take(p, "before"))
        crash->where = SCN_CRASH_ANYWHERE_BEFORE;
    else if (parser_take(p, "after"))
        crash->where = SCN_CRASH_ANYWHERE_AFTER;
    else if (parser_take(p, "between"))
        crash->where = SCN_CRASH_ANYWHERE_BETWEEN;
    else
        return true;
    if (!parse_point(p, &crash->point))
        return false;
    if (crash->where != SCN_CRASH_ANYWHERE_BETWEEN)
        return true;
    return parser_take(p, "and") && parse_point(p, &crash->to);
}

static bool crash_at_site(struct parser *p, struct scn_crash *crash) {
    struct token token;
    bool known;
    crash->where = SCN_CRASH_AT_SITE;
    crash->occurrence = 1;
    if (!site_slot(p, &crash->site, &known, &token)) {
        parser_expect(p, slot_expected[SCN_SLOT_SITE], false);
        return false;
    }
    if (!parser_take(p, "@"))
        return true;
    if (integer_slot(p, 1, 1000000, &crash->occurrence))
        return true;
    parser_expect(p, slot_expected[SCN_SLOT_INTEGER], false);
    return false;
}

/* [kind] [where], at least one of them. */
static bool crash_slot(struct parser *p, struct scn_crash *crash) {
    size_t from = p->at;
    if (parser_take(p, "power"))
        crash->kind = SCN_POWER;
    else if (parser_take(p, "kill"))
        crash->kind = SCN_KILL;
    if (refuse_later(p, "twice") || refuse_later(p, "again")) {
        parser_take(p, "anywhere");
        return anywhere(p, crash);
    }
    if (parser_take(p, "anywhere"))
        return anywhere(p, crash);
    if (parser_take(p, "at"))
        return crash_at_site(p, crash);
    if (parser_take(p, "before"))
        crash->where = SCN_CRASH_BEFORE;
    else if (parser_take(p, "after"))
        crash->where = SCN_CRASH_AFTER;
    else
        return p->at > from;
    return parse_point(p, &crash->point);
}

/* The value of argument `name`, given as the token. */
static void fault_argument(struct parser *p, struct scn_strike *strike, const struct token *name,
                           const struct token *value) {
    const struct fault_kind *kind = strike->fault.kind;
    char text[64], why[DIAG_TEXT_SIZE] = "";
    if (kind == NULL)
        return;
    for (int i = 0; i < FAULT_ARGS_MAX && kind->args[i].name != NULL; i++) {
        if (!token_is(name, kind->args[i].name))
            continue;
        if (strike->arg_written[i])
            diag_say(parser_mistake(p, DIAG_FAULT_ARGUMENT, name), "%s is written twice",
                     kind->args[i].name);
        strike->arg_written[i] = true;
        if (!token_copy(value, text, sizeof text))
            text[sizeof text - 1] = '\0';
        if (!fault_arg_parse(&kind->args[i], text, &strike->fault.arg[i], why, sizeof why))
            diag_say(parser_mistake(p, DIAG_FAULT_ARGUMENT, value), "%s", why);
        return;
    }
    struct diag *diag = parser_mistake(p, DIAG_FAULT_ARGUMENT, name);
    diag_say(diag, "%s has no argument '%.*s'", kind->name, (int)name->length, name->start);
    if (kind->args[0].name != NULL)
        diag_note(diag, "did you mean '%s'?", kind->args[0].name);
}

static bool fault_arguments(struct parser *p, struct scn_strike *strike) {
    if (!parser_take(p, "("))
        return true;
    do {
        const struct token *name = parser_token(p);
        if (!is_name(name)) {
            parser_expect(p, "a name of an argument", false);
            return false;
        }
        p->at++;
        if (!parser_take(p, "="))
            return false;
        const struct token *value = parser_token(p);
        if (value->kind != TOKEN_WORD) {
            parser_expect(p, "a value", false);
            return false;
        }
        p->at++;
        fault_argument(p, strike, name, value);
    } while (parser_take(p, ","));
    return parser_take(p, ")");
}

static void require_arguments(struct parser *p, struct scn_strike *strike,
                              const struct token *token) {
    const struct fault_kind *kind = strike->fault.kind;
    for (int i = 0; kind != NULL && i < FAULT_ARGS_MAX && kind->args[i].name != NULL; i++) {
        const struct fault_arg *arg = &kind->args[i];
        if (strike->arg_written[i])
            continue;
        if (!arg->required) {
            strike->fault.arg[i] = arg->otherwise;
            continue;
        }
        struct diag *diag = parser_mistake(p, DIAG_FAULT_ARGUMENT, token);
        diag_say(diag, "%s needs %s", kind->name, arg->name);
        diag_note(diag, "write %s(%s=%s)", kind->name, arg->name,
                  arg->type == FAULT_ARG_WORD       ? arg->words[0]
                  : arg->type == FAULT_ARG_DURATION ? "5s"
                                                    : "1");
    }
}

static bool fault_times(struct parser *p, struct scn_strike *strike) {
    strike->times_written = true;
    if (parser_take(p, "once")) {
        strike->times = SCN_NEXT_CALL;
    } else if (parser_take(p, "always")) {
        strike->times = SCN_ALL_CALLS;
    } else if (parser_take(p, "anywhere")) {
        strike->times = SCN_EACH_CALL;
    } else if (parser_take(p, "until")) {
        strike->times = SCN_UNTIL;
        if (!until_slot(p, &strike->until_ns)) {
            parser_expect(p, slot_expected[SCN_SLOT_UNTIL], false);
            return false;
        }
    } else if (parser_take(p, "on")) {
        strike->times = SCN_ON_CALLS;
        if (!parser_take(p, "call"))
            return false;
        if (!integer_slot(p, 1, 1000000, &strike->first)) {
            parser_expect(p, slot_expected[SCN_SLOT_INTEGER], false);
            return false;
        }
        strike->last = strike->first;
        if (!parser_take(p, ".."))
            return true;
        if (integer_slot(p, strike->first, 1000000, &strike->last))
            return true;
        parser_expect(p, slot_expected[SCN_SLOT_INTEGER], false);
        return false;
    } else {
        strike->times_written = false;
    }
    return true;
}

static void unknown_fault(struct parser *p, const struct token *token, struct site site) {
    struct guess guess = guess_start(token->start, token->length);
    struct diag *diag = parser_mistake(p, DIAG_NO_SUCH_FAULT, token);
    char name[SITE_NAME_SIZE], list[DIAG_TEXT_SIZE] = "";
    size_t used = 0;
    diag_say(diag, "no such fault at %s: '%.*s'", site_name(site, name), (int)token->length,
             token->start);
    for (size_t i = 0; i < catalogue_count(); i++) {
        const struct fault_kind *kind = catalogue_at(i);
        if (!catalogue_fits(kind, site))
            continue;
        guess_offer(&guess, kind->name);
        if (used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "",
                                     kind->name);
    }
    if (guess.best != NULL)
        note_guess(diag, &guess);
    else if (used > 0)
        diag_note(diag, "one of: %s", list);
    else
        diag_note(diag, "no fault is known there");
}

static bool fault_slot(struct parser *p, struct scn_strike *strike) {
    struct token site_token;
    bool known = false;
    if (!site_slot(p, &strike->site, &known, &site_token))
        return false;
    const struct token *kind = parser_token(p);
    char name[FAULT_NAME_SIZE];
    if (!is_name(kind)) {
        parser_expect(p, "a kind of fault", false);
        return false;
    }
    p->at++;
    if (known) {
        if (token_copy(kind, name, sizeof name))
            strike->fault.kind = catalogue_find(strike->site, name);
        if (strike->fault.kind == NULL)
            unknown_fault(p, kind, strike->site);
    }
    if (!fault_arguments(p, strike))
        return false;
    require_arguments(p, strike, kind);
    return fault_times(p, strike);
}

/* ---- headers' lists ---- */

static bool tags_slot(struct parser *p) {
    struct scenario *s = p->scenario;
    do {
        const struct token *token = parser_token(p);
        if (!is_name(token)) {
            parser_expect(p, slot_expected[SCN_SLOT_TAGS], false);
            return false;
        }
        p->at++;
        if (s->tag_count == SCN_TAGS_MAX) {
            diag_say(parser_mistake(p, DIAG_TOO_MANY, token), "more than %d tags", SCN_TAGS_MAX);
            continue;
        }
        token_copy(token, s->tags[s->tag_count++], SCN_NAME_SIZE);
    } while (parser_take(p, ","));
    return true;
}

static bool kinds_slot(struct parser *p) {
    struct scenario *s = p->scenario;
    do {
        const struct token *token = parser_token(p);
        enum scn_crash_kind kind = SCN_KILL;
        if (parser_take(p, "power"))
            kind = SCN_POWER;
        else if (!parser_take(p, "kill"))
            return false;
        bool twice = s->crash_count > 0 && (s->crashes[0] == kind || s->crash_count > 1);
        if (twice)
            diag_say(parser_mistake(p, DIAG_HEADER_PLACE, token), "'%s' is written twice",
                     scn_crash_kind_name(kind));
        else
            s->crashes[s->crash_count++] = kind;
    } while (parser_take(p, ","));
    return true;
}

static void add_profile(struct parser *p, const struct token *token) {
    struct scenario *s = p->scenario;
    struct guess guess = guess_start(token->start, token->length);
    char name[SCN_NAME_SIZE] = "";
    const struct profile *profile =
        token_copy(token, name, sizeof name) ? profile_find(name) : NULL;
    if (profile == NULL) {
        struct diag *diag = parser_mistake(p, DIAG_NO_SUCH_PROFILE, token);
        diag_say(diag, "no such profile: '%.*s'", (int)token->length, token->start);
        for (size_t i = 0; profile_at(i) != NULL; i++)
            guess_offer(&guess, profile_at(i)->name);
        note_guess(diag, &guess);
        return;
    }
    for (size_t i = 0; i < s->profile_count; i++) {
        if (s->profiles[i] == profile) {
            diag_say(parser_mistake(p, DIAG_HEADER_PLACE, token), "'%s' is written twice", name);
            return;
        }
    }
    if (s->profile_count == SCN_PROFILES_MAX)
        diag_say(parser_mistake(p, DIAG_TOO_MANY, token), "more than %d profiles",
                 SCN_PROFILES_MAX);
    else
        s->profiles[s->profile_count++] = profile;
}

static bool profiles_slot(struct parser *p) {
    do {
        const struct token *token = parser_token(p);
        if (token->kind != TOKEN_WORD)
            return false;
        p->at++;
        add_profile(p, token);
    } while (parser_take(p, ","));
    return true;
}

static bool option_value(struct parser *p, const struct option_row *row, const struct token *token,
                         int64_t *value) {
    struct guess guess = guess_start(token->start, token->length);
    static char words[8][16]; /* the guess points into it */
    if (row->type == OPTION_INT) {
        if (!integer_slot(p, row->least, row->most, value)) {
            diag_say(parser_mistake(p, DIAG_BAD_OPTION, token), "%s is a whole number, not '%.*s'",
                     row->name, (int)token->length, token->start);
            p->at++;
            return false;
        }
        return true;
    }
    p->at++;
    for (int64_t i = 0; i <= row->most; i++) {
        if (token_is(token, option_word(row, i, words[i], sizeof words[i]))) {
            *value = i;
            return true;
        }
        guess_offer(&guess, words[i]);
    }
    struct diag *diag = parser_mistake(p, DIAG_BAD_OPTION, token);
    diag_say(diag, "%s is one of %s, not '%.*s'", row->name, row->words, (int)token->length,
             token->start);
    note_guess(diag, &guess);
    return false;
}

static bool option_slot(struct parser *p) {
    const struct token *name = parser_token(p);
    struct guess guess = guess_start(name->start, name->length);
    size_t option = 0;
    if (!is_name(name))
        return false;
    p->at++;
    if (!parser_take(p, "="))
        return false;
    const struct token *value = parser_token(p);
    if (value->kind != TOKEN_WORD) {
        parser_expect(p, "a value", false);
        return false;
    }
    while (option < SCN_OPTION_COUNT && !token_is(name, option_rows[option].name))
        guess_offer(&guess, option_rows[option++].name);
    if (option == SCN_OPTION_COUNT) {
        struct diag *diag = parser_mistake(p, DIAG_NO_SUCH_OPTION, name);
        diag_say(diag, "no such option: '%.*s'", (int)name->length, name->start);
        note_guess(diag, &guess);
        p->at++;
        return true;
    }
    struct scn_option_value *slot = &p->scenario->options[option];
    slot->set = option_value(p, &option_rows[option], value, &slot->value);
    return true;
}

static bool date_slot(struct parser *p) {
    const struct token *token = parser_token(p);
    if (!looks_like_time(token))
        return false;
    p->at++;
    if (!time_parse_date(token->start, token->length, &p->scenario->date_ns))
        diag_say(parser_mistake(p, DIAG_TIME, token), "no such date: '%.*s'; write YYYY-MM-DD",
                 (int)token->length, token->start);
    return true;
}

/* ---- conditions ---- */

static bool match_seq(struct parser *p, const char **shape, struct scn_args *args);

static const struct {
    const char *words[2];
} later_conditions[] = {{{"pnl", NULL}}, {{"broker", "pnl"}}};

static bool later_condition(struct parser *p) {
    for (size_t i = 0; i < COUNT_OF(later_conditions); i++) {
        const char *const *words = later_conditions[i].words;
        if (!token_is(parser_token(p), words[0]) ||
            (words[1] != NULL && !token_is(parser_token(p) + 1, words[1])))
            continue;
        diag_say(parser_mistake(p, DIAG_NOT_YET, parser_token(p)),
                 "conditions on 'pnl' are not in this version of the language");
        p->at = p->tokens.n - 1;
        return true;
    }
    return false;
}

struct mark {
    size_t at, diags, dropped, symbols, terms;
};

static struct mark mark(const struct parser *p) {
    return (struct mark){p->at, p->diags->n, p->diags->dropped,
                         p->scenario == NULL ? 0 : p->scenario->symbol_count, p->term_count};
}

static void rewind_to(struct parser *p, struct mark to) {
    p->at = to.at;
    p->diags->n = to.diags;
    p->diags->dropped = to.dropped;
    p->term_count = to.terms;
    if (p->scenario != NULL)
        p->scenario->symbol_count = to.symbols;
}

static bool match_term(struct parser *p, struct scn_term *term) {
    struct mark start = mark(p);
    for (size_t i = 0; i < SCN_CONDITION_COUNT; i++) {
        const char *shape = verb_conditions[i].shape;
        term->kind = (enum scn_condition)i;
        term->args = args_empty();
        if (match_seq(p, &shape, &term->args))
            return true;
        rewind_to(p, start);
    }
    return false;
}

static bool condition_slot(struct parser *p) {
    p->term_count = 0;
    do {
        const struct token *token = parser_token(p);
        struct scn_term term;
        if (later_condition(p))
            return true;
        if (!match_term(p, &term))
            return false;
        if (p->term_count == SCN_TERMS_MAX)
            diag_say(parser_mistake(p, DIAG_TOO_MANY, token), "more than %d alternatives",
                     SCN_TERMS_MAX);
        else
            p->terms[p->term_count++] = term;
    } while (parser_take(p, "or"));
    return true;
}

static bool cmp_slot(struct parser *p, enum scn_cmp *cmp) {
    for (size_t i = 0; i < COUNT_OF(cmp_signs); i++) {
        if (parser_take(p, cmp_signs[i])) {
            *cmp = (enum scn_cmp)i;
            return true;
        }
    }
    return false;
}

/* One of two words; both are told when neither stands there. */
static bool either(struct parser *p, const char *first, const char *second, bool *is_second) {
    *is_second = false;
    if (parser_take(p, first))
        return true;
    *is_second = parser_take(p, second);
    return *is_second;
}

/* ---- shapes ---- */

static bool fill_slot(struct parser *p, enum scn_slot slot, struct scn_args *args) {
    bool second, known;
    int index;
    struct token token;
    switch (slot) {
    case SCN_SLOT_DECISION:
        return decision_slot(p, &args->decision);
    case SCN_SLOT_NEW_DECISION:
    case SCN_SLOT_FILL:
        return new_decision_slot(p, args);
    case SCN_SLOT_SIDE:
        if (!either(p, "buy", "sell", &second))
            return false;
        args->side = second ? BROKER_SELL : BROKER_BUY;
        return true;
    case SCN_SLOT_QTY:
        return number_slot(p, "quantity", ANY_SIGN, &args->qty_nanos);
    case SCN_SLOT_SYMBOL:
        return symbol_slot(p, &args->symbol);
    case SCN_SLOT_SAME_SYMBOL:
        return same_symbol_slot(p, args);
    case SCN_SLOT_PRICE:
        return number_slot(p, "price", POSITIVE, &args->price_nanos);
    case SCN_SLOT_TIF:
        if (!closed_word(p, "time in force", tif_words, COUNT_OF(tif_words), &index))
            return false;
        args->tif = (enum broker_tif)index;
        return true;
    case SCN_SLOT_UNTIL:
        return until_slot(p, &args->until_ns);
    case SCN_SLOT_DUR:
        return duration_slot(p, &args->duration_ns);
    case SCN_SLOT_TEXT:
        return text_slot(p, args->text, sizeof args->text);
    case SCN_SLOT_PRESENCE:
        if (!either(p, "absent", "present", &args->present))
            return false;
        return true;
    case SCN_SLOT_CRASH:
        return crash_slot(p, &args->crash);
    case SCN_SLOT_FAULT:
        return fault_slot(p, &args->strike);
    case SCN_SLOT_SITE:
        return site_slot(p, &args->site, &known, &token);
    case SCN_SLOT_COND:
        return condition_slot(p);
    case SCN_SLOT_CMP:
        return cmp_slot(p, &args->cmp);
    case SCN_SLOT_INTEGER:
        return integer_slot(p, 0, INT64_MAX, &args->count);
    case SCN_SLOT_DISCREPANCY:
        return discrepancy_slot(p, &args->discrepancy);
    case SCN_SLOT_SEVERITY:
        return closed_word(p, "severity", severity_words, COUNT_OF(severity_words),
                           &args->severity);
    case SCN_SLOT_STATE:
        if (!closed_word(p, "order state", state_words, COUNT_OF(state_words), &index))
            return false;
        args->state = (enum oms_state)index;
        return true;
    case SCN_SLOT_SWITCH:
        return either(p, "off", "on", &args->on);
    case SCN_SLOT_MONEY:
        return number_slot(p, "amount", NOT_NEGATIVE, &args->money_nanos);
    case SCN_SLOT_TAGS:
        return tags_slot(p);
    case SCN_SLOT_DATE:
        return date_slot(p);
    case SCN_SLOT_KINDS:
        return kinds_slot(p);
    case SCN_SLOT_PROFILES:
        return profiles_slot(p);
    case SCN_SLOT_OPTION:
        return option_slot(p);
    case SCN_SLOT_PATH:
        return path_slot(p, args->text, sizeof args->text);
    case SCN_SLOT_MARKET:
        return parser_take(p, "market");
    case SCN_SLOT_REST:
        return parser_take(p, "rest");
    case SCN_SLOT_NO:
        return parser_take(p, "no");
    case SCN_SLOT_COUNT:
        break;
    }
    CHECK(slot != SCN_SLOT_COUNT);
    return false;
}

/* Slots whose own words were told already (buy, sell) need no name. */
static bool tells_its_words(enum scn_slot slot) {
    return slot == SCN_SLOT_SIDE || slot == SCN_SLOT_PRESENCE || slot == SCN_SLOT_SWITCH ||
           slot == SCN_SLOT_MARKET || slot == SCN_SLOT_REST || slot == SCN_SLOT_NO ||
           slot == SCN_SLOT_KINDS || slot == SCN_SLOT_CRASH || slot == SCN_SLOT_COND ||
           slot == SCN_SLOT_CMP;
}

static bool match_word(struct parser *p, const char *word, size_t length, struct scn_args *args) {
    enum scn_slot slot = slot_of(word, length);
    if (slot != SCN_SLOT_COUNT) {
        size_t from = p->at;
        bool filled = fill_slot(p, slot, args);
        if (filled)
            args->has |= UINT64_C(1) << slot;
        else if (!tells_its_words(slot) && p->at == from)
            parser_expect(p, slot_expected[slot], false);
        return filled;
    }
    return take(p, word, length);
}

/* Length of the group that begins at shape[0] == '[', brackets included. */
static size_t group_length(const char *shape) {
    int depth = 0;
    size_t i = 0;
    do {
        depth += shape[i] == '[';
        depth -= shape[i] == ']';
        i++;
    } while (depth > 0);
    return i;
}

/* The first alternative that fits, or none of them. */
static void match_group(struct parser *p, const char *shape, struct scn_args *args) {
    struct mark start = mark(p);
    struct scn_args before = *args;
    const char *at = shape + 1;
    for (;;) {
        if (match_seq(p, &at, args))
            return;
        rewind_to(p, start);
        *args = before;
        at += strcspn(at, "|]");
        if (*at != '|')
            return;
        at++;
    }
}

/* Words and groups until the alternative or the shape ends. */
static bool match_seq(struct parser *p, const char **shape, struct scn_args *args) {
    while (**shape != '\0' && **shape != '|' && **shape != ']') {
        if (**shape == ' ') {
            (*shape)++;
        } else if (**shape == '[') {
            match_group(p, *shape, args);
            *shape += group_length(*shape);
        } else {
            size_t length = shape_word(*shape);
            if (!match_word(p, *shape, length, args))
                return false;
            *shape += length;
        }
    }
    return true;
}

static bool match_row(struct parser *p, const struct verb *row, struct scn_args *args) {
    const char *shape = row->shape;
    *args = args_empty();
    p->term_count = 0;
    if (!match_seq(p, &shape, args))
        return false;
    if (parser_token(p)->kind == TOKEN_END)
        return true;
    parser_expect(p, "the end of the line", false);
    return false;
}

/* "'limit', 'market' or the end of the line" */
static void list_expected(const struct parser *p, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < p->expected_count && used < size; i++) {
        const char *between = i == 0 ? "" : i + 1 == p->expected_count ? " or " : ", ";
        const char *quote = p->expected[i].literal ? "'" : "";
        used += (size_t)snprintf(out + used, size - used, "%s%s%.*s%s", between, quote,
                                 (int)p->expected[i].length, p->expected[i].text, quote);
    }
}

static void tell_expected(struct parser *p) {
    const struct token *token = &p->tokens.v[p->furthest];
    struct guess guess = guess_start(token->start, token->length);
    struct diag *diag = parser_mistake(p, DIAG_EXPECTED, token);
    char list[DIAG_TEXT_SIZE];
    list_expected(p, list, sizeof list);
    if (token->kind == TOKEN_END) {
        diag_say(diag, "the line ends too early: expected %s", list);
        return;
    }
    diag_say(diag, "expected %s, not '%.*s'", list, (int)token->length, token->start);
    for (size_t i = 0; i < p->expected_count; i++) {
        if (p->expected[i].literal)
            guess_offer_n(&guess, p->expected[i].text, p->expected[i].length);
    }
    if (token->kind == TOKEN_WORD)
        note_guess(diag, &guess);
}

int parser_match(struct parser *p, const struct verb *rows, size_t count, struct scn_args *args) {
    struct mark start = mark(p);
    int best = SCN_NONE;
    p->furthest = p->at;
    p->expected_count = 0;
    for (size_t i = 0; i < count; i++) {
        size_t furthest = p->furthest;
        if (!verb_starts_with(&rows[i], &p->tokens.v[start.at]))
            continue;
        if (match_row(p, &rows[i], args))
            return (int)i;
        if (best == SCN_NONE || p->furthest > furthest)
            best = (int)i;
        rewind_to(p, start);
    }
    /* Once more with the row that got furthest, to tell what is wrong before that place, too. */
    match_row(p, &rows[best], args);
    tell_expected(p);
    return SCN_NONE;
}
