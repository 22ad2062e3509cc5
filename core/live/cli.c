/* The oms program's commands: each opens the store, does one thing, sees it through, and says how
 * it ended in its exit code. */
#include "core/live/cli.h"

#include "core/live/alpaca.h"
#include "core/live/clock.h"
#include "core/live/fence.h"

#include <stdlib.h>
#include <string.h>

enum { NAP_NS = 100000000 /* a signal, or work that became due, waits no longer */ };

/* One command under way. Everything starts empty; end_session releases what is there. */
struct session {
    const struct cli_args *args;
    FILE *out, *err;
    volatile const int *stop;
    struct clock_env clock;
    struct oms_env env;
    struct oms_place place;
    struct oms_config config;
    struct alpaca *alpaca;
    const char *url; /* the broker's, once connected */
    struct broker broker;
    struct oms *oms;
    int64_t deadline_ns;
};

static int fail(struct session *s, int code, const char *text) {
    fprintf(s->err, "oms: %s\n", text);
    return code;
}

static int fail_core(struct session *s, enum oms_code code, const struct oms_error *error) {
    fprintf(s->err, "oms: %s: %s\n", oms_code_name(code), error->text);
    if (code == OMS_MISSING)
        fprintf(s->err,
                "oms: `oms init --db %s --account NAME` creates an empty store; an existing "
                "desk must find its old one instead\n",
                s->args->db);
    if (code == OMS_LOCKED)
        fprintf(s->err, "oms: to stop the running one from sending, create the file %s\n",
                s->args->halt_path);
    return code == OMS_INVALID ? CLI_USAGE : CLI_ENVIRONMENT;
}

/* A store that somebody writes to cannot be read: what the file shows is not all there is. */
static int refuse_if_running(struct session *s) {
    pid_t holder = fence_holder(s->args->db);
    if (holder == 0)
        return CLI_OK;
    fprintf(
        s->err,
        "oms: locked: store %s: process %ld is running on it; only one may: wait for it to end, "
        "or create the file %s to keep it from sending\n",
        s->args->db, (long)holder, s->args->halt_path);
    return CLI_ENVIRONMENT;
}

/* ---- a broker that is not there, for commands that need none ---- */

static void say_offline(struct broker_reason *why) {
    *why = (struct broker_reason){.text = "this command does not talk to the broker"};
}

static enum broker_sent no_submit(void *ctx, const struct broker_request *request,
                                  struct broker_order *order, struct broker_reason *why) {
    (void)ctx, (void)request, (void)order;
    say_offline(why);
    return BROKER_NOT_SENT;
}

static enum broker_found no_lookup(void *ctx, const char *id, struct broker_order *order,
                                   struct broker_reason *why) {
    (void)ctx, (void)id, (void)order;
    say_offline(why);
    return BROKER_INCONCLUSIVE;
}

static bool no_orders(void *ctx, enum broker_scope scope, int64_t since_ns,
                      struct broker_orders *list, struct broker_reason *why) {
    (void)ctx, (void)scope, (void)since_ns, (void)list;
    say_offline(why);
    return false;
}

static bool no_fills(void *ctx, int64_t since_ns, struct broker_fills *list,
                     struct broker_reason *why) {
    (void)ctx, (void)since_ns, (void)list;
    say_offline(why);
    return false;
}

static bool no_positions(void *ctx, struct broker_positions *list, struct broker_reason *why) {
    (void)ctx, (void)list;
    say_offline(why);
    return false;
}

static bool no_account(void *ctx, struct broker_account *account, struct broker_reason *why) {
    (void)ctx, (void)account;
    say_offline(why);
    return false;
}

static enum broker_canceled no_cancel(void *ctx, const char *order_id, struct broker_reason *why) {
    (void)ctx, (void)order_id;
    say_offline(why);
    return BROKER_CANCEL_NOT_SENT;
}

static const struct broker OFFLINE = {.submit = no_submit,
                                      .lookup = no_lookup,
                                      .orders = no_orders,
                                      .fills = no_fills,
                                      .positions = no_positions,
                                      .account = no_account,
                                      .cancel = no_cancel};

