/* Reads scenario files: lines, headers, times; statements are matched in match.c. */
#include "scenarios/lang/slots.h"
#include "scenarios/lang/time_text.h"
#include "sim/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_NAMES_MAX = 64 };

/* ---- mistakes of whole lines and files ---- */

static struct diag *line_mistake(struct parser *p, enum diag_code code) {
    p->broken = true;
    return diags_add(p->diags, code, p->name, p->line_number, 1, 1, p->line, p->line_length);
}

static struct diag *file_mistake(struct parser *p, enum diag_code code) {
    return diags_add(p->diags, code, p->name, 0, 0, 0, NULL, 0);
}

static struct diag *token_mistake(struct parser *p, enum diag_code code) {
    p->broken = true;
    return parser_mistake(p, code, parser_token(p));
}

static void offer_first_words(struct guess *guess, const struct verb *rows, size_t count) {
    for (size_t i = 0; i < count; i++)
        guess_offer_n(guess, rows[i].shape, shape_word(rows[i].shape));
}

/* ---- times ---- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static void backwards(struct parser *p, const struct token *token, const struct scn_when *when) {
    char now[TIME_TEXT_SIZE], then[TIME_TEXT_SIZE], next[TIME_TEXT_SIZE];
    struct diag *diag = parser_mistake(p, DIAG_TIME_BACKWARDS, token);
    if (when->base != SCN_AT) {
        diag_say(diag, "time goes backwards: +%s is before +%s on line %d",
                 time_format_duration(when->ns, now), time_format_duration(p->above.ns, then),
                 p->above_line);
        return;
    }
    diag_say(diag, "time goes backwards: %s is before %s on line %d",
             time_format_clock(when->ns, now), time_format_clock(p->above.ns, then), p->above_line);
    diag_note(diag, "the next day is written %s %s",
              time_format_date(time_day(p->above.ns) + TIME_DAY_NS, next), now);
}

static void set_time(struct parser *p, const struct token *token, struct scn_when when) {
    bool comparable = p->above_line > 0 && when.base == p->above.base &&
                      when.anchor == p->above.anchor && when.base != SCN_BEFORE_POINT &&
                      when.base != SCN_AFTER_POINT;
    if (comparable && when.ns < p->above.ns)
        backwards(p, token, &when);
    p->when = p->above = when;
    p->above_line = p->line_number;
    if (when.base == SCN_AT)
        p->day_ns = time_day(when.ns);
}

static void clock_time(struct parser *p) {
    const struct token *token = parser_token(p);
    struct scn_when when = {SCN_AT, 0, SCN_NONE, {0}, SCN_TIME_CLOCK, 0};
    int64_t day = p->day_ns, clock = 0;
    if (time_parse_date(token->start, token->length, &day)) {
        when.written = SCN_TIME_DATE_CLOCK;
        p->at++;
    }
    const struct token *second = parser_token(p);
    if (!time_parse_clock(second->start, second->length, &clock)) {
        struct diag *diag = token_mistake(p, DIAG_TIME);
        diag_say(diag, "no such time: '%.*s'", (int)second->length, second->start);
        diag_note(diag, "write HH:MM:SS, or YYYY-MM-DD HH:MM:SS, or +5s");
        p->at += second->kind == TOKEN_END ? 0 : 1;
        return;
    }
    p->at++;
    when.ns = day + clock;
    set_time(p, token, when);
}

/* The duration after a '+' that was taken; false after a mistake. */
static bool plus(struct parser *p, int64_t *ns) {
    const struct token *token = parser_token(p);
    if (token->kind != TOKEN_WORD || !time_parse_duration(token->start, token->length, ns)) {
        struct diag *diag = token_mistake(p, DIAG_DURATION);
        diag_say(diag, "no such duration: '%.*s'", (int)token->length, token->start);
        diag_note(diag, "a number and a unit: 5s, 200ms, 2m, 1h");
        p->at += token->kind == TOKEN_END ? 0 : 1;
        return false;
    }
    p->at++;
    return true;
}

static void relative_time(struct parser *p) {
    const struct token *token = parser_token(p);
    struct scn_when when = p->above;
    p->at++;
    if (!plus(p, &when.plus_ns))
        return;
    if (p->above_line == 0) {
        p->broken = true;
        diag_say(parser_mistake(p, DIAG_TIME_NEEDED, token),
                 "'+' counts from the line above, but none has a time");
        return;
    }
    when.ns += when.plus_ns;
    when.written = SCN_TIME_PLUS;
    set_time(p, token, when);
}

