/* Worlds: what a crash leaves, what it means, and when it is started again. Numbered facts that the
 * code cites:
 *
 * (1) A world is judged before it is merged; one that violates is a leaf.
 * (2) Everything that decides what comes after a crash is in the meaning key: the store as it could
 *     be found, the exchange, requests under way, the judge's memory, the script's lines.
 * (3) Nothing here depends on an order that was not chosen: worlds are made in the order of the
 *     calls of a life, kill before power, outcomes and delays ascending. */
#include "scenarios/lang/explore_parts.h"

#include "sim/check.h"
#include "sim/content.h"
#include "sim/hash.h"
#include "sim/outcomes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SUCCESSORS_MAX = 1 << 24,
    IMPLIED_SAMPLES = 2 /* at each crash point where some outcomes stand for others */
};
#define SECOND_NS INT64_C(1000000000)

bool explore_has_broken(const struct script *script) {
    return script->stage.judge.first.invariant != 0 || script->failure.code[0] != '\0';
}

/* ---- findings ---- */

static void collect(const struct trail *trail, struct plan *plan) {
    if (trail == NULL)
        return;
    collect(trail->before, plan);
    for (size_t i = 0; i < trail->count; i++)
        CHECK(plan_add(plan, &trail->items[i]));
}

void explore_found(struct explorer *x, unsigned cost, const struct trail *trail,
                   const struct script *script) {
    if (x->result->found && cost >= x->found_cost)
        return;
    x->result->found = true;
    x->found_cost = cost;
    x->found_plan.count = 0;
    collect(trail, &x->found_plan);
    script_failing(script, &x->finding);
}

struct trail *explore_trail(struct explorer *x, const struct trail *before) {
    struct trail *trail = check_zalloc(1, sizeof *trail);
    trail->before = before;
    trail->older = x->trails;
    x->trails = trail;
    return trail;
}

void explore_trail_item(struct trail *trail, const struct plan_item *item) {
    CHECK(trail->count < EXPLORE_TRAIL_ITEMS);
    trail->items[trail->count++] = *item;
}

/* ---- keys ---- */

static uint64_t bytes_beside_disk(const struct script *script) {
    uint64_t hash =
        hash_u64(world_hash_beside_disk(&script->stage.world), judge_memory(&script->stage.judge));
    return hash_u64(hash, script_memory(script, true, NULL));
}

static uint64_t meaning_of(struct explorer *x, struct script *script, struct moments *pending) {
    struct stage *stage = &script->stage;
    /* Without power losses nobody ever sees what the device holds. */
    unsigned without = x->options->without | (x->power ? 0u : (unsigned)MEANING_CACHE_ONLY);
    uint64_t hash = meaning_of_world(x->options->sut, &stage->config.oms, &stage->world,
                                     STAGE_STORE, without, pending);
    hash = hash_u64(hash, judge_memory(&stage->judge));
    return hash_u64(hash, script_memory(script, (without & MEANING_WITHOUT_TIMES) == 0, pending));
}

static void note_key(struct explorer *x, uint64_t key) {
    x->result->fingerprint = hash_u64(x->result->fingerprint, key);
}

/* ---- worlds about to start ---- */

size_t explore_class(struct explorer *x) {
    CHECK_ROOM(x->classes, x->class_count, x->class_cap, EXPLORE_NODES_MAX);
    x->classes[x->class_count] = (struct class){.run = false};
    return x->class_count++;
}

struct work *explore_work(struct moment *start, const struct trail *trail, size_t class) {
    struct work *work = check_zalloc(1, sizeof *work);
    *work = (struct work){.start = start, .trail = trail, .class = class};
    return work;
}

void explore_push(struct explorer *x, unsigned cost, struct work *work) {
    if (frontier_push(&x->frontier, cost, work->fault_count > 0, work))
        return;
    moment_release(work->start);
    free(work);
    x->stopped = true;
    snprintf(x->result->bound, sizeof x->result->bound,
             "paths of more than %d crashes and faults are not kept", FRONTIER_COST_MAX - 1);
}