/* ---- opening and closing ---- */

static void start_session(struct session *s) {
    s->clock = (struct clock_env){.halt_path = s->args->halt_path,
                                  .events = s->args->events ? s->err : NULL};
    clock_env(&s->clock, &s->env);
    s->place = (struct oms_place){.path = s->args->db};
    s->config.profile = s->args->profile;
    s->config.page_size = s->args->page_size;
    s->config.repeat_alarm = s->args->alarm_after;
    s->config.self_heal_ppm = s->args->self_heal_ppm;
    s->broker = OFFLINE;
    s->deadline_ns = clock_now_ns() + s->args->wait_ns;
}

static void end_session(struct session *s) {
    oms_close(s->oms);
    alpaca_close(s->alpaca);
}

static int set_account(struct session *s, const char *name) {
    if (strlen(name) >= sizeof s->config.account) {
        fprintf(s->err, "oms: --account '%s' must be at most %zu characters\n", name,
                sizeof s->config.account - 1);
        return CLI_USAGE;
    }
    snprintf(s->config.account, sizeof s->config.account, "%s", name);
    return CLI_OK;
}

/* The account named, or else the one the store was created for. */
static int choose_account(struct session *s) {
    struct oms_view view = {0};
    struct oms_error error = {0};
    int exit = refuse_if_running(s);
    if (exit != CLI_OK)
        return exit;
    if (s->args->account != NULL)
        return set_account(s, s->args->account);
    enum oms_code code = oms_view_at(&s->place, false, &view, &error);
    exit = code == OMS_OK ? set_account(s, view.account) : fail_core(s, code, &error);
    oms_view_free(&view);
    return exit;
}

static int connect_broker(struct session *s) {
    char error[OMS_ERROR_SIZE];
    struct alpaca_config config = {.url = s->args->url != NULL ? s->args->url
                                                               : getenv("APCA_API_BASE_URL"),
                                   .key_id = getenv("APCA_API_KEY_ID"),
                                   .secret = getenv("APCA_API_SECRET_KEY"),
                                   .profile = s->args->profile};
    if (config.url == NULL)
        return fail(s, CLI_USAGE,
                    "no broker: give --url, or set APCA_API_BASE_URL "
                    "(paper trading: https://paper-api.alpaca.markets)");
    if (config.key_id == NULL || config.secret == NULL)
        return fail(s, CLI_USAGE, "no keys: set APCA_API_KEY_ID and APCA_API_SECRET_KEY");
    s->alpaca = alpaca_open(&config, error, sizeof error);
    if (s->alpaca == NULL)
        return fail(s, CLI_USAGE, error);
    alpaca_broker(s->alpaca, &s->broker);
    s->url = config.url;
    return CLI_OK;
}

static int open_store(struct session *s) {
    struct oms_error error = {0};
    int exit = choose_account(s);
    if (exit != CLI_OK)
        return exit;
    enum oms_code code = oms_open(&s->oms, &s->place, &s->config, &s->broker, &s->env, &error);
    if (code != OMS_OK)
        return fail_core(s, code, &error);
    if (s->alpaca != NULL)
        fprintf(s->err, "oms: profile %s: %s\n", s->args->profile->name,
                s->args->profile->guarantee);
    return CLI_OK;
}

static int open_online(struct session *s) {
    int exit = connect_broker(s);
    return exit != CLI_OK ? exit : open_store(s);
}

/* ---- seeing it through ---- */

/* What a command waits for. Given the store as it stands and what is due next. */
typedef bool settled_fn(const struct session *s, const struct oms_view *view,
                        const struct oms_next *next);

/* Works until it is settled, the time is up, or somebody asks to stop. *view is left as it stands
 * (release it always). */
