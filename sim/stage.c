/* The stage: opening and closing, lives and deaths. */
#include "sim/stage_parts.h"

#include "sim/check.h"
#include "sim/hash.h"
#include "sim/shortage.h"
#include "sim/sut_call.h"
#include "sim/wire_world.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening and closing ---- */

void stage_open(struct stage *stage, const struct stage_config *config,
                const struct stage_outside *outside, struct world *world) {
    memset(stage, 0, offsetof(struct stage, inbox)); /* large, and opened for every run */
    stage->config = *config;
    stage->outside = *outside;
    stage->world = *world;
    stage->restarted_ns = INT64_MIN;
    stage->recovered_ns = INT64_MIN;
    judge_init(&stage->judge, config->sut, config->claims & ~config->suspends);
    stage->judge.suspends = config->suspends;
    wire_world(&stage->wire_exchange, &stage->world);
    sut_catch_stops();
}

/* The memory of the OMS goes, and with it what there was too little of. */
static void unload(struct stage *stage) {
    bool inside = shortage_inside(true);
    char ignored[SUT_WHY_SIZE];
    sut_bury(stage->config.sut, stage->oms, false);
    shortage_inside(inside);
    (void)sut_stopped(ignored); /* nothing that the dead do happens */
    shortage_life_over();
    stage->oms = NULL;
}

void stage_close(struct stage *stage) {
    if (stage->oms != NULL) {
        stage->port.dead = true;
        unload(stage);
    }
    if (stage->config.door == STAGE_WIRE)
        wire_end(stage->config.wire);
    for (size_t i = 0; i < STAGE_BACKUPS_MAX; i++)
        disk_free(stage->backups[i]);
    judge_free(&stage->judge);
    world_free(&stage->world);
}

/* ---- lives and deaths ---- */

bool stage_is_up(const struct stage *stage) {
    return stage->oms != NULL && !stage->port.dead;
}

/* The process is gone: its memory is freed, its locks are released, its inbox is lost. */
static void bury(struct stage *stage) {
    stage->port.dead = true;
    if (stage->oms != NULL)
        unload(stage);
    shortage_life_over();
    stage->boot_due = false;
    stage->inbox_count = 0;
    if (stage->config.door == STAGE_WIRE && stage->life > 0)
        wire_end(stage->config.wire);
    disk_kill(stage->world.disk);
    if (stage->port.dead_calls > STAGE_DEAD_CALLS_MAX)
        judge_restless(&stage->judge, &stage->world,
                       "the OMS goes on calling its ports after death");
}

static void lose_power(struct stage *stage) {
    bool reduced = false;
    unsigned outcomes = disk_power_outcomes(stage->world.disk, &reduced);
    unsigned which = stage->outside.power(stage->outside.ctx, outcomes, reduced);
    char name[64];
    CHECK(which < outcomes);
    stage->power_reduced = stage->power_reduced || reduced;
    disk_outcome_name(stage->world.disk, which, name, sizeof name);
    stage_note(stage, "power", true, "%u of the unsynced writes at stake, keep=%s",
               disk_pending(stage->world.disk), name);
    disk_power(stage->world.disk, which);
    stage_mark(stage, CHAIN_DEATH + 1, which);
}

void stage_finish_death(struct stage *stage) {
    enum stage_death death = stage->dying;
    stage->dying = STAGE_ALIVE;
    stage->halted = false;
    bury(stage);
    switch (death) {
    case STAGE_ALIVE:
        CHECK(death != STAGE_ALIVE);
        return;
    case STAGE_KILL:
        stage_mark(stage, CHAIN_DEATH, 0);
        return;
    case STAGE_POWER:
        lose_power(stage);
        return;
    }
}

void stage_die(struct stage *stage, enum stage_death death) {
    if (stage->dying != STAGE_ALIVE)
        return;
    stage->counts.crashes++;
    stage->dying = death;
    stage->port.dead = true;
    stage_note(stage, death == STAGE_KILL ? "kill" : "power", true, "%s",
               death == STAGE_KILL ? "the process is killed" : "the power goes");
    if (!stage->in_call)
        stage_finish_death(stage);
}

static void fail_stopped(struct stage *stage) {
    stage->halted = true;
    bury(stage);
}

/* False: it stopped itself. */
static bool ask_next(struct stage *stage) {
    enum oms_work before = stage->next.work;
    bool told = false;
    shortage_inside(true);
    told = sut_next(stage->config.sut, stage->oms, &stage->next);
    shortage_inside(false);
    if (!told)
        return false;
    /* Who waits until then sleeps for so long, whatever the clock shows meanwhile. */
    if (stage->next.work != OMS_WORK_NONE)
        stage->next.at_ns -= stage->world.ahead_ns;
    if (stage->next.work != before)
        stage->known_ns = stage->world.now_ns;
    return true;
}

