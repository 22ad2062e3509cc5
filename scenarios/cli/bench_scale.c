/* How the OMS behaves when there is much of everything: a million finished orders, decisions as fast
 * as the disk takes them, a comparison of a hundred thousand orders and positions.
 *
 * The million is put into the archive segment by segment as the OMS itself would, but for the
 * trading; everything that is measured is the OMS's own doing, on this disk. */
#include "scenarios/cli/bench.h"

#include "core/client_id.h"
#include "core/reconcile.h"
#include "core/store.h"
#include "scenarios/cli/figures.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    MILLION = 1000000,
    SEGMENT_ORDERS = 2048,
    SYMBOLS = 100,
    STARTS = 9,
    ROUNDS = 5,
    DISK_ROUNDS = 15, /* disks are moody */
    ROUND_DECISIONS = 200,
    BATCH = OMS_DECISIONS_MAX,
    SIDES = 100000,
    PATH_SIZE = 200
};
#define UNIT     INT64_C(1000000000)
#define DAY_NS   (INT64_C(86400) * 1000000000)
#define FIRST_NS (INT64_C(1767952800) * 1000000000)

static bool fails(const char *what, const char *why) {
    fprintf(stderr, "crashgate: bench: %s: %s\n", what, why);
    return false;
}

/* ---- a broker that refuses everything, and has nothing ---- */

static enum broker_sent submit(void *ctx, const struct broker_request *request,
                               struct broker_order *order, struct broker_reason *why) {
    (void)ctx, (void)request, (void)order;
    why->http_status = 403;
    snprintf(why->text, sizeof why->text, "refused");
    return BROKER_REJECTED;
}

static enum broker_found lookup(void *ctx, const char *id, struct broker_order *order,
                                struct broker_reason *why) {
    (void)ctx, (void)id, (void)order, (void)why;
    return BROKER_ABSENT;
}

static bool no_orders(void *ctx, enum broker_scope scope, int64_t since_ns,
                      struct broker_orders *list, struct broker_reason *why) {
    (void)ctx, (void)scope, (void)since_ns, (void)list, (void)why;
    return true;
}

static bool no_fills(void *ctx, int64_t since_ns, struct broker_fills *list,
                     struct broker_reason *why) {
    (void)ctx, (void)since_ns, (void)list, (void)why;
    return true;
}

/* As many as the store has. */
static bool positions(void *ctx, struct broker_positions *list, struct broker_reason *why) {
    const int64_t *qty = ctx;
    (void)why;
    for (int i = 0; *qty > 0 && i < SYMBOLS; i++) {
        struct broker_position *row = broker_positions_add(list);
        if (row == NULL)
            return false;
        *row = (struct broker_position){.qty_nanos = *qty, .avg_price_nanos = 100 * UNIT};
        snprintf(row->symbol, sizeof row->symbol, "S%03d", i);
    }
    return true;
}

static int64_t now_ns(void *ctx) {
    struct timespec now;
    (void)ctx;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * UNIT + now.tv_nsec;
}

static enum oms_halt_file no_halt_file(void *ctx) {
    (void)ctx;
    return OMS_HALT_ABSENT;
}

static void ignore(void *ctx, const struct oms_event *event) {
    (void)ctx, (void)event;
}

static const struct oms_env ENV = {.now_ns = now_ns, .halt_file = no_halt_file, .emit = ignore};

/* ---- a desk: a store in a folder, and the OMS on it ---- */

struct desk {
    char folder[PATH_SIZE], path[PATH_SIZE + 8];
    struct oms_place place;
    struct oms_config config;
    struct broker broker;
    int64_t position; /* of every symbol at the broker */
    struct oms *oms;
    int64_t decided; /* so far: decisions have new ids */
    struct oms_error error;
};

static void remove_store(const struct desk *desk) {
    static const char *const endings[] = {"", "-wal", "-lock", "-copy", "-journal"};
    char name[PATH_SIZE + 40];
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(name, sizeof name, "%s%s", desk->path, endings[i]);
        unlink(name);
    }
    for (int i = 1;; i++) {
        snprintf(name, sizeof name, "%s-archive%d", desk->path, i);
        if (unlink(name) != 0)
            return;
    }
}