/* start, crash or restart, '+', DUR */
static void event_time(struct parser *p) {
    const struct token *token = parser_token(p);
    struct scn_when when = {SCN_AT, 0, SCN_NONE, {0}, SCN_TIME_START_PLUS, 0};
    p->at += 2;
    if (!plus(p, &when.plus_ns))
        return;
    when.ns = when.plus_ns;
    if (token_is(token, "start")) {
        when.ns += p->scenario->start_ns;
    } else if (token_is(token, "crash")) {
        when.base = SCN_AFTER_CRASH;
        when.written = SCN_TIME_CRASH_PLUS;
        when.anchor = p->last_crash;
    } else {
        when.base = SCN_AFTER_RESTART;
        when.written = SCN_TIME_RESTART_PLUS;
        when.anchor = p->last_restart;
    }
    if (when.base != SCN_AT && when.anchor == SCN_NONE) {
        diag_say(parser_mistake(p, DIAG_TIME, token), "no %.*s above that this could count from",
                 (int)token->length, token->start);
        p->broken = true;
        return;
    }
    set_time(p, token, when);
}

/* before or after, point, ':' */
static void point_time(struct parser *p) {
    const struct token *token = parser_token(p);
    struct scn_when when = {SCN_BEFORE_POINT, 0, SCN_NONE, {0}, SCN_TIME_POINT, 0};
    if (token_is(token, "after"))
        when.base = SCN_AFTER_POINT;
    p->at++;
    p->furthest = p->at;
    p->expected_count = 0;
    if (!parse_point(p, &when.point)) {
        struct guess guess = guess_start(parser_token(p)->start, parser_token(p)->length);
        struct diag *diag = token_mistake(p, DIAG_TIME);
        diag_say(diag, "no such point: '%.*s'", (int)parser_token(p)->length,
                 parser_token(p)->start);
        for (size_t i = 0; i < SCN_POINT_COUNT; i++)
            guess_offer(&guess, point_rows[i].word);
        note_guess(diag, &guess);
        p->at = p->tokens.n - 1;
        return;
    }
    if (!parser_take(p, ":")) {
        diag_say(token_mistake(p, DIAG_TIME), "a point that is a time ends with ':'");
        p->at = p->tokens.n - 1;
        return;
    }
    set_time(p, token, when);
}

/* Reads the time a line begins with, if any; true when one was written. */
static bool parse_time(struct parser *p) {
    const struct token *token = parser_token(p);
    p->when = p->above;
    p->when.written = SCN_TIME_INHERITED;
    p->when.plus_ns = 0;
    if (token->kind == TOKEN_WORD && is_digit(token->start[0]))
        clock_time(p);
    else if (token_is(token, "+"))
        relative_time(p);
    else if ((token_is(token, "start") || token_is(token, "crash") || token_is(token, "restart")) &&
             token_is(token + 1, "+"))
        event_time(p);
    else if (token_is(token, "before") || token_is(token, "after"))
        point_time(p);
    else
        return false;
    return true;
}

/* ---- statements ---- */

static void no_such_statement(struct parser *p, bool timed) {
    const struct token *token = parser_token(p);
    struct guess guess = guess_start(token->start, token->length);
    bool header = !timed && p->scenario->line_count == 0;
    struct diag *diag = token_mistake(p, DIAG_NO_SUCH_STATEMENT);
    if (token->kind == TOKEN_END) {
        diag_say(diag, "a time without a statement");
        return;
    }
    diag_say(diag, "no such %sstatement: '%.*s'", header ? "header or " : "", (int)token->length,
             token->start);
    offer_first_words(&guess, verb_statements, SCN_STATEMENT_COUNT);
    if (header)
        offer_first_words(&guess, verb_headers, SCN_HEADER_COUNT);
    if (token->kind == TOKEN_WORD)
        note_guess(diag, &guess);
}

static bool starts_row(const struct verb *rows, size_t count, const struct token *token) {
    for (size_t i = 0; i < count; i++) {
        if (verb_starts_with(&rows[i], token))
            return true;
    }
    return false;
}

