/* liboms as an OMS under test: at the direct door, and behind the real adapter at the wire door. */
#include "core/check.h"
#include "core/live/alpaca.h"
#include "core/oms.h"
#include "sim/sut/core_later.h"
#include "sim/sut/core_meaning.h"
#include "sim/sut/core_older.h"
#include "sim/sut/sut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct instance {
    struct oms *oms;
    struct alpaca *alpaca; /* wire door */
    struct later later;    /* when answers come later */
};

/* All invariants of the judge. */
enum { CLAIMS_ALL = 0x7ffe, SENDS_AT_ONCE = 8 };
#define SECOND_NS INT64_C(1000000000)

static void configure(const struct sut_config *from, struct oms_config *to) {
    *to = (struct oms_config){.profile = from->profile,
                              .page_size = from->page_size,
                              .checkpoint_frames = from->checkpoint_frames,
                              .archive_orders = from->archive_orders,
                              .sends_at_once = from->answers_late_s > 0 ? SENDS_AT_ONCE : 1,
                              .self_heal_ppm = (int64_t)from->self_heal_percent * 10000};
    snprintf(to->account, sizeof to->account, "%s", from->account);
}

static bool core_create(const struct sut_ports *ports, const struct sut_config *config,
                        const struct oms_opening *opening, size_t opening_count,
                        char why[SUT_WHY_SIZE]) {
    struct oms_place place = {.vfs = ports->vfs, .path = ports->path};
    struct oms_config oms_config;
    struct oms_error error = {""};
    enum oms_code code = OMS_OK;
    configure(config, &oms_config);
    code = oms_init(&place, &oms_config, &ports->env, opening, opening_count, &error);
    snprintf(why, SUT_WHY_SIZE, "%s", error.text);
    if (code == OMS_OK && config->store_version != 0 &&
        !core_make_older(ports->vfs, ports->path, config->store_version)) {
        snprintf(why, SUT_WHY_SIZE, "no store of version %d can be made", config->store_version);
        return false;
    }
    return code == OMS_OK;
}

static void core_bury(void *instance_, bool orderly) {
    struct instance *instance = instance_;
    (void)orderly; /* a dead port writes nothing, a living one may checkpoint: oms_close knows */
    oms_close(instance->oms);
    alpaca_close(instance->alpaca);
    free(instance);
}

static bool connect_wire(struct instance *instance, const struct sut_ports *ports,
                         const struct sut_config *config, struct broker *broker,
                         char why[SUT_WHY_SIZE]) {
    struct alpaca_config alpaca = {.url = ports->url,
                                   .key_id = "SIMULATED",
                                   .secret = "simulated",
                                   .profile = config->profile,
                                   .io = ports->io};
    instance->alpaca = alpaca_open(&alpaca, why, SUT_WHY_SIZE);
    if (instance->alpaca == NULL)
        return false;
    alpaca_broker(instance->alpaca, broker);
    return true;
}

static void *core_boot(const struct sut_ports *ports, const struct sut_config *config,
                       char why[SUT_WHY_SIZE]) {
    struct instance *instance = calloc(1, sizeof *instance);
    struct oms_place place = {.vfs = ports->vfs, .path = ports->path};
    struct oms_config oms_config;
    struct oms_error error = {""};
    struct broker broker;
    if (instance == NULL)
        return NULL;
    configure(config, &oms_config);
    if (ports->broker != NULL)
        broker = *ports->broker;
    else if (!connect_wire(instance, ports, config, &broker, why)) {
        free(instance);
        return NULL;
    }
    if (config->answers_late_s > 0) {
        const struct broker inner = broker;
        later_broker(&instance->later, &inner, &ports->env, config->answers_late_s * SECOND_NS,
                     &broker);
    }
    if (oms_open(&instance->oms, &place, &oms_config, &broker, &ports->env, &error) != OMS_OK) {
        snprintf(why, SUT_WHY_SIZE, "%s", error.text);
        alpaca_close(instance->alpaca);
        free(instance);
        return NULL;
    }
    instance->later.oms = instance->oms;
    return instance;
}