static bool desk_make(struct desk *desk, const char *folder, const char *vfs) {
    struct oms_opening openings[SYMBOLS];
    *desk = (struct desk){.broker = {.submit = submit,
                                     .lookup = lookup,
                                     .orders = no_orders,
                                     .fills = no_fills,
                                     .positions = positions},
                          .config = {.profile = profile_find("alpaca"), .account = "BENCH"}};
    snprintf(desk->folder, sizeof desk->folder, "%s", folder);
    snprintf(desk->path, sizeof desk->path, "%s/oms.db", folder);
    desk->place = (struct oms_place){.vfs = vfs, .path = desk->path};
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return fails(folder, strerror(errno));
    remove_store(desk);
    memset(openings, 0, sizeof openings);
    for (int i = 0; i < SYMBOLS; i++) {
        snprintf(openings[i].symbol, sizeof openings[i].symbol, "S%03d", i);
        openings[i].price_nanos = 100 * UNIT;
    }
    return oms_init(&desk->place, &desk->config, &ENV, openings, SYMBOLS, &desk->error) == OMS_OK ||
           fails("init", desk->error.text);
}

/* Does everything that is due now. */
static bool desk_settle(struct desk *desk) {
    struct oms_next next;
    for (oms_next(desk->oms, &next); next.work != OMS_WORK_NONE && next.at_ns <= now_ns(NULL);
         oms_next(desk->oms, &next)) {
        if (oms_step(desk->oms, &desk->error) != OMS_OK)
            return fails("step", desk->error.text);
    }
    return true;
}

static bool desk_open(struct desk *desk) {
    desk->broker.ctx = &desk->position;
    return oms_open(&desk->oms, &desk->place, &desk->config, &desk->broker, &ENV, &desk->error) ==
               OMS_OK ||
           fails("open", desk->error.text);
}

static void desk_close(struct desk *desk) {
    oms_close(desk->oms);
    desk->oms = NULL;
}

static void desk_end(struct desk *desk) {
    desk_close(desk);
    remove_store(desk);
    rmdir(desk->folder);
}

static void decision_at(int64_t number, struct oms_decision *decision) {
    *decision = (struct oms_decision){
        .type = BROKER_LIMIT, .qty_nanos = 100 * UNIT, .limit_nanos = 100 * UNIT};
    snprintf(decision->id, sizeof decision->id, "BENCH_DECISION_2026_%lld", (long long)number);
    snprintf(decision->symbol, sizeof decision->symbol, "S%03lld", (long long)number % SYMBOLS);
}

/* ---- a million finished orders ---- */

static void finished_order(int64_t row, struct order *order, struct segment_fill *fill) {
    struct oms_order *pub = &order->pub;
    *order =
        (struct order){.id = row, .first_send_ns = FIRST_NS + row, .send_by_ns = FIRST_NS + row};
    decision_at(row, &pub->decision);
    oms_client_order_id("BENCH", pub->decision.id, profile_find("alpaca")->client_id_max,
                        pub->client_order_id);
    snprintf(pub->broker_order_id, sizeof pub->broker_order_id, "5f1c2b3a-0000-4000-8000-%012lld",
             (long long)row);
    pub->state = OMS_STATE_FILLED;
    pub->filled_nanos = pub->decision.qty_nanos;
    pub->sends = 1;
    pub->created_ns = FIRST_NS + row;
    order->seal = order_seal(&pub->decision);
    *fill = (struct segment_fill){.order_row = row,
                                  .fill = {.side = BROKER_BUY,
                                           .qty_nanos = 100 * UNIT,
                                           .price_nanos = 100 * UNIT,
                                           .at_ns = FIRST_NS + row}};
    snprintf(fill->fill.execution_id, sizeof fill->fill.execution_id,
             "20260109090000000::%lld-%lld", (long long)row, (long long)row);
    memcpy(fill->fill.order_id, pub->broker_order_id, sizeof fill->fill.order_id);
    memcpy(fill->fill.symbol, pub->decision.symbol, sizeof fill->fill.symbol);
}

static int by_symbol(const void *a, const void *b) {
    const struct segment_fill *x = a, *y = b;
    int order = strcmp(x->fill.symbol, y->fill.symbol);
    return order != 0 ? order : (x->fill.at_ns > y->fill.at_ns) - (x->fill.at_ns < y->fill.at_ns);
}

