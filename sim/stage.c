/* The stage: virtual time, lives and deaths. */
#include "sim/stage.h"

#include "sim/check.h"
#include "sim/content.h"
#include "sim/hash.h"
#include "sim/peek.h"
#include "sim/shortage.h"
#include "sim/sut_call.h"
#include "sim/wire_world.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A quiet world may still be polled; after this many routine looks that changed nothing it is
 * quiet, unless some order is still under way: its next attempt may be hidden behind many looks. */
enum { ROUTINE_LOOKS = 2, HALTED_LOOKS = 8, WAITING_LOOKS = 100 };
#define HOUR_NS (INT64_C(3600) * 1000000000)
/* No threshold of any profile is longer than a day: what is not settled after two is restless. */
#define SETTLE_NS (48 * HOUR_NS)

/* ---- the story ---- */

void stage_note(struct stage *stage, const char *who, bool crash, const char *format, ...) {
    struct trace *trace = stage->trace;
    struct trace_line *line = NULL;
    va_list args;
    if (trace == NULL || trace->n == TRACE_MAX)
        return;
    CHECK_ROOM(trace->v, trace->n, trace->cap, TRACE_MAX + 1);
    line = &trace->v[trace->n++];
    *line = (struct trace_line){.at_ns = stage->world.now_ns, .line = stage->line, .crash = crash};
    snprintf(line->who, sizeof line->who, "%s", who);
    va_start(args, format);
    vsnprintf(line->what, sizeof line->what, format, args);
    va_end(args);
}

static void mark_text(struct stage *stage, uint64_t what, uint64_t value, const char *text) {
    stage->counts.events++;
    stage->fingerprint = hash_u64(hash_u64(stage->fingerprint, what), value);
    if (stage->chain != NULL)
        chain_add(stage->chain,
                  &(struct chain_event){.event = stage->counts.events,
                                        .at_ns = stage->world.now_ns,
                                        .what = what,
                                        .value = value,
                                        .hash = stage->fingerprint},
                  text);
}

static void mark(struct stage *stage, uint64_t what, uint64_t value) {
    mark_text(stage, what, value, NULL);
}

static const char *decision_name(const struct stage *stage, const char *decision_id) {
    for (size_t i = 0; i < stage->judge.decision_count; i++) {
        if (strcmp(stage->judge.decisions[i].decision.id, decision_id) == 0)
            return stage->judge.decisions[i].name;
    }
    return decision_id;
}

/* ---- ports ---- */

/* In these the harness acts, in the middle of a call into the OMS: the memory it needs is not the
 * OMS's (sim/shortage.h). */
static struct port_answer port_before(void *ctx, const struct port_call *call) {
    struct stage *stage = ctx;
    bool inside = shortage_inside(false);
    unsigned occurrence = ++stage->occurrences[site_index(call->site)];
    struct port_answer answer;
    stage->counts.port_calls++;
    mark(stage, site_index(call->site), (uint64_t)call->offset * 65599 + (uint64_t)call->length);
    answer = stage->outside.ask(stage->outside.ctx, call, occurrence);
    if (answer.act != ACT_NONE) {
        mark(stage, CHAIN_FAULT + (uint64_t)answer.act, (uint64_t)answer.arg[0]);
        stage->counts.faults++;
        stage->judge.damaged |=
            answer.act == ACT_SYNC_LIES || answer.act == ACT_SYNC_LATE || answer.act == ACT_SHORT;
    } else if (stage->world.broker_down && call->site.op >= SITE_BROKER_SUBMIT &&
               call->site.op <= SITE_BROKER_CANCEL) {
        answer.act = ACT_REFUSED;
    }
    shortage_inside(inside);
    return answer;
}

void stage_changed(struct stage *stage) {
    mark(stage, CHAIN_BOOKS, stage->world.exchange.version);
    judge_books(&stage->judge, &stage->world);
    stage->outside.changed(stage->outside.ctx);
}

static int request_decision(const struct stage *stage, const struct broker_request *request) {
    return judge_attribute(&stage->judge, request->symbol, request->side, request->qty_nanos,
                           request->limit_nanos);
}

static void note_delivery(struct stage *stage, const char *name,
                          const struct exchange_delivery *delivery) {
    switch (delivery->verdict) {
    case EXCHANGE_ACCEPTED:
        stage_note(stage, "broker", false, "accepted %s of %s",
                   stage->world.exchange.orders[delivery->order].told.id, name);
        return;
    case EXCHANGE_DUPLICATE:
        stage_note(stage, "broker", false, "knows %s already", name);
        return;
    case EXCHANGE_REFUSED:
        stage_note(stage, "broker", false, "refused %s", name);
        return;
    case EXCHANGE_REPLAYED:
        stage_note(stage, "broker", false, "gives its first answer about %s again", name);
        return;
    case EXCHANGE_RESENT:
        stage_note(stage, "broker", false, "knows %s already, and tells how it stands", name);
        return;
    case EXCHANGE_BUSY:
        stage_note(stage, "broker", false, "is busy with %s", name);
        return;
    case EXCHANGE_DROPPED:
        stage_note(stage, "broker", false, "drops %s without a word", name);
        return;
    }
}

