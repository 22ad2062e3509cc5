/* The simulation against reality: on the same story, the calls that the OMS makes at the simulated
 * disk's port are the system calls that the real oms program makes on its files, one for one and in
 * the same order, and as many orders leave.
 *
 * The real program runs under strace against the simulated exchange on a loopback socket; the
 * simulated run makes the same calls into liboms that core/live/cli.c makes, over the simulated
 * disk and the simulated wire. System calls that are left out, and why they are none at the port:
 *
 * - open and fdatasync of the folder make a new file's name durable; the simulated disk does that
 *   with the first sync of the file itself. Checked to come right after a file's sync, so that
 *   nothing can happen between the two.
 * - fcntl on a lock's helper bytes: one lock of SQLite's is up to three byte ranges; it is counted
 *   once, at the range that decides.
 * - open of the fence to read, and F_GETLK: the program's look at who runs, which the core does not
 *   know of.
 * - fcntl that unlocks, and close never fail, and death does both.
 * - access, stat, readlink change nothing; fchown and fchmod give a new file the owner and mode of
 *   the database.
 *
 * Any other system call on a file of the store fails the test.
 *
 * The stories with a kill end the real and the simulated process before the same write, for every
 * write of its life, so that what is compared includes the recoveries. */
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
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALLS_MAX = 4096, LINE_SIZE = 4096, WORDS_MAX = 32, RUN_S_MAX = 120, FOLDER_SIZE = 64 };

struct story {
    const char *page_size;
    bool fills;      /* the exchange executes the order as soon as it has it */
    int64_t kill_at; /* the process of the first submit dies before its n-th write; 0: it lives */
};

struct call {
    enum site_op op;
    enum site_object on;
    int64_t offset, length;
};

/* One run of the story, real or simulated. */
struct side {
    struct world world;
    struct wire_exchange exchange;
    struct call calls[CALLS_MAX];
    size_t count;
    size_t folder_syncs;
    int64_t writes;       /* of the first submit, the killed one included */
    unsigned posts;       /* orders' POSTs that left the client */
    enum oms_state state; /* of the order in the end */
};

static const struct story *story;
static struct side real, simulated;
static struct listener *server;
static struct wire *wire;
static char folder[FOLDER_SIZE], desk[FOLDER_SIZE], program[PATH_MAX];

static void add_call(struct side *side, const struct call *call) {
    if (side->count == CALLS_MAX)
        fail_msg("more than %d calls on the store's files", CALLS_MAX);
    side->calls[side->count++] = *call;
}

static int64_t real_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * PROFILE_SECOND_NS + now.tv_nsec;
}

/* ---- the exchange, the same on both sides ---- */

static enum wire_submit take_and_perhaps_fill(void *ctx, const struct broker_request *request,
                                              struct broker_order *order,
                                              struct wire_refusal *refusal) {
    struct wire_exchange plain;
    struct world *world = ctx;
    wire_world(&plain, world);
    enum wire_submit taken = plain.submit(ctx, request, order, refusal);
    if (taken == WIRE_TAKEN && story->fills)
        assert_true(exchange_fill(&world->exchange, world->delivered_index, world->now_ns,
                                  request->qty_nanos, request->limit_nanos, ""));
    return taken;
}

static void open_side(struct side *side, int64_t now_ns) {
    *side = (struct side){0};
    world_init(&side->world, profile_find("alpaca-retention"), now_ns);
    wire_world(&side->exchange, &side->world);
    side->exchange.submit = take_and_perhaps_fill;
}

/* ---- the real side: what strace wrote ---- */

/* Number before `end`, or INT64_MIN. */
static int64_t number_before(const char *line, const char *end) {
    while (end > line && end[-1] != ' ' && end[-1] != '(')
        end--;
    char *stop;
    int64_t value = strtoll(end, &stop, 10);
    return stop == end ? INT64_MIN : value;
}

static bool has(const char *text, const char *part) {
    return strstr(text, part) != NULL;
}

