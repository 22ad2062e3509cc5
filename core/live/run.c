/* oms run: one process that keeps the store open, takes decisions, and answers operators.
 *
 * One thread and one loop: what came is read, decisions that came together are taken in one
 * transaction and answered, then one due piece of work is done. Orders do not wait for each other's
 * answers: many are on their way at once. Nor do they wait for the answer to a question (a poll, a
 * comparison): while one is under way, decisions are taken, orders leave, and their answers go on
 * record; operators are heard, too, and a kill switch they ask for keeps the next order from leaving.
 *
 * What it keeps:
 *  (1) An answer to a decision is written after its transaction is durable, never before.
 *  (2) Asked to stop it finishes the piece of work it is in, puts an answer it has on record, and
 *      ends; killed at any point it loses nothing, since everything that matters is in the store.
 *  (3) The store's fence is held before any socket is made: a socket that lies there is a dead
 *      process's, and is replaced.
 */
#include "core/live/decision_json.h"
#include "core/live/lines.h"
#include "core/live/session.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    PEERS_MAX = 64,
    NAP_MS = 100, /* a signal waits no longer */
    MS_NS = 1000000,
    MINUTE_S = 60,
    KEPT_BACK = 10, /* requests that one piece of work may need */
    ARGS_MAX = 64
};

/* Somebody on the other side of a socket, or standard input. */
struct peer {
    int fd;        /* -1: this place is free */
    int out_fd;    /* where answers go */
    bool operates; /* asks commands instead of presenting decisions */
    struct lines lines;
    /* an operator's command under way: at most one a connection */
    struct cli_args *args; /* NULL: none */
    struct call call;
    bool begun;
    cJSON *question; /* the call's arguments point into it */
    char *out_text, *err_text;
    size_t out_size, err_size;
};

struct run {
    struct session *s;
    int control_fd, strategy_fd; /* listening; -1: none */
    char control[CLI_PATH_SIZE];
    struct peer peers[PEERS_MAX];
    struct peer *input; /* standard input; NULL: it has ended */
    bool hold;          /* an operator has asked for the kill switch, and it is not tripped yet */
    /* when the newest requests left, the oldest of a minute's first */
    int64_t *asked_ns;
    size_t asked_at, rate;
    int exit;
};

/* ---- sockets ---- */

/* (3) Only a socket is in the way: what else lies there is somebody's. */
static void remove_dead_socket(const char *path) {
    struct stat status;
    if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
        unlink(path);
}