/* Requests that reached the exchange since this was last asked, through whichever door. */
static void notice_deliveries(struct stage *stage) {
    const struct exchange *exchange = &stage->world.exchange;
    while (stage->noticed < exchange->delivery_count) {
        const struct exchange_delivery *delivery = &exchange->deliveries[stage->noticed++];
        int decision = judge_attribute(&stage->judge, delivery->symbol, delivery->side,
                                       delivery->qty_nanos, delivery->limit_nanos);
        if (decision >= 0)
            stage->judge.decisions[decision].arrived++;
        note_delivery(stage, decision < 0 ? "an order" : stage->judge.decisions[decision].name,
                      delivery);
        stage_changed(stage);
        stage->outside.delivered(stage->outside.ctx, decision);
    }
}

static void notice_cancel(struct stage *stage, const char *order_id) {
    const struct exchange_order *order = exchange_order_by_id(&stage->world.exchange, order_id);
    if (order != NULL)
        stage_note(stage, "broker", false, "was asked to cancel %s: it is %s", order->told.id,
                   order->told.status_text);
    stage_changed(stage);
}

static void port_after(void *ctx, const struct port_call *call) {
    struct stage *stage = ctx;
    unsigned occurrence = stage->occurrences[site_index(call->site)];
    bool inside = shortage_inside(false);
    notice_deliveries(stage);
    if (call->site.op == SITE_BROKER_CANCEL)
        notice_cancel(stage, call->ref);
    if (!stage->port.dead)
        stage->outside.passed(stage->outside.ctx, call, occurrence);
    shortage_inside(inside);
}

static void port_replied(void *ctx, const struct port_reply *reply) {
    struct stage *stage = ctx;
    bool inside = shortage_inside(false);
    mark(stage, CHAIN_REPLY + reply->delivered, reply->found);
    judge_replied(&stage->judge, &stage->world, reply);
    shortage_inside(inside);
}

static void port_posted(void *ctx, const struct broker_request *request, unsigned posts) {
    struct stage *stage = ctx;
    int decision = request_decision(stage, request);
    bool inside = shortage_inside(false);
    mark(stage, CHAIN_POSTED + posts, (uint64_t)request->qty_nanos);
    stage_note(stage, "oms", false, "send %s",
               decision < 0 ? request->symbol : stage->judge.decisions[decision].name);
    judge_posted(&stage->judge, &stage->world, STAGE_STORE, request, posts);
    stage->outside.left(stage->outside.ctx, decision);
    shortage_inside(inside);
}

static int64_t port_now(void *ctx) {
    const struct stage *stage = ctx;
    return stage->world.now_ns;
}

static void deliver_flight(struct stage *stage) {
    struct flight flight;
    world_take_flight(&stage->world, &flight);
    if (flight.length > 0)
        wire_deliver(stage->config.wire, &stage->wire_exchange, flight.due_ns, flight.bytes,
                     flight.length);
    else
        world_deliver(&stage->world, &flight);
    if (flight.length > 0)
        world_disown_copy(&stage->world, &flight);
    notice_deliveries(stage);
    if (flight.is_cancel)
        notice_cancel(stage, flight.order_id);
}

/* Lets the next thing from outside happen if it is due until then. Checks due exactly then wait for
 * the OMS to act first, unless `checks`. False: nothing was due. */
static bool outside_happens(struct stage *stage, int64_t until_ns, bool checks) {
    bool after_oms = false;
    int64_t next_ns = stage->outside.next(stage->outside.ctx, &after_oms);
    int64_t flight_ns = world_next_flight(&stage->world);
    int64_t at_ns = flight_ns < next_ns ? flight_ns : next_ns;
    if (at_ns == INT64_MAX || at_ns > until_ns ||
        (at_ns == until_ns && flight_ns > at_ns && after_oms && !checks))
        return false;
    if (at_ns > stage->world.now_ns)
        stage->world.now_ns = at_ns;
    mark(stage, CHAIN_OUTSIDE, (uint64_t)stage->world.now_ns);
    if (flight_ns <= next_ns)
        deliver_flight(stage);
    else
        stage->outside.happen(stage->outside.ctx);
    return true;
}

static void port_wait(void *ctx, int64_t until_ns) {
    struct stage *stage = ctx;
    bool inside = shortage_inside(false);
    while (!stage->port.dead && outside_happens(stage, until_ns, false)) {
    }
    if (!stage->port.dead && until_ns > stage->world.now_ns)
        stage->world.now_ns = until_ns;
    shortage_inside(inside);
}

void stage_outlives(struct stage *stage, const struct broker_request *request, int64_t by_ns) {
    struct flight flight = {.due_ns = stage->world.now_ns + by_ns, .request = *request};
    port_posted(stage, request, 1);
    world_send(&stage->world, &flight);
}