/* Is this fcntl the one that decides a lock of SQLite's, and which (SQLITE_LOCK_*)? */
static bool lock_level(const char *line, int64_t *level) {
    enum { SHARED = 1, RESERVED = 2, EXCLUSIVE = 4 };
    bool taken = has(line, "F_SETLK,") && !has(line, "F_UNLCK");
    bool shared_range = has(line, "l_len=510"), reserved_byte = has(line, "l_start=1073741825,");
    *level = reserved_byte ? RESERVED : has(line, "F_WRLCK") ? EXCLUSIVE : SHARED;
    return taken && (shared_range || reserved_byte);
}

/* system call, the port's operation (COUNT: no call at the port), its last arguments: 'p' offset
 * and length, 'o' offset, '-' none, 'l' a lock */
static const struct {
    const char *name;
    enum site_op op;
    char arguments;
} SYSTEM_CALLS[] = {
    {"openat", SITE_DISK_OPEN, '-'},    {"pread64", SITE_DISK_READ, 'p'},
    {"pwrite64", SITE_DISK_WRITE, 'p'}, {"ftruncate", SITE_DISK_TRUNCATE, 'o'},
    {"fdatasync", SITE_DISK_SYNC, '-'}, {"fsync", SITE_DISK_SYNC, '-'},
    {"unlink", SITE_DISK_DELETE, '-'},  {"fcntl", SITE_DISK_LOCK, 'l'},
    {"close", SITE_OP_COUNT, '-'},      {"fstat", SITE_OP_COUNT, '-'},
    {"newfstatat", SITE_OP_COUNT, '-'}, {"stat", SITE_OP_COUNT, '-'},
    {"lstat", SITE_OP_COUNT, '-'},      {"access", SITE_OP_COUNT, '-'},
    {"fchown", SITE_OP_COUNT, '-'},     {"fchmod", SITE_OP_COUNT, '-'},
    {"readlink", SITE_OP_COUNT, '-'},   {"execve", SITE_OP_COUNT, '-'},
};

/* The path that follows `text`, up to one of '>' and '"'. False: it is not in the desk's folder. */
static bool path_in_desk(const char *text, char name[LINE_SIZE]) {
    const char *at = strstr(text, desk);
    if (at == NULL)
        return false;
    size_t n = strcspn(at, ">\"");
    memcpy(name, at, n);
    name[n] = '\0';
    return true;
}

static void read_folder_call(const char *line, enum site_op op) {
    if (op == SITE_DISK_OPEN)
        return;
    if (op != SITE_DISK_SYNC || real.count == 0 || real.calls[real.count - 1].op != SITE_DISK_SYNC)
        fail_msg("only a sync of the folder right after a sync of a file is expected: %s", line);
    real.folder_syncs++;
}

/* One line: "PID name(arguments) = result". */
static void read_system_call(const char *line) {
    char path[LINE_SIZE];
    size_t i = 0;
    const char *name = line + strspn(line, "0123456789 "), *end = strstr(line, ") ");
    for (const char *next; end != NULL && (next = strstr(end + 1, ") ")) != NULL;)
        end = next;
    if (!path_in_desk(line, path))
        return;
    if (end == NULL || has(line, "<unfinished") || has(line, "resumed>"))
        fail_msg("a system call in one piece is expected: %s", line);
    size_t length = strcspn(name, "(");
    while (i < sizeof SYSTEM_CALLS / sizeof SYSTEM_CALLS[0] &&
           (strlen(SYSTEM_CALLS[i].name) != length ||
            strncmp(SYSTEM_CALLS[i].name, name, length) != 0))
        i++;
    if (i == sizeof SYSTEM_CALLS / sizeof SYSTEM_CALLS[0])
        fail_msg("no call at the port stands for this system call: %s", line);
    struct call call = {.op = SYSTEM_CALLS[i].op};
    if (call.op == SITE_OP_COUNT)
        return;
    call.on = disk_class(strrchr(path, '/') + 1);
    if (call.op == SITE_DISK_OPEN && call.on == ON_LOCK && has(line, "O_RDONLY"))
        return;
    if (strcmp(path, desk) == 0) {
        read_folder_call(line, call.op);
        return;
    }
    const char *before_last = end;
    while (before_last > line && *before_last != ',')
        before_last--;
    if (SYSTEM_CALLS[i].arguments == 'l' && !lock_level(line, &call.length))
        return;
    if (SYSTEM_CALLS[i].arguments == 'p' || SYSTEM_CALLS[i].arguments == 'o')
        call.offset = number_before(line, end);
    if (SYSTEM_CALLS[i].arguments == 'p')
        call.length = number_before(line, before_last);
    assert_true(call.offset != INT64_MIN && call.length != INT64_MIN);
    add_call(&real, &call);
}