static int listen_at(const char *path, FILE *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = -1;
    if (strlen(path) >= sizeof address.sun_path) {
        fprintf(err, "oms: socket path '%s' must be at most %zu characters\n", path,
                sizeof address.sun_path - 1);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    remove_dead_socket(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(path, S_IRUSR | S_IWUSR) != 0 || listen(fd, PEERS_MAX) != 0) {
        fprintf(err, "oms: socket %s: %s\n", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static struct peer *free_place(struct run *run) {
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (run->peers[i].fd < 0)
            return &run->peers[i];
    return NULL;
}

static struct peer *add_peer(struct run *run, int fd, int out_fd, bool operates) {
    struct peer *peer = free_place(run);
    if (peer == NULL || !lines_prepare(fd))
        return NULL;
    *peer = (struct peer){.fd = fd, .out_fd = out_fd, .operates = operates};
    return peer;
}

static void forget_call(struct peer *peer) {
    if (peer->call.out != NULL)
        fclose(peer->call.out);
    if (peer->call.err != NULL)
        fclose(peer->call.err);
    free(peer->out_text);
    free(peer->err_text);
    free(peer->args);
    cJSON_Delete(peer->question);
    peer->question = NULL;
    peer->out_text = peer->err_text = NULL;
    peer->args = NULL;
    peer->call = (struct call){0};
    peer->begun = false;
}

static void drop_peer(struct run *run, struct peer *peer) {
    forget_call(peer);
    lines_free(&peer->lines);
    if (peer->fd > STDERR_FILENO)
        close(peer->fd);
    if (run->input == peer)
        run->input = NULL;
    peer->fd = -1;
}

/* More than PEERS_MAX wait until one of them has left. */
static void accept_all(struct run *run, int listening, bool operates) {
    while (listening >= 0 && free_place(run) != NULL) {
        int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        if (add_peer(run, fd, fd, operates) == NULL)
            close(fd);
    }
}

/* The store failed: that is how this process ends, told once. False, always. */
static bool ends_with(struct run *run, enum oms_code code, const struct oms_error *error) {
    if (run->exit == CLI_OK)
        run->exit = session_fail(run->s, run->s->err, code, error);
    return false;
}

/* How long to wait for something due in so long, in ms: never past the next look for a signal. */
static int nap_ms(int64_t left_ns) {
    if (left_ns <= 0)
        return 0;
    return left_ns / MS_NS >= NAP_MS ? NAP_MS : (int)(left_ns / MS_NS) + 1;
}

/* ---- operators ---- */

enum { ANSWER_MAX = LINES_PENDING_MAX / 4 }; /* escaped, it may grow */

static void answer_call(struct peer *peer, int exit) {
    cJSON *json = cJSON_CreateObject();
    char *text = NULL;
    fflush(peer->call.out);
    bool too_long = peer->out_size > ANSWER_MAX;
    if (too_long)
        fprintf(peer->call.err,
                "oms: the answer is longer than %d bytes, too long for a control socket: make a "
                "copy with `oms backup FILE` and ask that, with --db FILE\n",
                ANSWER_MAX);
    fflush(peer->call.err);
    cJSON_AddNumberToObject(json, "exit", too_long ? CLI_ENVIRONMENT : exit);
    cJSON_AddStringToObject(json, "out", too_long ? "" : peer->out_text);
    cJSON_AddStringToObject(json, "err", peer->err_text);
    text = cJSON_PrintUnformatted(json);
    if (text != NULL)
        lines_put(&peer->lines, peer->out_fd, text);
    cJSON_free(text);
    cJSON_Delete(json);
    forget_call(peer);
    peer->lines.ended = true; /* one question a connection */
}

/* A flag that this process was started with another value of cannot be meant. */
static bool fits(const struct session *s, const struct call *call) {
    const struct cli_args *args = call->args;
    if (args->profile_named && args->profile != s->args->profile)
        fprintf(call->err, "oms: --profile %s: the running process uses %s\n", args->profile->name,
                s->args->profile->name);
    else if (args->account != NULL && strcmp(args->account, s->config.account) != 0)
        fprintf(call->err, "oms: --account %s: the running process has %s's store open\n",
                args->account, s->config.account);
    else if (args->url != NULL && strcmp(args->url, s->url) != 0)
        fprintf(call->err, "oms: --url %s: the running process talks to %s\n", args->url, s->url);
    else
        return true;
    return false;
}

/* Understands a question as if it had been this program's command line. False: `why` it is none. */
static bool read_question(struct peer *peer, const cJSON *json) {
    const cJSON *args = cJSON_GetObjectItemCaseSensitive(json, "args");
    const char *who = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "who"));
    char *argv[ARGS_MAX] = {"oms"};
    int argc = 1;
    const cJSON *word = NULL;
    cJSON_ArrayForEach(word, args) {
        if (!cJSON_IsString(word) || argc == ARGS_MAX)
            return false;
        argv[argc++] = word->valuestring;
    }
    peer->call.answer_max = ANSWER_MAX;
    peer->call.folder = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "folder"));
    if (who != NULL)
        snprintf(peer->call.who, sizeof peer->call.who, "%s", who);
    return cli_parse(argc, argv, peer->args, peer->call.err) && !peer->args->help &&
           peer->args->command != CLI_COMMAND_INIT && peer->args->command != CLI_COMMAND_RUN;
}

