/* The search itself. Numbered facts that the code cites:
 *
 * (1) A world is judged before it is merged; one that violates is a leaf.
 * (2) Everything that decides what comes after a crash is in the meaning key: the store as it could
 *     be found, the exchange, requests under way, the judge's memory, the script's lines.
 * (3) Nothing here depends on an order that was not chosen: worlds are made in the order of the
 *     calls of a life, kill before power, outcomes and delays ascending. */
#include "scenarios/lang/explore.h"

#include "faultinject/frontier.h"
#include "scenarios/lang/moment.h"
#include "sim/check.h"
#include "sim/content.h"
#include "sim/hash.h"
#include "sim/outcomes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POINTS_MAX = 100000, /* crash points of one life */
    SUCCESSORS_MAX = 1 << 24,
    TRAIL_ITEMS = EXPLORE_FAULTS_MAX + 2,
    DISTINCT_MAX = 2000000, /* a bound of the search, */
    NODES_MAX = 4000000,    /* and what the life that reaches it may still add */
    WAITING_MAX = 2000000,
    SLOW_EVERY = 16, /* lives of which one crash point is also run the slow way */
    AUDITS_MAX = 3000,
    IMPLIED_SAMPLES = 2 /* at each crash point where some outcomes stand for others */
};
#define SECOND_NS INT64_C(1000000000)

/* How a world was reached: what went wrong in the life before it, its death, its start. */
struct trail {
    const struct trail *before;
    struct plan_item items[TRAIL_ITEMS];
    size_t count;
    struct trail *older; /* all of them, to be freed at the end */
};

/* A life to be run. */
struct work {
    struct moment *start; /* NULL: the very first life */
    const struct trail *trail;
    size_t class;
    struct plan_item faults[EXPLORE_FAULTS_MAX];
    size_t fault_count;
    size_t first_call; /* further faults strike later than this call */
};

/* Worlds about to start that mean the same: what became of the one that was run. */
struct class {
    bool run;
    uint64_t verdict, successors, trace;
};

/* Crash worlds that mean the same. */
struct crash_class {
    uint64_t starts; /* hash of the keys of what can be started from it */
    unsigned audits;
};

struct audit {
    struct moment *start;
    size_t class;
    const struct trail *trail;
};

struct crash_point {
    struct moment *moment;
    unsigned life; /* a story may end and start lives of its own */
    struct site site;
    unsigned occurrence;
    bool after, at_end;
    bool is_submit; /* an order is about to leave */
    struct broker_request request;
};

struct made_call {
    unsigned life;
    struct site site;
    unsigned occurrence;
};

struct explorer {
    const struct scenario *scenario;
    const struct run_config *config;
    const struct explore_options *options;
    struct explore_result *result;
    struct run_options run; /* what scripts are opened with */
    bool kill, power;

    struct keymap crash_bytes;  /* crash world by bytes -> what it means */
    struct keymap crash_worlds; /* by meaning -> index of its crash_class */
    struct keymap start_bytes;  /* world about to start by bytes -> what it means */
    struct keymap starts;       /* by meaning -> index of its class */
    struct class *classes;
    size_t class_count, class_cap;
    struct crash_class *crash_classes;
    size_t crash_class_count, crash_class_cap;
    struct audit *audits;
    size_t audit_count, audit_cap;
    size_t audit_starts; /* picks the start of a sample that is run, among all its starts */
    struct frontier frontier;
    struct trail *trails;

    struct script *script; /* where worlds die and wait; runs no OMS */
    bool scratch_open;

    /* The best finding so far. */
    unsigned found_cost;
    struct plan found_plan;
    struct run_finding finding;
    /* Lines that some life reached. */
    bool *seen;
    bool stopped;
};

/* ---- one life, seen from the inside ---- */