static void print_file(const char *path) {
    char line[LINE_SIZE];
    FILE *in = fopen(path, "r");
    while (in != NULL && fgets(line, sizeof line, in) != NULL)
        print_error("      %s", line);
    if (in != NULL)
        fclose(in);
}

static void read_trace(const char *trace, const char *output, const char *last_words) {
    char line[LINE_SIZE];
    bool to_its_end = false;
    FILE *in = fopen(trace, "r");
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        read_system_call(line);
        to_its_end |= has(line, last_words);
    }
    if (in != NULL)
        fclose(in);
    if (!to_its_end) {
        print_file(output);
        fail_msg("strace did not follow %s to \"%s\"; what was said is above. "
                 "This test needs strace, and the right to ptrace a child",
                 program, last_words);
    }
}

/* ---- the real side: running the program ---- */

static void be_the_program(const char *trace, const char *output, char *inject, char **words) {
    char *command[WORDS_MAX] = {"strace", "-f", "-y", "-s", "0", "-e", "trace=%file,%desc", "-o"};
    size_t n = 8;
    command[n++] = (char *)(uintptr_t)trace;
    if (inject != NULL) {
        command[n++] = "-e";
        command[n++] = inject;
    }
    command[n++] = program;
    for (; *words != NULL; words++)
        command[n++] = *words;
    int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0)
        execvp(command[0], command);
    perror("strace");
    _exit(127);
}

/* Runs "oms " + line under strace to its end, serving it meanwhile; when kill_at is n, to a SIGKILL
 * on entering its n-th write. */
static void oms(const char *line, int64_t kill_at) {
    char copy[512], trace[PATH_MAX], output[PATH_MAX], inject[80], *words[WORDS_MAX] = {NULL};
    size_t n = 0;
    snprintf(copy, sizeof copy, "%s", line);
    snprintf(trace, sizeof trace, "%s/trace", folder);
    snprintf(output, sizeof output, "%s/output", folder);
    snprintf(inject, sizeof inject, "inject=pwrite64:signal=SIGKILL:when=%" PRId64, kill_at);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        words[n++] = word;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        be_the_program(trace, output, kill_at > 0 ? inject : NULL, words);
    time_t give_up = time(NULL) + RUN_S_MAX;
    for (int status; waitpid(child, &status, WNOHANG) == 0;) {
        real.world.now_ns = real_now_ns();
        listener_run(server, 5);
        if (time(NULL) > give_up)
            kill(child, SIGKILL);
    }
    read_trace(trace, output, kill_at > 0 ? "+++ killed by SIGKILL +++" : "+++ exited with 0 +++");
}

static int64_t count_writes(const struct side *side, size_t from) {
    int64_t writes = 0;
    for (size_t i = from; i < side->count; i++)
        writes += side->calls[i].op == SITE_DISK_WRITE;
    return writes;
}

static enum oms_state state_of_d1(const char *vfs, const char *path) {
    struct oms_error error;
    struct oms_view view;
    struct oms_place place = {.vfs = vfs, .path = path};
    assert_int_equal(oms_view_at(&place, true, &view, &error), OMS_OK);
    assert_int_equal(view.order_count, 1);
    enum oms_state state = view.orders[0].state;
    oms_view_free(&view);
    return state;
}

