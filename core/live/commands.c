/* The oms program's commands: each begins with one thing, waits until that is seen through, and says
 * how it ended in its exit code. The same whether the store is opened for it or runs already. */
#include "core/live/reports.h"
#include "core/live/session.h"

#include <stdlib.h>
#include <string.h>

static const struct oms_order *find_order(const struct oms_view *view, const char *decision_id) {
    for (size_t i = 0; i < view->order_count; i++)
        if (strcmp(view->orders[i].decision.id, decision_id) == 0)
            return &view->orders[i];
    return NULL;
}

static int exit_of(enum oms_state state) {
    switch (state) {
    case OMS_STATE_WORKING:
    case OMS_STATE_PARTIALLY_FILLED:
    case OMS_STATE_FILLED:
        return CLI_OK;
    case OMS_STATE_CANCELED:
    case OMS_STATE_REJECTED:
    case OMS_STATE_EXPIRED:
    case OMS_STATE_HELD:
        return CLI_ENDED;
    case OMS_STATE_INTENT:
    case OMS_STATE_IN_DOUBT:
        return CLI_UNDECIDED;
    }
    return CLI_UNDECIDED;
}

static int64_t last_run(const struct oms_view *view) {
    return view->run_count > 0 ? view->runs[view->run_count - 1].id : 0;
}

static bool order_is_decided(const struct call *call, const struct oms_view *view,
                             const struct oms_next *next) {
    (void)next;
    const struct oms_order *order = find_order(view, call->args->decision.id);
    return order != NULL && exit_of(order->state) != CLI_UNDECIDED;
}

static bool order_is_final(const struct call *call, const struct oms_view *view,
                           const struct oms_next *next) {
    (void)next;
    const struct oms_order *order = find_order(view, call->args->decision.id);
    return order != NULL && oms_state_is_final(order->state);
}

/* Compared since it was asked for, and nothing left to do but routine looks at open orders. */
static bool store_is_settled(const struct call *call, const struct oms_view *view,
                             const struct oms_next *next) {
    return view->reconciled && !view->looks_again && last_run(view) > call->after_run &&
           (next->work == OMS_WORK_NONE || next->work == OMS_WORK_POLL) && next->on_their_way == 0;
}

static void tell_halt_file(const struct session *s, FILE *err) {
    if (clock_halt_file(s->clock.halt_path) != OMS_HALT_ABSENT)
        fprintf(err, "oms: the halt file %s is there or cannot be looked at: nothing is sent\n",
                s->clock.halt_path);
}

static void explain_unsettled(const struct session *s, const struct call *call, int exit,
                              const struct oms_view *view) {
    const char *trouble = alpaca_trouble(s->alpaca);
    bool told = trouble[0] != '\0';
    if (exit == CLI_ENVIRONMENT && !view->reconciled)
        fprintf(call->err,
                "oms: the broker at %s has not answered a whole comparison yet%s%s%s, so nothing "
                "was sent; what was taken is kept\n",
                s->url, told ? " (" : "", trouble, told ? ")" : "");
    if (exit == CLI_UNDECIDED)
        fprintf(call->err,
                "oms: not decided yet%s%s%s; the same command may be repeated, it sends nothing "
                "twice\n",
                told ? " (" : "", trouble, told ? ")" : "");
    if (exit != CLI_OK)
        tell_halt_file(s, call->err);
}

/* ---- commands ---- */

static int begin_init(struct session *s, struct call *call) {
    struct oms_error error = {0};
    int exit = session_set_account(s, call->args->account);
    if (exit != CLI_OK)
        return exit;
    enum oms_code code = oms_init(&s->place, &s->config, &s->env, call->args->openings,
                                  call->args->opening_count, &error);
    if (code != OMS_OK)
        return session_fail(s, call->err, code, &error);
    fprintf(call->out, "created %s for account %s with %zu opening position%s\n", call->args->db,
            call->args->account, call->args->opening_count,
            call->args->opening_count == 1 ? "" : "s");
    return CLI_OK;
}

/* The first presentation fixes the moment; repeating the command must be the same decision. */
static enum oms_code set_expiry(struct session *s, const struct cli_args *args,
                                struct oms_decision *decision, struct oms_error *error) {
    struct oms_view view = {0};
    if (args->expires_after_ns == 0)
        return OMS_OK;
    enum oms_code code = oms_view_with(s->oms, decision->id, &view, error);
    const struct oms_order *known = find_order(&view, decision->id);
    decision->expires_ns =
        known != NULL ? known->decision.expires_ns : clock_now_ns() + args->expires_after_ns;
    oms_view_free(&view);
    return code;
}

static int begin_submit(struct session *s, struct call *call) {
    struct oms_decision decision = call->args->decision;
    struct oms_answer answer = {0};
    struct oms_error error = {0};
    enum oms_code code = set_expiry(s, call->args, &decision, &error);
    if (code == OMS_OK)
        code = oms_decide(s->oms, &decision, &answer, &error);
    if (code != OMS_OK)
        return session_fail(s, call->err, code, &error);
    if (answer.taken == OMS_NOT_TAKEN) {
        fprintf(call->err, "oms: %s was not taken: %s\n", decision.id, answer.reason);
        return CLI_NOT_TAKEN;
    }
    return CALL_GOES_ON;
}