/* The scratch script is about to start its OMS. Returns what that means. */
static uint64_t offer_start(struct explorer *x, const struct trail *trail, unsigned cost,
                            bool audit, bool sampled) {
    struct script *script = x->script;
    uint64_t bytes = hash_u64(disk_hash(script->stage.world.disk), bytes_beside_disk(script));
    uint64_t *met = keymap_find(&x->start_bytes, bytes);
    uint64_t key = 0;
    uint64_t *index = NULL;
    if (met != NULL) {
        return *met;
    }
    key = meaning_of(x, script, NULL);
    index = keymap_find(&x->starts, key);
    if (audit) {
        if (index != NULL && sampled && x->audit_count < EXPLORE_AUDITS_MAX) {
            CHECK_ROOM(x->audits, x->audit_count, x->audit_cap, EXPLORE_AUDITS_MAX);
            x->audits[x->audit_count++] =
                (struct audit){moment_take(script), (size_t)*index, trail};
        }
        return key;
    }
    keymap_put(&x->start_bytes, bytes, key);
    if (index != NULL) {
        return key;
    }
    note_key(x, key);
    keymap_put(&x->starts, key, x->class_count);
    x->result->starts++;
    explore_push(x, cost, explore_work(moment_take(script), trail, explore_class(x)));
    return key;
}

/* The first whole number of seconds after `now_ns` at which `at_ns` has come. */
static int64_t whole_seconds_later(int64_t now_ns, int64_t at_ns) {
    return now_ns + (at_ns - now_ns + SECOND_NS - 1) / SECOND_NS * SECOND_NS;
}

/* When to start again: ascending, none before now. */
static void pick_starts(const struct explorer *x, int64_t now_ns, const struct moments *pending,
                        struct moments *starts) {
    moments_add(starts, now_ns);
    for (size_t i = 0; i < pending->n && x->options->delays != EXPLORE_AT_ONCE; i++) {
        int64_t at_ns = pending->v[i];
        if (x->options->delays == EXPLORE_WHOLE_SECONDS) {
            moments_add(starts, whole_seconds_later(now_ns, at_ns));
            continue;
        }
        if (at_ns - 1 > now_ns)
            moments_add(starts, at_ns - 1);
        moments_add(starts, at_ns);
        moments_add(starts, at_ns + 1);
    }
    moments_sort(starts);
}

/* The world in the scratch script, dead, waits for each of its restarts. Returns a hash of what can
 * be started from it. */
static uint64_t start_again(struct explorer *x, const struct moments *pending,
                            const struct trail *trail, unsigned cost, bool audit) {
    struct moment *dead = moment_take(x->script);
    int64_t now_ns = moment_now_ns(dead), scripted_ns = script_restart_ns(x->script);
    struct moments starts = {0};
    uint64_t hash = 0;
    pick_starts(x, now_ns, pending, &starts);
    if (scripted_ns != INT64_MAX)
        moments_add(&starts, scripted_ns);
    moments_sort(&starts);
    for (size_t i = 0; i < starts.n && starts.v[i] <= scripted_ns; i++) {
        struct trail *here = explore_trail(x, trail);
        struct plan_item item = {.life = x->script->stage.life + 1,
                                 .place = PLAN_AT_START,
                                 .occurrence = 1,
                                 .what = PLAN_START,
                                 .after_ns = starts.v[i] - now_ns};
        moment_restore(dead, x->script);
        script_waits(x->script, starts.v[i]);
        if (starts.v[i] < scripted_ns)
            explore_trail_item(here, &item);
        if (explore_has_broken(x->script)) {
            explore_found(x, cost, here, x->script); /* (1) */
            continue;
        }
        hash = hash_u64(hash, offer_start(x, here, cost, audit, i == x->audit_starts % starts.n));
    }
    moments_free(&starts);
    moment_release(dead);
    return hash;
}

/* ---- crash worlds ---- */

static void add_successor(struct life *life, uint64_t key) {
    CHECK_ROOM(life->successors, life->successor_count, life->successor_cap, SUCCESSORS_MAX);
    life->successors[life->successor_count++] = key;
}

bool explore_forestalls(const struct plan_item *death, const struct plan_item *fault) {
    return death->place == PLAN_AT_CALL && !plan_strikes_after(death->what) &&
           death->life == fault->life && site_index(death->site) == site_index(fault->site) &&
           death->occurrence == fault->occurrence;
}

