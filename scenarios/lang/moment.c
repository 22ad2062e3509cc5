/* Taking a moment out of a script and putting one back. */
#include "scenarios/lang/moment.h"

#include "sim/check.h"

#include <stdlib.h>
#include <string.h>

struct moment {
    unsigned users;
    struct world world;
    struct judge judge;
    size_t noticed;
    bool second_refused;
    unsigned life;
    int64_t restarted_ns, recovered_ns;
    size_t line_count;
    struct line_run *lines;
    size_t observed;
    struct market_fills fills;
};

struct moment *moment_take(const struct script *script) {
    const struct stage *stage = &script->stage;
    struct moment *moment = check_zalloc(1, sizeof *moment);
    moment->users = 1;
    world_copy(&moment->world, &stage->world);
    judge_copy(&moment->judge, &stage->judge);
    moment->noticed = stage->noticed;
    moment->second_refused = stage->second_refused;
    moment->life = stage->life;
    moment->restarted_ns = stage->restarted_ns;
    moment->recovered_ns = stage->recovered_ns;
    moment->line_count = script->scenario->line_count;
    moment->lines = check_copy(script->lines, moment->line_count, sizeof *script->lines);
    moment->observed = script->observed;
    moment->fills = market_fills_copy(&script->fills);
    return moment;
}

struct moment *moment_share(struct moment *moment) {
    moment->users++;
    return moment;
}

void moment_release(struct moment *moment) {
    if (moment == NULL || --moment->users > 0)
        return;
    world_free(&moment->world);
    judge_free(&moment->judge);
    free(moment->lines);
    market_fills_free(&moment->fills);
    free(moment);
}

void moment_restore(const struct moment *moment, struct script *script) {
    struct stage *stage = &script->stage;
    CHECK(stage->oms == NULL && moment->line_count == script->scenario->line_count);
    world_free(&stage->world);
    judge_free(&stage->judge);
    world_copy(&stage->world, &moment->world);
    judge_copy(&stage->judge, &moment->judge);
    stage->noticed = moment->noticed;
    stage->second_refused = moment->second_refused;
    stage->life = moment->life;
    stage->restarted_ns = moment->restarted_ns;
    stage->recovered_ns = moment->recovered_ns;
    stage->halted = stage->boot_due = stage->settling = false;
    stage->inbox_count = 0;
    stage->dying = STAGE_ALIVE;
    stage->port.dead = false;
    stage->actions = 0;
    stage->hour_ns = stage->world.now_ns;
    memcpy(script->lines, moment->lines, moment->line_count * sizeof *script->lines);
    script->observed = moment->observed;
    market_fills_free(&script->fills);
    script->fills = market_fills_copy(&moment->fills);
    script->boot_ns = INT64_MAX;
    script->faults_over = script->has_key = false;
    script->failure.code[0] = '\0';
}

struct disk *moment_disk(const struct moment *moment) {
    return moment->world.disk;
}

int64_t moment_now_ns(const struct moment *moment) {
    return moment->world.now_ns;
}