/* The rows of a segment in the live store, as if its orders had been there. */
static int put_segment(struct store *store, struct segment *segment, int64_t orders) {
    struct segment_row row = {.id = segment->id, .orders = orders};
    size_t size = 0;
    unsigned char *bytes = segment_pack(segment, &size);
    struct sha256 sha;
    int rc = bytes == NULL ? SQLITE_NOMEM : SQLITE_OK;
    row.size = (int64_t)size;
    row.filter = malloc(segment_filter_size(orders));
    if (rc == SQLITE_OK && row.filter != NULL) {
        sha256_start(&sha);
        sha256_add(&sha, bytes, size);
        sha256_finish(&sha, row.digest);
        segment_filter(segment, &row);
        row.seal = segment_seal(&row);
        rc = store_segment_write(store, row.id, bytes, size);
    }
    rc = rc == SQLITE_OK ? store_begin(store) : rc;
    rc = rc == SQLITE_OK ? store_put_segment_row(store, &row) : rc;
    rc = rc == SQLITE_OK ? store_put_archived(store, row.id, 0, 0) : rc;
    rc = rc == SQLITE_OK && store_commit(store) == STORE_COMMITTED ? SQLITE_OK : SQLITE_IOERR;
    free(row.filter);
    free(bytes);
    return rc;
}

static int fill_segment(struct store *store, int64_t id, int64_t first, int64_t orders) {
    struct segment segment = {.id = id};
    int rc = segment_make(&segment, (size_t)orders, (size_t)orders, 0) ? SQLITE_OK : SQLITE_NOMEM;
    for (int64_t i = 0; rc == SQLITE_OK && i < orders; i++)
        finished_order(first + i, &segment.orders[segment.order_count++],
                       &segment.fills[segment.fill_count++]);
    if (rc == SQLITE_OK) {
        qsort(segment.fills, segment.fill_count, sizeof *segment.fills, by_symbol);
        rc = put_segment(store, &segment, orders);
    }
    segment_free(&segment);
    return rc;
}

/* What all of it adds up to, and the one order that is still in the database. */
static int put_positions(struct store *store, int64_t orders) {
    int rc = store_begin(store);
    for (int i = 0; rc == SQLITE_OK && i < SYMBOLS; i++) {
        struct position position = {.opening_price = 100 * UNIT,
                                    .qty = orders / SYMBOLS * 100 * UNIT};
        position.cost = (decimal_wide)position.qty * 100 * UNIT;
        position.base = (struct position_base){.set = true,
                                               .qty = position.qty,
                                               .cost = position.cost,
                                               .last_ns = FIRST_NS + orders,
                                               .last_execution = "20260109090000000::last"};
        snprintf(position.symbol, sizeof position.symbol, "S%03d", i);
        rc = store_put_position(store, &position);
    }
    return rc == SQLITE_OK && store_commit(store) == STORE_COMMITTED ? SQLITE_OK : SQLITE_IOERR;
}

static bool fill_archive(struct desk *desk, int64_t orders) {
    struct store store = {0};
    int64_t first = 1, id = 1;
    int rc = store_open(&store, &desk->place, &desk->error) == OMS_OK ? SQLITE_OK : SQLITE_ERROR;
    for (; rc == SQLITE_OK && first <= orders; first += SEGMENT_ORDERS, id++) {
        int64_t left = orders - first + 1;
        rc = fill_segment(&store, id, first, left < SEGMENT_ORDERS ? left : SEGMENT_ORDERS);
    }
    rc = rc == SQLITE_OK ? put_positions(&store, orders) : rc;
    if (rc == SQLITE_OK) { /* the newest order is never archived */
        struct order newest;
        struct segment_fill unused;
        finished_order(orders + 1, &newest, &unused);
        newest.pub.state = OMS_STATE_CANCELED;
        newest.pub.filled_nanos = 0;
        rc = store_begin(&store);
        rc = rc == SQLITE_OK ? store_put_order_row(&store, &newest) : rc;
        rc = rc == SQLITE_OK && store_commit(&store) == STORE_COMMITTED ? SQLITE_OK : SQLITE_IOERR;
    }
    rc = rc == SQLITE_OK ? store_checkpoint(&store) : rc;
    store_close(&store);
    desk->position = orders / SYMBOLS * 100 * UNIT;
    desk->decided = orders + 1;
    return rc == SQLITE_OK || fails("the archive", sqlite3_errstr(rc));
}

