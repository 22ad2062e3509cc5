/* What goes wrong at the served exchange, by plan: which faults it can serve, and their counting.
 *
 * Calls are counted from the first request on, whoever sends it. A broker does not see its clients
 * die, so all of them belong to life 1. */
#ifndef SCENARIOS_CLI_BROKER_FAULTS_H
#define SCENARIOS_CLI_BROKER_FAULTS_H

#include "faultinject/plan.h"

#include <cjson/cJSON.h>

enum { FAULTS_WHY_SIZE = 2000 };

/* Start from all zero: nothing goes wrong. */
struct broker_faults {
    struct plan plan;
    bool struck[PLAN_MAX];
    unsigned calls[SITE_COUNT];
};

/* A new plan; counting begins anew. False: `why` names the item and the rule, and lists what is
 * possible; *faults is as before. */
bool faults_set(struct broker_faults *faults, const struct plan *plan, char why[FAULTS_WHY_SIZE]);
bool faults_read(struct broker_faults *faults, const char *text, char why[FAULTS_WHY_SIZE]);
/* What goes wrong with this call; counts it. */
struct port_answer faults_ask(struct broker_faults *faults, const struct port_call *call);

/* [{"fault": "1/broker.submit@3=lost-reply", "struck": true}, ...]; the caller's. */
cJSON *faults_json(const struct broker_faults *faults);
size_t faults_struck(const struct broker_faults *faults);

#endif