static int finish_submit(struct session *s, struct call *call, const struct oms_view *view,
                         int exit) {
    const struct oms_order *order = find_order(view, call->args->decision.id);
    if (order != NULL)
        cli_print_order(order, call->args->json, call->out);
    if (exit == CLI_OK && order != NULL)
        return exit_of(order->state);
    explain_unsettled(s, call, exit, view);
    return exit;
}

static int begin_cancel(struct session *s, struct call *call) {
    struct oms_error error = {0};
    enum oms_code code = oms_cancel(s->oms, call->args->decision.id, &error);
    return code == OMS_OK ? CALL_GOES_ON : session_fail(s, call->err, code, &error);
}

static int finish_cancel(struct session *s, struct call *call, const struct oms_view *view,
                         int exit) {
    const struct oms_order *order = find_order(view, call->args->decision.id);
    if (order != NULL)
        cli_print_order(order, call->args->json, call->out);
    explain_unsettled(s, call, exit, view);
    return exit;
}

/* A start compares by itself; a running one is asked to. */
static int begin_reconcile(struct session *s, struct call *call) {
    struct oms_error error = {0};
    struct oms_view view = {0};
    enum oms_code code = oms_view(s->oms, &view, &error);
    call->after_run = view.reconciled ? last_run(&view) : 0;
    if (code == OMS_OK && call->args->daily)
        code = oms_request_daily(s->oms, call->args->one_day ? call->args->day : OMS_TODAY, &error);
    else if (code == OMS_OK && view.reconciled)
        code = oms_request_reconcile(s->oms);
    oms_view_free(&view);
    return code == OMS_OK ? CALL_GOES_ON : session_fail(s, call->err, code, &error);
}

static int finish_reconcile(struct session *s, struct call *call, const struct oms_view *view,
                            int exit) {
    if (call->args->daily) {
        explain_unsettled(s, call, exit, view);
        return daily_report(s, call, view, exit);
    }
    if (view->run_count > 0)
        cli_print_runs(view, call->after_run + 1, call->args->json, call->out);
    explain_unsettled(s, call, exit, view);
    for (size_t i = 0; exit == CLI_OK && i < view->discrepancy_count; i++) {
        const struct oms_discrepancy *found = &view->discrepancies[i];
        if (found->run > call->after_run && found->severity == OMS_CRITICAL && !found->explained)
            exit = CLI_ENDED;
    }
    return exit;
}

int command_may_read(struct session *s) {
    return s->oms != NULL ? CLI_OK : session_refuse_if_running(s);
}

int command_look(struct session *s, struct call *call, struct oms_view *view) {
    struct oms_error error = {0};
    if (s->oms != NULL) {
        enum oms_code code = oms_view(s->oms, view, &error);
        return code == OMS_OK ? CLI_OK : session_fail(s, call->err, code, &error);
    }
    int exit = session_refuse_if_running(s);
    if (exit != CLI_OK)
        return exit;
    enum oms_code code = oms_view_at(&s->place, true, view, &error);
    exit = session_refuse_if_running(s); /* who came meanwhile may have written what was read */
    return exit == CLI_OK && code != OMS_OK ? session_fail(s, call->err, code, &error) : exit;
}

static int begin_status(struct session *s, struct call *call) {
    struct oms_view view = {0};
    int exit = command_look(s, call, &view);
    if (exit == CLI_OK && call->args->account != NULL &&
        strcmp(call->args->account, view.account) != 0) {
        fprintf(call->err, "oms: foreign: store %s: it belongs to account %s, not to %s\n",
                s->args->db, view.account, call->args->account);
        exit = CLI_ENVIRONMENT;
    } else if (exit == CLI_OK)
        cli_print_status(&view, s->args->profile, call->args->json, call->out);
    if (exit == CLI_OK)
        tell_halt_file(s, call->err);
    oms_view_free(&view);
    return exit;
}

/* Past comparisons and profits are read from the file: the running process answers with what it
 * has written, a store at rest with all there is. */
static int begin_history(struct session *s, struct call *call) {
    struct oms_error error = {0};
    struct oms_view view = {0};
    int exit = command_may_read(s);
    if (exit != CLI_OK)
        return exit;
    enum oms_code code = s->oms != NULL
                             ? oms_history(s->oms, (size_t)call->args->last, &view, &error)
                             : oms_history_at(&s->place, (size_t)call->args->last, &view, &error);
    exit = command_may_read(s); /* who came meanwhile may have written what was read */
    if (exit == CLI_OK && code != OMS_OK)
        exit = session_fail(s, call->err, code, &error);
    else if (exit == CLI_OK)
        cli_print_runs(&view, 0, call->args->json, call->out);
    oms_view_free(&view);
    return exit;
}

