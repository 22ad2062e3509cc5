/* Plans: parsing and printing one line of text, and finding what it says about a call. */
#include "faultinject/plan.h"

#include "core/decimal.h"
#include "sim/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const deaths[] = {[PLAN_FAULT] = "",
                                     [PLAN_KILL] = "kill",
                                     [PLAN_KILL_AFTER] = "kill-after",
                                     [PLAN_POWER] = "power",
                                     [PLAN_POWER_AFTER] = "power-after",
                                     [PLAN_START] = "after"};
static const char *const places[] = {[PLAN_AT_CALL] = "",
                                     [PLAN_AT_IDLE] = "idle",
                                     [PLAN_AT_LINE] = "line",
                                     [PLAN_AT_END] = "end",
                                     [PLAN_AT_START] = "start"};

#define DAY_NS (INT64_C(24) * 3600 * 1000000000)
static const struct fault_arg late_arg = {"late", FAULT_ARG_DURATION, false, 0, 1, DAY_NS, {NULL}};
static const struct fault_arg after_arg = {"after", FAULT_ARG_DURATION, true,  0,
                                           0,       3 * DAY_NS,         {NULL}};

bool plan_is_power(enum plan_what what) {
    return what == PLAN_POWER || what == PLAN_POWER_AFTER;
}

bool plan_strikes_after(enum plan_what what) {
    return what == PLAN_KILL_AFTER || what == PLAN_POWER_AFTER;
}

bool plan_add(struct plan *plan, const struct plan_item *item) {
    if (plan->count == PLAN_MAX)
        return false;
    plan->items[plan->count++] = *item;
    return true;
}

/* ---- text to plan ---- */

/* Splits "text" at the first `mark`; false when there is none. */
static bool split(char *text, char mark, char **rest) {
    char *at = strchr(text, mark);
    if (at == NULL)
        return false;
    *at = '\0';
    *rest = at + 1;
    return true;
}

static bool parse_number(const char *text, unsigned *number) {
    char *end = NULL;
    unsigned long value = 0;
    if (text[0] < '0' || text[0] > '9')
        return false;
    value = strtoul(text, &end, 10);
    if (*end != '\0' || value == 0 || value > 1000000)
        return false;
    *number = (unsigned)value;
    return true;
}

static bool parse_place(char *text, struct plan_item *item, char *why) {
    char *occurrence = NULL;
    item->occurrence = 1;
    if (split(text, '@', &occurrence) && !parse_number(occurrence, &item->occurrence)) {
        snprintf(why, PLAN_WHY_SIZE, "'%s' is no call number (1, 2, 3 ...)", occurrence);
        return false;
    }
    item->place = PLAN_AT_CALL;
    for (int place = PLAN_AT_IDLE; place <= PLAN_AT_START; place++) {
        if (strcmp(text, places[place]) == 0)
            item->place = (enum plan_place)place;
    }
    if (item->place == PLAN_AT_CALL && !site_parse(text, &item->site)) {
        snprintf(why, PLAN_WHY_SIZE,
                 "'%.200s' is no site (such as broker.submit or disk.sync(wal))", text);
        return false;
    }
    return true;
}

/* "keep=0b101" (power) and "late=20s" (a request that has left), parted by ';'. */
static bool parse_death_args(const char *name, char *args, struct plan_item *item, char *why) {
    for (char *next = NULL, *arg = args; arg != NULL; arg = next) {
        bool sent = item->place == PLAN_AT_CALL && item->site.op == SITE_BROKER_SUBMIT &&
                    !plan_strikes_after(item->what);
        next = NULL;
        split(arg, ';', &next);
        if (plan_is_power(item->what) && strncmp(arg, "keep=", 5) == 0 &&
            strlen(arg + 5) < PLAN_KEEP_SIZE) {
            snprintf(item->keep, sizeof item->keep, "%s", arg + 5);
        } else if (sent && strncmp(arg, "late=", 5) == 0) {
            if (!fault_arg_parse(&late_arg, arg + 5, &item->late_ns, why, PLAN_WHY_SIZE))
                return false;
        } else {
            snprintf(why, PLAN_WHY_SIZE,
                     "'%s(%.120s)': only power takes keep=, and only a death before broker.submit "
                     "takes late=",
                     name, arg);
            return false;
        }
    }
    return true;
}

