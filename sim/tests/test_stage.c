/* Lives and deaths on the stage, played by an OMS of a few lines that keeps its store in one file
 * and does whatever the test tells it. */
#include "sim/peek.h"
#include "sim/stage.h"
#include "sim/sut_call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONE   INT64_C(1000000000)
#define START (INT64_C(1767952800) * ONE)
#define STORE STAGE_STORE

static char story[400]; /* what happened, in order */

static void tell_story(const char *what) {
    size_t used = strlen(story);
    snprintf(story + used, sizeof story - used, "%s%s", used > 0 ? " " : "", what);
}

/* ---- the toy OMS ---- */

struct toy {
    sqlite3_file *file;
    int64_t size;
    struct broker broker;
    struct oms_env env;
    int steps;
};

static struct oms_decision decision = {
    .id = "d1", .symbol = "AAPL", .type = BROKER_LIMIT, .qty_nanos = 10 * ONE, .limit_nanos = ONE};

/* How it behaves. */
static struct {
    enum oms_work work; /* what it says is next ... */
    int64_t every_ns;   /* ... this long from now */
    int steps;          /* this often per life; 0: no end */
    bool writes;        /* a step appends to the store */
    int writes_at_once;
    bool submits; /* a step sends D1 */
    bool fail_stops;
    bool refuses_to_start;
    bool traps; /* a step ends the process */
    bool random_length;
    enum oms_state state; /* what its store says of D1, until `settled` bytes are in it */
    int64_t settled;
} plays;

static bool append(struct toy *toy) {
    unsigned char bytes[64] = {1};
    int length = 8;
    if (plays.random_length) {
        sqlite3_randomness(1, bytes);
        length = 1 + bytes[0] % 64;
    }
    if (toy->file->pMethods->xWrite(toy->file, bytes, length, toy->size) != SQLITE_OK)
        return false;
    toy->size += length;
    return true;
}

static struct toy *open_toy(const struct sut_ports *ports, int flags) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(ports->vfs);
    struct toy *toy = calloc(1, sizeof *toy);
    sqlite3_int64 size = 0;
    flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_MAIN_DB;
    toy->env = ports->env;
    toy->file = calloc(1, (size_t)vfs->szOsFile);
    if (ports->broker != NULL)
        toy->broker = *ports->broker;
    if (vfs->xOpen(vfs, ports->path, toy->file, flags, &flags) == SQLITE_OK &&
        toy->file->pMethods->xLock(toy->file, SQLITE_LOCK_SHARED) == SQLITE_OK &&
        toy->file->pMethods->xLock(toy->file, SQLITE_LOCK_EXCLUSIVE) == SQLITE_OK &&
        toy->file->pMethods->xFileSize(toy->file, &size) == SQLITE_OK) {
        toy->size = size;
        return toy;
    }
    if (toy->file->pMethods != NULL)
        toy->file->pMethods->xClose(toy->file);
    free(toy->file);
    free(toy);
    return NULL;
}

static void toy_bury(void *instance, bool orderly) {
    struct toy *toy = instance;
    (void)orderly;
    toy->file->pMethods->xClose(toy->file);
    free(toy->file);
    free(toy);
}

static bool toy_create(const struct sut_ports *ports, const struct sut_config *config,
                       const struct oms_opening *opening, size_t opening_count,
                       char why[SUT_WHY_SIZE]) {
    struct toy *toy = open_toy(ports, SQLITE_OPEN_CREATE);
    (void)config, (void)opening, (void)opening_count, (void)why;
    append(toy);
    toy->file->pMethods->xSync(toy->file, SQLITE_SYNC_FULL);
    toy_bury(toy, true);
    return true;
}

static void *toy_boot(const struct sut_ports *ports, const struct sut_config *config,
                      char why[SUT_WHY_SIZE]) {
    struct toy *toy = plays.refuses_to_start ? NULL : open_toy(ports, 0);
    (void)config;
    snprintf(why, SUT_WHY_SIZE, "%s", toy == NULL ? "somebody else is here" : "");
    if (strcmp(ports->vfs, "sim") == 0)
        tell_story("boot");
    return toy;
}

