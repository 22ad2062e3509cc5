/* The model kept honest: the real oms program, on a real disk, against the simulated exchange on a
 * loopback socket, is killed with SIGKILL at every system call that writes, syncs or sends; what is
 * left must be one of the worlds that the simulation predicts for a kill of the same story.
 *
 * A world here is what it means, times left out: what SQLite recovers from the files, and the
 * exchange's books. The simulation is killed before and after every call at its ports.
 *
 * The first story is making a store, which must also be made whole by doing it again. The second is
 * a submit that is filled at once. The others are the recovery after a kill between the order's
 * request and its record, by another submit and by a reconcile, and the kill strikes there.
 *
 * The program is traced by this test itself: at the entry of the chosen system call it gets SIGKILL,
 * and the call is not made. */
#include "core/oms.h"
#include "sim/tests/loopback.h"
#include "sim/tests/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WORLDS_MAX = 256,
    MEANING_SIZE = 1000,
    KILLS_MAX = 5000,
    RUN_S_MAX = 60,
    LAST_TURNS = 3, /* of the server after a kill: what was sent arrives */
    NAME_SIZE = 128
};

/* ---- worlds by what they mean ---- */

struct worlds {
    char meaning[WORLDS_MAX][MEANING_SIZE];
    size_t n;
};

static bool knows(const struct worlds *worlds, const char *meaning) {
    size_t i = 0;
    while (i < worlds->n && strcmp(worlds->meaning[i], meaning) != 0)
        i++;
    return i < worlds->n;
}

/* True: it is new. */
static bool add_world(struct worlds *worlds, const char *meaning) {
    if (knows(worlds, meaning))
        return false;
    assert_true(worlds->n < WORLDS_MAX);
    snprintf(worlds->meaning[worlds->n++], MEANING_SIZE, "%s", meaning);
    return true;
}

__attribute__((format(printf, 2, 3))) static void add(char *out, const char *format, ...) {
    size_t used = strlen(out);
    va_list args;
    va_start(args, format);
    int length = vsnprintf(out + used, MEANING_SIZE - used, format, args);
    va_end(args);
    assert_true(length >= 0 && (size_t)length < MEANING_SIZE - used);
}

#define NOT_MADE "store: missing or unfinished"

static void add_store(const char *vfs, const char *path, char out[MEANING_SIZE]) {
    const struct oms_place place = {.vfs = vfs, .path = path};
    struct oms_error error = {""};
    struct oms_view view;
    enum oms_code code = oms_view_at(&place, true, &view, &error);
    if (code == OMS_MISSING || (code == OMS_FOREIGN && strstr(error.text, "unfinished") != NULL)) {
        add(out, "%s", NOT_MADE);
        return;
    }
    if (code != OMS_OK)
        fail_msg("after a kill the store cannot be read: %s", error.text);
    add(out, "store: starts %d, kill switch %d", (int)view.boots, view.kill_switch);
    for (size_t i = 0; i < view.order_count; i++)
        add(out, "; %s %s id '%s' at the broker '%s' sends %d filled %lld",
            view.orders[i].decision.id, oms_state_name(view.orders[i].state),
            view.orders[i].client_order_id, view.orders[i].broker_order_id, view.orders[i].sends,
            (long long)view.orders[i].filled_nanos);
    for (size_t i = 0; i < view.position_count; i++)
        add(out, "; %s %lld at %lld", view.positions[i].symbol,
            (long long)view.positions[i].qty_nanos, (long long)view.positions[i].avg_price_nanos);
    for (size_t i = 0; i < view.discrepancy_count; i++)
        add(out, "; %s", view.discrepancies[i].text);
    oms_view_free(&view);
}

static void add_books(const struct exchange *exchange, char out[MEANING_SIZE]) {
    add(out, " | broker: %zu requests", exchange->delivery_count);
    for (size_t i = 0; i < exchange->order_count; i++)
        add(out, "; %s is '%s' %s filled %lld", exchange->orders[i].told.id,
            exchange->orders[i].told.client_order_id, exchange->orders[i].told.status_text,
            (long long)exchange->orders[i].told.filled_nanos);
}

