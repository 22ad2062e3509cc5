/* Reads incident timelines as people paste them: a time, then words, of which a few are known. */
#include "scenarios/cli/draft.h"

#include "scenarios/lang/ast.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/format.h"
#include "sim/check.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_SIZE = 24, WORDS_MAX = 60, ORDERS_MAX = SCN_DECISIONS_MAX, TRIES_MAX = 200 };

/* ---- words ---- */

struct words {
    char v[WORDS_MAX][WORD_SIZE];   /* as written, without what surrounds them */
    char low[WORDS_MAX][WORD_SIZE]; /* in small letters */
    size_t n;
};

static bool is_inner(char c) {
    return isalnum((unsigned char)c) || c == '.' || c == '@' || c == '$' || c == '/' || c == ',' ||
           (unsigned char)c >= 0x80;
}

/* "$150.00," is 150.00; "1,000" is 1000. */
static void clean(const char *from, size_t length, char out[WORD_SIZE]) {
    size_t used = 0;
    for (size_t i = 0; i < length && used < WORD_SIZE - 1; i++) {
        if (from[i] != '$' && from[i] != ',')
            out[used++] = from[i];
    }
    while (used > 0 && (out[used - 1] == '.' || out[used - 1] == '/'))
        used--;
    out[used] = '\0';
}

static void split_words(const char *text, struct words *words) {
    words->n = 0;
    while (*text != '\0' && words->n < WORDS_MAX) {
        size_t length = 0;
        while (is_inner(text[length]))
            length++;
        if (length > 0) {
            char *word = words->v[words->n], *low = words->low[words->n];
            bool at = text[0] == '@';
            clean(at && length > 1 ? text + 1 : text, at && length > 1 ? length - 1 : length, word);
            size_t at_low = 0;
            for (; word[at_low] != '\0'; at_low++)
                low[at_low] = (char)tolower((unsigned char)word[at_low]);
            low[at_low] = '\0';
            words->n += word[0] != '\0';
        }
        text += length > 0 ? length : 1;
    }
}

/* Whether a word begins with one of the stems, "fill|execut". */
static bool says(const struct words *words, const char *stems) {
    for (size_t i = 0; i < words->n; i++) {
        for (const char *stem = stems; *stem != '\0';) {
            size_t length = strcspn(stem, "|");
            if (strncmp(words->low[i], stem, length) == 0)
                return true;
            stem += length + (stem[length] == '|');
        }
    }
    return false;
}

static bool is_number(const char *word) {
    return word[0] != '\0' && strspn(word, "0123456789.") == strlen(word) &&
           isdigit((unsigned char)word[0]);
}

/* A number behind "at", "@" or "limit" is a price. */
static bool is_price(const struct words *words, size_t i) {
    static const char *const before[] = {"at", "@", "limit", "price", "avg"};
    for (size_t k = 0; i > 0 && k < sizeof before / sizeof before[0]; k++) {
        if (strcmp(words->low[i - 1], before[k]) == 0)
            return true;
    }
    return i > 0 && strchr(words->v[i], '.') != NULL && is_number(words->v[i - 1]);
}

static const char *quantity(const struct words *words) {
    for (size_t i = 0; i < words->n; i++) {
        if (is_number(words->v[i]) && !is_price(words, i))
            return words->v[i];
    }
    return "";
}

static const char *price(const struct words *words) {
    for (size_t i = 0; i < words->n; i++) {
        if (is_number(words->v[i]) && is_price(words, i))
            return words->v[i];
    }
    return "";
}

static bool is_capital(const char *word) {
    bool capital = strlen(word) >= 2 && strlen(word) <= 12 && isupper((unsigned char)word[0]);
    for (const char *c = word; *c != '\0'; c++)
        capital = capital && (isupper((unsigned char)*c) || *c == '.' || *c == '/');
    return capital;
}

