/* Opening and closing what the oms program's commands work on. */
#include "core/live/session.h"

#include "core/live/fence.h"
#include "core/live/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int fail(struct session *s, int code, const char *text) {
    fprintf(s->err, "oms: %s\n", text);
    return code;
}

int session_fail(const struct session *s, FILE *err, enum oms_code code,
                 const struct oms_error *error) {
    fprintf(err, "oms: %s: %s\n", oms_code_name(code), error->text);
    if (code == OMS_MISSING)
        fprintf(err,
                "oms: `oms init --db %s --account NAME` creates an empty store; an existing "
                "desk must find its old one instead\n",
                s->args->db);
    if (code == OMS_LOCKED)
        fprintf(err, "oms: to stop the running one from sending, create the file %s\n",
                s->args->halt_path);
    return code == OMS_INVALID ? CLI_USAGE : CLI_ENVIRONMENT;
}

int session_refuse_if_running(struct session *s) {
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

void session_start(struct session *s) {
    s->clock = (struct clock_env){.halt_path = s->args->halt_path,
                                  .events = s->args->events ? s->err : NULL};
    clock_env(&s->clock, &s->env);
    s->place = (struct oms_place){.path = s->args->db};
    s->config.profile = s->args->profile;
    s->config.page_size = s->args->page_size;
    s->config.repeat_alarm = s->args->alarm_after;
    s->config.self_heal_ppm = s->args->self_heal_ppm;
    /* one command awaits its one answer; what runs for long sends on */
    s->config.sends_at_once = s->args->command == CLI_COMMAND_RUN ? SESSION_SENDS_AT_ONCE : 1;
    s->broker = OFFLINE;
}

int session_open_alerts(struct session *s) {
    char why[OMS_ERROR_SIZE];
    struct alerts_config config = {.err = s->err,
                                   .to_syslog = s->args->alert_syslog,
                                   .webhook = s->args->alert_webhook,
                                   .store = s->args->db};
    if (config.webhook == NULL && (CLI_ALERTING & 1u << s->args->command) != 0)
        config.webhook = getenv("OMS_ALERT_WEBHOOK");
    s->clock.alerts = alerts_open(&config, why, sizeof why);
    return s->clock.alerts != NULL ? CLI_OK : fail(s, CLI_USAGE, why);
}

void session_end(struct session *s) {
    oms_close(s->oms);
    alpaca_close(s->alpaca);
    alerts_close(s->clock.alerts);
    s->clock.alerts = NULL;
    s->oms = NULL;
    s->alpaca = NULL;
}

int session_set_account(struct session *s, const char *name) {
    if (strlen(name) >= sizeof s->config.account) {
        fprintf(s->err, "oms: --account '%s' must be at most %zu characters\n", name,
                sizeof s->config.account - 1);
        return CLI_USAGE;
    }
    snprintf(s->config.account, sizeof s->config.account, "%s", name);
    return CLI_OK;
}

int session_judge_access(const struct session *s) {
    struct stat status;
    if (stat(s->args->db, &status) != 0)
        return CLI_OK; /* what is not there is said by who looks for it */
    unsigned mode = (unsigned)status.st_mode & 07777;
    if ((mode & 022) != 0) {
        fprintf(
            s->err,
            "oms: store %s: its mode is %04o: others can change it; it must be 0600: chmod 600\n",
            s->args->db, mode);
        return CLI_ENVIRONMENT;
    }
    if ((mode & 044) != 0)
        fprintf(
            s->err,
            "oms: store %s: its mode is %04o: others can read it; it should be 0600: chmod 600\n",
            s->args->db, mode);
    return CLI_OK;
}

static int choose_account(struct session *s) {
    struct oms_view view = {0};
    struct oms_error error = {0};
    int exit = session_refuse_if_running(s);
    if (exit != CLI_OK)
        return exit;
    if (s->args->account != NULL)
        return session_set_account(s, s->args->account);
    enum oms_code code = oms_view_at(&s->place, false, &view, &error);
    exit = code == OMS_OK ? session_set_account(s, view.account)
                          : session_fail(s, s->err, code, &error);
    oms_view_free(&view);
    return exit;
}

/* A bundle that cannot be read would only be noticed at the first request. */
static bool may_read(const char *path) {
    FILE *file = fopen(path, "re");
    if (file != NULL)
        fclose(file);
    return file != NULL;
}

static int connect_with(struct session *s, const struct keys *keys) {
    char error[OMS_ERROR_SIZE];
    struct alpaca_config config = {.url = s->args->url != NULL ? s->args->url
                                                               : getenv("APCA_API_BASE_URL"),
                                   .key_id = keys->key_id,
                                   .secret = keys->secret,
                                   .ca_file = s->args->ca_file,
                                   .profile = s->args->profile,
                                   .sends_at_once = s->config.sends_at_once,
                                   .io = s->io};
    if (config.url == NULL)
        return fail(s, CLI_USAGE,
                    "no broker: give --url, or set APCA_API_BASE_URL "
                    "(paper trading: https://paper-api.alpaca.markets)");
    if (config.ca_file != NULL && !may_read(config.ca_file)) {
        fprintf(s->err, "oms: --ca-file %s: %s\n", config.ca_file, strerror(errno));
        return CLI_USAGE;
    }
    s->alpaca = alpaca_open(&config, error, sizeof error);
    if (s->alpaca == NULL)
        return fail(s, CLI_USAGE, error);
    alpaca_broker(s->alpaca, &s->broker);
    s->url = config.url;
    return CLI_OK;
}

static int connect_broker(struct session *s) {
    char error[OMS_ERROR_SIZE];
    struct keys keys;
    if (!keys_find(s->args->key_file, &keys, error, sizeof error))
        return fail(s, CLI_USAGE, error);
    int exit = connect_with(s, &keys);
    keys_forget(&keys);
    return exit;
}

int session_open(struct session *s) {
    struct oms_error error = {0};
    int exit = choose_account(s);
    if (exit != CLI_OK)
        return exit;
    enum oms_code code = oms_open(&s->oms, &s->place, &s->config, &s->broker, &s->env, &error);
    if (code != OMS_OK)
        return session_fail(s, s->err, code, &error);
    if (s->alpaca != NULL)
        fprintf(s->err, "oms: profile %s: %s\n", s->args->profile->name,
                s->args->profile->guarantee);
    return CLI_OK;
}

int session_open_online(struct session *s) {
    int exit = connect_broker(s);
    return exit != CLI_OK ? exit : session_open(s);
}