static enum sut_answer toy_signal(void *instance, const struct oms_decision *signal,
                                  char why[SUT_WHY_SIZE]) {
    (void)signal, (void)why;
    tell_story("signal");
    return append(instance) ? SUT_TAKEN : SUT_UNKNOWN;
}

static bool toy_cancel(void *instance, const char *id) {
    (void)instance, (void)id;
    tell_story("cancel");
    return true;
}

static bool toy_kill_switch(void *instance, bool on) {
    (void)instance, (void)on;
    tell_story("kill-switch");
    return true;
}

static bool toy_reconcile(void *instance, bool daily) {
    (void)daily;
    (void)instance;
    return true;
}

static void submit(struct toy *toy) {
    struct broker_request request = {
        .type = BROKER_LIMIT, .qty_nanos = decision.qty_nanos, .limit_nanos = decision.limit_nanos};
    struct broker_order order;
    struct broker_reason why = {0};
    strcpy(request.symbol, decision.symbol);
    strcpy(request.client_order_id, "id-1");
    toy->broker.submit(toy->broker.ctx, &request, &order, &why);
}

static const char *said;        /* before a trap */
static struct toy *left_behind; /* by a trap */

static bool toy_step(void *instance) {
    struct toy *toy = instance;
    tell_story("step");
    toy->steps++;
    if (plays.submits)
        submit(toy);
    for (int i = 0; i < plays.writes_at_once; i++)
        append(toy); /* whatever became of the one before */
    if (plays.traps) {
        said = "toy.c:7: CHECK(well)";
        left_behind = toy;
        __builtin_trap();
    }
    return !(plays.writes && !append(toy)) && !plays.fail_stops;
}

static void toy_next(void *instance, struct oms_next *next) {
    struct toy *toy = instance;
    bool done = plays.steps > 0 && toy->steps >= plays.steps;
    *next = (struct oms_next){.work = done ? OMS_WORK_NONE : plays.work,
                              .at_ns = toy->env.now_ns(toy->env.ctx) + plays.every_ns};
}

static bool toy_observe(const char *vfs, const char *path, bool check, struct oms_view *view,
                        char why[SUT_WHY_SIZE]) {
    sqlite3_vfs *door = sqlite3_vfs_find(vfs);
    sqlite3_file *file = calloc(1, (size_t)door->szOsFile);
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
    sqlite3_int64 size = 0;
    (void)check, (void)why;
    if (door->xOpen(door, path, file, flags, &flags) == SQLITE_OK) {
        file->pMethods->xFileSize(file, &size);
        file->pMethods->xClose(file);
    }
    free(file);
    if (plays.state != OMS_STATE_INTENT || (plays.settled > 0 && size < plays.settled)) {
        view->orders = calloc(1, sizeof *view->orders);
        view->order_count = 1;
        view->orders[0] = (struct oms_order){.decision = decision, .state = plays.state};
        strcpy(view->orders[0].reason, "told by the test");
    }
    return true;
}

static const struct sut toy = {.abi = SUT_ABI,
                               .name = "toy",
                               .claims = INVARIANTS_ALL,
                               .said = &said,
                               .create = toy_create,
                               .boot = toy_boot,
                               .signal = toy_signal,
                               .cancel = toy_cancel,
                               .kill_switch = toy_kill_switch,
                               .reconcile = toy_reconcile,
                               .step = toy_step,
                               .next = toy_next,
                               .bury = toy_bury,
                               .observe = toy_observe};

/* ---- what happens outside ---- */

static struct stage stage;

static struct event {
    int64_t at_ns;
    bool check;
    void (*deed)(void);
} events[8];
static size_t event_count, event_next;

/* One call at which something goes wrong. */
static struct {
    struct site site;
    unsigned occurrence;
    bool after;
    enum stage_death death;
    struct port_answer answer;
} strike;
static unsigned power_outcome;
static unsigned long changes;

static int64_t next(void *ctx, bool *after_oms) {
    (void)ctx;
    *after_oms = event_next < event_count && events[event_next].check;
    return event_next < event_count ? events[event_next].at_ns : INT64_MAX;
}

static void happen(void *ctx) {
    (void)ctx;
    events[event_next++].deed();
}

static bool struck(const struct port_call *call, unsigned occurrence, bool after) {
    return strike.occurrence == occurrence && strike.after == after &&
           strike.site.op == call->site.op && strike.site.on == call->site.on;
}