/* ---- figures ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double values[], size_t count) {
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

/* Start, first comparison, ready to send; looking from outside. */
static bool measure_starts(struct desk *desk, bench_say *say, void *ctx) {
    double boot[STARTS], status[STARTS];
    for (int i = 0; i < STARTS; i++) {
        struct oms_view view;
        double begun = figure_wall_s();
        if (!desk_open(desk) || !desk_settle(desk))
            return false;
        boot[i] = (figure_wall_s() - begun) * 1e3;
        desk_close(desk);
        begun = figure_wall_s();
        enum oms_code code = oms_view_at(&desk->place, true, &view, &desk->error);
        bool right = code == OMS_OK && view.archived_count == MILLION &&
                     view.position_count == SYMBOLS && !view.kill_switch;
        status[i] = (figure_wall_s() - begun) * 1e3;
        oms_view_free(&view);
        if (!right)
            return fails("the store of a million orders",
                         code == OMS_OK ? "it says otherwise" : desk->error.text);
    }
    say(ctx, "boot_with_a_million_orders", median(boot, STARTS),
        "ms of wall time until compared and ready (aim: under 100)");
    say(ctx, "status_with_a_million_orders", median(status, STARTS),
        "ms of wall time (aim: under 50)");
    return true;
}

/* Decisions out of the archive are known; the same ids with another payload are refused. */
static bool measure_repeats(struct desk *desk, bench_say *say, void *ctx) {
    enum { REPEATS = 200 };
    double begun = 0;
    if (!desk_open(desk) || !desk_settle(desk))
        return false;
    begun = figure_wall_s();
    for (int64_t i = 0; i < REPEATS; i++) {
        struct oms_decision decision;
        struct oms_answer answer;
        decision_at(1 + i * (MILLION / REPEATS), &decision);
        decision.qty_nanos += i % 2;
        if (oms_decide(desk->oms, &decision, &answer, &desk->error) != OMS_OK)
            return fails("a repeated decision", desk->error.text);
        if (answer.taken != (i % 2 == 0 ? OMS_KNOWN : OMS_NOT_TAKEN) ||
            (i % 2 == 0 && answer.state != OMS_STATE_FILLED))
            return fails("a repeated decision", "it was not recognised");
    }
    say(ctx, "repeat_from_the_archive", (figure_wall_s() - begun) / REPEATS * 1e3,
        "ms for a decision of a million, each out of another segment");
    desk_close(desk);
    return true;
}

/* ---- decisions against bare commits ---- */

static bool bare_commits(const char *path, sqlite3 **db, sqlite3_stmt **insert) {
    static const char made[] =
        "PRAGMA locking_mode=EXCLUSIVE;PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
        "PRAGMA wal_autocheckpoint=0;CREATE TABLE t(id INTEGER PRIMARY KEY,text);";
    unlink(path);
    return sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "unix") ==
               SQLITE_OK &&
           sqlite3_exec(*db, made, NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_prepare_v2(*db, "INSERT INTO t VALUES(NULL,?)", -1, insert, NULL) == SQLITE_OK;
}

static bool commit_bare(sqlite3_stmt *insert, int count) {
    char text[400];
    memset(text, 'x', sizeof text);
    for (int i = 0; i < count; i++) {
        sqlite3_bind_text(insert, 1, text, sizeof text, SQLITE_STATIC);
        if (sqlite3_step(insert) != SQLITE_DONE)
            return false;
        sqlite3_reset(insert);
    }
    return true;
}

static bool decide_each(struct desk *desk, int count) {
    for (int i = 0; i < count; i++) {
        struct oms_decision decision;
        struct oms_answer answer;
        decision_at(++desk->decided, &decision);
        if (oms_decide(desk->oms, &decision, &answer, &desk->error) != OMS_OK ||
            answer.taken != OMS_TAKEN)
            return fails("a decision", desk->error.text);
    }
    return true;
}

static bool decide_together(struct desk *desk, int count) {
    struct oms_decision *decisions = calloc((size_t)count, sizeof *decisions);
    struct oms_answer *answers = calloc((size_t)count, sizeof *answers);
    bool done = decisions != NULL && answers != NULL;
    for (int i = 0; done && i < count; i++)
        decision_at(++desk->decided, &decisions[i]);
    done = done &&
           oms_decide_many(desk->oms, decisions, (size_t)count, answers, &desk->error) == OMS_OK;
    for (int i = 0; done && i < count; i++)
        done = answers[i].taken == OMS_TAKEN;
    free(answers);
    free(decisions);
    return done || fails("decisions that come together", desk->error.text);
}

