/* Second instances and operators: other processes at the same store, and a word about a held order. */
#include "sim/stage_parts.h"

#include "sim/hash.h"
#include "sim/shortage.h"
#include "sim/sut_call.h"

#include <stdio.h>
#include <string.h>

/* Boots another process on the same store, whose own calls nothing goes wrong with; NULL: refused.
 * Also in the middle of a call of the first, which gets its door back in bury_beside. */
static void *boot_beside(struct stage *stage, char why[SUT_WHY_SIZE]) {
    struct sut_ports ports;
    stage->second_port = stage_calm_port(stage, stage_now);
    disk_vfs_attach("sim2", stage->world.disk, &stage->second_port,
                    seed_named(stage->config.seed, "second") + stage->life);
    stage_ports(stage, "sim2", &stage->second_port, &ports);
    ports.env.emit = stage_tell_nobody;
    return sut_boot(stage->config.sut, &ports, &stage->config.oms, why);
}

static void bury_beside(struct stage *stage, void *instance) {
    if (instance != NULL)
        sut_bury(stage->config.sut, instance, true);
    stage_notice_stop(stage);
    /* The first instance's door is its own again. */
    if (stage->config.door == STAGE_DIRECT)
        stage->broker = direct_broker(&stage->direct, &stage->world, &stage->port);
    stage_changed(stage);
}

void stage_start_second(struct stage *stage) {
    char why[SUT_WHY_SIZE] = "";
    void *second = boot_beside(stage, why);
    stage->second_refused = second == NULL;
    stage_note(stage, "second", false, "%s%.120s", second == NULL ? "refuses to start: " : "starts",
               why);
    bury_beside(stage, second);
}

void stage_operate(struct stage *stage, bool on) {
    char why[SUT_WHY_SIZE] = "";
    void *tool = NULL;
    bool done = false;
    if (stage_tell(stage, INBOX_KILL_SWITCH, 0, on))
        return;
    tool = boot_beside(stage, why);
    done = tool != NULL && sut_kill_switch(stage->config.sut, tool, on);
    judge_operator(&stage->judge, on, done);
    stage_note(stage, "operator", false, "kill switch %s on the store%s%.100s",
               on ? "tripped" : "released", done ? "" : ", in vain: ", why);
    bury_beside(stage, tool);
}

/* What the broker has for a decision, as an operator sees it there; NULL: nothing. */
static const char *order_at_broker(const struct stage *stage, size_t decision) {
    const struct exchange *exchange = &stage->world.exchange;
    for (size_t i = exchange->order_count; i-- > 0;) {
        const struct broker_order *told = &exchange->orders[i].told;
        if (!exchange->orders[i].foreign && !exchange->orders[i].lost &&
            judge_attribute(&stage->judge, told->symbol, told->side, told->qty_nanos,
                            told->limit_nanos) == (int)decision)
            return told->id;
    }
    return NULL;
}

/* Whether the broker will have it: a request of it is under way. */
static bool comes_to_broker(const struct stage *stage, size_t decision) {
    const struct world *world = &stage->world;
    for (size_t i = 0; i < world->flight_count; i++) {
        const struct broker_request *request = &world->flights[i].request;
        if (!world->flights[i].is_cancel &&
            judge_attribute_request(&stage->judge, request) == (int)decision)
            return true;
    }
    return false;
}

bool stage_resolve_at(struct stage *stage, void *oms, size_t decision, bool adopt) {
    const struct judged *judged = &stage->judge.decisions[decision];
    const char *order_id = adopt ? order_at_broker(stage, decision) : NULL;
    char id[BROKER_ORDER_ID_SIZE] = "", why[SUT_WHY_SIZE] = "";
    bool healthy = true, died = false;
    if (order_id != NULL)
        snprintf(id, sizeof id, "%s", order_id);
    if (adopt && order_id == NULL) {
        snprintf(why, sizeof why, "the broker has no order for it");
    } else if (stage->config.sut->resolve == NULL) {
        snprintf(why, sizeof why, "this OMS holds nothing");
    } else {
        shortage_inside(oms == stage->oms);
        healthy = sut_resolve(stage->config.sut, oms, judged->decision.id, adopt ? id : NULL, why);
        shortage_inside(false);
    }
    died = stage->port.dead && oms == stage->oms;
    if ((why[0] == '\0' || died) && !adopt &&
        (order_at_broker(stage, decision) != NULL || comes_to_broker(stage, decision)))
        judge_misled(&stage->judge, decision);
    if (died)
        return healthy;
    if (healthy && why[0] == '\0')
        judge_resolved(&stage->judge, decision);
    stage_note(stage, "operator", false, "%s: %s %s%s%.90s", judged->name,
               adopt ? "it is the broker's" : "it is not at the broker", id,
               why[0] == '\0' ? "" : "; in vain: ", why);
    return healthy;
}

void stage_resolve(struct stage *stage, size_t decision, bool adopt) {
    char why[SUT_WHY_SIZE] = "";
    void *tool = NULL;
    if (stage_tell(stage, adopt ? INBOX_ADOPT : INBOX_GONE, decision, false))
        return;
    if (!adopt)
        tool = boot_beside(stage, why);
    if (tool != NULL)
        stage_resolve_at(stage, tool, decision, false);
    else
        stage_note(stage, "operator", false, "cannot resolve %s now: %.100s",
                   stage->judge.decisions[decision].name,
                   adopt ? "nobody is up to ask the broker" : why);
    if (!adopt)
        bury_beside(stage, tool);
}
