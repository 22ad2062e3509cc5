/* Fingerprints and names of findings. */
#include "scenarios/cli/sentence.h"

#include "faultinject/catalogue.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { CAUSES_MAX = 16, CAUSES_NAMED = 2, CAUSE_SIZE = 120 };

/* What goes wrong, in the order of the file, then of the plan; each once. */
struct causes {
    char terse[CAUSES_MAX][CAUSE_SIZE]; /* "power after send"; "": not what a fingerprint tells */
    char words[CAUSES_MAX][CAUSE_SIZE]; /* "a power cut after the send" */
    size_t count;
};

static void add(struct causes *causes, const char *terse, const char *words) {
    for (size_t i = 0; i < causes->count; i++) {
        if (strcmp(causes->words[i], words) == 0)
            return;
    }
    if (causes->count == CAUSES_MAX)
        return;
    snprintf(causes->terse[causes->count], CAUSE_SIZE, "%s", terse);
    snprintf(causes->words[causes->count], CAUSE_SIZE, "%s", words);
    causes->count++;
}

static const char *point_noun(enum scn_point_kind kind) {
    switch (kind) {
    case SCN_POINT_DECIDE:
        return "intent";
    case SCN_POINT_SEND:
        return "send";
    case SCN_POINT_DELIVER:
        return "delivery";
    case SCN_POINT_RECORD:
        return "record";
    case SCN_POINT_FILL:
        return "booking of an execution";
    case SCN_POINT_REJECT:
        return "record of a refusal";
    case SCN_POINT_CANCEL:
        return "cancel";
    case SCN_POINT_RECONCILE:
        return "comparison";
    case SCN_POINT_BOOT:
        return "start";
    case SCN_POINT_READ_ORDERS:
        return "look at the orders";
    case SCN_POINT_READ_FILLS:
        return "look at the executions";
    case SCN_POINT_READ_POSITIONS:
        return "look at the positions";
    case SCN_POINT_ARCHIVE:
        return "move to the archive";
    case SCN_POINT_COUNT:
        break;
    }
    return "point";
}

/* A death at a call; NULL: at no call. */
static void add_death(struct causes *causes, bool power, const char *side, const char *point,
                      const char *noun) {
    char terse[CAUSE_SIZE], words[CAUSE_SIZE];
    snprintf(terse, sizeof terse, "%s%s%s%s%s", power ? "power" : "kill", side[0] ? " " : "", side,
             point[0] ? " " : "", point);
    snprintf(words, sizeof words, "a %s%s%s%s%s", power ? "power cut" : "crash", side[0] ? " " : "",
             side, noun[0] ? " " : "", noun);
    add(causes, terse, words);
}

static void add_crash_line(struct causes *causes, const struct scenario *scenario,
                           const struct scn_crash *crash) {
    int kind = crash->kind != SCN_NONE     ? crash->kind
               : scenario->crash_count > 0 ? (int)scenario->crashes[0]
                                           : SCN_KILL;
    char site[SITE_NAME_SIZE], noun[CAUSE_SIZE];
    switch ((int)crash->where) {
    case SCN_CRASH_NOW:
        add_death(causes, kind == SCN_POWER, "", "", "");
        return;
    case SCN_CRASH_BEFORE:
    case SCN_CRASH_AFTER:
        snprintf(noun, sizeof noun, "the %s", point_noun(crash->point.kind));
        add_death(causes, kind == SCN_POWER, crash->where == SCN_CRASH_BEFORE ? "before" : "after",
                  scn_point_name(crash->point.kind), noun);
        return;
    case SCN_CRASH_AT_SITE:
        site_name(crash->site, site);
        add_death(causes, kind == SCN_POWER, "at", site, site);
        return;
    default: /* where a quantified one strikes is in the plan */
        return;
    }
}

static void add_fault(struct causes *causes, struct site site, const struct fault_kind *kind) {
    char name[SITE_NAME_SIZE], terse[CAUSE_SIZE], words[CAUSE_SIZE];
    site_name(site, name);
    snprintf(terse, sizeof terse, "%s %s", name, kind->name);
    snprintf(words, sizeof words, "the fault %s at %s", kind->name, name);
    add(causes, terse, words);
}

