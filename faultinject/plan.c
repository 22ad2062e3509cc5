/* Plans: parsing and printing one line of text, and finding what it says about a call. */
#include "faultinject/plan.h"

#include "sim/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const deaths[] = {[PLAN_FAULT] = "",
                                     [PLAN_KILL] = "kill",
                                     [PLAN_KILL_AFTER] = "kill-after",
                                     [PLAN_POWER] = "power",
                                     [PLAN_POWER_AFTER] = "power-after"};

static bool is_power(enum plan_what what) {
    return what == PLAN_POWER || what == PLAN_POWER_AFTER;
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
    item->place = strcmp(text, "idle") == 0   ? PLAN_AT_IDLE
                  : strcmp(text, "line") == 0 ? PLAN_AT_LINE
                                              : PLAN_AT_CALL;
    if (item->place == PLAN_AT_CALL && !site_parse(text, &item->site)) {
        snprintf(why, PLAN_WHY_SIZE,
                 "'%.200s' is no site (such as broker.submit or disk.sync(wal))", text);
        return false;
    }
    return true;
}

static bool parse_death(char *name, char *args, struct plan_item *item, char *why) {
    for (int what = PLAN_KILL; what <= PLAN_POWER_AFTER; what++) {
        if (strcmp(name, deaths[what]) != 0)
            continue;
        item->what = (enum plan_what)what;
        snprintf(item->keep, sizeof item->keep, "none");
        if (args == NULL)
            return true;
        if (!is_power(item->what) || strncmp(args, "keep=", 5) != 0 ||
            strlen(args + 5) >= PLAN_KEEP_SIZE) {
            snprintf(why, PLAN_WHY_SIZE, "'%s(%s)': only power takes an argument, keep=", name,
                     args);
            return false;
        }
        snprintf(item->keep, sizeof item->keep, "%s", args + 5);
        return true;
    }
    snprintf(why, PLAN_WHY_SIZE, "'%.200s' is nothing that can happen there", name);
    return false;
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
    const char *place = item->place == PLAN_AT_IDLE   ? "idle"
                        : item->place == PLAN_AT_LINE ? "line"
                                                      : site_name(item->site, site);
    if (item->what == PLAN_FAULT)
        return snprintf(out, size, "%u/%s@%u=%s", item->life, place, item->occurrence,
                        fault_format(&item->fault, fault));
    if (is_power(item->what))
        return snprintf(out, size, "%u/%s@%u=%s(keep=%s)", item->life, place, item->occurrence,
                        deaths[item->what], item->keep);
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
        bool strikes_after = item->what == PLAN_KILL_AFTER || item->what == PLAN_POWER_AFTER;
        if (item->place == PLAN_AT_CALL && item->life == life && item->site.op == site.op &&
            item->site.on == site.on && item->occurrence == occurrence && strikes_after == after)
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