struct life {
    struct explorer *x;
    struct script script;
    struct crash_point *points;
    size_t point_count, point_cap;
    struct made_call *calls;
    size_t call_count, call_cap;
    uint64_t trace; /* what the broker was asked, in times relative to the start */
    int64_t start_ns;
    uint64_t *successors;
    size_t successor_count, successor_cap;
    bool audit; /* nothing new is kept, everything is keyed */
    unsigned long port_calls;
};

static bool has_broken(const struct script *script) {
    return script->stage.judge.first.invariant != 0 || script->failure.code[0] != '\0';
}

static void at_crash_point(void *ctx, const struct port_call *call, unsigned occurrence,
                           bool after) {
    struct life *life = ctx;
    struct crash_point *point = NULL;
    if (has_broken(&life->script))
        return;
    CHECK_ROOM(life->points, life->point_count, life->point_cap, POINTS_MAX);
    point = &life->points[life->point_count++];
    *point = (struct crash_point){.moment = moment_take(&life->script),
                                  .life = life->script.stage.life,
                                  .at_end = call == NULL};
    if (call == NULL)
        return;
    point->site = call->site;
    point->occurrence = occurrence;
    point->after = after;
    point->is_submit = !after && call->site.op == SITE_BROKER_SUBMIT && call->request != NULL;
    if (!point->is_submit)
        return;
    point->request = *call->request;
}

static bool is_broker_call(struct site site) {
    return site.op >= SITE_BROKER_SUBMIT && site.op <= SITE_BROKER_CANCEL;
}

/* Besides the faults that were asked for: may the broker drop this request by nature? */
static bool may_drop(const struct explorer *x, struct site site) {
    return x->config->profile->drops_requests && site.op == SITE_BROKER_SUBMIT;
}

static void at_call(void *ctx, const struct port_call *call, unsigned occurrence, bool after) {
    struct life *life = ctx;
    if (!after && (life->x->options->faults > 0 || may_drop(life->x, call->site))) {
        CHECK_ROOM(life->calls, life->call_count, life->call_cap, POINTS_MAX);
        life->calls[life->call_count++] =
            (struct made_call){life->script.stage.life, call->site, occurrence};
    }
    if (!is_broker_call(call->site))
        return;
    life->trace = hash_u64(life->trace, site_index(call->site) * 2 + after);
    life->trace =
        hash_u64(life->trace, (uint64_t)(life->script.stage.world.now_ns - life->start_ns));
    if (call->request != NULL)
        life->trace = hash_text(life->trace, call->request->client_order_id);
}

static void life_free(struct life *life) {
    for (size_t i = 0; i < life->point_count; i++)
        moment_release(life->points[i].moment);
    free(life->points);
    free(life->calls);
    free(life->successors);
}

/* ---- findings ---- */

static void collect(const struct trail *trail, struct plan *plan) {
    if (trail == NULL)
        return;
    collect(trail->before, plan);
    for (size_t i = 0; i < trail->count; i++)
        CHECK(plan_add(plan, &trail->items[i]));
}

/* Kept when it is the cheapest so far. */
static void found(struct explorer *x, unsigned cost, const struct trail *trail,
                  const struct script *script) {
    if (x->result->found && cost >= x->found_cost)
        return;
    x->result->found = true;
    x->found_cost = cost;
    x->found_plan.count = 0;
    collect(trail, &x->found_plan);
    script_failing(script, &x->finding);
}

static struct trail *trail_add(struct explorer *x, const struct trail *before) {
    struct trail *trail = check_zalloc(1, sizeof *trail);
    trail->before = before;
    trail->older = x->trails;
    x->trails = trail;
    return trail;
}