void stage_wait(struct stage *stage, int64_t until_ns) {
    CHECK(stage->oms == NULL);
    while (!stage->boot_due && outside_happens(stage, until_ns, true)) {
    }
    if (!stage->boot_due && until_ns > stage->world.now_ns)
        stage->world.now_ns = until_ns;
}

/* An OMS that goes on for ever after its death cannot be unwound: this run, and with it the whole
 * program, ends here. */
static void port_endless(void *ctx) {
    const struct stage *stage = ctx;
    fprintf(stderr,
            "crashgate: I12 broke: %s has made %d calls to its ports after it died (life %u, crash "
            "ordered by line %d) and does not end\n",
            stage->config.sut->name, PORT_DEAD_CALLS_ENDLESS, stage->life, stage->line);
    exit(1);
}

/* ---- the OMS's environment ---- */

static int64_t env_now(void *ctx) {
    const struct stage *stage = ctx;
    return world_wall_ns(&stage->world);
}

/* Nobody sets the world's own time. */
static int64_t env_steady(void *ctx) {
    const struct stage *stage = ctx;
    return stage->world.now_ns;
}

static enum oms_halt_file env_halt_file(void *ctx) {
    struct stage *stage = ctx;
    judge_halt_asked(&stage->judge, &stage->world);
    return stage->world.halt_file;
}

static void note_event(struct stage *stage, const struct oms_event *event) {
    const char *name = decision_name(stage, event->decision_id);
    if (event->phase == OMS_BEFORE || event->kind == OMS_EVENT_SEND)
        return;
    if (event->kind == OMS_EVENT_CHECK)
        stage_note(stage, "oms", false, "check %s -> %s", name,
                   event->known ? "present" : "absent");
    else
        stage_note(stage, "oms", false, "%s%s%s%s%s", oms_event_name(event->kind),
                   name[0] != '\0' ? " " : "", name, event->text[0] != '\0' ? ": " : "",
                   event->text);
}

static void env_emit(void *ctx, const struct oms_event *event) {
    struct stage *stage = ctx;
    bool inside = false;
    if (!port_alive(&stage->port))
        return;
    inside = shortage_inside(false);
    mark_text(stage, CHAIN_TOLD + (uint64_t)event->kind * 2 + (uint64_t)event->phase,
              hash_text(hash_text(event->known, event->decision_id), event->text), event->text);
    note_event(stage, event);
    if (event->kind == OMS_EVENT_RECONCILE && event->phase == OMS_AFTER &&
        stage->recovered_ns < stage->restarted_ns)
        stage->recovered_ns = stage->world.now_ns;
    stage->outside.told(stage->outside.ctx, event);
    shortage_inside(inside);
}

/* ---- opening and closing ---- */

static void connect_ports(struct stage *stage, struct port *port) {
    *port = (struct port){.ctx = stage,
                          .before = port_before,
                          .after = port_after,
                          .replied = port_replied,
                          .endless = port_endless,
                          .posted = port_posted,
                          .wait = port_wait,
                          .now = port_now};
}

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

static void ports_for(struct stage *stage, const char *vfs, struct port *port,
                      struct sut_ports *ports) {
    *ports = (struct sut_ports){.vfs = vfs,
                                .path = STAGE_STORE,
                                .env = {.ctx = stage,
                                        .now_ns = env_now,
                                        .steady_ns = env_steady,
                                        .halt_file = env_halt_file,
                                        .emit = env_emit}};
    if (stage->config.door == STAGE_WIRE) {
        ports->io = &stage->io;
        ports->url = "http://127.0.0.1:8080";
    } else {
        stage->broker = direct_broker(&stage->direct, &stage->world, port);
        ports->broker = &stage->broker;
    }
}

/* ---- images ---- */

struct image {
    uint64_t key;
    struct disk *disk;
    struct image *older;
};
static struct image *images;
enum { IMAGES_MAX = 1024 }; /* then all are forgotten */
static unsigned image_count;

void stage_forget_images(void) {
    while (images != NULL) {
        struct image *older = images->older;
        disk_free(images->disk);
        free(images);
        images = older;
    }
    image_count = 0;
}

static struct port_answer let_pass(void *ctx, const struct port_call *call) {
    (void)ctx;
    (void)call;
    return (struct port_answer){0};
}
static void ignore_call(void *ctx, const struct port_call *call) {
    (void)ctx;
    (void)call;
}
static void ignore_wait(void *ctx, int64_t until_ns) {
    (void)ctx;
    (void)until_ns;
}
static int64_t time_at(void *ctx) {
    return *(const int64_t *)ctx;
}
static enum oms_halt_file no_halt_file(void *ctx) {
    (void)ctx;
    return OMS_HALT_ABSENT;
}
static void ignore_event(void *ctx, const struct oms_event *event) {
    (void)ctx;
    (void)event;
}