static struct port_answer ask(void *ctx, const struct port_call *call, unsigned occurrence) {
    (void)ctx;
    if (!struck(call, occurrence, false))
        return (struct port_answer){0};
    if (strike.death != STAGE_ALIVE)
        stage_die(&stage, strike.death);
    return strike.answer;
}

static void passed(void *ctx, const struct port_call *call, unsigned occurrence) {
    (void)ctx;
    if (struck(call, occurrence, true))
        stage_die(&stage, strike.death);
}

static void told(void *ctx, const struct oms_event *event) {
    (void)ctx, (void)event;
}
static void left(void *ctx, int index) {
    (void)ctx, (void)index;
    tell_story("left");
}
static void delivered(void *ctx, int index) {
    (void)ctx, (void)index;
    tell_story("delivered");
}
static void changed(void *ctx) {
    (void)ctx;
    changes++;
}
static unsigned power(void *ctx, unsigned outcomes, bool reduced) {
    (void)ctx, (void)reduced;
    return power_outcome == UINT32_MAX ? outcomes - 1 : power_outcome;
}

static void at(int64_t seconds, bool check, void (*deed)(void)) {
    events[event_count++] =
        (struct event){.at_ns = START + seconds * ONE, .check = check, .deed = deed};
}

static void signal_arrives(void) {
    tell_story("stimulus");
    stage_tell(&stage, INBOX_SIGNAL, 0, false);
}
static void cancel_arrives(void) {
    tell_story("stimulus");
    stage_tell(&stage, INBOX_CANCEL, 0, false);
}
static void look(void) {
    tell_story("check");
}
static void note_time(void) {
    char text[32];
    snprintf(text, sizeof text, "@%lld", (long long)((stage.world.now_ns - START) / ONE));
    tell_story(text);
}
static void kill_it(void) {
    stage_die(&stage, STAGE_KILL);
}
static void restart(void) {
    tell_story("restart");
    stage_boot_soon(&stage);
}
static void second(void) {
    stage_start_second(&stage);
    tell_story(stage.second_refused ? "refused" : "second");
}

/* ---- the frame of a test ---- */

static void open_stage(int64_t pace_ns, uint64_t seed) {
    static const struct stage_outside outside = {.next = next,
                                                 .happen = happen,
                                                 .ask = ask,
                                                 .passed = passed,
                                                 .told = told,
                                                 .left = left,
                                                 .delivered = delivered,
                                                 .changed = changed,
                                                 .power = power};
    struct stage_config config = {.sut = &toy,
                                  .claims = INVARIANT_BIT(1) | INVARIANT_BIT(12),
                                  .oms = {.profile = profile_find("alpaca"), .account = "SIM"},
                                  .start_ns = START,
                                  .pace_ns = pace_ns,
                                  .seed = seed};
    struct world world;
    char why[SUT_WHY_SIZE] = "";
    world_init(&world, config.oms.profile, START);
    disk_free(world.disk);
    world.disk = stage_image(&toy, &config.oms, START, NULL, 0, why);
    assert_non_null(world.disk);
    stage_open(&stage, &config, &outside, &world);
    judge_add(&stage.judge, "D1", &decision);
}

static int setup(void **state) {
    (void)state;
    memset(&plays, 0, sizeof plays);
    memset(&strike, 0, sizeof strike);
    event_count = event_next = 0;
    power_outcome = 0;
    story[0] = '\0';
    open_stage(0, 1);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    stage_close(&stage);
    peek_forget();
    stage_forget_images();
    return 0;
}

static int64_t stored(const struct disk *disk) {
    int64_t size = -1;
    disk_file_size(disk, STORE, &size);
    return size;
}

/* ---- order and pace ---- */

static void at_equal_times_stimuli_come_first_then_the_oms_then_checks(void **state) {
    (void)state;
    stage_boot(&stage);
    at(5, false, signal_arrives);
    at(5, false, cancel_arrives);
    at(5, true, look);
    assert_int_equal(stage_run(&stage), STAGE_QUIET);
    /* Cancels are never kept waiting. */
    assert_string_equal(story, "boot stimulus stimulus cancel signal check");
}