/* In turn, round by round, so that what else the machine and its disk do meets all alike. */
static bool measure_decisions(struct desk *desk, bench_say *say, void *ctx) {
    double bare[DISK_ROUNDS], each[DISK_ROUNDS], together[DISK_ROUNDS];
    double over_bare[DISK_ROUNDS], over_each[DISK_ROUNDS];
    char path[PATH_SIZE + 40];
    sqlite3 *db = NULL;
    sqlite3_stmt *insert = NULL;
    snprintf(path, sizeof path, "%s/bare.db", desk->folder);
    bool done = desk_open(desk) && desk_settle(desk) &&
                (bare_commits(path, &db, &insert) || fails("bare commits", sqlite3_errmsg(db)));
    for (int round = 0; done && round < DISK_ROUNDS; round++) {
        double begun = figure_wall_s(), committed = 0, decided = 0;
        done = commit_bare(insert, ROUND_DECISIONS) || fails("bare commits", sqlite3_errmsg(db));
        committed = figure_wall_s();
        done = done && decide_each(desk, ROUND_DECISIONS);
        decided = figure_wall_s();
        done = done && decide_together(desk, BATCH);
        together[round] = BATCH / (figure_wall_s() - decided);
        each[round] = ROUND_DECISIONS / (decided - committed);
        bare[round] = ROUND_DECISIONS / (committed - begun);
        over_bare[round] = each[round] / bare[round];
        over_each[round] = together[round] / each[round];
    }
    sqlite3_finalize(insert);
    sqlite3_close(db);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/bare.db%s", desk->folder,
                 i == 0   ? ""
                 : i == 1 ? "-wal"
                          : "-shm");
        unlink(path);
    }
    if (done) {
        say(ctx, "bare_commits", median(bare, DISK_ROUNDS),
            "per second: one row, WAL, synchronous=FULL, this disk");
        say(ctx, "decisions_one_by_one", median(each, DISK_ROUNDS),
            "per second, each durable before it is answered");
        say(ctx, "decisions_over_bare_commits", median(over_bare, DISK_ROUNDS),
            "of that rate (aim: at least 0.8)");
        say(ctx, "decisions_together", median(together, DISK_ROUNDS),
            "per second, 1024 in one durable transaction");
        say(ctx, "together_over_one_by_one", median(over_each, DISK_ROUNDS),
            "x (aim: at least 10)");
    }
    desk_close(desk);
    return done;
}

/* ---- a comparison ---- */

static void fill_sides(struct reconcile_order *orders, struct position *ours, char (*ids)[2][40],
                       struct broker_orders *listed, struct broker_positions *theirs) {
    for (int i = 0; i < SIDES; i++) {
        struct broker_order *order = broker_orders_add(listed);
        struct broker_position *position = broker_positions_add(theirs);
        if (order == NULL || position == NULL)
            return;
        snprintf(ids[i][0], sizeof ids[i][0], "cg1-BENCH-%020d", i);
        snprintf(ids[i][1], sizeof ids[i][1], "5f1c2b3a-0000-4000-8000-%012d", i);
        orders[i] =
            (struct reconcile_order){.client_order_id = ids[i][0], .broker_order_id = ids[i][1]};
        *order = (struct broker_order){.qty_nanos = UNIT, .submitted_ns = FIRST_NS};
        snprintf(order->client_order_id, sizeof order->client_order_id, "%s", ids[i][0]);
        snprintf(order->id, sizeof order->id, "%s", ids[i][1]);
        ours[i] = (struct position){.qty = UNIT, .cost = (decimal_wide)UNIT * UNIT};
        snprintf(ours[i].symbol, sizeof ours[i].symbol, "S%06d", i);
        *position = (struct broker_position){.qty_nanos = UNIT, .avg_price_nanos = UNIT};
        memcpy(position->symbol, ours[i].symbol, sizeof position->symbol);
    }
}

static bool measure_comparison(bench_say *say, void *ctx) {
    struct reconcile_order *orders = calloc(SIDES, sizeof *orders);
    struct position *ours = calloc(SIDES, sizeof *ours);
    char(*ids)[2][40] = calloc(SIDES, sizeof *ids);
    struct broker_orders listed = {0};
    struct broker_positions theirs = {0};
    struct broker_fills no_fill = {0};
    double seconds[ROUNDS];
    bool done = orders != NULL && ours != NULL && ids != NULL;
    if (done)
        fill_sides(orders, ours, ids, &listed, &theirs);
    done = done && theirs.n == SIDES;
    for (int round = 0; done && round < ROUNDS; round++) {
        const struct reconcile_oms oms = {
            .orders = orders, .order_count = SIDES, .positions = ours, .position_count = SIDES};
        const struct reconcile_broker broker = {
            .orders = &listed, .fills = &no_fill, .positions = &theirs};
        const struct reconcile_rules rules = {.price_tolerance_ppm = 10000};
        struct reconcile_found found = {0};
        double begun = bench_cpu_s();
        theirs.v[round].qty_nanos++; /* one more differs each time */
        done = reconcile_compare(&oms, &broker, &rules, &found) && found.n == (size_t)round + 1;
        seconds[round] = bench_cpu_s() - begun;
        reconcile_free(&found);
    }
    if (done)
        say(ctx, "comparison", median(seconds, ROUNDS),
            "s for 100,000 orders and 100,000 positions on both sides (aim: under 0.3)");
    broker_orders_free(&listed);
    broker_positions_free(&theirs);
    free(ids);
    free(ours);
    free(orders);
    return done || fails("comparison", "it did not find what differs");
}