static uint64_t image_key(const struct sut *sut, const struct sut_config *config, int64_t now_ns,
                          const struct oms_opening *opening, size_t opening_count) {
    uint64_t key = hash_text((uint64_t)(uintptr_t)sut, config->profile->name);
    key = hash_u64(hash_text(key, config->account), (uint64_t)config->page_size);
    key = hash_u64(hash_u64(key, (uint64_t)config->checkpoint_frames), (uint64_t)now_ns);
    key = hash_u64(key, (uint64_t)config->store_version);
    for (size_t i = 0; i < opening_count; i++) {
        key = hash_u64(hash_text(key, opening[i].symbol), (uint64_t)opening[i].qty_nanos);
        key = hash_u64(key, (uint64_t)opening[i].price_nanos);
    }
    return key;
}

struct disk *stage_image(const struct sut *sut, const struct sut_config *config, int64_t now_ns,
                         const struct oms_opening *opening, size_t opening_count,
                         char why[SUT_WHY_SIZE]) {
    uint64_t key = image_key(sut, config, now_ns, opening, opening_count);
    struct port port = {.ctx = &now_ns,
                        .before = let_pass,
                        .after = ignore_call,
                        .wait = ignore_wait,
                        .now = time_at};
    struct sut_ports ports = {.vfs = "sim",
                              .path = STAGE_STORE,
                              .env = {.ctx = &now_ns,
                                      .now_ns = time_at,
                                      .steady_ns = time_at,
                                      .halt_file = no_halt_file,
                                      .emit = ignore_event}};
    struct image *image = images;
    struct disk *disk = NULL;
    bool made = false;
    while (image != NULL && image->key != key)
        image = image->older;
    if (image != NULL)
        return disk_copy(image->disk);
    disk = disk_new();
    sut_catch_stops();
    disk_vfs_attach("sim", disk, &port, 1);
    made = sut_create(sut, &ports, config, opening, opening_count, why);
    disk_vfs_attach("sim", NULL, NULL, 0);
    if (!made) {
        (void)sut_stopped(why);
        disk_free(disk);
        return NULL;
    }
    disk_kill(disk);
    if (image_count == IMAGES_MAX)
        stage_forget_images();
    image_count++;
    image = check_zalloc(1, sizeof *image);
    *image = (struct image){.key = key, .disk = disk, .older = images};
    images = image;
    return disk_copy(disk);
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
    mark(stage, CHAIN_DEATH + 1, which);
}