static bool start_call(struct peer *peer) {
    peer->args = calloc(1, sizeof *peer->args);
    peer->call.args = peer->args;
    peer->call.out = open_memstream(&peer->out_text, &peer->out_size);
    peer->call.err = open_memstream(&peer->err_text, &peer->err_size);
    return peer->args != NULL && peer->call.out != NULL && peer->call.err != NULL;
}

/* Text of the arguments belongs to the question, which is kept until the call ends. */
static void hear_question(struct run *run, struct peer *peer, const char *line) {
    cJSON *json = cJSON_Parse(line);
    if (!start_call(peer)) {
        peer->lines.ended = true;
    } else if (!read_question(peer, json)) {
        fprintf(peer->call.err, "oms: the running process cannot do that\n");
        answer_call(peer, CLI_USAGE);
    } else if (!fits(run->s, &peer->call)) {
        answer_call(peer, CLI_USAGE);
    } else {
        peer->call.deadline_ns = clock_now_ns() + peer->args->wait_ns;
        run->hold |= peer->args->command == CLI_COMMAND_KILL_SWITCH && peer->args->kill_on;
        peer->question = json;
        return;
    }
    cJSON_Delete(json);
}

/* Reads what operators ask; does nothing yet, so it may be called while the core is at work. */
static void hear_operators(struct run *run) {
    accept_all(run, run->control_fd, true);
    for (size_t i = 0; i < PEERS_MAX; i++) {
        struct peer *peer = &run->peers[i];
        const char *line = NULL;
        bool too_long = false;
        if (peer->fd < 0 || !peer->operates || peer->args != NULL || peer->lines.ended)
            continue;
        lines_read(&peer->lines, peer->fd);
        line = lines_take(&peer->lines, &too_long);
        if (line != NULL)
            hear_question(run, peer, line);
    }
}

/* Does what was asked, and finishes what has been seen through. False: the store failed. */
static bool serve_operators(struct run *run) {
    struct oms_view view = {0};
    struct oms_next next;
    struct oms_error error = {0};
    bool looked = false, fine = true;
    for (size_t i = 0; fine && i < PEERS_MAX; i++) {
        struct peer *peer = &run->peers[i];
        int exit = CALL_GOES_ON;
        if (peer->fd < 0 || peer->args == NULL)
            continue;
        if (!peer->begun) {
            exit = command_begin(run->s, &peer->call);
            peer->begun = true;
        }
        if (exit == CALL_GOES_ON && !looked) {
            looked = true;
            enum oms_code code =
                oms_view_with(run->s->oms, peer->call.args->decision.id, &view, &error);
            fine = code == OMS_OK || ends_with(run, code, &error);
            oms_next(run->s->oms, &next);
        }
        if (exit == CALL_GOES_ON && fine && command_settled(&peer->call, &view, &next))
            exit = command_finish(run->s, &peer->call, &view, CLI_OK);
        else if (exit == CALL_GOES_ON && fine && clock_now_ns() >= peer->call.deadline_ns)
            exit = command_finish(run->s, &peer->call, &view, command_overdue(&view));
        if (exit != CALL_GOES_ON)
            answer_call(peer, exit);
    }
    run->hold = false;
    oms_view_free(&view);
    return fine;
}

/* ---- strategies ---- */

/* Decisions that came together, and who is to be answered. */
struct batch {
    struct oms_decision decisions[OMS_DECISIONS_MAX];
    struct oms_answer answers[OMS_DECISIONS_MAX];
    struct peer *from[OMS_DECISIONS_MAX];
    size_t count;
};

/* (1) False: the store failed; what is unknown is answered so. */
static bool take_batch(struct run *run, struct batch *batch) {
    struct oms_error error = {0};
    char text[DECISION_JSON_SIZE];
    enum oms_code code = OMS_OK;
    if (batch->count == 0)
        return true;
    code = oms_decide_many(run->s->oms, batch->decisions, batch->count, batch->answers, &error);
    for (size_t i = 0; i < batch->count; i++)
        lines_put(&batch->from[i]->lines, batch->from[i]->out_fd,
                  decision_json_answer(batch->decisions[i].id, &batch->answers[i], text));
    batch->count = 0;
    return code == OMS_OK || ends_with(run, code, &error);
}