static int drive(struct session *s, settled_fn *settled, struct oms_view *view) {
    for (;;) {
        struct oms_error error = {0};
        struct oms_next next;
        oms_view_free(view);
        memset(view, 0, sizeof *view);
        enum oms_code code = oms_view(s->oms, view, &error);
        if (code != OMS_OK)
            return fail_core(s, code, &error);
        oms_next(s->oms, &next);
        int64_t now_ns = clock_now_ns();
        if (settled(s, view, &next))
            return CLI_OK;
        if (now_ns >= s->deadline_ns || *s->stop)
            return view->reconciled ? CLI_UNDECIDED : CLI_ENVIRONMENT;
        if (next.work == OMS_WORK_NONE || next.at_ns > now_ns) {
            bool soon = next.work != OMS_WORK_NONE && next.at_ns < now_ns + NAP_NS;
            clock_sleep_until(soon ? next.at_ns : now_ns + NAP_NS);
            continue;
        }
        code = oms_step(s->oms, &error);
        if (code != OMS_OK)
            return fail_core(s, code, &error);
    }
}

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

static bool order_is_decided(const struct session *s, const struct oms_view *view,
                             const struct oms_next *next) {
    (void)next;
    const struct oms_order *order = find_order(view, s->args->decision.id);
    return order != NULL && exit_of(order->state) != CLI_UNDECIDED;
}

static bool order_is_final(const struct session *s, const struct oms_view *view,
                           const struct oms_next *next) {
    (void)next;
    const struct oms_order *order = find_order(view, s->args->decision.id);
    return order != NULL && oms_state_is_final(order->state);
}

/* Compared, and nothing left to do but routine looks at open orders. */
static bool store_is_settled(const struct session *s, const struct oms_view *view,
                             const struct oms_next *next) {
    (void)s;
    return view->reconciled && !view->looks_again &&
           (next->work == OMS_WORK_NONE || next->work == OMS_WORK_POLL);
}

static void tell_halt_file(struct session *s) {
    if (clock_halt_file(s->args->halt_path) != OMS_HALT_ABSENT)
        fprintf(s->err, "oms: the halt file %s is there or cannot be looked at: nothing is sent\n",
                s->args->halt_path);
}

static void explain_unsettled(struct session *s, int exit, const struct oms_view *view) {
    const char *trouble = alpaca_trouble(s->alpaca);
    bool told = trouble[0] != '\0';
    if (exit == CLI_ENVIRONMENT && !view->reconciled)
        fprintf(
            s->err,
            "oms: the broker at %s has not answered a whole comparison yet%s%s%s, so nothing was "
            "sent; what was taken is kept\n",
            s->url, told ? " (" : "", trouble, told ? ")" : "");
    if (exit == CLI_UNDECIDED)
        fprintf(s->err,
                "oms: not decided yet%s%s%s; the same command may be repeated, it sends nothing "
                "twice\n",
                told ? " (" : "", trouble, told ? ")" : "");
    if (exit != CLI_OK)
        tell_halt_file(s);
}

/* ---- commands ---- */

static int run_init(struct session *s) {
    struct oms_error error = {0};
    int exit = set_account(s, s->args->account);
    if (exit != CLI_OK)
        return exit;
    enum oms_code code =
        oms_init(&s->place, &s->config, &s->env, s->args->openings, s->args->opening_count, &error);
    if (code != OMS_OK)
        return fail_core(s, code, &error);
    fprintf(s->out, "created %s for account %s with %zu opening position%s\n", s->args->db,
            s->args->account, s->args->opening_count, s->args->opening_count == 1 ? "" : "s");
    return CLI_OK;
}

/* The first presentation fixes the moment; repeating the command must be the same decision. */
static enum oms_code set_expiry(struct session *s, struct oms_decision *decision,
                                struct oms_error *error) {
    struct oms_view view = {0};
    if (s->args->expires_after_ns == 0)
        return OMS_OK;
    enum oms_code code = oms_view(s->oms, &view, error);
    const struct oms_order *known = find_order(&view, decision->id);
    decision->expires_ns =
        known != NULL ? known->decision.expires_ns : clock_now_ns() + s->args->expires_after_ns;
    oms_view_free(&view);
    return code;
}