static void finish_death(struct stage *stage) {
    enum stage_death death = stage->dying;
    stage->dying = STAGE_ALIVE;
    stage->halted = false;
    bury(stage);
    switch (death) {
    case STAGE_ALIVE:
        CHECK(death != STAGE_ALIVE);
        return;
    case STAGE_KILL:
        mark(stage, CHAIN_DEATH, 0);
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
        finish_death(stage);
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

/* An OMS whose own rules did not hold. */
static void notice_stop(struct stage *stage) {
    char why[SUT_WHY_SIZE];
    if (!sut_stopped(why) || stage->dying != STAGE_ALIVE)
        return;
    stage_note(stage, "oms", false, "%.150s", why);
    judge_restless(&stage->judge, &stage->world, why);
}

/* After every call into the OMS. `healthy`: it did not fail-stop. */
static void back_from_oms(struct stage *stage, bool healthy) {
    notice_deliveries(stage);
    stage->in_call = false;
    stage->actions++;
    healthy = healthy && (stage->dying != STAGE_ALIVE || stage->oms == NULL || ask_next(stage));
    notice_stop(stage);
    if (stage->dying != STAGE_ALIVE)
        finish_death(stage);
    else if (!healthy)
        fail_stopped(stage);
    stage_changed(stage);
}

/* ---- what happens to a store at rest ---- */

static bool flip_bit(struct disk *disk, const char *name, int64_t at, int64_t bit) {
    unsigned char byte = 0;
    if (!disk_file_read(disk, name, at, &byte, 1))
        return false;
    byte ^= (unsigned char)(1u << bit);
    return disk_file_damage(disk, name, at, &byte, 1);
}

static bool damage_at_rest(struct stage *stage, const char *name,
                           const struct port_answer *answer) {
    struct disk *disk = stage->world.disk;
    const struct disk *backup = NULL;
    switch ((int)answer->act) {
    case ACT_FLIP:
        return flip_bit(disk, name, answer->arg[0], answer->arg[1]);
    case ACT_CUT:
        return disk_file_cut(disk, name, answer->arg[0]);
    case ACT_MISSING:
        return disk_file_remove(disk, name);
    case ACT_RESTORED:
        if (answer->arg[0] <= STAGE_BACKUPS_MAX)
            backup = stage->backups[answer->arg[0] - 1];
        if (backup != NULL)
            disk_restore(disk, backup, answer->arg[1] != 0 ? STAGE_STORE "-lock" : NULL);
        return backup != NULL;
    default:
        return false;
    }
}

static void rest_file(struct stage *stage, enum site_object on, const char *name) {
    struct port_call call = {.site = {SITE_DISK_REST, on}, .ref = ""};
    struct port_answer answer;
    if (!disk_file_size(stage->world.disk, name, &call.length) || call.length == 0)
        return;
    answer = stage->outside.rest(stage->outside.ctx, &call);
    if (answer.act == ACT_NONE)
        return;
    stage->counts.faults++;
    mark(stage, CHAIN_FAULT + (uint64_t)answer.act, (uint64_t)answer.arg[0]);
    stage->judge.damaged = true;
    CHECK(damage_at_rest(stage, name, &answer));
}

/* A store that was empty, or that is not there, has nothing to lose. */
static void rest_store(struct stage *stage) {
    if (stage->outside.rest != NULL && !stage->settling) {
        rest_file(stage, ON_DB, STAGE_STORE);
        rest_file(stage, ON_WAL, STAGE_STORE "-wal");
    }
    if (stage->config.keeps_backups && stage->life <= STAGE_BACKUPS_MAX &&
        stage->backups[stage->life - 1] == NULL)
        stage->backups[stage->life - 1] = disk_copy(stage->world.disk);
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
    rest_store(stage);
    judge_as_found(stage);
    connect_ports(stage, &stage->port);
    disk_vfs_attach("sim", stage->world.disk, &stage->port,
                    seed_named(stage->config.seed, "disk") + stage->life);
    if (stage->config.door == STAGE_WIRE) {
        wire_begin(stage->config.wire, &stage->port, &stage->wire_exchange);
        wire_io(stage->config.wire, &stage->io);
    }
    ports_for(stage, "sim", &stage->port, &ports);
    stage->restarted_ns = stage->world.now_ns;
    stage->free_ns = stage->world.now_ns;
    mark(stage, CHAIN_START, stage->life);
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
    back_from_oms(stage, stage->oms != NULL);
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

/* Boots another process on the same store, whose own calls nothing goes wrong with; NULL: refused.
 * Also in the middle of a call of the first, which gets its door back in bury_beside. */
static void *boot_beside(struct stage *stage, char why[SUT_WHY_SIZE]) {
    struct sut_ports ports;
    stage->second_port = (struct port){.ctx = stage,
                                       .before = let_pass,
                                       .after = ignore_call,
                                       .wait = ignore_wait,
                                       .now = port_now};
    disk_vfs_attach("sim2", stage->world.disk, &stage->second_port,
                    seed_named(stage->config.seed, "second") + stage->life);
    ports_for(stage, "sim2", &stage->second_port, &ports);
    ports.env.emit = ignore_event;
    return sut_boot(stage->config.sut, &ports, &stage->config.oms, why);
}

static void bury_beside(struct stage *stage, void *instance) {
    if (instance != NULL)
        sut_bury(stage->config.sut, instance, true);
    notice_stop(stage);
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
            judge_attribute(&stage->judge, request->symbol, request->side, request->qty_nanos,
                            request->limit_nanos) == (int)decision)
            return true;
    }
    return false;
}

/* At an OMS that is up, or a tool. False: it fail-stopped. */
static bool resolve(struct stage *stage, void *oms, size_t decision, bool adopt) {
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
        resolve(stage, tool, decision, false);
    else
        stage_note(stage, "operator", false, "cannot resolve %s now: %.100s",
                   stage->judge.decisions[decision].name,
                   adopt ? "nobody is up to ask the broker" : why);
    if (!adopt)
        bury_beside(stage, tool);
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

/* ---- the OMS acts ---- */

enum turn { TURN_NONE, TURN_BOOT, TURN_URGENT, TURN_SIGNAL, TURN_STEP };

/* First item of the inbox that is (not) a signal, or -1. */
static int first_item(const struct stage *stage, bool signal) {
    for (size_t i = 0; i < stage->inbox_count; i++) {
        if ((stage->inbox[i].kind == INBOX_SIGNAL) == signal)
            return (int)i;
    }
    return -1;
}

static int64_t latest(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static int64_t step_time(const struct stage *stage) {
    int64_t now_ns = stage->world.now_ns;
    switch (stage->next.work) {
    case OMS_WORK_NONE:
        return INT64_MAX;
    case OMS_WORK_SEND:
    case OMS_WORK_RECORD:
        return latest(latest(latest(stage->next.at_ns, stage->free_ns), stage->known_ns) +
                          stage->config.pace_ns,
                      now_ns);
    case OMS_WORK_RECONCILE:
    case OMS_WORK_RESOLVE:
    case OMS_WORK_POLL:
    case OMS_WORK_COLLECT:
        return latest(stage->next.at_ns, now_ns);
    }
    return INT64_MAX;
}

/* What the OMS does next, and when. Operators and cancels are never kept waiting; an order on its
 * way goes before a new signal. */
static int64_t oms_turn(const struct stage *stage, enum turn *turn) {
    int64_t step_ns = 0, signal_ns = INT64_MAX;
    int signal = -1;
    *turn = stage->boot_due ? TURN_BOOT : TURN_NONE;
    if (stage->boot_due)
        return stage->world.now_ns;
    if (!stage_is_up(stage))
        return INT64_MAX;
    if (first_item(stage, false) >= 0) {
        *turn = TURN_URGENT;
        return stage->world.now_ns;
    }
    signal = first_item(stage, true);
    if (signal >= 0)
        signal_ns =
            latest(latest(stage->inbox[signal].arrived_ns, stage->free_ns) + stage->config.pace_ns,
                   stage->world.now_ns);
    step_ns = step_time(stage);
    if (step_ns == INT64_MAX && signal_ns == INT64_MAX)
        return INT64_MAX;
    *turn = signal_ns < step_ns ? TURN_SIGNAL : TURN_STEP;
    return signal_ns < step_ns ? signal_ns : step_ns;
}

static struct inbox_item take_item(struct stage *stage, int index) {
    struct inbox_item item = stage->inbox[index];
    stage->inbox_count--;
    memmove(&stage->inbox[index], &stage->inbox[index + 1],
            (stage->inbox_count - (size_t)index) * sizeof *stage->inbox);
    stage->line = item.line;
    return item;
}

static bool present(struct stage *stage, size_t decision) {
    struct judged *judged = &stage->judge.decisions[decision];
    enum sut_answer answer = SUT_UNKNOWN;
    stage->why[0] = '\0';
    judge_presented(&stage->judge, &stage->world, decision);
    shortage_inside(true);
    answer = sut_signal(stage->config.sut, stage->oms, &judged->decision, stage->why);
    shortage_inside(false);
    /* A process that died answers nobody. */
    if (stage->port.dead)
        return true;
    judge_answered(&stage->judge, decision, answer);
    mark(stage, CHAIN_ANSWER, (uint64_t)answer);
    stage->free_ns = stage->world.now_ns;
    return answer != SUT_UNKNOWN;
}

/* Signals that wait, the first of them `item`, in one call. */
static bool present_together(struct stage *stage, const struct inbox_item *item) {
    struct oms_decision decisions[SUT_SIGNALS_MAX];
    enum sut_answer answers[SUT_SIGNALS_MAX];
    size_t which[SUT_SIGNALS_MAX], count = 0;
    bool healthy = true;
    which[count++] = item->decision;
    while (count < stage->config.batch && first_item(stage, true) >= 0)
        which[count++] = take_item(stage, first_item(stage, true)).decision;
    stage->why[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        judge_presented(&stage->judge, &stage->world, which[i]);
        decisions[i] = stage->judge.decisions[which[i]].decision;
    }
    shortage_inside(true);
    sut_signals(stage->config.sut, stage->oms, decisions, count, answers, stage->why);
    shortage_inside(false);
    if (stage->port.dead)
        return true;
    for (size_t i = 0; i < count; i++) {
        judge_answered(&stage->judge, which[i], answers[i]);
        mark(stage, CHAIN_ANSWER, (uint64_t)answers[i]);
        healthy = healthy && answers[i] != SUT_UNKNOWN;
    }
    stage->free_ns = stage->world.now_ns;
    return healthy;
}

static bool deal_with(struct stage *stage, const struct inbox_item *item) {
    const struct sut *sut = stage->config.sut;
    bool healthy = false;
    switch (item->kind) {
    case INBOX_SIGNAL:
        return stage->config.batch > 1 && sut->signals != NULL ? present_together(stage, item)
                                                               : present(stage, item->decision);
    case INBOX_CANCEL:
        shortage_inside(true);
        healthy = sut_cancel(sut, stage->oms, stage->judge.decisions[item->decision].decision.id);
        shortage_inside(false);
        if (healthy && !stage->port.dead)
            judge_cancel(&stage->judge, item->decision);
        return healthy;
    case INBOX_KILL_SWITCH:
        /* Until the act is answered either state is right, whoever dies meanwhile. */
        judge_operator(&stage->judge, item->on, false);
        shortage_inside(true);
        healthy = sut_kill_switch(sut, stage->oms, item->on);
        shortage_inside(false);
        if (healthy && !stage->port.dead)
            judge_operator(&stage->judge, item->on, true);
        return healthy;
    case INBOX_GONE:
    case INBOX_ADOPT:
        return resolve(stage, stage->oms, item->decision, item->kind == INBOX_ADOPT);
    case INBOX_RECONCILE:
        shortage_inside(true);
        healthy = sut_reconcile(sut, stage->oms, item->on);
        shortage_inside(false);
        return healthy;
    }
    return true;
}

static bool take_step(struct stage *stage) {
    bool paced = stage->next.work == OMS_WORK_SEND || stage->next.work == OMS_WORK_RECORD;
    bool healthy = false;
    shortage_inside(true);
    healthy = sut_step(stage->config.sut, stage->oms);
    shortage_inside(false);
    if (paced)
        stage->free_ns = stage->world.now_ns;
    return healthy;
}

static void oms_acts(struct stage *stage, enum turn turn, int64_t at_ns) {
    struct inbox_item item;
    bool healthy = true;
    if (turn == TURN_BOOT) {
        stage_boot(stage);
        return;
    }
    stage->world.now_ns = at_ns;
    mark(stage, CHAIN_ACT + (uint64_t)turn, (uint64_t)at_ns);
    stage->in_call = true;
    switch (turn) {
    case TURN_NONE:
    case TURN_BOOT:
        break;
    case TURN_URGENT:
    case TURN_SIGNAL:
        item = take_item(stage, first_item(stage, turn == TURN_SIGNAL));
        healthy = deal_with(stage, &item);
        break;
    case TURN_STEP:
        healthy = take_step(stage);
        break;
    }
    back_from_oms(stage, healthy);
}

static uint64_t visible_state(const struct stage *stage) {
    return hash_u64(disk_cache_hash(stage->world.disk), stage->world.exchange.version);
}

static bool has_outside(struct stage *stage) {
    bool after_oms = false;
    return stage->outside.next(stage->outside.ctx, &after_oms) != INT64_MAX ||
           stage->world.flight_count > 0 ||
           stage->world.now_ns < exchange_shows_all_ns(&stage->world.exchange);
}

/* Calls that change nothing and may go on for ever: a look at open orders, or at the halt file. Where
 * calls take time, one of them that has become due meanwhile may come before a record. */
static bool is_routine(const struct stage *stage) {
    return stage->next.work == OMS_WORK_POLL ||
           (stage->next.work == OMS_WORK_SEND && stage->world.halt_file != OMS_HALT_ABSENT) ||
           (stage->next.work == OMS_WORK_RECORD && stage->config.pace_ns > 0);
}

/* Consecutive calls that changed nothing, and those of them that were routine. */
struct idle {
    int calls, looks;
};

static void act_and_compare(struct stage *stage, enum turn turn, int64_t at_ns, struct idle *idle) {
    bool routine = turn == TURN_STEP && is_routine(stage);
    uint64_t before = visible_state(stage);
    oms_acts(stage, turn, at_ns);
    if (visible_state(stage) != before) {
        *idle = (struct idle){0};
        return;
    }
    idle->calls++;
    idle->looks = routine ? idle->looks + 1 : 0;
}

/* So many routine looks in a row that change nothing say that nothing will. Looks at a halt file come
 * before what is due later, such as a second look at a difference, or, by a clock that jumped, the
 * next look at the broker. */
static int looks_enough(const struct stage *stage) {
    if (stage->world.halt_file == OMS_HALT_ABSENT)
        return ROUTINE_LOOKS;
    return stage->judge.clock_jumped ? WAITING_LOOKS : HALTED_LOOKS;
}

static bool is_quiet(struct stage *stage, const struct idle *idle) {
    if (!stage->settling && idle->calls >= WAITING_LOOKS)
        return true;
    return idle->looks >= looks_enough(stage) &&
           (idle->looks >= WAITING_LOOKS ||
            !judge_under_way(&stage->judge, &stage->world, STAGE_STORE));
}

/* Whether the OMS calls more often than anything needs. */
static bool rages(struct stage *stage) {
    if (stage->world.now_ns - stage->hour_ns >= HOUR_NS) {
        stage->hour_ns = stage->world.now_ns;
        stage->actions = 0;
    }
    return stage->actions >= STAGE_ACTIONS_MAX;
}

/* What waits for a moment waits so much longer by a clock that shows less. */
static int64_t behind_ns(const struct stage *stage) {
    return stage->world.ahead_ns < 0 ? -stage->world.ahead_ns : 0;
}

/* Until when requests under way are waited for while faults go on and nothing else is to happen: an
 * hour past those that are under way now. A fault that copies every request of an OMS that asks
 * again and again would otherwise keep the world going for ever; faults stop then. */
static int64_t patience_ns(const struct stage *stage, int64_t until_ns) {
    bool after_oms = false;
    if (stage->settling || stage->outside.next(stage->outside.ctx, &after_oms) != INT64_MAX)
        return INT64_MAX;
    if (until_ns == INT64_MAX && stage->world.flight_count > 0) /* in the order of their arrival */
        until_ns = latest(stage->world.now_ns,
                          stage->world.flights[stage->world.flight_count - 1].due_ns) +
                   HOUR_NS;
    return until_ns;
}

enum stage_end stage_run(struct stage *stage) {
    struct idle idle = {0};
    int64_t deadline_ns = INT64_MAX, patience = INT64_MAX;
    for (;;) {
        enum turn turn = TURN_NONE;
        int64_t at_ns = oms_turn(stage, &turn);
        if (outside_happens(stage, at_ns, turn == TURN_NONE))
            continue;
        if (turn == TURN_NONE)
            return STAGE_QUIET;
        patience = patience_ns(stage, patience);
        if (stage->world.flight_count > 0 && at_ns > patience)
            return STAGE_RESTLESS;
        if (has_outside(stage))
            deadline_ns = INT64_MAX;
        else if (deadline_ns == INT64_MAX)
            deadline_ns = stage->world.now_ns + SETTLE_NS + behind_ns(stage);
        if (rages(stage) || at_ns > deadline_ns) {
            if (stage->settling || at_ns <= deadline_ns)
                judge_restless(&stage->judge, &stage->world,
                               "the world does not become quiet: the OMS goes on acting");
            return STAGE_RESTLESS;
        }
        if (deadline_ns == INT64_MAX) {
            oms_acts(stage, turn, at_ns);
            continue;
        }
        act_and_compare(stage, turn, at_ns, &idle);
        if (is_quiet(stage, &idle) && !has_outside(stage))
            return STAGE_QUIET;
    }
}

enum stage_end stage_settle(struct stage *stage) {
    enum stage_end end = STAGE_QUIET;
    stage->world.broker_down = false;
    shortage_off();
    stage->settling = true;
    stage->line = 0;
    if (stage->oms == NULL) {
        stage_note(stage, "harness", false, "faults have stopped; the OMS is started again");
        stage_boot(stage);
    }
    end = stage_run(stage);
    if (end != STAGE_QUIET)
        return end;
    /* To stop over a store that is damaged is right, and stays right. */
    if (stage->oms == NULL && stage->judge.damaged)
        return end;
    judge_quiet(&stage->judge, &stage->world, STAGE_STORE);
    if (stage->oms == NULL)
        judge_restless(&stage->judge, &stage->world,
                       "faults have stopped, and the OMS does not stay up");
    return end;
}

/* Settled worlds whose recovery was seen to change nothing, by what they mean. Direct-mapped:
 * losing a place only costs another look. */
enum { SETTLED_SLOTS = 1 << 14 };
static uint64_t settled[SETTLED_SLOTS];
static uint64_t settled_era; /* part of every key */

void stage_forget_settled(void) {
    settled_era++;
}

/* Everything that a start after a kill here can act on (a kill leaves what reads show, so what is
 * pending does not count); false when the store's content cannot be told. */
static bool settled_key(const struct stage *stage, uint64_t *key) {
    const struct stage_config *config = &stage->config;
    uint64_t content = 0;
    if (!content_hash(stage->world.disk, STAGE_STORE, &content))
        return false;
    content = hash_u64(content, disk_archive_hash(stage->world.disk, STAGE_STORE));
    content = hash_u64(hash_u64(content, settled_era), exchange_hash(&stage->world.exchange));
    content = hash_u64(content, (uint64_t)stage->world.now_ns);
    content = hash_u64(content, (uint64_t)stage->world.ahead_ns);
    content = hash_u64(content, (uint64_t)stage->world.halt_file);
    content = hash_u64(content, (uint64_t)(uintptr_t)config->sut);
    content = hash_u64(content, (uint64_t)config->door);
    content = hash_u64(content, judge_memory(&stage->judge));
    content = hash_u64(content, (uint64_t)config->oms.page_size);
    content = hash_u64(content, (uint64_t)config->oms.checkpoint_frames);
    content = hash_u64(content, (uint64_t)config->oms.archive_orders);
    *key = content + (content == 0);
    return true;
}

/* True: the world became quiet again. */
static bool start_once_more(struct stage *stage) {
    stage_note(stage, "harness", false, "killed and started once more");
    stage->chain = NULL;
    stage->dying = STAGE_KILL;
    finish_death(stage);
    stage_boot(stage);
    return stage_run(stage) == STAGE_QUIET;
}

/* A start that has news to learn, before one that has none. What it learns must be right. */
static bool learn_news(struct stage *stage, enum judge_news news) {
    struct judge_meaning before = judge_meaning(&stage->judge, &stage->world, STAGE_STORE), after;
    if (news == JUDGE_NO_NEWS)
        return true;
    if (!start_once_more(stage) || stage->oms == NULL)
        return false;
    judge_quiet(&stage->judge, &stage->world, STAGE_STORE);
    after = judge_meaning(&stage->judge, &stage->world, STAGE_STORE);
    if (news == JUDGE_SWITCH_NEWS)
        judge_idempotent(&stage->judge, &stage->world, &before, &after, true);
    return true;
}

void stage_recover_again(struct stage *stage) {
    struct judge_meaning before, after;
    uint64_t key = 0;
    bool known = false, quiet = true;
    /* This is a judgement on the run, not a part of it: whether it is made again or remembered must
     * not show in counts and fingerprint. */
    struct stage_counts counts = stage->counts;
    uint64_t fingerprint = stage->fingerprint;
    struct chain *chain = stage->chain;
    if ((stage->judge.claims & INVARIANT_BIT(8)) == 0 || stage->oms == NULL)
        return;
    stage->world.now_ns =
        latest(stage->world.now_ns, exchange_shows_all_ns(&stage->world.exchange));
    known = settled_key(stage, &key);
    if (known && settled[key % SETTLED_SLOTS] == key)
        return;
    quiet = learn_news(stage, judge_expects_news(&stage->judge, &stage->world, STAGE_STORE));
    before = judge_meaning(&stage->judge, &stage->world, STAGE_STORE);
    quiet = quiet && start_once_more(stage);
    stage->counts = counts;
    stage->fingerprint = fingerprint;
    stage->chain = chain;
    if (!quiet)
        return;
    after = judge_meaning(&stage->judge, &stage->world, STAGE_STORE);
    judge_idempotent(&stage->judge, &stage->world, &before, &after, false);
    if (known && stage->judge.first.invariant == 0)
        settled[key % SETTLED_SLOTS] = key;
}