static bool parse_death(char *name, char *args, struct plan_item *item, char *why) {
    for (int what = PLAN_KILL; what <= PLAN_POWER_AFTER; what++) {
        if (strcmp(name, deaths[what]) != 0)
            continue;
        item->what = (enum plan_what)what;
        snprintf(item->keep, sizeof item->keep, "none");
        return parse_death_args(name, args, item, why);
    }
    snprintf(why, PLAN_WHY_SIZE, "'%.200s' is nothing that can happen there", name);
    return false;
}

/* life/start@1=after(20s) */
static bool parse_start(const char *name, const char *args, struct plan_item *item, char *why) {
    item->what = PLAN_START;
    if (strcmp(name, deaths[PLAN_START]) != 0 || args == NULL) {
        snprintf(why, PLAN_WHY_SIZE, "'%.200s': a start happens after(DURATION)", name);
        return false;
    }
    return fault_arg_parse(&after_arg, args, &item->after_ns, why, PLAN_WHY_SIZE);
}

static bool parse_fault_args(char *args, struct plan_item *item, char *why) {
    const struct fault_kind *kind = item->fault.kind;
    bool written[FAULT_ARGS_MAX] = {false};
    for (char *next = NULL, *arg = args; arg != NULL; arg = next) {
        char *value = NULL;
        int i = 0;
        next = NULL;
        split(arg, ';', &next);
        if (!split(arg, '=', &value)) {
            snprintf(why, PLAN_WHY_SIZE, "'%s' is no argument (name=value)", arg);
            return false;
        }
        while (i < FAULT_ARGS_MAX && kind->args[i].name != NULL &&
               strcmp(kind->args[i].name, arg) != 0)
            i++;
        if (i == FAULT_ARGS_MAX || kind->args[i].name == NULL) {
            snprintf(why, PLAN_WHY_SIZE, "'%s' takes no argument '%s'", kind->name, arg);
            return false;
        }
        if (!fault_arg_parse(&kind->args[i], value, &item->fault.arg[i], why, PLAN_WHY_SIZE))
            return false;
        written[i] = true;
    }
    for (int i = 0; i < FAULT_ARGS_MAX; i++) {
        if (kind->args[i].name != NULL && kind->args[i].required && !written[i]) {
            snprintf(why, PLAN_WHY_SIZE, "'%s' needs '%s='", kind->name, kind->args[i].name);
            return false;
        }
    }
    return true;
}

static bool parse_what(char *text, struct plan_item *item, char *why) {
    char *args = NULL;
    size_t length = 0;
    if (split(text, '(', &args)) {
        length = strlen(args);
        if (length == 0 || args[length - 1] != ')') {
            snprintf(why, PLAN_WHY_SIZE, "'%s(%s' has no closing ')'", text, args);
            return false;
        }
        args[length - 1] = '\0';
    }
    if (item->place == PLAN_AT_START)
        return parse_start(text, args, item, why);
    item->fault.kind = item->place == PLAN_AT_CALL ? catalogue_find(item->site, text) : NULL;
    if (item->fault.kind == NULL)
        return parse_death(text, args, item, why);
    item->what = PLAN_FAULT;
    for (int i = 0; i < FAULT_ARGS_MAX; i++)
        item->fault.arg[i] = item->fault.kind->args[i].otherwise;
    return parse_fault_args(args, item, why);
}

static bool parse_item(char *text, struct plan_item *item, char *why) {
    char *place = NULL, *what = NULL;
    *item = (struct plan_item){0};
    if (!split(text, '/', &place) || !parse_number(text, &item->life)) {
        snprintf(why, PLAN_WHY_SIZE, "'%.200s' does not begin with a life and '/' (1/...)", text);
        return false;
    }
    if (!split(place, '=', &what)) {
        snprintf(why, PLAN_WHY_SIZE, "'%.200s' says no '=' and what happens", place);
        return false;
    }
    return parse_place(place, item, why) && parse_what(what, item, why);
}

/* Ends the first item of `text` at its comma (one that is not inside brackets); returns the rest.
 */