static void each_paced_act_waits_and_then_acts_at_its_end(void **state) {
    (void)state;
    stage_close(&stage);
    open_stage(2 * ONE, 1);
    plays.work = OMS_WORK_SEND;
    plays.steps = 1;
    stage_boot(&stage);
    at(0, false, signal_arrives); /* the send goes first, ends at 2; the signal ends at 4 */
    at(1, true, note_time);
    at(2, true, note_time);
    at(3, true, note_time);
    at(4, true, note_time);
    stage_run(&stage);
    assert_string_equal(story, "boot stimulus @1 step @2 @3 signal @4");
}

static void a_restart_boots_once_everything_else_of_its_moment_has_happened(void **state) {
    (void)state;
    stage_boot(&stage);
    at(1, false, kill_it);
    at(2, false, restart);
    at(2, false, signal_arrives);
    at(2, true, look);
    stage_run(&stage);
    assert_string_equal(story, "boot restart stimulus boot signal check");
    at(3, false, restart); /* of one that is up: nothing happens */
    assert_int_equal(stage_run(&stage), STAGE_QUIET);
    assert_int_equal(stage.life, 2);
}

/* ---- deaths ---- */

static void a_kill_at_a_call_leaves_the_world_before_it_or_after_it(void **state) {
    (void)state;
    for (int after = 0; after <= 1; after++) {
        setup(NULL);
        strike.site = (struct site){SITE_DISK_WRITE, ON_DB};
        strike.occurrence = 2;
        strike.after = after == 1;
        strike.death = STAGE_KILL;
        plays.writes_at_once = 3;
        plays.work = OMS_WORK_RESOLVE;
        plays.steps = 1;
        stage_boot(&stage);
        stage_run(&stage);
        assert_false(stage_is_up(&stage));
        assert_int_equal(stored(stage.world.disk), 8 + 8 + after * 8);
        assert_int_equal(stage.counts.crashes, 1);
        if (after == 0)
            teardown(NULL);
    }
}

static void a_power_loss_keeps_what_the_answer_says(void **state) {
    (void)state;
    static const unsigned outcomes[] = {0, UINT32_MAX};
    for (size_t i = 0; i < 2; i++) {
        setup(NULL);
        power_outcome = outcomes[i];
        strike.site = (struct site){SITE_DISK_WRITE, ON_DB};
        strike.occurrence = 1;
        strike.after = true;
        strike.death = STAGE_POWER;
        plays.writes = true;
        plays.work = OMS_WORK_RESOLVE;
        stage_boot(&stage);
        stage_run(&stage);
        assert_int_equal(stored(stage.world.disk), i == 0 ? 8 : 16);
        assert_true(disk_is_clean(stage.world.disk));
        if (i == 0)
            teardown(NULL);
    }
}

static void an_oms_that_goes_on_calling_after_its_death_is_reported(void **state) {
    (void)state;
    for (int calls = 0; calls <= 1; calls++) {
        setup(NULL);
        strike.site = (struct site){SITE_DISK_WRITE, ON_DB};
        strike.occurrence = 1;
        strike.death = STAGE_KILL;
        plays.work = OMS_WORK_RESOLVE;
        plays.writes_at_once = STAGE_DEAD_CALLS_MAX - 100 + calls * 200;
        stage_boot(&stage);
        stage_run(&stage);
        assert_int_equal(stage.judge.first.invariant, calls == 0 ? 0 : 12);
        if (calls == 0)
            teardown(NULL);
    }
}

static void a_late_request_arrives_after_its_sender_died(void **state) {
    (void)state;
    plays.submits = true;
    plays.work = OMS_WORK_SEND;
    strike.site = (struct site){SITE_BROKER_SUBMIT, ON_NONE};
    strike.occurrence = 1;
    strike.answer = (struct port_answer){ACT_LATE, {60 * ONE, 0}};
    at(2, false, kill_it); /* it listens until 5 */
    at(59, true, note_time);
    stage_boot(&stage);
    stage_run(&stage);
    assert_string_equal(story, "boot step left @59 delivered");
    assert_false(stage_is_up(&stage));
    assert_int_equal(stage.world.exchange.order_count, 1);
    assert_int_equal(stage.world.now_ns, START + 60 * ONE);
    assert_int_equal(stage.judge.decisions[0].arrived, 1);
}

