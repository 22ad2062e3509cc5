/* The story with a real process, a real disk and SIGKILL. The disk's own caches are not touched:
 * like every kill, this one loses the process, not the power. */
#include "scenarios/cli/bench.h"

#include "core/oms.h"
#include "sim/direct.h"
#include "sim/world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS_MAX = 1000, NAME_SIZE = 256, COPY_SIZE = 65536 };
#define SECOND_NS INT64_C(1000000000)

/* ---- what travels between the OMS (child) and its broker (parent) ---- */

enum question { ASK_SUBMIT, ASK_LOOKUP, ASK_ORDERS, ASK_FILLS, ASK_POSITIONS, TELL_RECORDED };
struct message {
    enum question question;
    int64_t now_ns;                  /* the OMS's clock */
    struct broker_request request;   /* SUBMIT */
    char ref[BROKER_CLIENT_ID_SIZE]; /* LOOKUP */
    enum broker_scope scope;         /* ORDERS */
    int64_t since_ns;                /* ORDERS, FILLS */
};
struct answer {
    int verdict;
    struct broker_order order;
    struct broker_reason why;
    size_t count; /* rows that follow */
};

static bool put(int fd, const void *bytes, size_t size) {
    for (size_t at = 0; at < size;) {
        ssize_t n = send(fd, (const char *)bytes + at, size - at, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return false;
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool get(int fd, void *bytes, size_t size) {
    for (size_t at = 0; at < size;) {
        ssize_t n = recv(fd, (char *)bytes + at, size - at, 0);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* ---- the child: an OMS whose broker is at the other end of `fd` ---- */

struct child {
    int fd;
    int64_t now_ns;
};

static bool ask_parent(const struct child *child, struct message *message, struct answer *answer) {
    message->now_ns = child->now_ns;
    return put(child->fd, message, sizeof *message) && get(child->fd, answer, sizeof *answer);
}

static enum broker_sent ask_submit(void *ctx, const struct broker_request *request,
                                   struct broker_order *order, struct broker_reason *why) {
    struct message message = {.question = ASK_SUBMIT, .request = *request};
    struct answer answer;
    if (!ask_parent(ctx, &message, &answer))
        return BROKER_IN_DOUBT;
    *order = answer.order;
    *why = answer.why;
    return (enum broker_sent)answer.verdict;
}

static enum broker_found ask_lookup(void *ctx, const char *client_order_id,
                                    struct broker_order *order, struct broker_reason *why) {
    struct message message = {.question = ASK_LOOKUP};
    struct answer answer;
    snprintf(message.ref, sizeof message.ref, "%s", client_order_id);
    if (!ask_parent(ctx, &message, &answer))
        return BROKER_INCONCLUSIVE;
    *order = answer.order;
    *why = answer.why;
    return (enum broker_found)answer.verdict;
}

static bool ask_orders(void *ctx, enum broker_scope scope, int64_t since_ns,
                       struct broker_orders *list, struct broker_reason *why) {
    const struct child *child = ctx;
    struct message message = {.question = ASK_ORDERS, .scope = scope, .since_ns = since_ns};
    struct answer answer;
    bool whole = ask_parent(child, &message, &answer);
    (void)why;
    for (size_t i = 0; whole && i < answer.count; i++) {
        struct broker_order *row = broker_orders_add(list);
        whole = row != NULL && get(child->fd, row, sizeof *row);
    }
    return whole;
}

static bool ask_fills(void *ctx, int64_t since_ns, struct broker_fills *list,
                      struct broker_reason *why) {
    const struct child *child = ctx;
    struct message message = {.question = ASK_FILLS, .since_ns = since_ns};
    struct answer answer;
    bool whole = ask_parent(child, &message, &answer);
    (void)why;
    for (size_t i = 0; whole && i < answer.count; i++) {
        struct broker_fill *row = broker_fills_add(list);
        whole = row != NULL && get(child->fd, row, sizeof *row);
    }
    return whole;
}

static bool ask_positions(void *ctx, struct broker_positions *list, struct broker_reason *why) {
    const struct child *child = ctx;
    struct message message = {.question = ASK_POSITIONS};
    struct answer answer;
    bool whole = ask_parent(child, &message, &answer);
    (void)why;
    for (size_t i = 0; whole && i < answer.count; i++) {
        struct broker_position *row = broker_positions_add(list);
        whole = row != NULL && get(child->fd, row, sizeof *row);
    }
    return whole;
}

/* The story asks for neither. */
static bool ask_account(void *ctx, struct broker_account *account, struct broker_reason *why) {
    (void)ctx, (void)account, (void)why;
    return false;
}
static enum broker_canceled ask_cancel(void *ctx, const char *order_id, struct broker_reason *why) {
    (void)ctx, (void)order_id, (void)why;
    return BROKER_CANCEL_IN_DOUBT;
}

static int64_t child_now(void *ctx) {
    return ((const struct child *)ctx)->now_ns;
}

static enum oms_halt_file no_halt_file(void *ctx) {
    (void)ctx;
    return OMS_HALT_ABSENT;
}

/* Once the order is recorded the parent is told, and kills. */
static void child_emit(void *ctx, const struct oms_event *event) {
    struct child *child = ctx;
    struct message message = {.question = TELL_RECORDED};
    if (event->kind != OMS_EVENT_RECORD || event->phase != OMS_AFTER)
        return;
    if (put(child->fd, &message, sizeof message))
        for (;;)
            pause();
}

static void silent(void *ctx, const struct oms_event *event) {
    (void)ctx, (void)event;
}

/* Does what is to be done, in its own time, until only routine looks are left. */
static bool work(struct oms *oms, struct child *child) {
    struct oms_error error;
    for (int i = 0; i < STEPS_MAX; i++) {
        struct oms_next next;
        oms_next(oms, &next);
        if (next.work == OMS_WORK_NONE || next.work == OMS_WORK_POLL)
            return true;
        child->now_ns = next.at_ns > child->now_ns ? next.at_ns : child->now_ns;
        if (oms_step(oms, &error) != OMS_OK)
            return false;
    }
    return false;
}

static void configure(const struct bench *bench, struct oms_config *config) {
    *config = (struct oms_config){.profile = bench->profile, .account = "SIM"};
}

/* One life: start, compare, hear the signal, work. Ends the process. */
_Noreturn static void live(const struct bench *bench, const char *path, int fd, int64_t now_ns,
                           bool first) {
    struct child child = {.fd = fd, .now_ns = now_ns};
    const struct broker broker = {.ctx = &child,
                                  .submit = ask_submit,
                                  .lookup = ask_lookup,
                                  .orders = ask_orders,
                                  .fills = ask_fills,
                                  .positions = ask_positions,
                                  .account = ask_account,
                                  .cancel = ask_cancel};
    const struct oms_env env = {.ctx = &child,
                                .now_ns = child_now,
                                .halt_file = no_halt_file,
                                .emit = first ? child_emit : silent};
    const struct oms_place place = {.vfs = "unix", .path = path};
    struct oms_config config;
    struct oms_answer answer;
    struct oms_error error;
    struct oms *oms = NULL;
    bool done = false;
    configure(bench, &config);
    done = oms_open(&oms, &place, &config, &broker, &env, &error) == OMS_OK && work(oms, &child) &&
           oms_decide(oms, &bench->story->decisions[0].payload, &answer, &error) == OMS_OK &&
           answer.taken == (first ? OMS_TAKEN : OMS_KNOWN) &&
           oms_request_reconcile(oms) == OMS_OK && work(oms, &child);
    _exit(done && !first ? 0 : 1);
}

/* ---- the parent: the exchange, and who kills ---- */

static bool reply_rows(int fd, struct answer *answer, const void *rows, size_t count,
                       size_t row_size) {
    answer->count = count;
    return put(fd, answer, sizeof *answer) && (count == 0 || put(fd, rows, count * row_size));
}

static bool reply(int fd, const struct broker *broker, const struct message *message) {
    struct answer answer;
    struct broker_orders orders = {0};
    struct broker_fills fills = {0};
    struct broker_positions positions = {0};
    bool sent = false;
    memset(&answer, 0, sizeof answer);
    switch (message->question) {
    case ASK_SUBMIT:
        answer.verdict =
            (int)broker->submit(broker->ctx, &message->request, &answer.order, &answer.why);
        sent = reply_rows(fd, &answer, NULL, 0, 0);
        break;
    case ASK_LOOKUP:
        answer.verdict = (int)broker->lookup(broker->ctx, message->ref, &answer.order, &answer.why);
        sent = reply_rows(fd, &answer, NULL, 0, 0);
        break;
    case ASK_ORDERS:
        broker->orders(broker->ctx, message->scope, message->since_ns, &orders, &answer.why);
        sent = reply_rows(fd, &answer, orders.v, orders.n, sizeof *orders.v);
        break;
    case ASK_FILLS:
        broker->fills(broker->ctx, message->since_ns, &fills, &answer.why);
        sent = reply_rows(fd, &answer, fills.v, fills.n, sizeof *fills.v);
        break;
    case ASK_POSITIONS:
        broker->positions(broker->ctx, &positions, &answer.why);
        sent = reply_rows(fd, &answer, positions.v, positions.n, sizeof *positions.v);
        break;
    case TELL_RECORDED:
        break;
    }
    broker_orders_free(&orders);
    broker_fills_free(&fills);
    broker_positions_free(&positions);
    return sent;
}

static struct port_answer nothing_goes_wrong(void *ctx, const struct port_call *call) {
    (void)ctx, (void)call;
    return (struct port_answer){0};
}
static void no_matter(void *ctx, const struct port_call *call) {
    (void)ctx, (void)call;
}
static void no_reply_matter(void *ctx, const struct port_reply *told) {
    (void)ctx, (void)told;
}
static void no_post_matter(void *ctx, const struct broker_request *request, unsigned posts) {
    (void)ctx, (void)request, (void)posts;
}

/* Answers until the child wants to be killed or is gone. */
static void serve(int fd, struct world *world, pid_t pid) {
    struct port port = {.before = nothing_goes_wrong,
                        .after = no_matter,
                        .replied = no_reply_matter,
                        .posted = no_post_matter};
    struct direct direct;
    const struct broker broker = direct_broker(&direct, world, &port);
    struct message message;
    while (get(fd, &message, sizeof message)) {
        world->now_ns = message.now_ns > world->now_ns ? message.now_ns : world->now_ns;
        if (message.question == TELL_RECORDED) {
            kill(pid, SIGKILL);
            return;
        }
        if (!reply(fd, &broker, &message))
            return;
    }
}

/* False: it did not end as the story says: the first life by SIGKILL, the second by itself. */
static bool one_life(const struct bench *bench, const char *path, struct world *world, bool first) {
    int ends[2], status = 0;
    pid_t pid = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        live(bench, path, ends[1], world->now_ns, first);
    }
    close(ends[1]);
    if (pid > 0)
        serve(ends[0], world, pid);
    close(ends[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return false;
    return first ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                 : WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- files ---- */

static void name_file(char name[NAME_SIZE], const char *folder, const char *file) {
    snprintf(name, NAME_SIZE, "%s/%s", folder, file);
}

static void remove_store(const char *folder, const char *file) {
    static const char *const endings[] = {"", "-wal", "-lock", "-journal"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char name[NAME_SIZE + 16];
        snprintf(name, sizeof name, "%s/%s%s", folder, file, endings[i]);
        unlink(name);
    }
}

static bool copy_file(const char *from, const char *to) {
    char bytes[COPY_SIZE];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n = in < 0 ? -1 : read(in, bytes, sizeof bytes);
    bool copied =
        out >= 0 && n > 0 && n < (ssize_t)sizeof bytes && write(out, bytes, (size_t)n) == n;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return copied;
}

/* A new store, made once per process and copied from then on, as in simulation. */
static bool lay_store(const struct bench *bench, const char *folder) {
    static bool made;
    const struct oms_env env = {.ctx = &(struct child){.now_ns = bench->story->start_ns},
                                .now_ns = child_now,
                                .halt_file = no_halt_file,
                                .emit = silent};
    char image[NAME_SIZE], store[NAME_SIZE];
    struct oms_config config;
    struct oms_error error;
    name_file(image, folder, "image.db");
    name_file(store, folder, STAGE_STORE);
    configure(bench, &config);
    if (!made) {
        const struct oms_place place = {.vfs = "unix", .path = image};
        remove_store(folder, "image.db");
        made = oms_init(&place, &config, &env, NULL, 0, &error) == OMS_OK;
    }
    remove_store(folder, STAGE_STORE);
    return made && copy_file(image, store);
}

/* ---- judgement ---- */

static bool came_right(const struct bench *bench, const char *path, const struct world *world) {
    const struct oms_decision *decision = &bench->story->decisions[0].payload;
    const struct oms_place place = {.vfs = "unix", .path = path};
    struct oms_view view;
    struct oms_error error = {""};
    bool right = oms_view_at(&place, true, &view, &error) == OMS_OK &&
                 world->exchange.order_count == 1 && view.order_count == 1 &&
                 view.orders[0].state == OMS_STATE_FILLED && view.position_count == 1 &&
                 view.positions[0].qty_nanos == decision->qty_nanos;
    if (!right)
        fprintf(stderr, "crashgate: bench: after SIGKILL: %zu orders at the exchange; %s\n",
                world->exchange.order_count, error.text);
    oms_view_free(&view);
    return right;
}

bool sigkill_timeline(const struct bench *bench, const char *folder) {
    const struct oms_decision *decision = &bench->story->decisions[0].payload;
    char path[NAME_SIZE];
    struct world world;
    bool done = lay_store(bench, folder);
    name_file(path, folder, STAGE_STORE);
    world_init(&world, bench->profile, bench->story->start_ns);
    done = done && one_life(bench, path, &world, true);
    done = done && exchange_fill(&world.exchange, 0, world.now_ns, decision->qty_nanos,
                                 decision->limit_nanos, "");
    world.now_ns += 30 * SECOND_NS;
    done = done && one_life(bench, path, &world, false);
    if (!done)
        fprintf(stderr, "crashgate: bench: a life with a real process went wrong in %s\n", folder);
    done = done && came_right(bench, path, &world);
    world_free(&world);
    return done;
}

void sigkill_clean(const char *folder) {
    remove_store(folder, "image.db");
    remove_store(folder, STAGE_STORE);
    rmdir(folder);
}