static char *cut_item(char *text) {
    int depth = 0;
    for (; *text != '\0'; text++) {
        depth += (*text == '(') - (*text == ')');
        if (*text == ',' && depth == 0) {
            *text = '\0';
            return text + 1;
        }
        /* Arguments are parsed one by one; inside brackets a comma parts them. */
        if (*text == ',')
            *text = ';';
    }
    return NULL;
}

bool plan_parse(const char *text, struct plan *plan, char why[PLAN_WHY_SIZE]) {
    char copy[PLAN_TEXT_SIZE];
    char *next = copy;
    *plan = (struct plan){0};
    if (strcmp(text, "none") == 0)
        return true;
    if (strlen(text) >= sizeof copy) {
        snprintf(why, PLAN_WHY_SIZE, "a plan has at most %d characters", PLAN_TEXT_SIZE - 1);
        return false;
    }
    snprintf(copy, sizeof copy, "%s", text);
    while (next != NULL) {
        struct plan_item item;
        char *this = next;
        char full[PLAN_WHY_SIZE];
        next = cut_item(this);
        if (!parse_item(this, &item, full)) {
            snprintf(why, PLAN_WHY_SIZE, "plan item %zu: %.260s", plan->count + 1, full);
            *plan = (struct plan){0};
            return false;
        }
        if (!plan_add(plan, &item)) {
            snprintf(why, PLAN_WHY_SIZE, "a plan has at most %d items", PLAN_MAX);
            *plan = (struct plan){0};
            return false;
        }
    }
    return true;
}

/* ---- plan to text ---- */

static int format_item(const struct plan_item *item, char *out, size_t size) {
    char site[SITE_NAME_SIZE], fault[FAULT_TEXT_SIZE];
    char late[DECIMAL_TEXT_MAX], after[DECIMAL_TEXT_MAX];
    const char *place =
        item->place == PLAN_AT_CALL ? site_name(item->site, site) : places[item->place];
    if (item->what == PLAN_FAULT)
        return snprintf(out, size, "%u/%s@%u=%s", item->life, place, item->occurrence,
                        fault_format(&item->fault, fault));
    if (item->what == PLAN_START)
        return snprintf(out, size, "%u/%s@%u=%s(%ss)", item->life, place, item->occurrence,
                        deaths[item->what], decimal_format(item->after_ns, 0, after));
    decimal_format(item->late_ns, 0, late);
    if (plan_is_power(item->what))
        return snprintf(out, size, "%u/%s@%u=%s(keep=%s%s%s%s)", item->life, place,
                        item->occurrence, deaths[item->what], item->keep,
                        item->late_ns > 0 ? ",late=" : "", item->late_ns > 0 ? late : "",
                        item->late_ns > 0 ? "s" : "");
    if (item->late_ns > 0)
        return snprintf(out, size, "%u/%s@%u=%s(late=%ss)", item->life, place, item->occurrence,
                        deaths[item->what], late);
    return snprintf(out, size, "%u/%s@%u=%s", item->life, place, item->occurrence,
                    deaths[item->what]);
}

char *plan_format(const struct plan *plan, char out[PLAN_TEXT_SIZE]) {
    size_t used = 0;
    if (plan->count == 0)
        snprintf(out, PLAN_TEXT_SIZE, "none");
    for (size_t i = 0; i < plan->count; i++) {
        if (i > 0)
            used += (size_t)snprintf(out + used, PLAN_TEXT_SIZE - used, ",");
        used += (size_t)format_item(&plan->items[i], out + used, PLAN_TEXT_SIZE - used);
        CHECK(used < PLAN_TEXT_SIZE);
    }
    return out;
}

/* ---- looking things up ---- */

const struct plan_item *plan_at_call(const struct plan *plan, unsigned life, struct site site,
                                     unsigned occurrence, bool after) {
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_item *item = &plan->items[i];
        if (item->place == PLAN_AT_CALL && item->life == life && item->site.op == site.op &&
            item->site.on == site.on && item->occurrence == occurrence &&
            plan_strikes_after(item->what) == after)
            return item;
    }
    return NULL;
}

const struct plan_item *plan_at(const struct plan *plan, unsigned life, enum plan_place place,
                                unsigned occurrence) {
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_item *item = &plan->items[i];
        if (item->place == place && item->life == life && item->occurrence == occurrence)
            return item;
    }
    return NULL;
}