static void a_fail_stop_ends_the_life_and_settling_begins_another(void **state) {
    (void)state;
    plays.work = OMS_WORK_RECONCILE;
    plays.fail_stops = true;
    stage_boot(&stage);
    assert_int_equal(stage_run(&stage), STAGE_QUIET);
    assert_true(stage.halted);
    assert_false(stage_is_up(&stage));
    assert_false(stage_tell(&stage, INBOX_SIGNAL, 0, false));
    plays.fail_stops = false;
    plays.steps = 1;
    assert_int_equal(stage_settle(&stage), STAGE_QUIET);
    assert_true(stage_is_up(&stage));
    assert_int_equal(stage.judge.first.invariant, 0);
}

/* What it has left behind nobody can ask it to free. */
static void clear_up(void) {
    left_behind->file->pMethods->xClose(left_behind->file);
    free(left_behind->file);
    free(left_behind);
}

/* Another life begins on the same store. */
static void an_oms_that_stops_itself_breaks_i12_and_not_the_harness(void **state) {
    (void)state;
    plays.work = OMS_WORK_RECONCILE;
    plays.traps = true;
    sut_catch_stops(); /* the test library has taken the signals */
    stage_boot(&stage);
    stage_run(&stage);
    assert_false(stage_is_up(&stage));
    assert_int_equal(stage.judge.first.invariant, 12);
    assert_string_equal(stage.judge.first.text, "the OMS stopped itself: toy.c:7: CHECK(well)");
    plays.traps = false;
    plays.steps = 1;
    assert_int_equal(stage_settle(&stage), STAGE_QUIET);
    assert_true(stage_is_up(&stage));
    clear_up();
}

static void one_that_stops_itself_when_it_is_dead_already_does_nothing(void **state) {
    (void)state;
    strike.site = (struct site){SITE_DISK_WRITE, ON_DB};
    strike.occurrence = 1;
    strike.death = STAGE_KILL;
    plays.writes_at_once = 1;
    plays.work = OMS_WORK_RECONCILE;
    plays.traps = true;
    sut_catch_stops(); /* the test library has taken the signals */
    stage_boot(&stage);
    stage_run(&stage);
    assert_false(stage_is_up(&stage));
    assert_int_equal(stage.counts.crashes, 1);
    assert_int_equal(stage.judge.first.invariant, 0);
    clear_up();
}

static void an_oms_that_does_not_stay_up_once_faults_have_stopped_breaks_i12(void **state) {
    (void)state;
    plays.refuses_to_start = true;
    stage_boot(&stage);
    stage_run(&stage);
    assert_true(stage.refused_to_boot);
    assert_int_equal(stage.judge.first.invariant, 0);
    stage_settle(&stage);
    assert_int_equal(stage.judge.first.invariant, 12);
}

/* ---- two instances ---- */

static void a_second_instance_meets_the_first_one_s_lock(void **state) {
    (void)state;
    stage_boot(&stage);
    at(1, false, second);
    at(2, false, kill_it);
    at(3, false, second);
    stage_run(&stage);
    assert_string_equal(story, "boot refused second");
}

static void a_second_instance_may_start_while_the_first_waits_for_an_answer(void **state) {
    (void)state;
    plays.submits = true;
    plays.work = OMS_WORK_SEND;
    plays.steps = 2;
    plays.every_ns = ONE;
    strike.site = (struct site){SITE_BROKER_SUBMIT, ON_NONE};
    strike.occurrence = 1;
    strike.answer = (struct port_answer){ACT_NO_REPLY, {0, 0}};
    at(2, false, second);
    stage_boot(&stage);
    stage_run(&stage);
    assert_string_equal(story, "boot step left delivered refused step left delivered");
    assert_int_equal(stage.counts.port_calls > 0, 1);
    assert_int_equal(stage.judge.decisions[0].arrived,
                     2); /* the door is still the first one's own */
}

/* ---- becoming quiet ---- */