/* ---- the exchange, the same on both sides: it executes an order as soon as it has it ---- */

struct side {
    struct world world;
    struct wire_exchange exchange;
};

static enum wire_submit take_and_fill(void *ctx, const struct broker_request *request,
                                      struct broker_order *order, struct wire_refusal *refusal) {
    struct wire_exchange plain;
    struct world *world = ctx;
    wire_world(&plain, world);
    enum wire_submit taken = plain.submit(ctx, request, order, refusal);
    if (taken == WIRE_TAKEN)
        assert_true(exchange_fill(&world->exchange, world->delivered_index, world->now_ns,
                                  request->qty_nanos, request->limit_nanos, ""));
    return taken;
}

static int64_t real_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * PROFILE_SECOND_NS + now.tv_nsec;
}

static void open_side(struct side *side) {
    world_init(&side->world, profile_find("alpaca-retention"), real_now_ns());
    wire_world(&side->exchange, &side->world);
    side->exchange.submit = take_and_fill;
}

/* ---- the simulated side ---- */

static struct side simulated;
static struct wire *wire;

/* Before or after which call of the process the kill strikes. */
static struct {
    long calls, at;
    bool after, struck;
} sim_kill;

static struct port port;

static struct port_answer before(void *ctx, const struct port_call *call) {
    (void)ctx, (void)call;
    sim_kill.calls++;
    if (sim_kill.calls == sim_kill.at && !sim_kill.after)
        port.dead = sim_kill.struck = true;
    return (struct port_answer){0};
}
static void after(void *ctx, const struct port_call *call) {
    (void)ctx, (void)call;
    if (sim_kill.calls == sim_kill.at && sim_kill.after)
        port.dead = sim_kill.struck = true;
}
static void replied(void *ctx, const struct port_reply *reply) {
    (void)ctx, (void)reply;
}
static void posted(void *ctx, const struct broker_request *request, unsigned posts) {
    (void)ctx, (void)request, (void)posts;
}
static void pass_time(void *ctx, int64_t until_ns) {
    struct side *side = ctx;
    side->world.now_ns = until_ns;
}
static int64_t now(void *ctx) {
    const struct side *side = ctx;
    return side->world.now_ns;
}
static enum oms_halt_file no_halt_file(void *ctx) {
    (void)ctx;
    return OMS_HALT_ABSENT;
}
static void hear(void *ctx, const struct oms_event *event) {
    (void)ctx, (void)event;
}

static struct port port = {.ctx = &simulated,
                           .before = before,
                           .after = after,
                           .replied = replied,
                           .posted = posted,
                           .wait = pass_time,
                           .now = now};

/* What a program is run for. */
enum deed { INIT, SUBMIT, RECONCILE };

/* Does it in the simulated world as it is; killed there at call `at`. False: there was no such. */
static bool simulate(enum deed deed, long at, bool strikes_after) {
    const struct machine machine = {
        .world = &simulated.world,
        .exchange = &simulated.exchange,
        .wire = wire,
        .port = &port,
        .env = {.ctx = &simulated, .now_ns = now, .halt_file = no_halt_file, .emit = hear}};
    memset(&sim_kill, 0, sizeof sim_kill);
    sim_kill.at = at;
    sim_kill.after = strikes_after;
    switch (deed) {
    case INIT:
        machine_init(&machine, 0, 1);
        break;
    case SUBMIT:
        machine_submit(&machine, 2);
        break;
    case RECONCILE:
        machine_reconcile(&machine, 2);
        break;
    }
    return sim_kill.struck;
}

static void simulated_meaning(char out[MEANING_SIZE]) {
    out[0] = '\0';
    disk_vfs_attach("sim-peek", simulated.world.disk, NULL, 0);
    add_store("sim-peek", MACHINE_STORE, out);
    add_books(&simulated.world.exchange, out);
}