/* Holds for the whole run or by its nature has no moment. */
static bool is_timeless(enum scn_statement statement) {
    return statement == SCN_ALWAYS || statement == SCN_FINALLY || statement == SCN_REACH ||
           statement == SCN_REACH_CRASH || statement == SCN_REACH_FAULT ||
           statement == SCN_BROKER_FILLS_ALL || statement == SCN_BROKER_BURNS_IDS ||
           statement == SCN_BROKER_KEEPS_IDS || statement == SCN_BROKER_SAYS ||
           statement == SCN_BROKER_CHAINS;
}

static struct scn_line *new_line(struct parser *p) {
    struct scenario *s = p->scenario;
    if (s->line_count == SCN_LINES_MAX) {
        diag_say(token_mistake(p, DIAG_TOO_MANY), "more than %d lines in a scenario",
                 SCN_LINES_MAX);
        return NULL;
    }
    s->lines = check_realloc(s->lines, (s->line_count + 1) * sizeof *s->lines);
    memset(&s->lines[s->line_count], 0, sizeof *s->lines);
    return &s->lines[s->line_count++];
}

static void keep_terms(struct parser *p, struct scn_line *line) {
    if (p->term_count == 0)
        return;
    line->terms = check_zalloc(p->term_count, sizeof *line->terms);
    memcpy(line->terms, p->terms, p->term_count * sizeof *line->terms);
    line->term_count = p->term_count;
}

/* The payload of a decision is what its first signal says. */
static void note_payload(struct scenario *s, int index) {
    const struct scn_args *args = &s->lines[index].args;
    if (args->decision < 0 || args->symbol < 0 || s->decisions[args->decision].first_signal >= 0)
        return;
    struct scn_decision *decision = &s->decisions[args->decision];
    struct oms_decision *payload = &decision->payload;
    decision->first_signal = index;
    memcpy(payload->symbol, s->symbols[args->symbol], sizeof payload->symbol);
    payload->side = args->side;
    payload->type = scn_has(args, SCN_SLOT_PRICE) ? BROKER_LIMIT : BROKER_MARKET;
    payload->tif = args->tif;
    payload->qty_nanos = args->qty_nanos;
    payload->limit_nanos = args->price_nanos;
    payload->expires_ns = args->until_ns;
}

static void parse_statement(struct parser *p) {
    struct scenario *s = p->scenario;
    struct scn_place place = {p->name, p->line_number, (int)(parser_token(p)->start - p->line) + 1};
    const struct token *first = parser_token(p);
    size_t mistakes = p->diags->n + p->diags->dropped;
    struct scn_args args;
    bool first_time = p->above_line == 0;
    bool timed = parse_time(p);
    if (first_time && p->above_line > 0 && p->when.written != SCN_TIME_START_PLUS &&
        p->when.base == SCN_AT)
        s->start_ns = p->when.ns;
    bool bad_time = p->diags->n + p->diags->dropped > mistakes;
    if (bad_time && parser_token(p)->kind == TOKEN_END)
        return;
    if (!starts_row(verb_statements, SCN_STATEMENT_COUNT, parser_token(p))) {
        no_such_statement(p, timed);
        return;
    }
    int statement = parser_match(p, verb_statements, SCN_STATEMENT_COUNT, &args);
    if (statement == SCN_NONE) {
        p->broken = true;
        return;
    }
    struct scn_line *line = new_line(p);
    if (line == NULL)
        return;
    line->place = place;
    line->statement = (enum scn_statement)statement;
    line->args = args;
    line->when = p->when;
    keep_terms(p, line);
    if (is_timeless(line->statement)) {
        line->when = (struct scn_when){.base = SCN_FROM_BEGINNING, .anchor = SCN_NONE};
        if (timed)
            diag_say(parser_mistake(p, DIAG_TIME_UNWANTED, first),
                     "'%.*s' holds for the whole run and has no time",
                     (int)shape_word(verb_statements[statement].shape),
                     verb_statements[statement].shape);
    }
    int index = (int)s->line_count - 1;
    if (line->statement == SCN_CRASH)
        p->last_crash = index;
    if (line->statement == SCN_RESTART)
        p->last_restart = index;
    if (line->statement == SCN_SIGNAL)
        note_payload(s, index);
    p->broken = p->broken || p->diags->n + p->diags->dropped > mistakes;
}

/* ---- headers ---- */

static bool is_single(enum scn_header header) {
    return header <= SCN_HEADER_ORIGIN;
}