/* ---- memory ---- */

/* SQLite's own unix VFS whose files are never synced: where only memory is measured. */
static int no_sync(sqlite3_file *file, int flags) {
    (void)file, (void)flags;
    return SQLITE_OK;
}

/* The same methods, but for that; files of different kinds have different ones. */
static const sqlite3_io_methods *without_sync(const sqlite3_io_methods *methods) {
    enum { KINDS = 8 };
    static struct {
        const sqlite3_io_methods *of;
        sqlite3_io_methods quick;
    } known[KINDS];
    size_t i = 0;
    while (i < KINDS - 1 && known[i].of != NULL && known[i].of != methods)
        i++;
    known[i].of = methods;
    known[i].quick = *methods;
    known[i].quick.xSync = no_sync;
    return &known[i].quick;
}

static int open_quick(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                      int *out_flags) {
    sqlite3_vfs *unix_vfs = vfs->pAppData;
    int rc = unix_vfs->xOpen(unix_vfs, name, file, flags, out_flags);
    if (rc == SQLITE_OK)
        file->pMethods = without_sync(file->pMethods);
    return rc;
}

static void register_quick(void) {
    static sqlite3_vfs quick;
    sqlite3_vfs *unix_vfs = sqlite3_vfs_find("unix");
    if (quick.zName != NULL || unix_vfs == NULL)
        return;
    quick = *unix_vfs;
    quick.pNext = NULL;
    quick.zName = "unix-quick";
    quick.pAppData = unix_vfs;
    quick.xOpen = open_quick;
    sqlite3_vfs_register(&quick, 0);
}

/* Memory of this process, in MiB. */
static double memory_mib(void) {
    FILE *statm = fopen("/proc/self/statm", "r");
    long size = 0, resident = 0;
    if (statm == NULL || fscanf(statm, "%ld %ld", &size, &resident) != 2)
        resident = 0;
    if (statm != NULL)
        fclose(statm);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

/* Decisions come together, each is sent, refused, recorded, and archived in its turn. */
static bool measure_memory(const char *folder, bench_say *say, void *ctx) {
    struct desk desk;
    double early = 0, late = 0, begun = figure_wall_s();
    register_quick();
    bool done = desk_make(&desk, folder, "unix-quick") && desk_open(&desk) && desk_settle(&desk);
    while (done && desk.decided < MILLION) {
        done = decide_together(&desk, BATCH) && desk_settle(&desk);
        if (desk.decided <= MILLION / 10)
            early = memory_mib();
    }
    late = memory_mib();
    if (done && (early <= 0 || late <= 0))
        done = fails("/proc/self/statm", "it tells no memory");
    if (done) {
        say(ctx, "memory_after_a_tenth", early, "MiB resident after 100,000 decisions");
        say(ctx, "memory_after_a_million", late, "MiB resident after 1,000,000 decisions");
        say(ctx, "million_decisions", MILLION / (figure_wall_s() - begun),
            "per second: decided, sent, refused, recorded and archived, on files never synced");
    }
    desk_end(&desk);
    return done;
}

bool bench_scale(const char *folder, bench_say *say, void *ctx) {
    struct desk desk;
    char where[PATH_SIZE];
    snprintf(where, sizeof where, "%s/scale", folder);
    /* memory first: what others have used and given back would hide it */
    if (!measure_memory(where, say, ctx) || !measure_comparison(say, ctx))
        return false;
    bool done = desk_make(&desk, where, "unix") && fill_archive(&desk, MILLION) &&
                measure_starts(&desk, say, ctx) && measure_repeats(&desk, say, ctx) &&
                measure_decisions(&desk, say, ctx);
    desk_end(&desk);
    return done;
}
