/* The oms program's commands on the simulated machine. */
#include "sim/tests/machine.h"

#include "core/live/alpaca.h"
#include "core/oms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

static const struct oms_place PLACE = {.vfs = "sim", .path = MACHINE_STORE};

/* A process of the simulated machine: what cli.c does around each of its commands. A dead one gets
 * no further than its next port call, and unwinds. */
struct life {
    const struct machine *on;
    struct transport_io io;
    struct alpaca *alpaca;
    struct oms_config config;
    struct oms *oms;
};

static void begin_life(struct life *life, const struct machine *on, uint64_t seed) {
    *life = (struct life){.on = on};
    disk_vfs_attach("sim", on->world->disk, on->port, seed);
    life->config = (struct oms_config){.profile = profile_find("alpaca-retention")};
}

static void went_well(const struct life *life, enum oms_code code, const struct oms_error *error) {
    if (code != OMS_OK && !life->on->port->dead)
        fail_msg("the simulated run: %s", error->text);
}

static void connect_and_open(struct life *life) {
    char text[OMS_ERROR_SIZE];
    struct oms_error error;
    struct oms_view view;
    struct broker broker;
    wire_begin(life->on->wire, life->on->port, life->on->exchange);
    wire_io(life->on->wire, &life->io);
    struct alpaca_config alpaca = {.url = "http://127.0.0.1:1",
                                   .key_id = "key",
                                   .secret = "secret",
                                   .profile = life->config.profile,
                                   .io = &life->io};
    life->alpaca = alpaca_open(&alpaca, text, sizeof text);
    assert_non_null(life->alpaca);
    alpaca_broker(life->alpaca, &broker);
    went_well(life, oms_view_at(&PLACE, false, &view, &error), &error); /* whose store is it? */
    snprintf(life->config.account, sizeof life->config.account, "%s", view.account);
    oms_view_free(&view);
    went_well(life, oms_open(&life->oms, &PLACE, &life->config, &broker, &life->on->env, &error),
              &error);
}

static void end_life(struct life *life) {
    oms_close(life->oms);
    if (life->alpaca != NULL) {
        alpaca_close(life->alpaca);
        wire_end(life->on->wire);
    }
    disk_kill(life->on->world->disk);
    life->on->port->dead = false;
}

static bool order_is_decided(const struct oms_view *view, const struct oms_next *next) {
    (void)next;
    return view->orders[0].state != OMS_STATE_INTENT && view->orders[0].state != OMS_STATE_IN_DOUBT;
}

static bool store_is_settled(const struct oms_view *view, const struct oms_next *next) {
    return view->reconciled && (next->work == OMS_WORK_NONE || next->work == OMS_WORK_POLL);
}

static void drive(struct life *life,
                  bool (*settled)(const struct oms_view *view, const struct oms_next *next)) {
    struct oms_error error;
    for (int steps = 0; steps < 100 && !life->on->port->dead; steps++) {
        struct oms_view view;
        struct oms_next next;
        enum oms_code code = oms_view(life->oms, &view, &error);
        went_well(life, code, &error);
        oms_next(life->oms, &next);
        bool done = code != OMS_OK || settled(&view, &next);
        oms_view_free(&view);
        if (done)
            return;
        if (next.at_ns > life->on->world->now_ns)
            life->on->world->now_ns = next.at_ns;
        went_well(life, oms_step(life->oms, &error), &error);
    }
    if (!life->on->port->dead)
        fail_msg("the simulated run does not settle");
}

void machine_init(const struct machine *on, int page_size, uint64_t seed) {
    struct life life;
    struct oms_error error;
    begin_life(&life, on, seed);
    snprintf(life.config.account, sizeof life.config.account, "A1");
    life.config.page_size = page_size;
    went_well(&life, oms_init(&PLACE, &life.config, &on->env, NULL, 0, &error), &error);
    end_life(&life);
}

void machine_submit(const struct machine *on, uint64_t seed) {
    static const struct oms_decision D1 = {.id = "D1",
                                           .symbol = "AAPL",
                                           .type = BROKER_LIMIT,
                                           .qty_nanos = INT64_C(100000000000),
                                           .limit_nanos = INT64_C(150000000000)};
    struct life life;
    struct oms_answer answer;
    struct oms_error error;
    begin_life(&life, on, seed);
    connect_and_open(&life);
    if (!on->port->dead)
        went_well(&life, oms_decide(life.oms, &D1, &answer, &error), &error);
    if (!on->port->dead)
        drive(&life, order_is_decided);
    end_life(&life);
}

void machine_reconcile(const struct machine *on, uint64_t seed) {
    struct life life;
    begin_life(&life, on, seed);
    connect_and_open(&life);
    if (!on->port->dead)
        drive(&life, store_is_settled);
    end_life(&life);
}