void stage_notice_stop(struct stage *stage) {
    char why[SUT_WHY_SIZE];
    if (!sut_stopped(why) || stage->dying != STAGE_ALIVE)
        return;
    stage_note(stage, "oms", false, "%.150s", why);
    judge_restless(&stage->judge, &stage->world, why);
}

void stage_back_from_oms(struct stage *stage, bool healthy) {
    stage_notice_deliveries(stage);
    stage->in_call = false;
    stage->actions++;
    healthy = healthy && (stage->dying != STAGE_ALIVE || stage->oms == NULL || ask_next(stage));
    stage_notice_stop(stage);
    if (stage->dying != STAGE_ALIVE)
        stage_finish_death(stage);
    else if (!healthy)
        fail_stopped(stage);
    stage_changed(stage);
}

/* A store says what it says as the last life left it. Where overwriting is not power-safe an OMS may
 * need more than the store itself to make it whole again: there it is judged once it has started. */
static void judge_as_found(struct stage *stage) {
    if (disk_profile_of(stage->world.disk)->power_safe || !stage->judge.begun)
        judge_life(&stage->judge, &stage->world, STAGE_STORE);
}

void stage_judge_dead(struct stage *stage) {
    judge_books(&stage->judge, &stage->world);
    judge_as_found(stage);
}

void stage_boot(struct stage *stage) {
    struct sut_ports ports;
    CHECK(!stage->in_call);
    stage->boot_due = false;
    if (stage->oms != NULL)
        return;
    stage->life++;
    stage->counts.lives++;
    stage->halted = false;
    memset(stage->occurrences, 0, sizeof stage->occurrences);
    stage_rest(stage);
    judge_as_found(stage);
    stage_connect(stage, &stage->port);
    disk_vfs_attach("sim", stage->world.disk, &stage->port,
                    seed_named(stage->config.seed, "disk") + stage->life);
    if (stage->config.door == STAGE_WIRE) {
        wire_begin(stage->config.wire, &stage->port, &stage->wire_exchange);
        wire_io(stage->config.wire, &stage->io);
    }
    stage_ports(stage, "sim", &stage->port, &ports);
    stage->restarted_ns = stage->world.now_ns;
    stage->free_ns = stage->world.now_ns;
    stage_mark(stage, CHAIN_START, stage->life);
    stage_note(stage, "oms", false, "start of life %u", stage->life);
    stage->why[0] = '\0';
    stage->in_call = true;
    shortage_inside(true);
    stage->oms = sut_boot(stage->config.sut, &ports, &stage->config.oms, stage->why);
    shortage_inside(false);
    stage->refused_to_boot = stage->oms == NULL && !stage->port.dead;
    if (stage->refused_to_boot) {
        stage_note(stage, "oms", false, "refuses to start: %.120s", stage->why);
        stage->halted = true;
    }
    if (stage_is_up(stage) && !disk_profile_of(stage->world.disk)->power_safe)
        judge_life(&stage->judge, &stage->world, STAGE_STORE);
    stage_back_from_oms(stage, stage->oms != NULL);
}

void stage_boot_soon(struct stage *stage) {
    stage->boot_due = stage->oms == NULL;
}

bool stage_tell(struct stage *stage, enum inbox_kind kind, size_t decision, bool on) {
    if (!stage_is_up(stage) && !stage->boot_due)
        return false;
    CHECK(stage->inbox_count < STAGE_INBOX_MAX);
    stage->inbox[stage->inbox_count++] = (struct inbox_item){.kind = kind,
                                                             .decision = decision,
                                                             .on = on,
                                                             .line = stage->line,
                                                             .arrived_ns = stage->world.now_ns};
    return true;
}

uint64_t stage_crash_key(const struct stage *stage) {
    const struct world *world = &stage->world;
    /* The exchange counts its changes and arrivals, and the world the requests it let fly: within a
     * run that says as much as their contents. */
    uint64_t key = hash_u64(disk_hash(world->disk), world->exchange.version);
    key = hash_u64(hash_u64(key, world->exchange.delivery_count), world->flight_ids);
    key = hash_u64(hash_u64(key, world->flight_count), world->broker_down);
    key = hash_u64(hash_u64(key, (uint64_t)world->halt_file), (uint64_t)world->ahead_ns);
    return hash_u64(key, judge_memory(&stage->judge));
}