/* Whether the header may be written here: once, but one's own line wins over a used file's. */
static bool header_allowed(struct parser *p, enum scn_header header, const struct token *token) {
    struct scn_place *before = &p->header_place[header];
    if (!is_single(header) || before->file == NULL)
        return true;
    if (before->file == p->name) {
        diag_say(parser_mistake(p, DIAG_HEADER_PLACE, token),
                 "'%.*s' is written twice, first on line %d", (int)token->length, token->start,
                 before->line);
        return false;
    }
    return !p->used;
}

static void reset_header(struct scenario *s, enum scn_header header) {
    if (header == SCN_HEADER_TAGS)
        s->tag_count = 0;
    if (header == SCN_HEADER_CRASHES)
        s->crash_count = 0;
    if (header == SCN_HEADER_PROFILE)
        s->profile_count = 0;
}

static void add_decision(struct parser *p, const struct scn_args *args) {
    struct scenario *s = p->scenario;
    const struct token *name = &p->tokens.v[1], *id = &p->tokens.v[3];
    bool printable = args->text[0] != '\0' && strlen(args->text) < OMS_DECISION_ID_SIZE;
    for (const char *c = args->text; *c != '\0'; c++)
        printable = printable && *c > ' ' && *c < 0x7f;
    if (!printable) {
        diag_say(parser_mistake(p, DIAG_DECISION_ID, id),
                 "a decision id is 1 to %d printable "
                 "ASCII characters without spaces",
                 OMS_DECISION_ID_SIZE - 1);
        return;
    }
    for (size_t i = 0; i < s->decision_count; i++) {
        bool same_name = strcmp(s->decisions[i].name, args->name) == 0;
        if (same_name || strcmp(s->decisions[i].payload.id, args->text) == 0) {
            diag_say(parser_mistake(p, DIAG_DECISION_TWICE, same_name ? name : id),
                     "%s '%s' is taken by line %d", same_name ? "decision" : "id",
                     same_name ? args->name : args->text, s->decisions[i].place.line);
            return;
        }
    }
    if (s->decision_count == SCN_DECISIONS_MAX) {
        diag_say(parser_mistake(p, DIAG_TOO_MANY, name), "more than %d decisions",
                 SCN_DECISIONS_MAX);
        return;
    }
    struct scn_decision *decision = &s->decisions[s->decision_count++];
    decision->place = (struct scn_place){p->name, p->line_number, (int)(name->start - p->line) + 1};
    decision->first_signal = SCN_NONE;
    snprintf(decision->name, sizeof decision->name, "%s", args->name);
    snprintf(decision->payload.id, sizeof decision->payload.id, "%.*s", OMS_DECISION_ID_SIZE - 1,
             args->text);
}

static void add_given(struct parser *p, enum scn_header kind, const struct scn_args *args) {
    struct scenario *s = p->scenario;
    if (s->given_count == SCN_GIVENS_MAX) {
        diag_say(parser_mistake(p, DIAG_TOO_MANY, &p->tokens.v[0]), "more than %d givens",
                 SCN_GIVENS_MAX);
        return;
    }
    s->givens[s->given_count++] = (struct scn_given){
        {p->name, p->line_number, (int)(p->tokens.v[0].start - p->line) + 1}, kind, *args};
}

static void read_used(struct parser *p, const struct scn_args *args);

static void apply_header(struct parser *p, enum scn_header header, const struct scn_args *args) {
    struct scenario *s = p->scenario;
    s->written[header] = true;
    switch (header) {
    case SCN_HEADER_TAGS:
    case SCN_HEADER_CRASHES:
    case SCN_HEADER_PROFILE:
    case SCN_HEADER_DISK:
    case SCN_HEADER_OPTION:
        break; /* filled in while they were read */
    case SCN_HEADER_DATE:
        p->day_ns = s->start_ns = s->date_ns;
        break;
    case SCN_HEADER_PACE:
        s->pace_ns = args->duration_ns;
        break;
    case SCN_HEADER_SEED:
        s->seed = (uint64_t)args->count;
        break;
    case SCN_HEADER_ORIGIN:
        snprintf(s->origin, sizeof s->origin, "%s", args->text);
        break;
    case SCN_HEADER_USE:
        read_used(p, args);
        break;
    case SCN_HEADER_GIVEN_BROKER:
    case SCN_HEADER_GIVEN_OMS:
    case SCN_HEADER_GIVEN_CASH:
    case SCN_HEADER_GIVEN_KILL_SWITCH:
        add_given(p, header, args);
        break;
    case SCN_HEADER_DECISION:
        add_decision(p, args);
        break;
    case SCN_HEADER_COUNT:
        break;
    }
}