static int run_submit(struct session *s) {
    struct oms_decision decision = s->args->decision;
    struct oms_answer answer = {0};
    struct oms_error error = {0};
    struct oms_view view = {0};
    int exit = open_online(s);
    if (exit != CLI_OK)
        return exit;
    enum oms_code code = set_expiry(s, &decision, &error);
    if (code == OMS_OK)
        code = oms_decide(s->oms, &decision, &answer, &error);
    if (code != OMS_OK)
        return fail_core(s, code, &error);
    if (answer.taken == OMS_NOT_TAKEN) {
        fprintf(s->err, "oms: %s was not taken: %s\n", decision.id, answer.reason);
        return CLI_NOT_TAKEN;
    }
    exit = drive(s, order_is_decided, &view);
    const struct oms_order *order = find_order(&view, decision.id);
    if (order != NULL)
        cli_print_order(order, s->args->json, s->out);
    if (exit == CLI_OK && order != NULL)
        exit = exit_of(order->state);
    else
        explain_unsettled(s, exit, &view);
    oms_view_free(&view);
    return exit;
}

static int run_cancel(struct session *s) {
    struct oms_error error = {0};
    struct oms_view view = {0};
    int exit = open_online(s);
    if (exit != CLI_OK)
        return exit;
    enum oms_code code = oms_cancel(s->oms, s->args->decision.id, &error);
    if (code != OMS_OK)
        return fail_core(s, code, &error);
    exit = drive(s, order_is_final, &view);
    const struct oms_order *order = find_order(&view, s->args->decision.id);
    if (order != NULL)
        cli_print_order(order, s->args->json, s->out);
    explain_unsettled(s, exit, &view);
    oms_view_free(&view);
    return exit;
}

static int run_reconcile(struct session *s) {
    struct oms_view view = {0};
    int exit = open_online(s);
    if (exit != CLI_OK)
        return exit;
    exit = drive(s, store_is_settled, &view);
    if (view.run_count > 0)
        cli_print_runs(&view, s->args->json, s->out);
    explain_unsettled(s, exit, &view);
    for (size_t i = 0; exit == CLI_OK && i < view.discrepancy_count; i++)
        if (view.discrepancies[i].severity == OMS_CRITICAL && !view.discrepancies[i].explained)
            exit = CLI_ENDED;
    oms_view_free(&view);
    return exit;
}

static int run_status(struct session *s) {
    struct oms_error error = {0};
    struct oms_view view = {0};
    int exit = refuse_if_running(s);
    if (exit != CLI_OK)
        return exit;
    enum oms_code code = oms_view_at(&s->place, true, &view, &error);
    exit = refuse_if_running(s); /* who came meanwhile may have written what was read */
    if (exit == CLI_OK && code != OMS_OK)
        exit = fail_core(s, code, &error);
    else if (exit == CLI_OK && s->args->account != NULL &&
             strcmp(s->args->account, view.account) != 0) {
        fprintf(s->err, "oms: foreign: store %s: it belongs to account %s, not to %s\n",
                s->args->db, view.account, s->args->account);
        exit = CLI_ENVIRONMENT;
    } else if (exit == CLI_OK)
        cli_print_status(&view, s->args->profile, s->args->json, s->out);
    if (exit == CLI_OK)
        tell_halt_file(s);
    oms_view_free(&view);
    return exit;
}

static int run_history(struct session *s) {
    struct oms_error error = {0};
    struct oms_view view = {0};
    int exit = refuse_if_running(s);
    if (exit != CLI_OK)
        return exit;
    enum oms_code code = oms_history_at(&s->place, (size_t)s->args->last, &view, &error);
    exit = refuse_if_running(s); /* who came meanwhile may have written what was read */
    if (exit == CLI_OK && code != OMS_OK)
        exit = fail_core(s, code, &error);
    else if (exit == CLI_OK)
        cli_print_runs(&view, s->args->json, s->out);
    oms_view_free(&view);
    return exit;
}