static void add_item(struct causes *causes, const struct plan_item *item) {
    char site[SITE_NAME_SIZE];
    if (item->place == PLAN_AT_LINE || item->place == PLAN_AT_START)
        return;
    if (item->what == PLAN_FAULT) {
        add_fault(causes, item->site, item->fault.kind);
        return;
    }
    if (item->place != PLAN_AT_CALL) {
        add_death(causes, plan_is_power(item->what), "", "", "");
        return;
    }
    site_name(item->site, site);
    add_death(causes, plan_is_power(item->what), plan_strikes_after(item->what) ? "after" : "at",
              site, site);
}

/* What is no fault, and no ordinary day either; NULL: it is. */
static const char *trouble(enum scn_statement statement) {
    switch ((int)statement) {
    case SCN_BROKER_REJECTS:
        return "a refusal";
    case SCN_BROKER_CANCELS:
        return "a cancel by the broker";
    case SCN_BROKER_EXPIRES:
        return "an expiry";
    case SCN_BROKER_LOSES:
        return "an order the broker forgot";
    case SCN_BROKER_BUSTS:
        return "a bust";
    case SCN_BROKER_CORRECTS:
        return "a correction";
    case SCN_BROKER_FOREIGN:
        return "a stranger's trade";
    case SCN_BROKER_DOWN:
        return "a broker that is down";
    case SCN_CLOCK_FORWARD:
    case SCN_CLOCK_BACK:
        return "a clock that jumps";
    case SCN_KILL_SWITCH_TRIPS:
        return "the kill switch";
    case SCN_HALT_FILE_SETS:
        return "the halt file";
    case SCN_START_SECOND:
        return "a second instance";
    case SCN_RESOLVES:
        return "an operator's word";
    case SCN_CANCEL:
        return "a cancel";
    default:
        return NULL;
    }
}

static void find_causes(const struct scenario *scenario, const struct plan *plan,
                        struct causes *causes) {
    *causes = (struct causes){0};
    for (size_t i = 0; i < scenario->line_count; i++) {
        const struct scn_line *line = &scenario->lines[i];
        if (line->statement == SCN_CRASH)
            add_crash_line(causes, scenario, &line->args.crash);
        if (line->statement == SCN_FAULT && line->args.strike.times != SCN_EACH_CALL)
            add_fault(causes, line->args.strike.site, line->args.strike.fault.kind);
        if (trouble(line->statement) != NULL)
            add(causes, "", trouble(line->statement));
    }
    for (size_t i = 0; i < plan->count; i++)
        add_item(causes, &plan->items[i]);
}

/* ---- fingerprints ---- */

static bool is_word_char(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-' || c == '/';
}

static bool is_symbol(const struct scenario *scenario, const char *word, size_t length) {
    for (size_t i = 0; i < scenario->symbol_count; i++) {
        if (strlen(scenario->symbols[i]) == length &&
            strncmp(scenario->symbols[i], word, length) == 0)
            return true;
    }
    return false;
}

/* "D12" is D, "-31.5" is #, a symbol of the scenario SYMBOL, a client order id ID. */
static size_t put_word(const struct scenario *scenario, const char *word, size_t length, char *out,
                       size_t room) {
    char digits[] = "0123456789";
    size_t letters = 0;
    while (letters < length && strchr(digits, word[letters]) == NULL)
        letters++;
    if (is_symbol(scenario, word, length))
        return (size_t)snprintf(out, room, "SYMBOL");
    if (length > 3 && strncmp(word, "cg-", 3) == 0)
        return (size_t)snprintf(out, room, "ID");
    if (letters == length)
        return (size_t)snprintf(out, room, "%.*s", (int)length, word);
    if (letters == 0 || (letters == 1 && word[0] == '-'))
        return (size_t)snprintf(out, room, "#");
    return (size_t)snprintf(out, room, "%.*s", (int)letters, word);
}