static void parse_header(struct parser *p) {
    const struct token *first = parser_token(p);
    size_t mistakes = p->diags->n + p->diags->dropped;
    struct scn_args args;
    enum scn_header header = SCN_HEADER_TAGS;
    while (!verb_starts_with(&verb_headers[header], first))
        header++;
    if (p->scenario->line_count > 0) {
        diag_say(token_mistake(p, DIAG_HEADER_PLACE),
                 "'%.*s' is a header: it comes before the lines", (int)first->length, first->start);
        return;
    }
    if (!header_allowed(p, header, first))
        return;
    if (is_single(header)) {
        p->header_place[header] = (struct scn_place){p->name, p->line_number, 1};
        reset_header(p->scenario, header);
    }
    int row = parser_match(p, verb_headers, SCN_HEADER_COUNT, &args);
    if (row != SCN_NONE)
        apply_header(p, (enum scn_header)row, &args);
    p->broken = p->broken || p->diags->n + p->diags->dropped > mistakes;
}

/* ---- scenarios ---- */

static void end_scenario(struct parser *p) {
    struct scenario *s = p->scenario;
    if (s == NULL)
        return;
    if (s->profile_count == 0 && !p->broken)
        s->profiles[s->profile_count++] = profile_find("alpaca");
    if (s->disk == NULL)
        s->disk = disk_profile_at(0);
    scenario_derive(s);
    scenario_check(s, p->broken, &p->source, p->diags);
    p->scenario = NULL;
}

static void check_title(struct parser *p, const struct scenario *s) {
    for (const struct scenario *other = p->file->scenarios; other != s; other++) {
        if (strcmp(other->title, s->title) == 0) {
            diag_say(parser_mistake(p, DIAG_TITLE_TWICE, &p->tokens.v[1]),
                     "this title is taken by line %d", other->place.line);
            return;
        }
    }
    if (s->title[0] == '\0')
        diag_say(parser_mistake(p, DIAG_STRING, &p->tokens.v[1]), "a scenario has a title");
}

static void begin_scenario(struct parser *p) {
    struct scenario_file *file = p->file;
    const struct token *title = &p->tokens.v[1];
    end_scenario(p);
    if (file->count == SCN_SCENARIOS_MAX) {
        diag_say(token_mistake(p, DIAG_TOO_MANY), "more than %d scenarios in a file",
                 SCN_SCENARIOS_MAX);
        return;
    }
    struct scenario *s = &file->scenarios[file->count++];
    p->scenario = s;
    p->broken = false;
    p->above = (struct scn_when){.base = SCN_FROM_BEGINNING, .anchor = SCN_NONE};
    p->above_line = 0;
    p->last_crash = p->last_restart = SCN_NONE;
    memset(p->header_place, 0, sizeof p->header_place);
    s->place =
        (struct scn_place){p->name, p->line_number, (int)(p->tokens.v[0].start - p->line) + 1};
    s->decisions = check_zalloc(SCN_DECISIONS_MAX, sizeof *s->decisions);
    s->seed = 1;
    time_parse_date("2026-01-01", 10, &s->date_ns);
    p->day_ns = s->start_ns = s->date_ns;
    p->at = 1;
    if (title->kind != TOKEN_TEXT || title[1].kind != TOKEN_END) {
        p->at = title->kind == TOKEN_TEXT ? 2 : 1;
        diag_say(token_mistake(p, DIAG_EXPECTED), "a scenario line is: scenario \"title\"");
        return;
    }
    if (!token_copy(title, s->title, sizeof s->title))
        diag_say(parser_mistake(p, DIAG_TOO_MANY, title), "a text of more than %d bytes",
                 SCN_TEXT_SIZE - 1);
    check_title(p, s);
}

/* ---- files ---- */

/* Length of the UTF-8 character at c (of n bytes left) if it is text, else 0: control characters
 * other than tabs, also those beyond ASCII, and what is no UTF-8, are none. */