static int begin_pnl(struct session *s, struct call *call) {
    struct oms_error error = {0};
    struct oms_profits profits = {0};
    int exit = command_may_read(s);
    if (exit != CLI_OK)
        return exit;
    enum oms_code code = s->oms != NULL ? oms_profits(s->oms, &profits, &error)
                                        : oms_profits_at(&s->place, &profits, &error);
    exit = command_may_read(s);
    if (exit == CLI_OK && code != OMS_OK)
        exit = session_fail(s, call->err, code, &error);
    else if (exit == CLI_OK)
        cli_print_profits(&profits, call->args->one_day, call->args->day, call->args->json,
                          call->out);
    oms_profits_free(&profits);
    return exit;
}

/* Whose word goes on record. */
static const char *who_asks(const struct call *call) {
    const char *user = call->who[0] != '\0' ? call->who : getenv("USER");
    return user != NULL && user[0] != '\0' ? user : "operator";
}

/* Shows the order as it stands now. */
static int show_order(struct session *s, struct call *call) {
    struct oms_error error = {0};
    struct oms_view view = {0};
    enum oms_code code = oms_view_with(s->oms, call->args->decision.id, &view, &error);
    const struct oms_order *order = find_order(&view, call->args->decision.id);
    if (code == OMS_OK && order != NULL)
        cli_print_order(order, call->args->json, call->out);
    oms_view_free(&view);
    return code == OMS_OK ? CLI_OK : session_fail(s, call->err, code, &error);
}

/* "It is not there" is settled without the broker; an order to adopt is compared with it first. */
static int begin_resolve(struct session *s, struct call *call) {
    struct oms_error error = {0};
    bool adopt = call->args->broker_order_id[0] != '\0';
    enum oms_code code =
        oms_resolve(s->oms, call->args->decision.id, adopt ? call->args->broker_order_id : NULL,
                    who_asks(call), call->args->why, &error);
    return code == OMS_OK ? show_order(s, call) : session_fail(s, call->err, code, &error);
}

static int begin_kill_switch(struct session *s, struct call *call) {
    struct oms_error error = {0};
    enum oms_code code =
        oms_kill_switch(s->oms, call->args->kill_on, who_asks(call), call->args->why, &error);
    if (code != OMS_OK)
        return session_fail(s, call->err, code, &error);
    if (call->args->json)
        fprintf(call->out, "{\"kill_switch\":%s}\n", call->args->kill_on ? "true" : "false");
    else
        fprintf(call->out, "kill switch %s\n", call->args->kill_on ? "ON: nothing is sent" : "off");
    return CLI_OK;
}

/* ---- the table ---- */

/* What a call waits for. */
typedef bool settled_fn(const struct call *call, const struct oms_view *view,
                        const struct oms_next *next);

static const struct command {
    enum need need;
    int (*begin)(struct session *s, struct call *call);
    /* NULL: it never goes on */
    settled_fn *settled;
    int (*finish)(struct session *s, struct call *call, const struct oms_view *view, int exit);
} commands[CLI_COMMAND_COUNT] = {
    [CLI_COMMAND_INIT] = {.need = NEED_NOTHING, .begin = begin_init},
    [CLI_COMMAND_STATUS] = {.need = NEED_NOTHING, .begin = begin_status},
    [CLI_COMMAND_ORDERS] = {.need = NEED_NOTHING, .begin = command_orders},
    [CLI_COMMAND_POSITIONS] = {.need = NEED_NOTHING, .begin = command_positions},
    [CLI_COMMAND_EXPORT] = {.need = NEED_NOTHING, .begin = command_export},
    [CLI_COMMAND_BACKUP] = {.need = NEED_NOTHING, .begin = command_backup},
    [CLI_COMMAND_HISTORY] = {.need = NEED_NOTHING, .begin = begin_history},
    [CLI_COMMAND_PARITY] = {.need = NEED_NOTHING, .begin = parity_begin},
    [CLI_COMMAND_PNL] = {.need = NEED_NOTHING, .begin = begin_pnl},
    [CLI_COMMAND_KILL_SWITCH] = {.need = NEED_STORE, .begin = begin_kill_switch},
    [CLI_COMMAND_RESOLVE] = {.need = NEED_STORE, .begin = begin_resolve},
    [CLI_COMMAND_SUBMIT] = {NEED_BROKER, begin_submit, order_is_decided, finish_submit},
    [CLI_COMMAND_CANCEL] = {NEED_BROKER, begin_cancel, order_is_final, finish_cancel},
    [CLI_COMMAND_RECONCILE] = {NEED_BROKER, begin_reconcile, store_is_settled, finish_reconcile},
};

enum need command_need(const struct cli_args *args) {
    bool adopts = args->command == CLI_COMMAND_RESOLVE && args->broker_order_id[0] != '\0';
    return adopts ? NEED_BROKER : commands[args->command].need;
}

int command_begin(struct session *s, struct call *call) {
    return commands[call->args->command].begin(s, call);
}

bool command_settled(const struct call *call, const struct oms_view *view,
                     const struct oms_next *next) {
    return commands[call->args->command].settled(call, view, next);
}

int command_finish(struct session *s, struct call *call, const struct oms_view *view, int exit) {
    return commands[call->args->command].finish(s, call, view, exit);
}

int command_overdue(const struct oms_view *view) {
    return view->reconciled ? CLI_UNDECIDED : CLI_ENVIRONMENT;
}