/* A word in capitals: best right behind a number, else any that is no word of the trade. */
static const char *symbol(const struct words *words) {
    for (size_t i = 1; i < words->n; i++) {
        if (is_capital(words->v[i]) && is_number(words->v[i - 1]))
            return words->v[i];
    }
    for (size_t i = 0; i < words->n; i++) {
        struct words one = {.n = 1};
        memcpy(one.low[0], words->low[i], WORD_SIZE);
        if (is_capital(words->v[i]) &&
            !says(&one,
                  "oms|submit|buy|bought|sell|sold|short|long|limit|market|order|fill|partial|"
                  "execut|crash|restart|reject|cancel|expire|broker|exchange|venue|kill|"
                  "power|strateg|signal|id|utc|est|api|ack|at"))
            return words->v[i];
    }
    return "";
}

/* ---- the draft ---- */

struct draft {
    struct order {
        char symbol[WORD_SIZE], side[8], qty[WORD_SIZE], price[WORD_SIZE];
        char clock[WORD_SIZE];
        bool filled; /* some of it */
    } orders[ORDERS_MAX];
    size_t order_count, latest;
    FILE *lines;
    size_t understood, left;
    int last_s; /* time of the line above, in seconds */
};

__attribute__((format(printf, 3, 4))) static bool put(struct draft *draft, const char *clock,
                                                      const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(draft->lines, "  %s  ", clock);
    vfprintf(draft->lines, format, args);
    fputc('\n', draft->lines);
    va_end(args);
    return true;
}

/* The order a line is about: by its symbol, else the latest; -1: there is none. */
static int about(const struct draft *draft, const struct words *words) {
    const char *name = symbol(words);
    for (size_t i = draft->order_count; i-- > 0;) {
        if (name[0] != '\0' && strcmp(draft->orders[i].symbol, name) == 0)
            return (int)i;
    }
    return draft->order_count == 0 || name[0] != '\0' ? -1 : (int)draft->latest;
}

static bool put_signal(struct draft *draft, const char *clock, const struct words *words) {
    struct order order = {.filled = false};
    size_t at = 0;
    snprintf(order.symbol, sizeof order.symbol, "%s", symbol(words));
    snprintf(order.side, sizeof order.side, "%s", says(words, "sell|sold|short") ? "sell" : "buy");
    snprintf(order.qty, sizeof order.qty, "%s", quantity(words));
    snprintf(order.price, sizeof order.price, "%s", price(words));
    snprintf(order.clock, sizeof order.clock, "%s", clock);
    if (order.symbol[0] == '\0' || order.qty[0] == '\0')
        return false;
    while (at < draft->order_count && (strcmp(draft->orders[at].symbol, order.symbol) != 0 ||
                                       strcmp(draft->orders[at].side, order.side) != 0 ||
                                       strcmp(draft->orders[at].qty, order.qty) != 0))
        at++;
    if (at == ORDERS_MAX)
        return false;
    if (at == draft->order_count)
        draft->orders[draft->order_count++] = order;
    draft->latest = at;
    const struct order *known = &draft->orders[at];
    return put(draft, clock, "signal D%zu %s %s %s%s%s", at + 1, known->side, known->qty,
               known->symbol, known->price[0] != '\0' ? " limit " : " market", known->price);
}

static bool put_fill(struct draft *draft, const char *clock, const struct words *words) {
    int which = about(draft, words);
    struct order *order = which < 0 ? NULL : &draft->orders[which];
    const char *at = price(words), *qty = quantity(words);
    if (order == NULL || (at[0] == '\0' && order->price[0] == '\0'))
        return false;
    order->filled = true;
    return put(draft, clock, "broker fills D%d %s%s%s", which + 1,
               qty[0] != '\0' ? qty : order->qty, at[0] != '\0' ? " @ " : "", at);
}

static bool put_end(struct draft *draft, const char *clock, const struct words *words) {
    int which = about(draft, words);
    bool broker = says(words, "broker|exchange|venue");
    if (which < 0)
        return false;
    if (says(words, "reject|refus"))
        return put(draft, clock, "broker rejects D%d", which + 1);
    if (says(words, "expire"))
        return put(draft, clock, "broker expires D%d", which + 1);
    if (broker)
        return put(draft, clock, "broker cancels %sD%d", draft->orders[which].filled ? "rest " : "",
                   which + 1);
    return put(draft, clock, "cancel D%d", which + 1);
}