static size_t text_character(const unsigned char *c, size_t n) {
    size_t length = c[0] < 0x80 ? 1 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
    if (length == 1)
        return (c[0] >= 0x20 && c[0] != 0x7f) || c[0] == '\t' ? 1 : 0;
    if (c[0] < 0xc2 || c[0] > 0xf4 || n < length)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    }
    bool overlong = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xf0 && c[1] < 0x90);
    bool no_character = (c[0] == 0xed && c[1] >= 0xa0) || (c[0] == 0xf4 && c[1] >= 0x90);
    bool control = c[0] == 0xc2 && c[1] < 0xa0;
    return overlong || no_character || control ? 0 : length;
}

static bool line_is_text(struct parser *p) {
    const unsigned char *c = (const unsigned char *)p->line;
    for (size_t i = 0, length; i < p->line_length; i += length) {
        length = text_character(c + i, p->line_length - i);
        if (length > 0)
            continue;
        p->broken = true;
        diag_say(diags_add(p->diags, DIAG_FILE, p->name, p->line_number, (int)i + 1, 1, NULL, 0),
                 "byte 0x%02x is no text (UTF-8 without control characters)", c[i]);
        return false;
    }
    return true;
}

static void parse_line(struct parser *p) {
    const struct token *first = &p->tokens.v[0];
    p->at = 0;
    if (token_is(first, "scenario") && !p->used) {
        begin_scenario(p);
        return;
    }
    if (p->scenario == NULL) {
        diag_say(token_mistake(p, DIAG_NO_SCENARIO), "this line belongs to no scenario; begin one "
                                                     "with: scenario \"title\"");
        return;
    }
    if (starts_row(verb_headers, SCN_HEADER_COUNT, first)) {
        parse_header(p);
    } else if (p->used) {
        diag_say(token_mistake(p, DIAG_USE), "a used file has headers only");
    } else {
        parse_statement(p);
    }
}

static bool lex(struct parser *p) {
    if (p->line_length > SCN_LINE_BYTES_MAX) {
        struct diag *diag = line_mistake(p, DIAG_FILE);
        diag_say(diag, "a line of %zu bytes; at most %d", p->line_length, SCN_LINE_BYTES_MAX);
        return false;
    }
    if (!line_is_text(p))
        return false;
    switch (lex_line(p->line, p->line_length, &p->tokens)) {
    case LEXED:
        return true;
    case LEXED_OPEN_TEXT:
        p->broken = true;
        diag_say(parser_mistake(p, DIAG_STRING, &p->tokens.v[p->tokens.n - 2]),
                 "the text in quotes does not end on its line");
        return false;
    case LEXED_TOO_MANY:
        diag_say(line_mistake(p, DIAG_TOO_MANY), "more than %d words in a line", TOKENS_MAX - 1);
        return false;
    }
    return false;
}

/* The first line that is not blank: "crashgate 1". */
static bool first_line(struct parser *p) {
    const struct tokens *t = &p->tokens;
    if (token_is(&t->v[0], "crashgate") && token_is(&t->v[1], "1") && t->v[2].kind == TOKEN_END)
        return true;
    struct diag *diag = parser_mistake(p, DIAG_FIRST_LINE, &t->v[0]);
    if (token_is(&t->v[0], "crashgate"))
        diag_say(diag, "this program knows language version 1: write 'crashgate 1'");
    else
        diag_say(diag, "a file begins with the line 'crashgate 1'");
    return false;
}

static void parse_text(struct parser *p, const char *text, size_t length) {
    const char *end = text + length;
    bool begun = false;
    for (p->line_number = 1; text < end; p->line_number++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline == NULL ? end : newline;
        p->line = text;
        p->line_length = (size_t)(stop - text);
        if (p->line_length > 0 && text[p->line_length - 1] == '\r')
            p->line_length--;
        text = newline == NULL ? end : newline + 1;
        if (!lex(p) || p->tokens.v[0].kind == TOKEN_END)
            continue;
        p->at = 0;
        if (begun) {
            parse_line(p);
            continue;
        }
        begun = true;
        if (!first_line(p) && !token_is(&p->tokens.v[0], "crashgate"))
            parse_line(p);
    }
    if (!begun && p->diags->n == 0)
        diag_say(file_mistake(p, DIAG_FIRST_LINE), "an empty file; it begins with 'crashgate 1'");
}

/* The file's own copy of a name. */
static const char *keep_name(struct scenario_file *file, const char *name) {
    size_t size = strlen(name) + 1;
    file->names = check_realloc(file->names, (file->name_count + 1) * sizeof *file->names);
    file->names[file->name_count] = check_alloc(size);
    memcpy(file->names[file->name_count], name, size);
    return file->names[file->name_count++];
}

