/* Conditions: is it true now, and if not, what is? */
#include "scenarios/lang/script.h"

#include "sim/peek.h"

#include <stdio.h>
#include <string.h>

static const struct peek *look(struct script *script) {
    struct stage *stage = &script->stage;
    return peek_at(stage->config.sut, stage->world.disk, STAGE_STORE);
}

static bool compare(int64_t a, enum scn_cmp cmp, int64_t b) {
    switch (cmp) {
    case SCN_EQ:
        return a == b;
    case SCN_NE:
        return a != b;
    case SCN_LT:
        return a < b;
    case SCN_LE:
        return a <= b;
    case SCN_GT:
        return a > b;
    case SCN_GE:
        return a >= b;
    }
    return false;
}

static const struct oms_position *own_position(const struct peek *peek, const char *symbol) {
    for (size_t i = 0; i < peek->view.position_count; i++) {
        if (strcmp(peek->view.positions[i].symbol, symbol) == 0)
            return &peek->view.positions[i];
    }
    return NULL;
}

static const struct oms_order *own_order(const struct script *script, const struct peek *peek,
                                         int decision) {
    const char *id = script->scenario->decisions[decision].payload.id;
    for (size_t i = 0; i < peek->view.order_count; i++) {
        if (strcmp(peek->view.orders[i].decision.id, id) == 0)
            return &peek->view.orders[i];
    }
    return NULL;
}

static bool position_is(struct script *script, const struct scn_args *args) {
    const struct peek *peek = look(script);
    const struct oms_position *own = own_position(peek, script->scenario->symbols[args->symbol]);
    int64_t qty = own == NULL ? 0 : own->qty_nanos;
    return peek->readable && qty == args->qty_nanos &&
           (!scn_has(args, SCN_SLOT_PRICE) ||
            (own != NULL && own->avg_price_nanos == args->price_nanos));
}

static bool position_is_brokers(struct script *script, const struct scn_args *args) {
    const char *symbol = script->scenario->symbols[args->symbol];
    const struct peek *peek = look(script);
    const struct oms_position *own = own_position(peek, symbol);
    const struct exchange_position *broker =
        exchange_position(&script->stage.world.exchange, symbol);
    return peek->readable &&
           (own == NULL ? 0 : own->qty_nanos) == (broker == NULL ? 0 : broker->qty_nanos);
}

static bool is_meant(const struct script *script, const struct scn_args *args, const char *symbol) {
    return args->symbol == SCN_NONE || strcmp(script->scenario->symbols[args->symbol], symbol) == 0;
}

/* Realized, in one symbol or in all. */
static decimal_wide profit_of(struct script *script, const struct scn_args *args, bool brokers) {
    const struct exchange *exchange = &script->stage.world.exchange;
    const struct oms_view *view = &look(script)->view;
    decimal_wide sum = 0;
    for (size_t i = 0; brokers && i < exchange->position_count; i++) {
        if (is_meant(script, args, exchange->positions[i].symbol))
            sum += exchange->positions[i].realized;
    }
    for (size_t i = 0; !brokers && i < view->profit_count; i++) {
        if (is_meant(script, args, view->profits[i].symbol))
            sum += view->profits[i].realized;
    }
    return sum;
}

static bool compare_profit(decimal_wide profit, const struct scn_args *args) {
    decimal_wide wanted = (decimal_wide)args->money_nanos * DECIMAL_NANOS;
    return compare((profit > wanted) - (profit < wanted), args->cmp, 0);
}

static bool discrepancy_found(struct script *script, const struct scn_args *args) {
    const struct peek *peek = look(script);
    for (size_t i = 0; i < peek->view.discrepancy_count; i++) {
        const struct oms_discrepancy *found = &peek->view.discrepancies[i];
        if ((args->discrepancy == SCN_NONE || (int)found->type == args->discrepancy) &&
            (args->severity == SCN_NONE || (int)found->severity == args->severity) &&
            (!scn_has(args, SCN_SLOT_SYMBOL) ||
             strcmp(found->symbol, script->scenario->symbols[args->symbol]) == 0))
            return true;
    }
    return false;
}

static int64_t inconclusive_count(struct script *script) {
    const struct peek *peek = look(script);
    int64_t count = 0;
    for (size_t i = 0; i < peek->view.run_count; i++)
        count += peek->view.runs[i].why[0] != '\0';
    return count;
}

static bool recovery_is(const struct script *script, const struct scn_args *args) {
    const struct stage *stage = &script->stage;
    return stage->life > 0 && stage->recovered_ns >= stage->restarted_ns &&
           compare(stage->recovered_ns - stage->restarted_ns, args->cmp, args->duration_ns);
}

static bool term_holds(struct script *script, const struct scn_term *term) {
    const struct scn_args *args = &term->args;
    struct stage *stage = &script->stage;
    const struct oms_order *order = NULL;
    switch (term->kind) {
    case SCN_COND_POSITION:
        return position_is(script, args);
    case SCN_COND_POSITION_BROKER:
        return position_is_brokers(script, args);
    case SCN_COND_PNL_BROKER:
        return profit_of(script, args, false) == profit_of(script, args, true);
    case SCN_COND_PNL:
    case SCN_COND_BROKER_PNL:
        return compare_profit(profit_of(script, args, term->kind == SCN_COND_BROKER_PNL), args);
    case SCN_COND_ORDERS:
        return compare((int64_t)judge_orders(&stage->judge, &stage->world, (size_t)args->decision),
                       args->cmp, args->count);
    case SCN_COND_SUBMITS:
        return compare((int64_t)stage->judge.decisions[args->decision].arrived, args->cmp,
                       args->count);
    case SCN_COND_RECOVERY:
        return recovery_is(script, args);
    case SCN_COND_DISCREPANCY:
        return discrepancy_found(script, args) != scn_has(args, SCN_SLOT_NO);
    case SCN_COND_INCONCLUSIVE:
        return compare(inconclusive_count(script), args->cmp, args->count);
    case SCN_COND_ORDER_STATE:
        order = own_order(script, look(script), args->decision);
        return order != NULL && order->state == args->state;
    case SCN_COND_OMS_RUNNING:
        return stage_is_up(stage);
    case SCN_COND_OMS_HALTED:
        return stage->halted;
    case SCN_COND_SECOND_REFUSED:
        return stage->second_refused;
    case SCN_COND_KILL_SWITCH:
        return look(script)->view.kill_switch == args->on;
    case SCN_CONDITION_COUNT:
        break;
    }
    return false;
}