/* Which statement the words stand for; false: none. */
static bool understand(struct draft *draft, const char *clock, const struct words *words) {
    bool broker = says(words, "broker|exchange|venue");
    bool off = says(words, "off|releas|clear|lift|reset");
    if (says(words, "kill-switch|killswitch") || (says(words, "kill") && says(words, "switch")))
        return put(draft, clock, "operator %s kill-switch", off ? "releases" : "trips");
    if (broker && says(words, "down|outage|unreachable|offline"))
        return put(draft, clock, "broker goes down");
    if (broker && says(words, "back|online|reachable|recover"))
        return put(draft, clock, "broker comes back");
    if (says(words, "restart|reboot|relaunch") || (says(words, "start|back") && !broker))
        return put(draft, clock, "restart");
    if (says(words, "crash|died|dies|kill|power|segfault|oom"))
        return put(draft, clock, "crash %s", says(words, "power") ? "power" : "kill");
    if (says(words, "reject|refus|cancel|expire"))
        return put_end(draft, clock, words);
    if (says(words, "fill|execut|partial"))
        return put_fill(draft, clock, words);
    if (says(words, "submit|buy|bought|sell|sold|short|signal|order|place"))
        return put_signal(draft, clock, words);
    if (says(words, "reconcil|compar"))
        return put(draft, clock, "reconcile");
    return false;
}

/* "10:00:03", "10:00", "[10:00:03.5]" at the beginning of a line; the rest of it, or NULL. */
static const char *read_clock(const char *line, char clock[WORD_SIZE], int *seconds) {
    int h = 0, m = 0, s = 0, used = 0, fraction = 0;
    line += strspn(line, " \t-*[(|");
    if (sscanf(line, "%2d:%2d%n", &h, &m, &used) != 2 || h > 23 || m > 59 || used < 4)
        return NULL;
    line += used;
    if (sscanf(line, ":%2d%n", &s, &used) == 1 && s <= 59)
        line += used;
    if (line[0] == '.')
        fraction = (int)strspn(line + 1, "0123456789") + 1;
    snprintf(clock, WORD_SIZE, "%02d:%02d:%02d%.*s", h, m, s,
             fraction > 1 && fraction < 10 ? fraction : 0, line);
    *seconds = h * 3600 + m * 60 + s;
    return line + fraction;
}

static void not_understood(struct draft *draft, const char *line) {
    fprintf(draft->lines, "  # not understood: %s\n", line);
    draft->left++;
}

static void read_line(struct draft *draft, const char *line) {
    char clock[WORD_SIZE];
    int seconds = 0;
    const char *rest = read_clock(line, clock, &seconds);
    struct words words;
    if (line[strspn(line, " \t")] == '\0')
        return;
    if (rest != NULL)
        split_words(rest, &words);
    /* A timeline does not go back; past midnight a date is needed, which nobody wrote. */
    if (rest == NULL || seconds < draft->last_s || !understand(draft, clock, &words)) {
        not_understood(draft, line + strspn(line, " \t"));
        return;
    }
    draft->last_s = seconds;
    draft->understood++;
}

static void put_head(const struct draft *draft, const char *title, FILE *out) {
    fputs("crashgate 1\n\nscenario \"", out);
    for (; *title != '\0'; title++)
        fprintf(out, "%s%c", *title == '"' || *title == '\\' ? "\\" : "", *title);
    fputs("\"\nprofile alpaca, label\n", out);
    for (size_t i = 0; i < draft->order_count; i++)
        fprintf(out, "decision D%zu = \"%s_%s_%s_%zu\"\n", i + 1, draft->orders[i].symbol,
                draft->orders[i].side[0] == 's' ? "SELL" : "BUY", draft->orders[i].clock, i + 1);
}

static bool named_before(const struct draft *draft, size_t at) {
    for (size_t i = 0; i < at; i++) {
        if (strcmp(draft->orders[i].symbol, draft->orders[at].symbol) == 0)
            return true;
    }
    return false;
}

static void put_checks(const struct draft *draft, FILE *out) {
    for (size_t i = 0; i < draft->order_count; i++)
        fprintf(out, "always orders D%zu <= 1\n", i + 1);
    for (size_t i = 0; i < draft->order_count; i++) {
        const char *name = draft->orders[i].symbol;
        if (!named_before(draft, i))
            fprintf(out, "finally position %s = broker position %s\n", name, name);
    }
}