static enum sut_answer answered(const struct oms_answer *answer, const struct oms_error *error,
                                char why[SUT_WHY_SIZE]) {
    switch (answer->taken) {
    case OMS_TAKEN:
        return SUT_TAKEN;
    case OMS_KNOWN:
        return SUT_KNOWN;
    case OMS_NOT_TAKEN:
        snprintf(why, SUT_WHY_SIZE, "%s", answer->reason);
        return SUT_NOT_TAKEN;
    case OMS_UNKNOWN:
        break;
    }
    snprintf(why, SUT_WHY_SIZE, "%s", error->text);
    return SUT_UNKNOWN;
}

static enum sut_answer core_signal(void *instance_, const struct oms_decision *decision,
                                   char why[SUT_WHY_SIZE]) {
    struct instance *instance = instance_;
    struct oms_answer answer = {.taken = OMS_UNKNOWN};
    struct oms_error error = {""};
    oms_decide(instance->oms, decision, &answer, &error);
    return answered(&answer, &error, why);
}

static void core_signals(void *instance_, const struct oms_decision *decisions, size_t count,
                         enum sut_answer *answers, char why[SUT_WHY_SIZE]) {
    struct instance *instance = instance_;
    struct oms_answer own[SUT_SIGNALS_MAX];
    struct oms_error error = {""};
    for (size_t i = 0; i < count; i++)
        own[i].taken = OMS_UNKNOWN;
    oms_decide_many(instance->oms, decisions, count, own, &error);
    for (size_t i = 0; i < count; i++)
        answers[i] = answered(&own[i], &error, why);
}

/* Only a storage error ends an instance; a call that breaks a rule does not. */
static bool healthy(enum oms_code code) {
    return code != OMS_STORAGE && code != OMS_HALTED;
}

static bool core_cancel(void *instance_, const char *decision_id) {
    struct instance *instance = instance_;
    struct oms_error error = {""};
    return healthy(oms_cancel(instance->oms, decision_id, &error));
}

static bool core_kill_switch(void *instance_, bool on) {
    struct instance *instance = instance_;
    struct oms_error error = {""};
    return healthy(oms_kill_switch(instance->oms, on, "operator",
                                   on ? "the scenario says stop" : "the scenario says go on",
                                   &error));
}

static bool core_reconcile(void *instance_, bool daily) {
    struct instance *instance = instance_;
    struct oms_error error = {""};
    return healthy(daily ? oms_request_daily(instance->oms, OMS_TODAY, &error)
                         : oms_request_reconcile(instance->oms));
}

static bool core_resolve(void *instance_, const char *decision_id, const char *broker_order_id,
                         char why[SUT_WHY_SIZE]) {
    struct instance *instance = instance_;
    struct oms_error error = {""};
    enum oms_code code = oms_resolve(instance->oms, decision_id, broker_order_id, "operator",
                                     "the scenario says so", &error);
    snprintf(why, SUT_WHY_SIZE, "%s", code == OMS_OK ? "" : error.text);
    return healthy(code);
}

static bool core_step(void *instance_) {
    struct instance *instance = instance_;
    struct oms_error error = {""};
    return healthy(oms_step(instance->oms, &error));
}

static void core_next(void *instance_, struct oms_next *next) {
    struct instance *instance = instance_;
    oms_next(instance->oms, next);
}

static bool core_observe(const char *vfs, const char *path, bool check, struct oms_view *view,
                         char why[SUT_WHY_SIZE]) {
    struct oms_place place = {.vfs = vfs, .path = path};
    struct oms_error error = {""};
    enum oms_code code = oms_view_whole_at(&place, check, view, &error);
    snprintf(why, SUT_WHY_SIZE, "%s", error.text);
    return code == OMS_OK;
}

const struct sut sut_core = {.abi = SUT_ABI,
                             .name = "core",
                             .claims = CLAIMS_ALL,
                             .tells_profit = true,
                             .said = &check_said,
                             .create = core_create,
                             .boot = core_boot,
                             .signal = core_signal,
                             .signals = core_signals,
                             .cancel = core_cancel,
                             .kill_switch = core_kill_switch,
                             .reconcile = core_reconcile,
                             .resolve = core_resolve,
                             .step = core_step,
                             .next = core_next,
                             .bury = core_bury,
                             .observe = core_observe,
                             .meaning = core_meaning};
