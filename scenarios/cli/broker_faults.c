/* Faults of a served exchange. */
#include "scenarios/cli/broker_faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A refused connection is refused before anybody knows which call it is for. */
static bool is_served(const struct fault_kind *kind) {
    return kind->op >= SITE_BROKER_SUBMIT && kind->act != ACT_REFUSED;
}

__attribute__((format(printf, 2, 3))) static void add(char why[FAULTS_WHY_SIZE], const char *format,
                                                      ...) {
    size_t used = strlen(why);
    va_list args;
    va_start(args, format);
    vsnprintf(why + used, FAULTS_WHY_SIZE - used, format, args);
    va_end(args);
}

/* "broker.submit: lost, lost-reply, ...; broker.lookup: ..." */
static void add_possible(char why[FAULTS_WHY_SIZE]) {
    const struct fault_kind *before = NULL;
    char name[SITE_NAME_SIZE];
    for (size_t i = 0; i < catalogue_count(); i++) {
        const struct fault_kind *kind = catalogue_at(i);
        if (!is_served(kind))
            continue;
        if (before == NULL || before->op != kind->op)
            add(why, "%s%s%s: %s", before == NULL ? "" : "; ",
                site_name((struct site){kind->op, ON_NONE}, name),
                kind->op >= SITE_WIRE_REQUEST ? "(CALL)" : "", kind->name);
        else
            add(why, ", %s", kind->name);
        before = kind;
    }
}

/* NULL: it can be served; else the rule. */
static const char *mistake(const struct plan_item *item) {
    if (item->what != PLAN_FAULT || item->place != PLAN_AT_CALL)
        return "is a death or a start, and a broker does not make its clients die";
    if (item->site.op < SITE_BROKER_SUBMIT)
        return "is no call to a broker";
    if (!is_served(item->fault.kind))
        return "cannot be served: the connection stands before its request can be read";
    if (item->life != 1)
        return "must be in life 1: a broker does not see its clients die, it counts on";
    return NULL;
}

bool faults_set(struct broker_faults *faults, const struct plan *plan, char why[FAULTS_WHY_SIZE]) {
    for (size_t i = 0; i < plan->count; i++) {
        struct plan alone = {.items = {plan->items[i]}, .count = 1};
        char text[PLAN_TEXT_SIZE];
        const char *rule = mistake(&plan->items[i]);
        if (rule == NULL)
            continue;
        why[0] = '\0';
        add(why, "'%s' %s. Possible are ", plan_format(&alone, text), rule);
        add_possible(why);
        return false;
    }
    *faults = (struct broker_faults){.plan = *plan};
    return true;
}

bool faults_read(struct broker_faults *faults, const char *text, char why[FAULTS_WHY_SIZE]) {
    struct plan plan;
    char reason[PLAN_WHY_SIZE] = "";
    if (plan_parse(text, &plan, reason))
        return faults_set(faults, &plan, why);
    snprintf(why, FAULTS_WHY_SIZE, "%s", reason);
    return false;
}

struct port_answer faults_ask(struct broker_faults *faults, const struct port_call *call) {
    unsigned occurrence = ++faults->calls[site_index(call->site)];
    const struct plan_item *item = plan_at_call(&faults->plan, 1, call->site, occurrence, false);
    if (item == NULL)
        return (struct port_answer){.act = ACT_NONE};
    faults->struck[item - faults->plan.items] = true;
    return fault_answer(&item->fault);
}

cJSON *faults_json(const struct broker_faults *faults) {
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < faults->plan.count; i++) {
        struct plan alone = {.items = {faults->plan.items[i]}, .count = 1};
        char text[PLAN_TEXT_SIZE];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "fault", plan_format(&alone, text));
        cJSON_AddBoolToObject(o, "struck", faults->struck[i]);
        cJSON_AddItemToArray(array, o);
    }
    return array;
}

size_t faults_struck(const struct broker_faults *faults) {
    size_t count = 0;
    for (size_t i = 0; i < faults->plan.count; i++)
        count += faults->struck[i];
    return count;
}