static int run_pnl(struct session *s) {
    struct oms_error error = {0};
    struct oms_profits profits = {0};
    int exit = refuse_if_running(s);
    if (exit != CLI_OK)
        return exit;
    enum oms_code code = oms_profits_at(&s->place, &profits, &error);
    exit = refuse_if_running(s); /* who came meanwhile may have written what was read */
    if (exit == CLI_OK && code != OMS_OK)
        exit = fail_core(s, code, &error);
    else if (exit == CLI_OK)
        cli_print_profits(&profits, s->args->one_day, s->args->day, s->args->json, s->out);
    oms_profits_free(&profits);
    return exit;
}

/* Whose word goes on record. */
static const char *who_asks(void) {
    const char *user = getenv("USER");
    return user != NULL && user[0] != '\0' ? user : "operator";
}

/* Shows the order as it stands now. */
static int show_order(struct session *s) {
    struct oms_error error = {0};
    struct oms_view view = {0};
    enum oms_code code = oms_view(s->oms, &view, &error);
    const struct oms_order *order = find_order(&view, s->args->decision.id);
    if (code == OMS_OK && order != NULL)
        cli_print_order(order, s->args->json, s->out);
    oms_view_free(&view);
    return code == OMS_OK ? CLI_OK : fail_core(s, code, &error);
}

/* "It is not there" is settled without the broker; an order to adopt is compared with it first. */
static int run_resolve(struct session *s) {
    struct oms_error error = {0};
    bool adopt = s->args->broker_order_id[0] != '\0';
    int exit = adopt ? open_online(s) : open_store(s);
    if (exit != CLI_OK)
        return exit;
    enum oms_code code =
        oms_resolve(s->oms, s->args->decision.id, adopt ? s->args->broker_order_id : NULL,
                    who_asks(), s->args->why, &error);
    return code != OMS_OK ? fail_core(s, code, &error) : show_order(s);
}

static int run_kill_switch(struct session *s) {
    struct oms_error error = {0};
    int exit = open_store(s);
    if (exit != CLI_OK)
        return exit;
    enum oms_code code =
        oms_kill_switch(s->oms, s->args->kill_on, who_asks(), s->args->why, &error);
    if (code != OMS_OK)
        return fail_core(s, code, &error);
    if (s->args->json)
        fprintf(s->out, "{\"kill_switch\":%s}\n", s->args->kill_on ? "true" : "false");
    else
        fprintf(s->out, "kill switch %s\n", s->args->kill_on ? "ON: nothing is sent" : "off");
    return CLI_OK;
}

static int run_command(struct session *s) {
    switch (s->args->command) {
    case CLI_COMMAND_INIT:
        return run_init(s);
    case CLI_COMMAND_SUBMIT:
        return run_submit(s);
    case CLI_COMMAND_CANCEL:
        return run_cancel(s);
    case CLI_COMMAND_STATUS:
        return run_status(s);
    case CLI_COMMAND_RECONCILE:
        return run_reconcile(s);
    case CLI_COMMAND_HISTORY:
        return run_history(s);
    case CLI_COMMAND_PNL:
        return run_pnl(s);
    case CLI_COMMAND_KILL_SWITCH:
        return run_kill_switch(s);
    case CLI_COMMAND_RESOLVE:
        return run_resolve(s);
    case CLI_COMMAND_COUNT:
        break;
    }
    return CLI_USAGE;
}

int cli_run(int argc, char *const *argv, FILE *out, FILE *err, volatile const int *stop) {
    struct cli_args *args = calloc(1, sizeof *args);
    struct session session = {.args = args, .out = out, .err = err, .stop = stop};
    int exit = CLI_USAGE;
    if (args == NULL) {
        exit = CLI_ENVIRONMENT;
    } else if (!cli_parse(argc, argv, args, err)) {
        exit = CLI_USAGE;
    } else if (args->help) {
        if (args->command == CLI_COMMAND_COUNT)
            cli_help(out);
        else
            cli_help_command(args->command, out);
        exit = CLI_OK;
    } else {
        start_session(&session);
        exit = run_command(&session);
        end_session(&session);
    }
    free(args);
    return exit;
}