static struct trail *trail_of_death(struct explorer *x, const struct work *work,
                                    const struct plan_item *item) {
    struct trail *trail = explore_trail(x, work->trail);
    for (size_t i = 0; i < work->fault_count; i++) {
        if (!explore_forestalls(item, &work->faults[i]))
            explore_trail_item(trail, &work->faults[i]);
    }
    explore_trail_item(trail, item);
    return trail;
}

/* A merged world is a sample when its class is one to sample, and has not had enough of them. */
static void audit_merged(struct explorer *x, size_t class, const struct moments *pending,
                         const struct work *work, const struct plan_item *item, unsigned cost) {
    struct crash_class *merged = &x->crash_classes[class];
    uint64_t starts = 0, expected = merged->starts;
    if (merged->audits >= x->options->audits ||
        (x->options->audit_every > 1 && class % x->options->audit_every != 0))
        return;
    merged->audits++;
    x->audit_starts = merged->audits + class;
    starts = start_again(x, pending, trail_of_death(x, work, item), cost, true);
    if (starts != expected && x->result->mismatches++ == 0)
        snprintf(x->result->mismatch, sizeof x->result->mismatch,
                 "two crash worlds have one key, and what can be started from them differs");
}

/* The scratch script holds a world that has just died as `item` says; its bytes are new. Returns
 * what it means, 0 when it violates. */
static uint64_t offer_crash_world(struct life *life, const struct work *work,
                                  const struct plan_item *item, unsigned cost) {
    struct explorer *x = life->x;
    struct moments pending = {0};
    uint64_t key = 0, *index = NULL;
    stage_judge_dead(&x->script->stage);
    if (explore_has_broken(x->script)) { /* (1) */
        if (!life->audit)
            explore_found(x, cost, trail_of_death(x, work, item), x->script);
        return 0;
    }
    key = meaning_of(x, x->script, &pending);
    moments_sort(&pending);
    index = keymap_find(&x->crash_worlds, key);
    if (life->audit) {
        moments_free(&pending);
        return key;
    }
    if (index != NULL) {
        x->result->merged_meaning++;
        audit_merged(x, (size_t)*index, &pending, work, item, cost);
    } else {
        size_t class = x->crash_class_count;
        uint64_t starts = 0;
        CHECK_ROOM(x->crash_classes, x->crash_class_count, x->crash_class_cap, EXPLORE_NODES_MAX);
        x->crash_class_count++;
        x->crash_classes[class] = (struct crash_class){0};
        keymap_put(&x->crash_worlds, key, class);
        note_key(x, key);
        x->result->distinct++;
        if (cost > x->result->deepest)
            x->result->deepest = cost;
        starts = start_again(x, &pending, trail_of_death(x, work, item), cost, false);
        x->crash_classes[class].starts = starts;
    }
    moments_free(&pending);
    return key;
}

/* Bytes that are met again mean what they meant. */
static bool is_met(struct life *life, uint64_t bytes) {
    uint64_t *met = keymap_find(&life->x->crash_bytes, bytes);
    if (met == NULL)
        return false;
    if (*met != 0)
        add_successor(life, *met);
    life->x->result->merged_bytes += !life->audit;
    return true;
}

static void keep_world(struct life *life, uint64_t bytes, uint64_t key) {
    if (key != 0)
        add_successor(life, key);
    if (!life->audit)
        keymap_put(&life->x->crash_bytes, bytes, key);
}

/* One death at one point. `beside`: the point's bytes without its disk, 0 when they are not known.
 */
static void die_once(struct life *life, const struct work *work, const struct crash_point *point,
                     struct plan_item item, unsigned outcome, uint64_t beside, unsigned cost) {
    struct explorer *x = life->x;
    struct disk *after = NULL;
    uint64_t bytes = 0;
    x->result->crash_worlds += !life->audit;
    if (item.late_ns == 0) {
        after = disk_copy(moment_disk(point->moment));
        if (plan_is_power(item.what)) {
            disk_outcome_name(after, outcome, item.keep, sizeof item.keep);
            disk_power(after, outcome);
        }
        bytes = hash_u64(disk_hash(after), beside);
        disk_free(after);
        if (is_met(life, bytes))
            return;
    }
    moment_restore(point->moment, x->script);
    if (plan_is_power(item.what))
        disk_outcome_name(x->script->stage.world.disk, outcome, item.keep, sizeof item.keep);
    script_dies(x->script, &item, &point->request, outcome);
    if (item.late_ns > 0) {
        bytes = hash_u64(disk_hash(x->script->stage.world.disk), bytes_beside_disk(x->script));
        if (is_met(life, bytes))
            return;
    }
    keep_world(life, bytes, offer_crash_world(life, work, &item, cost));
}