bool cond_holds(struct script *script, const struct scn_term *terms, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (term_holds(script, &terms[i]))
            return true;
    }
    return false;
}

static void describe_position(struct script *script, const struct scn_args *args, char *out,
                              size_t size) {
    const char *symbol = script->scenario->symbols[args->symbol];
    const struct oms_position *own = own_position(look(script), symbol);
    const struct exchange_position *broker =
        exchange_position(&script->stage.world.exchange, symbol);
    char qty[DECIMAL_TEXT_MAX], price[DECIMAL_TEXT_MAX], brokers[DECIMAL_TEXT_MAX];
    snprintf(out, size, "position %s is %s @ %s, the broker's is %s", symbol,
             decimal_format(own == NULL ? 0 : own->qty_nanos, 0, qty),
             decimal_format(own == NULL ? 0 : own->avg_price_nanos, 2, price),
             decimal_format(broker == NULL ? 0 : broker->qty_nanos, 0, brokers));
}

static void describe_profit(struct script *script, const struct scn_args *args, char *out,
                            size_t size) {
    char ours[DECIMAL_TEXT_MAX], theirs[DECIMAL_TEXT_MAX];
    snprintf(out, size, "realized profit is %s for the OMS and %s at the exchange",
             decimal_format_wide(profit_of(script, args, false), 2, ours),
             decimal_format_wide(profit_of(script, args, true), 2, theirs));
}

static void describe_discrepancies(struct script *script, char *out, size_t size) {
    const struct peek *peek = look(script);
    size_t used = (size_t)snprintf(out, size, "since the last restart %zu discrepancies were found",
                                   peek->view.discrepancy_count);
    for (size_t i = 0; i < peek->view.discrepancy_count && used < size; i++) {
        const struct oms_discrepancy *found = &peek->view.discrepancies[i];
        used += (size_t)snprintf(out + used, size - used, "%s %s %s %s", i == 0 ? ":" : ",",
                                 oms_discrepancy_name(found->type), found->symbol,
                                 oms_severity_name(found->severity));
    }
}

void cond_describe(struct script *script, const struct scn_term *term, char *out, size_t size) {
    const struct scn_args *args = &term->args;
    struct stage *stage = &script->stage;
    const struct oms_order *order = NULL;
    char seconds[DECIMAL_TEXT_MAX];
    switch (term->kind) {
    case SCN_COND_POSITION:
    case SCN_COND_POSITION_BROKER:
        describe_position(script, args, out, size);
        return;
    case SCN_COND_PNL_BROKER:
    case SCN_COND_PNL:
    case SCN_COND_BROKER_PNL:
        describe_profit(script, args, out, size);
        return;
    case SCN_COND_ORDERS:
        snprintf(out, size, "the broker accepted %u orders for %s",
                 judge_orders(&stage->judge, &stage->world, (size_t)args->decision),
                 script->scenario->decisions[args->decision].name);
        return;
    case SCN_COND_SUBMITS:
        snprintf(out, size, "%u requests for %s reached the broker",
                 stage->judge.decisions[args->decision].arrived,
                 script->scenario->decisions[args->decision].name);
        return;
    case SCN_COND_RECOVERY:
        if (stage->recovered_ns < stage->restarted_ns)
            snprintf(out, size, "the OMS has not compared itself with the broker yet");
        else
            snprintf(out, size, "recovery took %ss",
                     decimal_format(stage->recovered_ns - stage->restarted_ns, 0, seconds));
        return;
    case SCN_COND_DISCREPANCY:
        describe_discrepancies(script, out, size);
        return;
    case SCN_COND_INCONCLUSIVE:
        snprintf(out, size, "%lld comparisons since the last restart were inconclusive",
                 (long long)inconclusive_count(script));
        return;
    case SCN_COND_ORDER_STATE:
        order = own_order(script, look(script), args->decision);
        snprintf(out, size, "%s is %s%s%.150s", script->scenario->decisions[args->decision].name,
                 order == NULL ? "unknown to the OMS" : oms_state_name(order->state),
                 order != NULL && order->reason[0] != '\0' ? ": " : "",
                 order != NULL ? order->reason : "");
        return;
    case SCN_COND_OMS_RUNNING:
    case SCN_COND_OMS_HALTED:
        snprintf(out, size, "the OMS is %s",
                 stage_is_up(stage) ? "running" : (stage->halted ? "halted" : "down"));
        return;
    case SCN_COND_SECOND_REFUSED:
        snprintf(out, size, "no second instance was refused");
        return;
    case SCN_COND_KILL_SWITCH:
        snprintf(out, size, "the kill switch is %s", look(script)->view.kill_switch ? "on" : "off");
        return;
    case SCN_CONDITION_COUNT:
        break;
    }
    snprintf(out, size, "it is not so");
}
