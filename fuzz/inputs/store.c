/* Database files: a store with some bytes of it changed, or an end of it cut off. A start refuses it
 * or trades on; it never breaks. Only pages that the bytes name are touched, so that a run is short. */
#include "fuzz/inputs/inputs.h"
#include "sim/check.h"
#include "sim/direct.h"
#include "sim/sut/sut.h"

#include <stdio.h>
#include <string.h>

enum { UNIT = 8, DAMAGES_MAX = 16, STEPS = 12, WORTH = 2 };
#define NANOS INT64_C(1000000000)
#define START (INT64_C(1767952800) * NANOS)

static const char STORE[] = "oms.db";

/* A byte for the store; then, of eight bytes each: file and deed, where (four, the least first), a
 * value, a length, and nothing. */
const struct input_seed store_seeds[] = {SEED("\0"),
                                         SEED("\1\0\0\0\0\0\0\0\0"),
                                         SEED("\1\0\144\0\0\0\15\1\0"),
                                         SEED("\2\1\40\0\0\0\1\4\0\3\0\2\0\0\0\0\0"),
                                         SEED("\2\2\0\20\0\0\0\0\0"),
                                         SEED("\1\0\20\0\0\0\2\1\0\0\22\0\0\0\7\1\0"),
                                         {NULL, 0}};

/* ---- a world in which nothing goes wrong ---- */

struct run {
    struct world world;
    struct port port;
    struct direct direct;
    struct broker broker;
    struct sut_ports ports;
    struct sut_config config;
};

static int64_t now(void *ctx) {
    return world_wall_ns(&((struct run *)ctx)->world);
}

static void pass(void *ctx, int64_t until_ns) {
    struct run *run = ctx;
    if (until_ns > run->world.now_ns)
        run->world.now_ns = until_ns;
}

static struct port_answer go_on(void *ctx, const struct port_call *call) {
    (void)ctx, (void)call;
    return (struct port_answer){.act = ACT_NONE};
}

static void after_call(void *ctx, const struct port_call *call) {
    (void)ctx, (void)call;
}

static void after_reply(void *ctx, const struct port_reply *reply) {
    (void)ctx, (void)reply;
}

static void after_post(void *ctx, const struct broker_request *request, unsigned posts) {
    (void)ctx, (void)request, (void)posts;
}

static enum oms_halt_file no_halt_file(void *ctx) {
    (void)ctx;
    return OMS_HALT_ABSENT;
}

static void no_listener(void *ctx, const struct oms_event *event) {
    (void)ctx, (void)event;
}

static void begin(struct run *run, const struct world *from) {
    *run = (struct run){0};
    if (from != NULL)
        world_copy(&run->world, from);
    else
        world_init(&run->world, profile_at(0), START);
    run->port = (struct port){.ctx = run,
                              .before = go_on,
                              .after = after_call,
                              .replied = after_reply,
                              .posted = after_post,
                              .wait = pass,
                              .now = now};
    run->broker = direct_broker(&run->direct, &run->world, &run->port);
    run->ports = (struct sut_ports){
        .vfs = "sim",
        .path = STORE,
        .broker = &run->broker,
        .env = {.ctx = run, .now_ns = now, .halt_file = no_halt_file, .emit = no_listener}};
    run->config = (struct sut_config){
        .profile = profile_at(0), .account = "A1", .page_size = DISK_BLOCK * WORTH};
    disk_vfs_attach("sim", run->world.disk, &run->port, 1);
}

static void end(struct run *run) {
    disk_vfs_attach("sim", NULL, NULL, 0);
    world_free(&run->world);
}

/* Works as long as there is work, and no longer than `steps`. False: it stopped itself. */
static bool work(struct run *run, void *instance, int steps) {
    for (int i = 0; i < steps; i++) {
        struct oms_next next;
        sut_core.next(instance, &next);
        if (next.work == OMS_WORK_NONE)
            return true;
        pass(run, next.at_ns);
        if (!sut_core.step(instance))
            return false;
    }
    return true;
}

static void decide(void *instance, const char *id, int64_t qty) {
    struct oms_decision decision = {.symbol = "AAPL",
                                    .type = BROKER_LIMIT,
                                    .qty_nanos = qty * NANOS,
                                    .limit_nanos = 150 * NANOS};
    char why[SUT_WHY_SIZE];
    snprintf(decision.id, sizeof decision.id, "%s", id);
    CHECK(sut_core.signal(instance, &decision, why) == SUT_TAKEN);
}

/* ---- stores to begin with: a new one, one that ended well, one that died at work ---- */

enum { STORES = 3 };
static struct world stores[STORES];

static void make_store(size_t index) {
    struct run run;
    char why[SUT_WHY_SIZE];
    void *instance = NULL;
    begin(&run, NULL);
    CHECK(sut_core.create(&run.ports, &run.config, NULL, 0, why));
    if (index > 0) {
        instance = sut_core.boot(&run.ports, &run.config, why);
        CHECK(instance != NULL);
        decide(instance, "D1", 100);
        CHECK(work(&run, instance, STEPS));
        decide(instance, "D2", 7);
        run.port.dead = index == 2;
        sut_core.bury(instance, index == 1);
    }
    disk_kill(run.world.disk);
    world_copy(&stores[index], &run.world);
    end(&run);
}

void input_store_prepare(void) {
    for (size_t i = 0; i < STORES; i++)
        make_store(i);
}

/* ---- damage ---- */

static void damage(struct disk *disk, const uint8_t *unit) {
    const char *names[] = {STORE, "oms.db-wal", "oms.db-lock", STORE};
    const char *name = names[unit[0] % 4];
    uint8_t bytes[UNIT];
    int64_t size = 0, at = unit[1] + unit[2] * INT64_C(256) + unit[3] * INT64_C(65536);
    int length = unit[6] % UNIT + 1;
    memset(bytes, unit[5], sizeof bytes);
    if (!disk_file_size(disk, name, &size) || size == 0)
        return;
    at %= size;
    if (unit[0] / 4 % 4 == 3)
        disk_file_cut(disk, name, at);
    else
        disk_file_damage(disk, name, at, bytes, at + length > size ? (int)(size - at) : length);
}

void input_store(const uint8_t *data, size_t size) {
    struct run run;
    char why[SUT_WHY_SIZE] = "";
    void *instance = NULL;
    size_t damages = size > 0 ? (size - 1) / UNIT : 0;
    begin(&run, &stores[size > 0 ? data[0] % STORES : 0]);
    for (size_t i = 0; i < damages && i < DAMAGES_MAX; i++)
        damage(run.world.disk, data + 1 + i * UNIT);
    instance = sut_core.boot(&run.ports, &run.config, why);
    if (instance != NULL) {
        work(&run, instance, STEPS);
        sut_core.bury(instance, true);
    } else {
        PROMISE(why[0] != '\0');
    }
    end(&run);
}