/* Reads a whole file; NULL with `why` filled in. The caller frees it. */
static char *read_file(const char *path, size_t *length, char *why, size_t why_size) {
    FILE *in = fopen(path, "rb");
    char *text = check_alloc(SCN_FILE_BYTES_MAX + 1);
    *length = 0;
    if (in != NULL) {
        *length = fread(text, 1, SCN_FILE_BYTES_MAX + 1, in);
        if (!ferror(in) && *length <= SCN_FILE_BYTES_MAX) {
            fclose(in);
            return text;
        }
    }
    if (in == NULL || ferror(in))
        snprintf(why, why_size, "cannot read '%s': %s", path, strerror(errno));
    else
        snprintf(why, why_size, "'%s' is larger than %d bytes", path, SCN_FILE_BYTES_MAX);
    if (in != NULL)
        fclose(in);
    free(text);
    return NULL;
}

/* `use PATH`: the headers of another file, as if they stood here. */
static void read_used(struct parser *p, const struct scn_args *args) {
    const char *slash = strrchr(p->name, '/');
    const struct token *token = &p->tokens.v[1];
    char path[2 * SCN_TEXT_SIZE + 64], why[DIAG_TEXT_SIZE];
    size_t length;
    if (p->depth == SCN_USE_DEPTH_MAX || p->file->name_count == FILE_NAMES_MAX) {
        diag_say(parser_mistake(p, DIAG_USE, token), "files use each other more than %d deep",
                 SCN_USE_DEPTH_MAX);
        return;
    }
    int folder = slash == NULL ? 0 : (int)(slash + 1 - p->name);
    snprintf(path, sizeof path, "%.*s%s", args->text[0] == '/' ? 0 : folder, p->name, args->text);
    char *text = read_file(path, &length, why, sizeof why);
    if (text == NULL) {
        diag_say(parser_mistake(p, DIAG_USE, token), "%s", why);
        return;
    }
    struct parser *inner = check_alloc(sizeof *inner);
    *inner = *p;
    inner->name = keep_name(p->file, path);
    inner->used = true;
    inner->depth++;
    parse_text(inner, text, length);
    p->broken = p->broken || inner->broken;
    p->day_ns = inner->day_ns;
    memcpy(p->header_place, inner->header_place, sizeof p->header_place);
    free(inner);
    free(text);
}

bool scenario_parse(const char *name, const char *text, size_t length, struct scenario_file *file,
                    struct diags *diags) {
    size_t before = diags->n + diags->dropped;
    struct parser *p = check_zalloc(1, sizeof *p);
    *file = (struct scenario_file){0};
    file->scenarios = check_zalloc(SCN_SCENARIOS_MAX, sizeof *file->scenarios);
    p->file = file;
    p->diags = diags;
    p->name = keep_name(file, name);
    p->source = (struct parser_source){p->name, text, length};
    if (length > SCN_FILE_BYTES_MAX)
        diag_say(file_mistake(p, DIAG_FILE), "larger than %d bytes", SCN_FILE_BYTES_MAX);
    else
        parse_text(p, text, length);
    end_scenario(p);
    if (file->count == 0 && diags->n + diags->dropped == before)
        diag_say(file_mistake(p, DIAG_EMPTY), "the file has no scenario");
    free(p);
    diags_sort(diags);
    bool good = diags->n + diags->dropped == before;
    if (!good)
        scenario_free(file);
    return good;
}

bool scenario_load(const char *path, struct scenario_file *file, struct diags *diags) {
    char why[DIAG_TEXT_SIZE];
    size_t length;
    char *text = read_file(path, &length, why, sizeof why);
    *file = (struct scenario_file){0};
    if (text == NULL) {
        diag_say(diags_add(diags, DIAG_FILE, path, 0, 0, 0, NULL, 0), "%s", why);
        return false;
    }
    bool good = scenario_parse(path, text, length, file, diags);
    free(text);
    return good;
}

void scenario_free(struct scenario_file *file) {
    for (size_t i = 0; i < file->count; i++) {
        struct scenario *s = &file->scenarios[i];
        for (size_t k = 0; k < s->line_count; k++)
            free(s->lines[k].terms);
        free(s->lines);
        free(s->decisions);
    }
    for (size_t i = 0; i < file->name_count; i++)
        free(file->names[i]);
    free(file->names);
    free(file->scenarios);
    *file = (struct scenario_file){0};
}