static void waiting_in_vain_is_no_unrest_as_long_as_faults_may_strike(void **state) {
    (void)state;
    plays.work = OMS_WORK_RESOLVE;
    plays.every_ns = ONE;
    stage_boot(&stage);
    stage_run(&stage);
    assert_int_equal(stage.judge.first.invariant, 0);
    assert_true(stage.world.now_ns < START + 3600 * ONE);
    assert_int_equal(stage_settle(&stage), STAGE_RESTLESS);
    assert_int_equal(stage.judge.first.invariant, 12);
}

static void an_oms_that_never_pauses_is_restless_at_any_time(void **state) {
    (void)state;
    plays.work = OMS_WORK_RESOLVE;
    plays.writes_at_once = 1;
    at(1, true, look);
    stage_boot(&stage);
    assert_int_equal(stage_run(&stage), STAGE_RESTLESS);
    assert_int_equal(stage.judge.first.invariant, 12);
    assert_true(stage.actions <= STAGE_ACTIONS_MAX);
}

static void days_of_routine_looks_are_no_unrest(void **state) {
    (void)state;
    plays.work = OMS_WORK_POLL;
    plays.every_ns = 2 * ONE;
    at(3 * 86400, true, note_time);
    stage_boot(&stage);
    assert_int_equal(stage_run(&stage), STAGE_QUIET);
    assert_int_equal(stage.judge.first.invariant, 0);
    assert_int_equal(event_next, 1);
}

static void silence_is_not_quiet_while_an_order_is_under_way(void **state) {
    (void)state;
    plays.work = OMS_WORK_POLL;
    plays.every_ns = ONE;
    stage_boot(&stage);
    stage_run(&stage);
    assert_string_equal(story, "boot step step");
    plays.settled = 16; /* D1 is an intent until a second record is there */
    story[0] = '\0';
    peek_forget();
    stage_run(&stage);
    assert_true(strlen(story) > 20 * strlen("step "));
}

static void under_the_halt_file_looking_at_it_is_routine(void **state) {
    (void)state;
    plays.work = OMS_WORK_SEND;
    plays.every_ns = 2 * ONE;
    stage.world.halt_file = OMS_HALT_PRESENT;
    stage_boot(&stage);
    stage_run(&stage);
    assert_int_equal(stage_settle(&stage), STAGE_QUIET);
    assert_int_equal(stage.judge.first.invariant, 0);
}

/* ---- determinism and values ---- */

static uint64_t fingerprint(uint64_t seed) {
    stage_close(&stage);
    plays.work = OMS_WORK_RESOLVE;
    plays.writes_at_once = plays.steps = 3;
    plays.random_length = true;
    event_next = event_count = 0;
    at(1, false, kill_it);
    at(2, false, restart);
    open_stage(0, seed);
    stage_boot(&stage);
    stage_run(&stage);
    stage_settle(&stage);
    return stage.fingerprint;
}

static void the_same_seed_gives_the_same_fingerprint_and_another_seed_another(void **state) {
    (void)state;
    uint64_t first = fingerprint(7);
    sqlite3_randomness(5, story); /* whatever else drew from SQLite's generator */
    assert_int_equal(fingerprint(7), first);
    assert_int_not_equal(fingerprint(8), first);
}

static void images_are_remembered_and_every_copy_is_its_own(void **state) {
    (void)state;
    char why[SUT_WHY_SIZE];
    struct disk *a = stage_image(&toy, &stage.config.oms, START, NULL, 0, why);
    struct disk *b = stage_image(&toy, &stage.config.oms, START, NULL, 0, why);
    assert_true(disk_equal(a, b));
    assert_true(disk_file_damage(a, STORE, 0, "x", 1));
    assert_false(disk_equal(a, b));
    disk_free(a);
    a = stage_image(&toy, &stage.config.oms, START, NULL, 0, why);
    assert_true(disk_equal(a, b));
    disk_free(a);
    disk_free(b);
}