/* Lists in brackets are as long as the finding happens to be: they are left out. */
static void put_event(const struct scenario *scenario, const char *text, char *out, size_t size) {
    size_t used = 0;
    int depth = 0;
    out[0] = '\0';
    while (*text != '\0' && used + SCN_NAME_SIZE < size) {
        size_t length = 0;
        while (is_word_char(text[length]))
            length++;
        if (length == 0) {
            depth += *text == '(' ? 1 : 0;
            if (depth == 0 && !(*text == ' ' && used > 0 && out[used - 1] == ' '))
                out[used++] = *text;
            depth -= *text == ')' && depth > 0 ? 1 : 0;
            text++;
        } else {
            size_t shown = length < SCN_NAME_SIZE ? length : SCN_NAME_SIZE;
            if (depth == 0)
                used += put_word(scenario, text, shown, out + used, size - used);
            text += length;
        }
        out[used] = '\0';
    }
    while (used > 0 && out[used - 1] == ' ')
        out[--used] = '\0';
}

void fingerprint_of(const struct scenario *scenario, const struct plan *plan,
                    const struct run_finding *finding, char out[FINGERPRINT_SIZE]) {
    struct causes causes;
    unsigned told = 0;
    char event[FINGERPRINT_SIZE / 2];
    size_t used = (size_t)snprintf(out, FINGERPRINT_SIZE, "%s; ", finding->code);
    find_causes(scenario, plan, &causes);
    for (size_t i = 0; i < causes.count && used < FINGERPRINT_SIZE / 2 - CAUSE_SIZE; i++) {
        if (causes.terse[i][0] != '\0')
            used += (size_t)snprintf(out + used, FINGERPRINT_SIZE - used, "%s%s",
                                     told++ > 0 ? ", " : "", causes.terse[i]);
    }
    if (told == 0)
        used += (size_t)snprintf(out + used, FINGERPRINT_SIZE - used, "no crash or fault");
    put_event(scenario, finding->headline, event, sizeof event);
    snprintf(out + used, FINGERPRINT_SIZE - used, "; %s", event);
}

/* ---- names ---- */

/* What breaking an invariant does: a verb that takes an s, and the rest. */
static const struct {
    const char *verb, *rest;
} effects[] = {
    {"break", "what the scenario expects"},
    {"make", "two orders of one decision"},
    {"execute", "more than was decided"},
    {"lose", "an order"},
    {"leave", "books that differ from the broker's"},
    {"repeat", "an order that was refused"},
    {"send", "in spite of the kill switch"},
    {"erase", "what was acknowledged"},
    {"end", "elsewhere when recovered again"},
    {"pass", "a failed answer off as nothing there"},
    {"corrupt", "the database"},
    {"post", "one order twice"},
    {"leave", "a world that never comes to rest"},
    {"send", "what was not taken"},
    {"send", "an order that a power cut would forget"},
};

static bool is_presented_again(const struct scenario *scenario) {
    for (size_t i = 0; i < scenario->line_count; i++) {
        const struct scn_line *line = &scenario->lines[i];
        if (line->statement == SCN_SIGNAL &&
            scenario->decisions[line->args.decision].first_signal != (int)i)
            return true;
    }
    return false;
}

void sentence_of(const struct scenario *scenario, const struct plan *plan,
                 const struct run_finding *finding, char out[SENTENCE_SIZE]) {
    struct causes causes;
    size_t used = 0;
    find_causes(scenario, plan, &causes);
    if (causes.count == 0)
        used = (size_t)snprintf(out, SENTENCE_SIZE, "%s",
                                is_presented_again(scenario) ? "a repeated signal"
                                                             : "an ordinary day");
    for (size_t i = 0; i < causes.count && i < CAUSES_NAMED && used < SENTENCE_SIZE; i++)
        used += (size_t)snprintf(out + used, SENTENCE_SIZE - used, "%s%.48s", i > 0 ? " and " : "",
                                 causes.words[i]);
    if (used < SENTENCE_SIZE)
        snprintf(out + used, SENTENCE_SIZE - used, " %s%s %s", effects[finding->invariant].verb,
                 causes.count > 1 ? "" : "s", effects[finding->invariant].rest);
    out[0] = (char)toupper((unsigned char)out[0]);
}
