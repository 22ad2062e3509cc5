/* The state of a run at one moment, for people, and as conditions that hold then. */
#include "scenarios/lang/script.h"

#include "scenarios/lang/time_text.h"
#include "sim/check.h"
#include "sim/peek.h"

#include <stdlib.h>
#include <string.h>

static const struct peek *look(struct script *script) {
    return peek_at(script->stage.config.sut, script->stage.world.disk, STAGE_STORE);
}

static const struct oms_order *order_of(const struct peek *peek, const char *id) {
    for (size_t i = 0; i < peek->view.order_count; i++) {
        if (strcmp(peek->view.orders[i].decision.id, id) == 0)
            return &peek->view.orders[i];
    }
    return NULL;
}

/* ---- for people ---- */

static void put_order(const struct scn_decision *decision, const struct oms_order *order,
                      FILE *out) {
    char filled[DECIMAL_TEXT_MAX], qty[DECIMAL_TEXT_MAX];
    if (order == NULL) {
        fprintf(out, "  order     %s is unknown to the OMS\n", decision->name);
        return;
    }
    fprintf(out, "  order     %s is %s, %s of %s booked, %d send%s%s%s%s\n", decision->name,
            oms_state_name(order->state), decimal_format(order->filled_nanos, 0, filled),
            decimal_format(order->decision.qty_nanos, 0, qty), order->sends,
            order->sends == 1 ? "" : "s", order->cancel_asked ? ", cancel asked" : "",
            order->reason[0] != '\0' ? ": " : "", order->reason);
}

static void put_position(const char *whose, const char *symbol, int64_t qty, int64_t price,
                         FILE *out) {
    char qty_text[DECIMAL_TEXT_MAX], price_text[DECIMAL_TEXT_MAX];
    fprintf(out, "  %-10s%s %s @ %s\n", whose, symbol, decimal_format(qty, 0, qty_text),
            decimal_format(price, 2, price_text));
}

static void put_own_books(const struct script *script, const struct peek *peek, FILE *out) {
    const struct scenario *scenario = script->scenario;
    if (!peek->readable) {
        fprintf(out, "  store     cannot be read: %s\n", peek->why);
        return;
    }
    for (size_t i = 0; i < scenario->decision_count; i++)
        put_order(&scenario->decisions[i], order_of(peek, scenario->decisions[i].payload.id), out);
    for (size_t i = 0; i < peek->view.position_count; i++)
        put_position("position", peek->view.positions[i].symbol, peek->view.positions[i].qty_nanos,
                     peek->view.positions[i].avg_price_nanos, out);
    for (size_t i = 0; i < peek->view.discrepancy_count; i++) {
        const struct oms_discrepancy *found = &peek->view.discrepancies[i];
        fprintf(out, "  found     %s %s %s%s\n", oms_discrepancy_name(found->type), found->symbol,
                oms_severity_name(found->severity), found->explained ? ", explained" : "");
    }
}

static void put_brokers_books(const struct script *script, FILE *out) {
    const struct exchange *exchange = &script->stage.world.exchange;
    char filled[DECIMAL_TEXT_MAX], qty[DECIMAL_TEXT_MAX];
    for (size_t i = 0; i < exchange->order_count; i++) {
        const struct broker_order *order = &exchange->orders[i].told;
        int decision = judge_attribute(&script->stage.judge, order->symbol, order->side,
                                       order->qty_nanos, order->limit_nanos);
        fprintf(out, "  broker    %s of %s is %s, %s of %s executed\n", order->id,
                exchange->orders[i].foreign || decision < 0
                    ? "somebody else"
                    : script->scenario->decisions[decision].name,
                order->status_text, decimal_format(order->filled_nanos, 0, filled),
                decimal_format(order->qty_nanos, 0, qty));
    }
    for (size_t i = 0; i < exchange->position_count; i++)
        put_position("broker", exchange->positions[i].symbol, exchange->positions[i].qty_nanos,
                     exchange_average(&exchange->positions[i]), out);
    fprintf(out, "  broker    cash %s%s\n", decimal_format(exchange->cash_nanos, 2, qty),
            script->stage.world.broker_down ? ", and it is down" : "");
}

static void put_state(struct script *script, FILE *out) {
    const struct stage *stage = &script->stage;
    const struct peek *peek = look(script);
    char clock[TIME_TEXT_SIZE];
    fprintf(out, "  oms       %s in life %u at %s; kill switch %s, halt file %s\n",
            stage_is_up(stage) ? "running" : (stage->halted ? "halted" : "down"), stage->life,
            time_format_clock(stage->world.now_ns, clock), peek->view.kill_switch ? "on" : "off",
            stage->world.halt_file == OMS_HALT_PRESENT ? "there" : "absent");
    put_own_books(script, peek, out);
    put_brokers_books(script, out);
}

/* ---- as conditions ---- */

static void put_position_facts(const struct script *script, const struct peek *peek, FILE *out) {
    const struct scenario *scenario = script->scenario;
    for (size_t i = 0; i < scenario->symbol_count; i++) {
        const struct oms_position *own = NULL;
        char qty[DECIMAL_TEXT_MAX], price[DECIMAL_TEXT_MAX];
        for (size_t k = 0; k < peek->view.position_count; k++) {
            if (strcmp(peek->view.positions[k].symbol, scenario->symbols[i]) == 0)
                own = &peek->view.positions[k];
        }
        if (own == NULL)
            fprintf(out, "position %s = 0\n", scenario->symbols[i]);
        else
            fprintf(out, "position %s = %s @ %s\n", scenario->symbols[i],
                    decimal_format(own->qty_nanos, 0, qty),
                    decimal_format(own->avg_price_nanos, 2, price));
    }
}

static void put_discrepancy_facts(const struct peek *peek, FILE *out) {
    if (peek->view.discrepancy_count == 0)
        fputs("no discrepancy\n", out);
    for (size_t i = 0; i < peek->view.discrepancy_count; i++) {
        const struct oms_discrepancy *found = &peek->view.discrepancies[i];
        fprintf(out, "discrepancy %s %s severity %s\n", oms_discrepancy_name(found->type),
                found->symbol, oms_severity_name(found->severity));
    }
}

/* One condition a line. */
static void put_facts(struct script *script, FILE *out) {
    const struct scenario *scenario = script->scenario;
    const struct peek *peek = look(script);
    if (!peek->readable)
        return;
    for (size_t i = 0; i < scenario->decision_count; i++) {
        const struct oms_order *order = order_of(peek, scenario->decisions[i].payload.id);
        if (order != NULL)
            fprintf(out, "order %s is %s\n", scenario->decisions[i].name,
                    oms_state_name(order->state));
    }
    put_position_facts(script, peek, out);
    fprintf(out, "kill-switch %s\n", peek->view.kill_switch ? "on" : "off");
    put_discrepancy_facts(peek, out);
}

static char *written(struct script *script, void (*put)(struct script *, FILE *)) {
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    CHECK(memory != NULL);
    put(script, memory);
    CHECK(fclose(memory) == 0);
    return text;
}

void state_take(struct script *script) {
    if (script->state != NULL)
        return;
    script->state = written(script, put_state);
    script->facts = written(script, put_facts);
    script->stage.trace = NULL; /* the story ends here */
}