static bool take_cancel(struct run *run, struct peer *peer, const char *decision_id) {
    struct oms_error error = {0};
    char text[DECISION_JSON_SIZE];
    enum oms_code code = oms_cancel(run->s->oms, decision_id, &error);
    lines_put(&peer->lines, peer->out_fd,
              decision_json_cancel(decision_id, code == OMS_OK ? NULL : error.text, text));
    return code == OMS_OK || code == OMS_INVALID || ends_with(run, code, &error);
}

/* Lines are taken in order; a cancel waits for the decisions before it. */
static bool take_line(struct run *run, struct peer *peer, const char *line, bool too_long,
                      struct batch *batch) {
    char why[DECISION_JSON_WHY_SIZE], text[DECISION_JSON_SIZE];
    struct oms_decision *decision = &batch->decisions[batch->count];
    if (too_long)
        snprintf(why, sizeof why, "it is longer than %d bytes", LINES_LENGTH_MAX);
    switch (too_long ? DECISION_JSON_WRONG : decision_json_read(line, decision, why)) {
    case DECISION_JSON_DECIDE:
        batch->from[batch->count++] = peer;
        return batch->count < OMS_DECISIONS_MAX || take_batch(run, batch);
    case DECISION_JSON_CANCEL: {
        struct oms_decision asked = *decision;
        return take_batch(run, batch) && take_cancel(run, peer, asked.id);
    }
    case DECISION_JSON_WRONG:
        break;
    }
    if (!take_batch(run, batch))
        return false;
    lines_put(&peer->lines, peer->out_fd, decision_json_wrong(peer->lines.count, why, text));
    return true;
}

/* What strategies have written so far. False: the store failed. */
static bool serve_strategies(struct run *run) {
    static struct batch batch; /* large; empty between calls */
    accept_all(run, run->strategy_fd, false);
    for (size_t i = 0; i < PEERS_MAX; i++) {
        struct peer *peer = &run->peers[i];
        const char *line = NULL;
        bool too_long = false;
        if (peer->fd < 0 || peer->operates)
            continue;
        lines_read(&peer->lines, peer->fd);
        while ((line = lines_take(&peer->lines, &too_long)) != NULL)
            if (!too_long && line[strspn(line, " \t\r")] == '\0')
                continue; /* an empty line says nothing */
            else if (!take_line(run, peer, line, too_long, &batch))
                return false;
    }
    return take_batch(run, &batch);
}

/* Who has ended and has all its answers leaves. */
static void see_off(struct run *run) {
    for (size_t i = 0; i < PEERS_MAX; i++) {
        struct peer *peer = &run->peers[i];
        if (peer->fd < 0)
            continue;
        lines_flush(&peer->lines, peer->out_fd);
        if (peer->lines.broken ||
            (peer->lines.ended && peer->lines.out_length == 0 && peer->args == NULL))
            drop_peer(run, peer);
    }
}

/* ---- the broker, asked at most so often ---- */

/* From when on one more piece of work may ask the broker. */
static int64_t may_ask_ns(const struct run *run) {
    size_t oldest = (run->asked_at + KEPT_BACK) % run->rate;
    int64_t at_ns = run->asked_ns[oldest];
    return at_ns == 0 ? 0 : at_ns + MINUTE_S * PROFILE_SECOND_NS;
}

static bool on_request(void *ctx, const struct transport_request *request) {
    struct run *run = ctx;
    (void)request;
    run->asked_ns[run->asked_at] = clock_now_ns();
    run->asked_at = (run->asked_at + 1) % run->rate;
    return true;
}