static void go_to(const struct world *world) {
    world_free(&simulated.world);
    world_copy(&simulated.world, world);
}

/* All worlds that a kill leaves of a deed that begins in `from`, and the last, without a kill. With
 * `then`, so many of the distinct worlds themselves. Returns the number of kills. */
static long predict(enum deed deed, const struct world *from, struct worlds *worlds,
                    struct world *then, size_t *then_count) {
    char meaning[MEANING_SIZE];
    long kills = 0;
    bool more = true;
    for (long at = 1; more; at++) {
        assert_true(at < KILLS_MAX);
        more = false;
        for (int strikes_after = 0; strikes_after <= 1; strikes_after++) {
            go_to(from);
            bool struck = simulate(deed, at, strikes_after != 0);
            more = more || struck;
            kills += struck;
            simulated_meaning(meaning);
            if (add_world(worlds, meaning) && then != NULL)
                world_copy(&then[(*then_count)++], &simulated.world);
        }
    }
    return kills;
}

/* ---- the real side ---- */

static struct side real;
static struct listener *server;
static char folder[NAME_SIZE], program[PATH_MAX];

/* write, sync or send; a call that is none of these changes nothing that outlives the process, but
 * to create a file, which leaves what the write before left. */
static bool counts(uint64_t number) {
    static const long numbers[] = {SYS_write,     SYS_pwrite64,  SYS_writev,  SYS_pwritev,
                                   SYS_fsync,     SYS_fdatasync, SYS_sync,    SYS_msync,
                                   SYS_ftruncate, SYS_fallocate, SYS_sendto,  SYS_sendmsg,
                                   SYS_unlinkat,  SYS_renameat,  SYS_fchmod,  SYS_fchown,
#ifdef SYS_unlink
                                   SYS_unlink,    SYS_rename,    SYS_truncate
#endif
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if ((uint64_t)numbers[i] == number)
            return true;
    }
    return false;
}

static void be_traced(char *const *words) {
    char output[NAME_SIZE + 8];
    snprintf(output, sizeof output, "%s/output", folder);
    int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0 &&
        ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
        execv(program, words);
    _exit(127);
}

/* A stopped child: kill it or let it go on. `calls` counts; true: it was killed. */
static bool at_stop(pid_t child, int status, long kill_at, long *calls) {
    struct __ptrace_syscall_info info = {0};
    int signal = WSTOPSIG(status);
    if (signal == (SIGTRAP | 0x80)) {
        signal = 0;
        assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) > 0);
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY && counts(info.entry.nr) && ++*calls == kill_at) {
            kill(child, SIGKILL);
            return true;
        }
    } else if (signal == SIGTRAP) {
        signal = 0; /* exec */
    }
    ptrace(PTRACE_SYSCALL, child, NULL, signal);
    return false;
}

/* Runs the program to its end, serving it meanwhile, or to a SIGKILL at its counted call `kill_at`.
 * Returns the calls counted. */
static long run_program(char *const *words, long kill_at, bool *killed) {
    long calls = 0;
    int status = 0;
    bool begun = false;
    time_t give_up = time(NULL) + RUN_S_MAX;
    pid_t child = fork();
    assert_true(child >= 0);
    *killed = false;
    if (child == 0)
        be_traced(words);
    for (;;) {
        pid_t stopped = waitpid(child, &status, WNOHANG);
        if (stopped == child && !WIFSTOPPED(status))
            break;
        if (stopped == child && !begun) {
            begun = true;
            assert_int_equal(
                ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL),
                0);
        }
        if (stopped == child) {
            *killed = at_stop(child, status, kill_at, &calls) || *killed;
            continue;
        }
        real.world.now_ns = real_now_ns();
        listener_run(server, 0);
        sched_yield(); /* the program may need this processor */
        if (time(NULL) > give_up)
            kill(child, SIGKILL);
    }
    for (int i = 0; i < LAST_TURNS; i++)
        listener_run(server, 0);
    if (*killed ? !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL
                : !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the program ended with %#x; it was %s", (unsigned)status,
                 *killed ? "killed" : "not to be killed");
    return calls;
}

