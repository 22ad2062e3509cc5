/* Matches one line against shapes and fills the slots.
 *
 * Every row that could fit is tried; the attempt that got furthest tells what was expected.
 * Mistakes in what a word means (an unknown profile) do not end an attempt: the line is understood
 * and all of them are told. */
#include "scenarios/lang/slots.h"
#include "sim/check.h"

#include <string.h>

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

/* ---- conditions ---- */

static bool match_seq(struct parser *p, const char **shape, struct scn_args *args);

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
        return tif_slot(p, &args->tif);
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
        return severity_slot(p, &args->severity);
    case SCN_SLOT_STATE:
        return state_slot(p, &args->state);
    case SCN_SLOT_SWITCH:
        return either(p, "off", "on", &args->on);
    case SCN_SLOT_AMOUNT:
        return number_slot(p, "amount", ANY_SIGN, &args->money_nanos);
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
    case SCN_SLOT_DISK:
        return disk_slot(p);
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
    case SCN_SLOT_DAILY:
        return parser_take(p, "daily");
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
           slot == SCN_SLOT_DAILY || slot == SCN_SLOT_KINDS || slot == SCN_SLOT_CRASH ||
           slot == SCN_SLOT_COND || slot == SCN_SLOT_CMP;
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