static enum plan_what death_what(bool power, bool after) {
    if (power)
        return after ? PLAN_POWER_AFTER : PLAN_POWER;
    return after ? PLAN_KILL_AFTER : PLAN_KILL;
}

struct plan_item explore_death(const struct crash_point *point, bool power, int64_t late_ns) {
    return (struct plan_item){.life = point->life,
                              .place = point->at_end ? PLAN_AT_END : PLAN_AT_CALL,
                              .site = point->site,
                              .occurrence = point->at_end ? 1 : point->occurrence,
                              .what = death_what(power, point->after),
                              .keep = "none",
                              .late_ns = late_ns};
}

/* Outcomes that were left out because others show the same: do they? */
static void sample_implied(struct explorer *x, const struct disk *disk) {
    uint64_t number = seed_named(x->result->crash_worlds, "outcome");
    for (unsigned i = 0; i < IMPLIED_SAMPLES; i++) {
        x->result->implied_tried++;
        if (!outcomes_sample(disk, STAGE_STORE, random_next(&number)) &&
            x->result->mismatches++ == 0)
            snprintf(x->result->mismatch, sizeof x->result->mismatch,
                     "a power loss shows something else than the outcome that stands for it");
    }
}

static void die_in_every_way(struct life *life, const struct work *work,
                             const struct crash_point *point, int64_t late_ns, uint64_t beside,
                             unsigned cost) {
    struct explorer *x = life->x;
    struct outcomes outcomes;
    if (x->kill)
        die_once(life, work, point, explore_death(point, false, late_ns), 0, beside, cost);
    if (!x->power)
        return;
    outcomes_pick(moment_disk(point->moment), &outcomes);
    x->result->reduced = x->result->reduced || outcomes.reduced;
    for (unsigned i = 0; i < outcomes.count; i++)
        die_once(life, work, point, explore_death(point, true, late_ns), outcomes.which[i], beside,
                 cost);
    if (outcomes.implied)
        sample_implied(x, moment_disk(point->moment));
    outcomes_free(&outcomes);
}

/* How late a request may arrive whose sender is dead: right behind the first question of a restart
 * at once, at the last moment the broker promises, and, where the broker makes no second order
 * whenever it comes, behind a second send (of the first life's only, and while it would still be
 * made: nothing is sent after the last send that is allowed, so a broker that delivers that one
 * later than it promises leaves an order that nobody looks for). Returns how many. */
static size_t pick_lateness(const struct profile *profile, bool first_life, int64_t now_ns,
                            int64_t late_ns[3]) {
    int64_t second_ns = profile->quiescence_ns + 2 * profile->timeout_ns;
    int64_t forgets_ns = profile_forgets_ns(profile, now_ns);
    bool sends_again =
        profile_is_effectively_once(profile) && first_life &&
        (forgets_ns == INT64_MAX || now_ns + second_ns < forgets_ns - profile->forget_margin_ns);
    size_t count = 0;
    late_ns[count++] = 1;
    late_ns[count++] = profile->quiescence_ns;
    if (sends_again)
        late_ns[count++] = second_ns;
    return count;
}

void explore_deaths(struct life *life, const struct work *work, unsigned cost) {
    struct explorer *x = life->x;
    for (size_t i = 0; i < life->point_count; i++) {
        const struct crash_point *point = &life->points[i];
        int64_t late_ns[3];
        size_t late = 0;
        moment_restore(point->moment, x->script);
        if (point->is_submit)
            late = pick_lateness(x->config->profile, work->start == NULL,
                                 x->script->stage.world.now_ns, late_ns);
        die_in_every_way(life, work, point, 0, bytes_beside_disk(x->script), cost);
        for (size_t j = 0; j < late; j++)
            die_in_every_way(life, work, point, late_ns[j], 0, cost);
    }
}