static void trail_item(struct trail *trail, const struct plan_item *item) {
    CHECK(trail->count < TRAIL_ITEMS);
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

static size_t add_class(struct explorer *x) {
    CHECK_ROOM(x->classes, x->class_count, x->class_cap, NODES_MAX);
    x->classes[x->class_count] = (struct class){.run = false};
    return x->class_count++;
}

static struct work *new_work(struct moment *start, const struct trail *trail, size_t class) {
    struct work *work = check_zalloc(1, sizeof *work);
    *work = (struct work){.start = start, .trail = trail, .class = class};
    return work;
}

static void push(struct explorer *x, unsigned cost, struct work *work) {
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
        if (index != NULL && sampled && x->audit_count < AUDITS_MAX) {
            CHECK_ROOM(x->audits, x->audit_count, x->audit_cap, AUDITS_MAX);
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
    push(x, cost, new_work(moment_take(script), trail, add_class(x)));
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
        struct trail *here = trail_add(x, trail);
        struct plan_item item = {.life = x->script->stage.life + 1,
                                 .place = PLAN_AT_START,
                                 .occurrence = 1,
                                 .what = PLAN_START,
                                 .after_ns = starts.v[i] - now_ns};
        moment_restore(dead, x->script);
        script_waits(x->script, starts.v[i]);
        if (starts.v[i] < scripted_ns)
            trail_item(here, &item);
        if (has_broken(x->script)) {
            found(x, cost, here, x->script); /* (1) */
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

/* A death before a call keeps the fault from striking that was meant for it. */
static bool forestalls(const struct plan_item *death, const struct plan_item *fault) {
    return death->place == PLAN_AT_CALL && !plan_strikes_after(death->what) &&
           death->life == fault->life && site_index(death->site) == site_index(fault->site) &&
           death->occurrence == fault->occurrence;
}

static struct trail *trail_of_death(struct explorer *x, const struct work *work,
                                    const struct plan_item *item) {
    struct trail *trail = trail_add(x, work->trail);
    for (size_t i = 0; i < work->fault_count; i++) {
        if (!forestalls(item, &work->faults[i]))
            trail_item(trail, &work->faults[i]);
    }
    trail_item(trail, item);
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
    if (has_broken(x->script)) { /* (1) */
        if (!life->audit)
            found(x, cost, trail_of_death(x, work, item), x->script);
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
        CHECK_ROOM(x->crash_classes, x->crash_class_count, x->crash_class_cap, NODES_MAX);
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

static struct plan_item death_item(const struct crash_point *point, bool power, int64_t late_ns) {
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
        die_once(life, work, point, death_item(point, false, late_ns), 0, beside, cost);
    if (!x->power)
        return;
    outcomes_pick(moment_disk(point->moment), &outcomes);
    x->result->reduced = x->result->reduced || outcomes.reduced;
    for (unsigned i = 0; i < outcomes.count; i++)
        die_once(life, work, point, death_item(point, true, late_ns), outcomes.which[i], beside,
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

/* Every world that a crash in this life leaves. */
static void die_everywhere(struct life *life, const struct work *work, unsigned cost) {
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

/* ---- running a life ---- */

static bool open_script(struct explorer *x, struct script *script, const struct plan *plan) {
    struct chooser nothing = chooser_nothing();
    memset(script, 0, sizeof *script);
    if (script_open(script, x->scenario, x->config, &x->run, &nothing, plan, NULL, x->result->why))
        return true;
    x->result->verdict = RUN_BROKEN;
    return false;
}

static void fault_plan(const struct work *work, struct plan *plan) {
    plan->count = 0;
    for (size_t i = 0; i < work->fault_count; i++)
        CHECK(plan_add(plan, &work->faults[i]));
}

static void start_life(struct script *script, const struct work *work) {
    if (work->start == NULL) {
        script_begin(script);
        return;
    }
    moment_restore(work->start, script);
    stage_boot_soon(&script->stage);
}

static int by_value(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The set of what can come after a life. */
static uint64_t successor_set(struct life *life) {
    uint64_t hash = 0, last = 0;
    if (life->successor_count > 1)
        qsort(life->successors, life->successor_count, sizeof *life->successors, by_value);
    for (size_t i = 0; i < life->successor_count; i++) {
        if (i == 0 || life->successors[i] != last)
            hash = hash_u64(hash, life->successors[i]);
        last = life->successors[i];
    }
    return hash;
}

static uint64_t verdict_of(const struct script *script) {
    struct run_finding finding;
    return script_failing(script, &finding) ? hash_text(1, finding.code) : 0;
}

static void note_lines(struct explorer *x, const struct script *script) {
    for (size_t i = 0; i < x->scenario->line_count; i++)
        x->seen[i] = x->seen[i] || script->lines[i].seen || script->lines[i].has_key[0] ||
                     script->lines[i].fired;
}

/* Runs one life, and everything that can be left of it. *class: what became of it. */
static bool run_life(struct explorer *x, const struct work *work, unsigned cost, bool audit,
                     struct class *class, struct life *life) {
    struct script_watch watch = {
        .ctx = life, .crash_point = at_crash_point, .called = at_call, .changed = NULL};
    struct plan plan;
    *life = (struct life){.x = x, .audit = audit};
    fault_plan(work, &plan);
    if (!open_script(x, &life->script, &plan))
        return false;
    life->script.watch = &watch;
    life->start_ns = work->start == NULL ? x->scenario->start_ns : moment_now_ns(work->start);
    start_life(&life->script, work);
    script_finish(&life->script, audit);
    if (!audit) {
        x->result->lives++;
        x->result->faults += life->script.taken.count;
        note_lines(x, &life->script);
    }
    if (has_broken(&life->script) && !audit) {
        struct trail *trail = trail_add(x, work->trail);
        for (size_t i = 0; i < work->fault_count; i++)
            trail_item(trail, &work->faults[i]);
        found(x, cost, trail, &life->script);
    }
    life->port_calls = life->script.stage.counts.port_calls;
    class->verdict = verdict_of(&life->script);
    script_close(&life->script);
    die_everywhere(life, work, cost + 1);
    class->successors = successor_set(life);
    class->trace = life->trace;
    class->run = true;
    return true;
}

/* ---- audits ---- */

static void run_audit(struct explorer *x, const struct audit *audit) {
    struct work work = {.start = audit->start, .trail = audit->trail};
    struct class again = {0};
    const struct class *kept = &x->classes[audit->class];
    struct life *life = check_zalloc(1, sizeof *life);
    const char *differs = NULL;
    if (kept->run && run_life(x, &work, 0, true, &again, life)) {
        x->result->audited++;
        if (again.verdict != kept->verdict)
            differs = "their verdicts differ";
        else if (!x->options->verdict_only && again.successors != kept->successors)
            differs = "what crashes leave of their lives differs";
        else if (!x->options->verdict_only && again.trace != kept->trace)
            differs = "what they ask the broker differs";
        if (differs != NULL && x->result->mismatches++ == 0)
            snprintf(x->result->mismatch, sizeof x->result->mismatch,
                     "two worlds about to start have one key, and %s", differs);
        life_free(life);
    }
    free(life);
}

/* ---- the slow way ---- */

struct slow {
    struct script *script;
    unsigned life; /* that is to die */
    bool died;
    uint64_t disk;
};

static void after_death(void *ctx) {
    struct slow *slow = ctx;
    const struct stage *stage = &slow->script->stage;
    if (slow->died || stage->oms != NULL || stage->life != slow->life || stage->counts.crashes == 0)
        return;
    slow->died = true;
    slow->disk = disk_hash(stage->world.disk);
}

/* One crash point of a life, run again from its start with a port that dies at the call, must leave
 * the bytes that the copy had. */
static void run_slowly(struct explorer *x, const struct work *work, const struct life *life,
                       size_t index) {
    const struct crash_point *point = &life->points[index];
    struct script *script = check_zalloc(1, sizeof *script);
    struct slow slow = {.script = script, .life = point->life};
    struct script_watch watch = {.ctx = &slow, .changed = after_death};
    struct plan plan;
    struct plan_item item = death_item(point, false, 0);
    plan.count = 0;
    for (size_t i = 0; i < work->fault_count; i++) {
        if (!forestalls(&item, &work->faults[i]))
            CHECK(plan_add(&plan, &work->faults[i]));
    }
    CHECK(plan_add(&plan, &item));
    if (!point->at_end && open_script(x, script, &plan)) {
        script->watch = &watch;
        start_life(script, work);
        script_finish(script, true);
        x->result->slowly++;
        if ((!slow.died || slow.disk != disk_hash(moment_disk(point->moment))) &&
            x->result->mismatches++ == 0)
            snprintf(x->result->mismatch, sizeof x->result->mismatch,
                     "a crash in the running life leaves other bytes than the copy made there");
        script_close(script);
    }
    free(script);
}

/* ---- other faults ---- */

/* Values of a fault's first argument that are tried. Returns how many. */
static size_t argument_values(const struct fault_kind *kind, const struct profile *profile,
                              int64_t values[FAULT_WORDS_MAX]) {
    const struct fault_arg *arg = &kind->args[0];
    size_t count = 0;
    if (arg->name == NULL || arg->type == FAULT_ARG_INT) {
        values[count++] = arg->otherwise;
        return count;
    }
    if (arg->type == FAULT_ARG_DURATION) {
        values[count++] = arg->least;
        values[count++] = profile->quiescence_ns;
        return count;
    }
    while (count < FAULT_WORDS_MAX && arg->words[count] != NULL) {
        values[count] = (int64_t)count;
        count++;
    }
    return count;
}

/* Faults that are no fault of the OMS's to survive are left to scenarios that say so. */
static bool is_tried(const struct explorer *x, const struct fault *fault) {
    return (fault_suspends(fault) & x->options->claims) == 0 &&
           (!fault->kind->wire_only || x->config->door == STAGE_WIRE);
}

/* The same life again with one more fault. */
static void add_fault(struct explorer *x, const struct work *work, const struct life *life,
                      size_t call, const struct fault *fault, unsigned cost) {
    struct work *more =
        new_work(work->start == NULL ? NULL : moment_share(work->start), work->trail, work->class);
    memcpy(more->faults, work->faults, sizeof more->faults);
    more->fault_count = work->fault_count;
    more->faults[more->fault_count++] =
        (struct plan_item){.life = life->calls[call].life,
                           .place = PLAN_AT_CALL,
                           .site = life->calls[call].site,
                           .occurrence = life->calls[call].occurrence,
                           .what = PLAN_FAULT,
                           .fault = *fault};
    more->first_call = call + 1;
    push(x, cost + 1, more);
}

/* Every fault that a call can meet. */
static void add_faults_at(struct explorer *x, const struct work *work, const struct life *life,
                          size_t call, unsigned cost) {
    for (size_t row = 0; row < catalogue_count(); row++) {
        struct fault fault = {.kind = catalogue_at(row)};
        int64_t values[FAULT_WORDS_MAX];
        size_t count = 0;
        if (!catalogue_fits(fault.kind, life->calls[call].site) ||
            (x->options->faults == 0 && fault.kind->act != ACT_DROPPED))
            continue;
        count = argument_values(fault.kind, x->config->profile, values);
        for (int a = 0; a < FAULT_ARGS_MAX; a++)
            fault.arg[a] = fault.kind->args[a].otherwise;
        for (size_t v = 0; v < count; v++) {
            fault.arg[0] = values[v];
            if (is_tried(x, &fault))
                add_fault(x, work, life, call, &fault, cost);
        }
    }
}

/* At each call behind the last fault. A broker that drops requests does so once a life at least. */
static void add_faults(struct explorer *x, const struct work *work, const struct life *life,
                       unsigned cost) {
    size_t most = x->options->faults;
    if (most == 0 && x->config->profile->drops_requests)
        most = 1;
    for (size_t call = work->first_call; work->fault_count < most && call < life->call_count;
         call++)
        add_faults_at(x, work, life, call, cost);
}

/* ---- the search ---- */

static bool bound_hit(struct explorer *x) {
    const struct explore_options *options = x->options;
    struct explore_result *result = x->result;
    size_t most = options->worlds_max > 0 ? options->worlds_max : WAITING_MAX;
    const char *spent = NULL;
    if (x->stopped)
        return true;
    if (options->lives_max > 0 && result->lives >= options->lives_max)
        snprintf(result->bound, sizeof result->bound, "%lu lives were run, %zu were waiting",
                 result->lives, x->frontier.waiting);
    else if (x->frontier.waiting > most)
        snprintf(result->bound, sizeof result->bound, "more than %zu lives were waiting", most);
    else if (x->class_count > DISTINCT_MAX || x->crash_class_count > DISTINCT_MAX)
        snprintf(result->bound, sizeof result->bound,
                 "more than %d distinct worlds were met, %zu lives were waiting", DISTINCT_MAX,
                 x->frontier.waiting);
    else if (options->spent != NULL && (spent = options->spent(options->ctx)) != NULL)
        snprintf(result->bound, sizeof result->bound, "%.80s, %zu lives were waiting", spent,
                 x->frontier.waiting);
    else
        return false;
    x->stopped = true;
    return true;
}

static void one_work(struct explorer *x, const struct work *work, unsigned cost) {
    struct life *life = check_zalloc(1, sizeof *life);
    struct class class = {0};
    if (run_life(x, work, cost, false, &class, life)) {
        if (work->fault_count == 0) {
            x->classes[work->class] = class;
        }
        if (x->result->lives == 1)
            x->result->port_calls = life->port_calls;
        if (x->result->lives % SLOW_EVERY == 1 && life->point_count > 0)
            run_slowly(x, work, life, (size_t)(x->result->lives * 7 % life->point_count));
        add_faults(x, work, life, cost);
        life_free(life);
    } else {
        x->stopped = true;
    }
    free(life);
}

static void search(struct explorer *x) {
    struct work *work = NULL;
    unsigned cost = 0;
    push(x, 0, new_work(NULL, NULL, add_class(x)));
    while (!bound_hit(x) && (work = frontier_pop(&x->frontier, &cost)) != NULL) {
        bool later = x->result->found && cost > x->found_cost;
        if (!later)
            one_work(x, work, cost);
        moment_release(work->start);
        free(work);
        if (later)
            break;
        if (x->options->progress != NULL)
            x->options->progress(x->options->ctx, x->result->lives, x->result->crash_worlds,
                                 x->frontier.waiting);
    }
    while ((work = frontier_pop(&x->frontier, &cost)) != NULL) {
        moment_release(work->start);
        free(work);
    }
}

/* Lines that no life reached say that the scenario proves less than it claims. */
static void judge_reach(struct explorer *x) {
    for (size_t i = 0; i < x->scenario->line_count && !x->result->found; i++) {
        const struct scn_line *line = &x->scenario->lines[i];
        bool reach = line->statement == SCN_REACH || line->statement == SCN_REACH_CRASH;
        if (!reach || x->seen[i])
            continue;
        x->result->found = true;
        x->finding = (struct run_finding){.line = line->place.line, .all_runs = true};
        snprintf(x->finding.code, sizeof x->finding.code, "vacuous");
        snprintf(x->finding.headline, sizeof x->finding.headline,
                 "what this line asks for was reached in none of the %lu lives", x->result->lives);
    }
}

/* The finding once more, by its plan: a run that anybody can repeat. */
static void replay_finding(struct explorer *x) {
    struct run_options run = x->run;
    struct explore_result *result = x->result;
    run.plan = &x->found_plan;
    run.trace = true;
    run_scenario(x->scenario, x->config, &run, &result->replay);
    result->replay.finding.plan = x->found_plan;
    if (result->replay.found && strcmp(result->replay.finding.code, x->finding.code) == 0)
        return;
    result->verdict = RUN_UNSTABLE;
    snprintf(result->why, sizeof result->why,
             "the exploration broke %s (%.120s), and its plan, run from the beginning, %s%.60s",
             x->finding.code, x->finding.headline,
             result->replay.found ? "broke " : "broke nothing",
             result->replay.found ? result->replay.finding.code : result->replay.why);
}

static void conclude(struct explorer *x) {
    struct explore_result *result = x->result;
    result->waiting_most = x->frontier.most;
    result->closed = !result->found && !x->stopped && !result->reduced;
    if (result->reduced && result->bound[0] == '\0')
        snprintf(result->bound, sizeof result->bound,
                 "some power loss had too many outcomes: a part of them was tried");
    if (result->verdict == RUN_BROKEN)
        return;
    if (!result->found && !x->stopped)
        judge_reach(x);
    if (result->found) {
        result->verdict = RUN_FAIL;
        if (x->finding.all_runs) {
            result->replay = (struct run_result){.found = true, .finding = x->finding};
            result->closed = false;
        } else {
            replay_finding(x);
        }
    } else if (!result->closed) {
        result->verdict = RUN_INCONCLUSIVE;
    }
    if (result->mismatches > 0) {
        result->verdict = RUN_UNSTABLE;
        snprintf(result->why, sizeof result->why, "audit: %.300s", result->mismatch);
    }
}

/* `crash kill again anywhere` names its kind itself. */
static void pick_written_deaths(struct explorer *x) {
    for (size_t i = 0; i < x->scenario->line_count; i++) {
        const struct scn_line *line = &x->scenario->lines[i];
        if (line->statement != SCN_CRASH || line->args.crash.depth != SCN_AGAIN)
            continue;
        x->kill = x->kill || line->args.crash.kind == SCN_KILL;
        x->power = x->power || line->args.crash.kind == SCN_POWER;
    }
}

static void pick_deaths(struct explorer *x) {
    x->kill = x->options->kill;
    x->power = x->options->power;
    if (!x->kill && !x->power)
        pick_written_deaths(x);
    if (x->kill || x->power)
        return;
    for (size_t i = 0; i < x->scenario->crash_count; i++) {
        x->kill = x->kill || x->scenario->crashes[i] == SCN_KILL;
        x->power = x->power || x->scenario->crashes[i] == SCN_POWER;
    }
    if (!x->kill && !x->power)
        x->kill = x->power = true;
}

static void free_explorer(struct explorer *x) {
    for (size_t i = 0; i < x->audit_count; i++)
        moment_release(x->audits[i].start);
    while (x->trails != NULL) {
        struct trail *older = x->trails->older;
        free(x->trails);
        x->trails = older;
    }
    keymap_free(&x->crash_bytes);
    keymap_free(&x->crash_worlds);
    keymap_free(&x->start_bytes);
    keymap_free(&x->starts);
    frontier_free(&x->frontier);
    free(x->classes);
    free(x->crash_classes);
    free(x->audits);
    free(x->seen);
}

void explore_scenario(const struct scenario *scenario, const struct run_config *config,
                      const struct explore_options *options, struct explore_result *result) {
    struct explorer x = {
        .scenario = scenario, .config = config, .options = options, .result = result};
    *result = (struct explore_result){.verdict = RUN_PASS};
    x.run = (struct run_options){.sut = options->sut,
                                 .claims = options->claims,
                                 .wire = options->wire,
                                 .seed = options->seed};
    x.script = check_zalloc(1, sizeof *x.script);
    x.seen = check_zalloc(scenario->line_count + 1, sizeof *x.seen);
    pick_deaths(&x);
    if (open_script(&x, x.script, NULL)) {
        struct script_watch nobody = {0};
        x.script->watch = &nobody;
        search(&x);
        for (size_t i = 0; i < x.audit_count && !result->found; i++)
            run_audit(&x, &x.audits[i]);
        script_close(x.script);
        conclude(&x);
    }
    free_explorer(&x);
    free(x.script);
}

void explore_free(struct explore_result *result) {
    run_result_free(&result->replay);
}