static void run_really(void) {
    char init[256], submit[256], reconcile[256], status[256], path[FOLDER_SIZE + 8],
        url[LISTENER_URL_SIZE];
    open_side(&real, real_now_ns());
    server = loopback_open(&real.exchange, NULL, url);
    setenv("APCA_API_BASE_URL", url, 1);
    setenv("APCA_API_KEY_ID", "key", 1);
    setenv("APCA_API_SECRET_KEY", "secret", 1);
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* the leak checker is a tracer of its own */
    snprintf(path, sizeof path, "%s/oms.db", desk);
    snprintf(init, sizeof init, "init --db %s --account A1 --page-size %s", path, story->page_size);
    snprintf(submit, sizeof submit, "submit --db %s D1 buy 100 AAPL limit 150", path);
    snprintf(reconcile, sizeof reconcile, "reconcile --db %s", path);
    snprintf(status, sizeof status, "status --db %s", path);
    oms(init, 0);
    size_t from = real.count;
    oms(submit, story->kill_at);
    real.writes = count_writes(&real, from);
    if (story->kill_at > 0)
        oms(submit, 0);
    oms(reconcile, 0);
    oms(status, 0);
    real.posts = (unsigned)real.world.exchange.delivery_count;
    real.state = state_of_d1("unix", path);
}

/* ---- the simulated side ---- */

static struct port port;
static int64_t kill_in; /* writes from now; 0: never */

static struct port_answer before(void *ctx, const struct port_call *call) {
    struct side *side = ctx;
    if (call->site.op <= SITE_DISK_LOCK)
        add_call(side, &(struct call){call->site.op, call->site.on, call->offset, call->length});
    if (call->site.op == SITE_DISK_WRITE && kill_in > 0)
        port.dead = --kill_in == 0;
    return (struct port_answer){0};
}

static void after(void *ctx, const struct port_call *call) {
    (void)ctx, (void)call;
}

static void replied(void *ctx, const struct port_reply *reply) {
    (void)ctx, (void)reply;
}