/* What there may be to read, and who can be written to again. Returns how many. */
static unsigned watch(const struct run *run, struct curl_waitfd watched[PEERS_MAX + 2]) {
    unsigned count = 0;
    if (run->control_fd >= 0)
        watched[count++] = (struct curl_waitfd){.fd = run->control_fd, .events = CURL_WAIT_POLLIN};
    if (run->strategy_fd >= 0)
        watched[count++] = (struct curl_waitfd){.fd = run->strategy_fd, .events = CURL_WAIT_POLLIN};
    for (size_t i = 0; i < PEERS_MAX; i++) {
        const struct peer *peer = &run->peers[i];
        if (peer->fd < 0)
            continue;
        if (!peer->lines.ended && (!peer->operates || peer->args == NULL))
            watched[count++] = (struct curl_waitfd){.fd = peer->fd, .events = CURL_WAIT_POLLIN};
        else if (peer->lines.out_length > 0)
            watched[count++] =
                (struct curl_waitfd){.fd = peer->out_fd, .events = CURL_WAIT_POLLOUT};
    }
    return count;
}

/* A question waits for its answer: everything else goes on. False: the store failed, which the step
 * that the question belongs to tells, too. */
static bool go_on_meanwhile(struct run *run) {
    struct oms_error error = {0};
    bool fine = serve_strategies(run);
    if (fine && may_ask_ns(run) <= clock_now_ns()) {
        oms_expect_answer(run->s->oms);
        enum oms_code code = oms_meanwhile(run->s->oms, &error);
        fine = code == OMS_OK || ends_with(run, code, &error);
    }
    return fine;
}

/* Waits for libcurl, and goes on with everything else meanwhile. */
static bool on_wait(void *ctx, CURLM *multi, int64_t until_ns) {
    struct run *run = ctx;
    struct curl_waitfd watched[PEERS_MAX + 2];
    int ms = nap_ms(until_ns - transport_real_io()->now_ns(NULL));
    bool waited = curl_multi_poll(multi, watched, watch(run, watched), ms, NULL) == CURLM_OK;
    hear_operators(run);
    alerts_turn(run->s->clock.alerts);
    return go_on_meanwhile(run) && waited;
}

static int64_t on_now(void *ctx) {
    (void)ctx;
    return transport_real_io()->now_ns(NULL);
}

/* ---- the loop ---- */

static bool is_quiet(const struct run *run, const struct oms_next *next) {
    struct oms_view view = {0};
    struct oms_error error = {0};
    bool quiet = (next->work == OMS_WORK_NONE || next->work == OMS_WORK_POLL) &&
                 next->on_their_way == 0 && oms_view(run->s->oms, &view, &error) == OMS_OK &&
                 view.reconciled;
    oms_view_free(&view);
    return quiet;
}

/* Until somebody writes, something is due, or a signal may have come. */
static void wait_for_something(struct run *run, int64_t due_ns) {
    struct curl_waitfd watched[PEERS_MAX + 2];
    if (alpaca_wait(run->s->alpaca, watched, watch(run, watched), nap_ms(due_ns - clock_now_ns())))
        oms_expect_answer(run->s->oms);
}

/* One due piece of work, unless the broker was asked as often as allowed. Returns when the next is
 * due; INT64_MAX: nothing is. False in *fine: the store failed. */
static int64_t work(struct run *run, bool *fine) {
    struct oms_error error = {0};
    struct oms_next next;
    int64_t now_ns = clock_now_ns(), at_ns = 0;
    oms_next(run->s->oms, &next);
    at_ns = next.at_ns;
    if (next.work != OMS_WORK_RECORD && next.work != OMS_WORK_COLLECT && may_ask_ns(run) > at_ns)
        at_ns = may_ask_ns(run);
    if (next.work != OMS_WORK_NONE && at_ns > now_ns)
        return at_ns;
    /* With nothing due it tells whether an operator's command has met a failing store. */
    enum oms_code code = oms_step(run->s->oms, &error);
    *fine = code == OMS_OK || ends_with(run, code, &error);
    oms_next(run->s->oms, &next);
    return next.work == OMS_WORK_NONE ? INT64_MAX : next.at_ns;
}