static void a_copy_of_a_world_is_equal_and_goes_its_own_way(void **state) {
    (void)state;
    struct world copy, *world = &stage.world;
    struct flight flight = {.due_ns = START + ONE};
    strcpy(flight.request.symbol, "AAPL");
    flight.request.qty_nanos = ONE;
    world_copy(&copy, world);
    assert_int_equal(world_hash(&copy), world_hash(world));
    world_send(&copy, &flight);
    assert_int_not_equal(world_hash(&copy), world_hash(world));
    world_take_flight(&copy, &flight);
    assert_int_equal(world_hash(&copy), world_hash(world));
    world_deliver(&copy, &flight);
    assert_int_equal(copy.exchange.order_count, 1);
    assert_int_equal(world->exchange.order_count, 0);
    disk_file_damage(copy.disk, STORE, 0, "x", 1);
    assert_int_not_equal(disk_hash(copy.disk), disk_hash(world->disk));
    world_free(&copy);
    world_copy(&copy, world);
    copy.halt_file = OMS_HALT_PRESENT;
    assert_int_not_equal(world_hash(&copy), world_hash(world));
    world_free(&copy);
}

static void flights_leave_in_order_of_their_due_time_then_of_departure(void **state) {
    (void)state;
    static const int64_t due[] = {30, 10, 20, 10};
    static const uint64_t order[] = {2, 4, 3, 1};
    struct flight flight = {0};
    for (size_t i = 0; i < 4; i++) {
        flight.due_ns = due[i];
        assert_int_equal(world_send(&stage.world, &flight), i + 1);
    }
    for (size_t i = 0; i < 4; i++) {
        world_take_flight(&stage.world, &flight);
        assert_int_equal(flight.id, order[i]);
    }
    assert_int_equal(world_next_flight(&stage.world), INT64_MAX);
}

static void the_crash_key_tells_apart_all_that_survives_a_crash(void **state) {
    (void)state;
    struct flight flight = {.due_ns = START + ONE};
    uint64_t keys[8] = {stage_crash_key(&stage)};
    stage.world.halt_file = OMS_HALT_PRESENT;
    keys[1] = stage_crash_key(&stage);
    stage.world.broker_down = true;
    keys[2] = stage_crash_key(&stage);
    world_send(&stage.world, &flight);
    keys[3] = stage_crash_key(&stage);
    world_take_flight(&stage.world, &flight);
    keys[4] = stage_crash_key(&stage); /* flown, not back to never sent */
    world_deliver(&stage.world, &flight);
    keys[5] = stage_crash_key(&stage);
    judge_answered(&stage.judge, 0, SUT_TAKEN);
    keys[6] = stage_crash_key(&stage);
    judge_cancel(&stage.judge, 0);
    keys[7] = stage_crash_key(&stage);
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(keys[i], keys[j]);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(at_equal_times_stimuli_come_first_then_the_oms_then_checks),
        TEST(each_paced_act_waits_and_then_acts_at_its_end),
        TEST(a_restart_boots_once_everything_else_of_its_moment_has_happened),
        cmocka_unit_test_teardown(a_kill_at_a_call_leaves_the_world_before_it_or_after_it,
                                  teardown),
        cmocka_unit_test_teardown(a_power_loss_keeps_what_the_answer_says, teardown),
        cmocka_unit_test_teardown(an_oms_that_goes_on_calling_after_its_death_is_reported,
                                  teardown),
        TEST(a_late_request_arrives_after_its_sender_died),
        TEST(a_fail_stop_ends_the_life_and_settling_begins_another),
        TEST(an_oms_that_stops_itself_breaks_i12_and_not_the_harness),
        TEST(one_that_stops_itself_when_it_is_dead_already_does_nothing),
        TEST(an_oms_that_does_not_stay_up_once_faults_have_stopped_breaks_i12),
        TEST(a_second_instance_meets_the_first_one_s_lock),
        TEST(a_second_instance_may_start_while_the_first_waits_for_an_answer),
        TEST(waiting_in_vain_is_no_unrest_as_long_as_faults_may_strike),
        TEST(an_oms_that_never_pauses_is_restless_at_any_time),
        TEST(days_of_routine_looks_are_no_unrest),
        TEST(silence_is_not_quiet_while_an_order_is_under_way),
        TEST(under_the_halt_file_looking_at_it_is_routine),
        TEST(the_same_seed_gives_the_same_fingerprint_and_another_seed_another),
        TEST(images_are_remembered_and_every_copy_is_its_own),
        TEST(a_copy_of_a_world_is_equal_and_goes_its_own_way),
        TEST(flights_leave_in_order_of_their_due_time_then_of_departure),
        TEST(the_crash_key_tells_apart_all_that_survives_a_crash),
    };
    disk_vfs_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