static void in_folder(char out[NAME_SIZE], const char *sub, const char *name) {
    snprintf(out, NAME_SIZE, "%.60s/%s/%s", folder, sub, name);
}

/* What a folder holds, and the exchange beside it, as they were. */
static void copy_file(const char *from, const char *to) {
    char bytes[1 << 16];
    ssize_t n = 0;
    int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
    unlink(to);
    if (in < 0)
        return; /* it is not there, either */
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(out >= 0);
    while ((n = read(in, bytes, sizeof bytes)) > 0)
        assert_int_equal(write(out, bytes, (size_t)n), n);
    assert_int_equal(n, 0);
    close(in);
    close(out);
}

static void copy_store(const char *from, const char *to) {
    static const char *const names[] = {MACHINE_STORE, MACHINE_STORE "-wal", MACHINE_STORE "-lock",
                                        MACHINE_STORE "-journal"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char source[NAME_SIZE], target[NAME_SIZE];
        in_folder(source, from, names[i]);
        in_folder(target, to, names[i]);
        copy_file(source, target);
    }
}

static void really_do(enum deed deed, long kill_at, bool *killed) {
    char path[NAME_SIZE];
    in_folder(path, "desk", MACHINE_STORE);
    char *init[] = {program, "init", "--db", path, "--account", "A1", NULL};
    char *submit[] = {program, "submit", "--db",  path,  "D1", "buy",
                      "100",   "AAPL",   "limit", "150", NULL};
    char *reconcile[] = {program, "reconcile", "--db", path, NULL};
    run_program(deed == INIT ? init : deed == SUBMIT ? submit : reconcile, kill_at, killed);
}

static void real_meaning(char out[MEANING_SIZE]) {
    char path[NAME_SIZE];
    out[0] = '\0';
    in_folder(path, "desk", MACHINE_STORE);
    add_store("unix", path, out);
    add_books(&real.world.exchange, out);
}

/* Kills a deed that begins with the store in `from` and these books at every counted call, up to
 * one that comes to its end. Each world must be predicted; a store that is not whole is made again.
 * With `sent`, the first world in which the broker has the order and the store does not know is kept
 * in folder "sent" and *sent. Returns the kills. */
static long kill_everywhere(enum deed deed, const char *from, const struct world *books,
                            const struct worlds *predicted, struct worlds *found,
                            struct world *sent) {
    char meaning[MEANING_SIZE];
    bool killed = true, kept = sent == NULL;
    long kills = 0;
    while (killed) {
        assert_true(kills < KILLS_MAX);
        copy_store(from, "desk");
        world_free(&real.world);
        world_copy(&real.world, books);
        really_do(deed, kills + 1, &killed);
        kills += killed;
        real_meaning(meaning);
        add_world(found, meaning);
        if (!knows(predicted, meaning))
            fail_msg(
                "killed at call %ld of its run from '%s', the real program leaves a world that the "
                "simulation does not predict: %s",
                kills, from, meaning);
        if (strncmp(meaning, NOT_MADE, strlen(NOT_MADE)) == 0) {
            bool again = false;
            really_do(INIT, 0, &again);
        }
        if (!kept && real.world.exchange.order_count == 1) {
            kept = true;
            copy_store("desk", "sent");
            world_copy(sent, &real.world);
        }
    }
    assert_true(kept);
    return kills;
}

/* ---- the test ---- */