static void posted(void *ctx, const struct broker_request *request, unsigned posts) {
    struct side *side = ctx;
    (void)request, (void)posts;
    side->posts++;
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

static void run_simulated(void) {
    const struct machine machine = {
        .world = &simulated.world,
        .exchange = &simulated.exchange,
        .wire = wire,
        .port = &port,
        .env = {.ctx = &simulated, .now_ns = now, .halt_file = no_halt_file, .emit = hear}};
    open_side(&simulated, real_now_ns());
    machine_init(&machine, atoi(story->page_size), 1);

    size_t from = simulated.count;
    kill_in = story->kill_at;
    machine_submit(&machine, 2);
    simulated.writes = count_writes(&simulated, from);
    if (story->kill_at > 0)
        machine_submit(&machine, 3);
    machine_reconcile(&machine, 4);

    disk_vfs_attach("sim", simulated.world.disk, &port, 5); /* oms status */
    simulated.state = state_of_d1("sim", MACHINE_STORE);
    disk_kill(simulated.world.disk);
}

/* ---- the comparison ---- */

static void show(const char *who, const struct side *side, size_t i) {
    char name[SITE_NAME_SIZE];
    if (i >= side->count) {
        print_error("  %-10s nothing more\n", who);
        return;
    }
    const struct call *call = &side->calls[i];
    site_name((struct site){call->op, call->on}, name);
    print_error("  %-10s %-20s offset %" PRId64 " length %" PRId64 "\n", who, name, call->offset,
                call->length);
}

static bool same(const struct call *a, const struct call *b) {
    return a->op == b->op && a->on == b->on && a->offset == b->offset && a->length == b->length;
}

/* Compares the two sides; gives the number of calls that are the same. */
static size_t compare(void) {
    size_t most = real.count > simulated.count ? real.count : simulated.count, i = 0;
    size_t per_file[SITE_OBJECT_COUNT] = {0};
    while (i < real.count && i < simulated.count && same(&real.calls[i], &simulated.calls[i]))
        per_file[real.calls[i++].on]++;
    if (i < most) {
        for (size_t at = i > 3 ? i - 3 : 0; at < i + 3; at++) {
            print_error("%s call %zu\n", at < i ? "same" : "here", at + 1);
            show("real", &real, at);
            show("simulated", &simulated, at);
        }
        fail_msg("page size %s, killed at write %" PRId64 ": call %zu of %zu real and %zu "
                 "simulated ones differs",
                 story->page_size, story->kill_at, i + 1, real.count, simulated.count);
    }
    assert_int_equal(real.posts, 1);
    assert_int_equal(simulated.posts, real.posts);
    assert_int_equal(simulated.world.exchange.delivery_count, real.posts);
    assert_int_equal(real.state, story->fills ? OMS_STATE_FILLED : OMS_STATE_WORKING);
    assert_int_equal(simulated.state, real.state);
    print_message("page size %s, %s, killed at write %" PRId64 ": %zu calls are the same (db %zu, "
                  "wal %zu, journal %zu, lock %zu), besides %zu folder syncs; %u order POST\n",
                  story->page_size, story->fills ? "filled at once" : "resting", story->kill_at, i,
                  per_file[ON_DB], per_file[ON_WAL], per_file[ON_JOURNAL], per_file[ON_LOCK],
                  real.folder_syncs, real.posts);
    /* no file may have been overlooked; init makes two names durable */
    assert_true(per_file[ON_DB] > 0 && per_file[ON_WAL] > 0 && per_file[ON_JOURNAL] > 0 &&
                per_file[ON_LOCK] > 0 && real.folder_syncs >= 2);
    return i;
}

/* ---- the tests ---- */

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw) {
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static void set_stage(const struct story *told) {
    story = told;
    snprintf(folder, sizeof folder, "/tmp/oms-reality-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(desk, sizeof desk, "%.40s/desk", folder);
    assert_int_equal(mkdir(desk, 0700), 0);
    wire = wire_open();
    assert_non_null(wire);
}

static int clear_stage(void **state) {
    (void)state;
    disk_vfs_attach("sim", NULL, NULL, 0);
    wire_close(wire);
    listener_close(server);
    wire = NULL;
    server = NULL;
    world_free(&real.world);
    world_free(&simulated.world);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void play(const struct story *told) {
    set_stage(told);
    run_really();
    run_simulated();
    assert_true(compare() > 0);
}

static void port_calls_are_the_system_calls_of_the_real_program(void **state) {
    play(*state);
}

static void so_they_are_after_a_kill_before_any_write(void **state) {
    struct story told = *(const struct story *)*state;
    play(&told);
    const int64_t writes = simulated.writes;
    assert_true(writes > 0);
    for (told.kill_at = 1; told.kill_at <= writes; told.kill_at++) {
        clear_stage(state);
        play(&told);
        assert_int_equal(simulated.writes, told.kill_at); /* it did die there */
        assert_int_equal(real.writes, told.kill_at);
    }
}

int main(void) {
    static struct story small_rests = {"512", false, 0}, small_fills = {"512", true, 0},
                        rests = {"4096", false, 0}, fills = {"4096", true, 0};
    const struct CMUnitTest tests[] = {
#define T(name, story) {#name ": " #story, name, NULL, clear_stage, &story}
        T(port_calls_are_the_system_calls_of_the_real_program, small_rests),
        T(port_calls_are_the_system_calls_of_the_real_program, small_fills),
        T(port_calls_are_the_system_calls_of_the_real_program, rests),
        T(port_calls_are_the_system_calls_of_the_real_program, fills),
        T(so_they_are_after_a_kill_before_any_write, small_fills),
        T(so_they_are_after_a_kill_before_any_write, rests),
#undef T
    };
    if (realpath("build/oms", program) == NULL) {
        fprintf(stderr, "build/oms is not there: run this from the top folder, after `make`\n");
        return 1;
    }
    disk_vfs_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