/* ---- until it has no mistakes ---- */

/* The text with line `line` made a comment that says why; the caller frees it. */
static char *without_line(const char *text, int line, const char *why) {
    char *out = check_alloc(strlen(text) + strlen(why) + 40);
    const char *at = text;
    for (int i = 1; i < line && *at != '\0'; i++)
        at = strchr(at, '\n') + 1;
    at += strspn(at, " ");
    sprintf(out, "%.*s# not usable, %s: %s", (int)(at - text), text, why, at);
    return out;
}

/* Takes `text` over. NULL: what is left has mistakes that belong to no line. */
static char *canonical(char *text, size_t *used, size_t *left) {
    for (int i = 0; i < TRIES_MAX; i++) {
        struct diags diags = {0};
        size_t length = 0;
        char *out = scenario_format("draft", text, strlen(text), &length, &diags);
        char *shorter = NULL;
        if (out == NULL && diags.n > 0 && diags.v[0].line > 3) {
            shorter = without_line(text, diags.v[0].line, diags.v[0].text);
            *used -= *used > 0;
            ++*left;
        }
        diags_free(&diags);
        free(text);
        if (out != NULL || shorter == NULL)
            return out;
        text = shorter;
    }
    free(text);
    return NULL;
}

static char *written(const struct draft *draft, const char *title, const char *lines) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    CHECK(out != NULL);
    put_head(draft, title, out);
    fputs(lines, out);
    put_checks(draft, out);
    CHECK(fclose(out) == 0);
    return text;
}

static void read_lines(struct draft *draft, const char *text) {
    while (*text != '\0') {
        size_t length = strcspn(text, "\n"), used = 0;
        char line[400];
        /* Only what a comment may hold. */
        for (size_t i = 0; i < length && used < sizeof line - 1; i++) {
            unsigned char c = (unsigned char)text[i];
            if (c >= 0x20 && c < 0x7f)
                line[used++] = text[i];
            else if (c == '\t' || c >= 0xc0)
                line[used++] = c == '\t' ? ' ' : '-'; /* a dash, mostly */
        }
        line[used] = '\0';
        read_line(draft, line);
        text += length + (text[length] == '\n');
    }
}

char *draft_from(const char *title, const char *text, size_t *understood, size_t *left) {
    struct draft *draft = check_zalloc(1, sizeof *draft);
    char *lines = NULL, *out = NULL;
    size_t size = 0;
    draft->lines = open_memstream(&lines, &size);
    CHECK(draft->lines != NULL);
    read_lines(draft, text);
    CHECK(fclose(draft->lines) == 0);
    *understood = draft->understood;
    *left = draft->left;
    if (draft->understood > 0)
        out = canonical(written(draft, title, lines), understood, left);
    free(lines);
    free(draft);
    return out;
}

char *draft_skeleton(const char *title) {
    static const char lines[] = "# what a crash is here: the process (kill), the machine (power)\n"
                                "crashes kill, power\n"
                                "10:00:00 crash anywhere\n"
                                "signal D1 buy 100 AAPL limit 150.00\n"
                                "10:00:05 broker fills D1 100 @ 150.00\n"
                                "10:00:30 restart\n"
                                "10:00:31 signal D1 buy 100 AAPL limit 150.00\n";
    struct draft *draft = check_zalloc(1, sizeof *draft);
    size_t used = 0, left = 0;
    draft->orders[draft->order_count++] = (struct order){.symbol = "AAPL", .clock = "10:00:00"};
    char *out = canonical(written(draft, title, lines), &used, &left);
    free(draft);
    return out;
}

int draft_file_name(const char *title, char *out, size_t size) {
    size_t used = 0;
    bool gap = false;
    for (; *title != '\0' && used + 6 < size; title++) {
        if (isalnum((unsigned char)*title)) {
            if (gap && used > 0)
                out[used++] = '_';
            out[used++] = (char)tolower((unsigned char)*title);
            gap = false;
        } else {
            gap = gap || *title != '\'';
        }
    }
    snprintf(out + used, size - used, ".scn");
    return used > 0;
}