static void listen_for_real(void) {
    char url[LISTENER_URL_SIZE];
    server = loopback_open(&real.exchange, NULL, url);
    setenv("APCA_API_BASE_URL", url, 1);
    setenv("APCA_API_KEY_ID", "key", 1);
    setenv("APCA_API_SECRET_KEY", "secret", 1);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw) {
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static int set_stage(void **state) {
    static const char *const subs[] = {"empty", "new", "desk", "sent"};
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/oms-every-kill-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    for (size_t i = 0; i < sizeof subs / sizeof subs[0]; i++) {
        char path[NAME_SIZE];
        in_folder(path, subs[i], "");
        if (mkdir(path, 0700) != 0)
            return -1;
    }
    wire = wire_open();
    open_side(&real);
    open_side(&simulated);
    return wire == NULL ? -1 : 0;
}

static int clear_stage(void **state) {
    (void)state;
    disk_vfs_attach("sim", NULL, NULL, 0);
    disk_vfs_attach("sim-peek", NULL, NULL, 0);
    wire_close(wire);
    listener_close(server);
    world_free(&real.world);
    world_free(&simulated.world);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void print_counts(const char *story, long real_kills, const struct worlds *found,
                         long sim_kills, const struct worlds *predicted) {
    print_message("%s: %ld system calls killed at, %zu distinct real worlds; %ld kills simulated, "
                  "%zu distinct predicted worlds; all real in predicted\n",
                  story, real_kills, found->n, sim_kills, predicted->n);
}

/* The same deed from each of some worlds. */
static long predict_from_each(enum deed deed, const struct world *from, size_t count,
                              struct worlds *worlds) {
    long kills = 0;
    for (size_t i = 0; i < count; i++)
        kills += predict(deed, &from[i], worlds, NULL, NULL);
    return kills;
}

static void every_kill_of_the_real_program_leaves_a_world_that_is_predicted(void **state) {
    static struct worlds made, first, second, third, real_made, real_first, real_second, real_third;
    static struct world after_first[WORLDS_MAX];
    struct world nothing, start, books, sent;
    size_t count = 0;
    long sim_kills = 0, kills = 0;
    (void)state;

    listen_for_real();
    world_copy(&nothing, &simulated.world);
    sim_kills = predict(INIT, &nothing, &made, NULL, NULL);
    world_copy(&start, &simulated.world); /* the last one was not killed */
    world_copy(&books, &real.world);
    kills = kill_everywhere(INIT, "empty", &books, &made, &real_made, NULL);
    copy_store("desk", "new");
    print_counts("init", kills, &real_made, sim_kills, &made);
    assert_true(kills > 5 && sim_kills > 5 && real_made.n == 2);

    sim_kills = predict(SUBMIT, &start, &first, after_first, &count);
    kills = kill_everywhere(SUBMIT, "new", &books, &first, &real_first, &sent);
    print_counts("submit", kills, &real_first, sim_kills, &first);
    /* Not one kill in vain, and more than the story's beginning and end. */
    assert_true(kills > 20 && sim_kills > 20);
    assert_true(real_first.n >= 4 && first.n >= real_first.n);

    sim_kills = predict_from_each(SUBMIT, after_first, count, &second);
    kills = kill_everywhere(SUBMIT, "sent", &sent, &second, &real_second, NULL);
    print_counts("submit after a kill", kills, &real_second, sim_kills, &second);
    assert_true(kills > 20 && real_second.n >= 2 && second.n >= real_second.n);

    sim_kills = predict_from_each(RECONCILE, after_first, count, &third);
    kills = kill_everywhere(RECONCILE, "sent", &sent, &third, &real_third, NULL);
    print_counts("reconcile after a kill", kills, &real_third, sim_kills, &third);
    assert_true(kills > 20 && real_third.n >= 2 && third.n >= real_third.n);
    for (size_t i = 0; i < count; i++)
        world_free(&after_first[i]);
    world_free(&nothing);
    world_free(&start);
    world_free(&books);
    world_free(&sent);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        every_kill_of_the_real_program_leaves_a_world_that_is_predicted, set_stage, clear_stage)};
    if (realpath("build/oms", program) == NULL) {
        fprintf(stderr, "build/oms is not there: run this from the top folder, after `make`\n");
        return 1;
    }
    disk_vfs_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