static bool is_over(struct run *run) {
    struct oms_next next;
    if (*run->s->stop)
        return true;
    if (!run->s->args->exit_at_eof || run->input != NULL)
        return false;
    oms_next(run->s->oms, &next);
    return is_quiet(run, &next);
}

static void serve(struct run *run) {
    bool fine = true;
    while (fine && !is_over(run)) {
        int64_t due_ns = work(run, &fine);
        hear_operators(run);
        fine = fine && serve_operators(run) && serve_strategies(run);
        see_off(run);
        alerts_turn(run->s->clock.alerts);
        if (fine)
            wait_for_something(run, due_ns);
    }
}

/* (2) What is on its way is answered within the client time-out. */
static void put_answers_on_record(struct run *run) {
    const int64_t until_ns = clock_now_ns() + run->s->args->profile->timeout_ns + PROFILE_SECOND_NS;
    struct oms_error error = {0};
    enum oms_code code = OMS_OK;
    while (run->exit == CLI_OK && clock_now_ns() < until_ns &&
           (code = oms_finish(run->s->oms, &error)) == OMS_UNANSWERED)
        (void)alpaca_wait(run->s->alpaca, NULL, 0, NAP_MS);
    if (code != OMS_OK && code != OMS_UNANSWERED && code != OMS_HALTED)
        ends_with(run, code, &error);
}

static bool open_doors(struct run *run) {
    const struct cli_args *args = run->s->args;
    if (!control_path(args->db, run->control, sizeof run->control)) {
        fprintf(run->s->err,
                "oms: --db '%s' is too long for a control socket beside it: '%s-ctl' must be at "
                "most %zu characters\n",
                args->db, args->db, sizeof((struct sockaddr_un){0}.sun_path) - 1);
        return false;
    }
    run->control_fd = listen_at(run->control, run->s->err);
    if (args->listen != NULL)
        run->strategy_fd = listen_at(args->listen, run->s->err);
    run->input = add_peer(run, STDIN_FILENO, STDOUT_FILENO, false);
    return run->control_fd >= 0 && (args->listen == NULL || run->strategy_fd >= 0);
}

static void close_doors(struct run *run) {
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (run->peers[i].fd >= 0) {
            lines_flush(&run->peers[i].lines, run->peers[i].out_fd);
            drop_peer(run, &run->peers[i]);
        }
    if (run->control_fd >= 0) {
        close(run->control_fd);
        unlink(run->control);
    }
    if (run->strategy_fd >= 0) {
        close(run->strategy_fd);
        unlink(run->s->args->listen);
    }
}

int run_serve(struct session *s) {
    struct run *run = calloc(1, sizeof *run);
    struct transport_io io = {.ctx = run, .begin = on_request, .wait = on_wait, .now_ns = on_now};
    int exit = CLI_ENVIRONMENT;
    if (run == NULL)
        return CLI_ENVIRONMENT;
    *run = (struct run){.s = s,
                        .control_fd = -1,
                        .strategy_fd = -1,
                        .rate = (size_t)s->args->rate,
                        .asked_ns = calloc((size_t)s->args->rate, sizeof *run->asked_ns)};
    for (size_t i = 0; i < PEERS_MAX; i++)
        run->peers[i].fd = -1;
    s->io = &io;
    s->clock.hold = &run->hold;
    exit = run->asked_ns == NULL ? CLI_ENVIRONMENT : session_open_online(s);
    if (exit == CLI_OK && !open_doors(run))
        exit = CLI_ENVIRONMENT;
    if (exit == CLI_OK) {
        fprintf(s->err, "oms: running on %s; operators reach it at %s\n", s->args->db,
                run->control);
        serve(run);
        put_answers_on_record(run);
        exit = run->exit;
    }
    close_doors(run);
    s->clock.hold = NULL;
    session_end(s); /* what it reads and writes ends with this function */
    free(run->asked_ns);
    free(run);
    return exit;
}
