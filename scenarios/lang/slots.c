/* Reads words, numbers, names and the lists of headers. */
#include "scenarios/lang/slots.h"

#include "core/decimal.h"
#include "scenarios/lang/time_text.h"

#include <string.h>

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
static const char *const disk_words[] = {
#define X(name, sector, power_safe, torn, zeros, names, aftermaths, meaning) name,
    DISK_PROFILES(X)
#undef X
};
#define COUNT_OF(table) (sizeof(table) / sizeof(table)[0])

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

bool is_name(const struct token *token) {
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

void note_guess(struct diag *diag, const struct guess *guess) {
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

bool number_slot(struct parser *p, const char *what, enum sign sign, int64_t *nanos) {
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
bool integer_slot(struct parser *p, int64_t least, int64_t most, int64_t *value) {
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

bool duration_slot(struct parser *p, int64_t *ns) {
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
bool until_slot(struct parser *p, int64_t *ns) {
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

bool decision_slot(struct parser *p, int *decision) {
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

bool new_decision_slot(struct parser *p, struct scn_args *args) {
    const struct token *token = parser_token(p);
    if (!is_name(token))
        return false;
    p->at++;
    token_copy(token, args->name, sizeof args->name);
    return true;
}

bool symbol_slot(struct parser *p, int *symbol) {
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

bool same_symbol_slot(struct parser *p, const struct scn_args *args) {
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

bool discrepancy_slot(struct parser *p, int *type) {
    const struct token *token = parser_token(p);
    /* Types have an underscore, symbols never do: so a slip in a type is not taken for a symbol. */
    if (token->kind != TOKEN_WORD || memchr(token->start, '_', token->length) == NULL)
        return false;
    return closed_word(p, "type of discrepancy", discrepancy_words, COUNT_OF(discrepancy_words),
                       type);
}

bool text_slot(struct parser *p, char *out, size_t size) {
    const struct token *token = parser_token(p);
    if (token->kind != TOKEN_TEXT)
        return false;
    p->at++;
    if (!token_copy(token, out, size))
        diag_say(parser_mistake(p, DIAG_TOO_MANY, token), "a text of more than %zu bytes",
                 size - 1);
    return true;
}

bool path_slot(struct parser *p, char *out, size_t size) {
    const struct token *token = parser_token(p);
    if (token->kind != TOKEN_WORD)
        return text_slot(p, out, size);
    p->at++;
    return token_copy(token, out, size);
}

bool severity_slot(struct parser *p, int *severity) {
    return closed_word(p, "severity", severity_words, COUNT_OF(severity_words), severity);
}

bool state_slot(struct parser *p, enum oms_state *order_state) {
    int index;
    if (!closed_word(p, "order state", state_words, COUNT_OF(state_words), &index))
        return false;
    *order_state = (enum oms_state)index;
    return true;
}

bool tif_slot(struct parser *p, enum broker_tif *tif) {
    int index;
    if (!closed_word(p, "time in force", tif_words, COUNT_OF(tif_words), &index))
        return false;
    *tif = (enum broker_tif)index;
    return true;
}

/* ---- headers' lists ---- */

bool tags_slot(struct parser *p) {
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

bool kinds_slot(struct parser *p) {
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

bool profiles_slot(struct parser *p) {
    do {
        const struct token *token = parser_token(p);
        if (token->kind != TOKEN_WORD)
            return false;
        p->at++;
        add_profile(p, token);
    } while (parser_take(p, ","));
    return true;
}

bool disk_slot(struct parser *p) {
    int index;
    if (!closed_word(p, "disk", disk_words, COUNT_OF(disk_words), &index))
        return false;
    p->scenario->disk = disk_profile_at((size_t)index);
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

bool option_slot(struct parser *p) {
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

bool date_slot(struct parser *p) {
    const struct token *token = parser_token(p);
    if (!looks_like_time(token))
        return false;
    p->at++;
    if (!time_parse_date(token->start, token->length, &p->scenario->date_ns))
        diag_say(parser_mistake(p, DIAG_TIME, token), "no such date: '%.*s'; write YYYY-MM-DD",
                 (int)token->length, token->start);
    return true;
}
