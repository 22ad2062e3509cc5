/* Reads where crashes and faults strike: points, sites, counts. */
#include "scenarios/lang/slots.h"

#include "faultinject/strikes.h"

#include <stdio.h>
#include <string.h>

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

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "disk.sync(wal)" is four tokens. */
static bool site_text(struct parser *p, char out[SITE_NAME_SIZE], struct token *whole) {
    const struct token *token = parser_token(p);
    if (token->kind != TOKEN_WORD || !is_letter(token->start[0]))
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

bool site_slot(struct parser *p, struct site *site, bool *known, struct token *token) {
    char text[SITE_NAME_SIZE];
    if (!site_text(p, text, token))
        return false;
    *known = site_parse(text, site) && site_is_valid(*site);
    if (!*known)
        unknown_site(p, token, text);
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

static bool crash_at_random(struct parser *p, struct scn_crash *crash) {
    crash->where = SCN_CRASH_AT_RANDOM;
    if (integer_slot(p, 1, STRIKES_MAX, &crash->occurrence))
        return parser_take(p, "times");
    parser_expect(p, slot_expected[SCN_SLOT_INTEGER], false);
    return false;
}

/* [kind] [where], at least one of them. */
bool crash_slot(struct parser *p, struct scn_crash *crash) {
    size_t from = p->at;
    if (parser_take(p, "power"))
        crash->kind = SCN_POWER;
    else if (parser_take(p, "kill"))
        crash->kind = SCN_KILL;
    if (parser_take(p, "twice"))
        crash->depth = SCN_TWICE;
    else if (parser_take(p, "again"))
        crash->depth = SCN_AGAIN;
    if (crash->depth != SCN_ONCE)
        return parser_take(p, "anywhere") && anywhere(p, crash);
    if (parser_take(p, "anywhere"))
        return anywhere(p, crash);
    if (parser_take(p, "at"))
        return parser_take(p, "random") ? crash_at_random(p, crash) : crash_at_site(p, crash);
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

bool fault_slot(struct parser *p, struct scn_strike *strike) {
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
