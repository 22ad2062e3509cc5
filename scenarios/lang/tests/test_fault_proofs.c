/* Every fault of the catalogue strikes, from a line and from a plan alike, and this is what is true
 * afterwards. A row without a proof fails. */
#include "scenarios/lang/diag.h"
#include "scenarios/lang/run.h"
#include "sim/peek.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 2000 };

/* ---- an OMS that deletes a file when it starts, because ours never does ---- */

static struct sut tidy;

static bool make_and_delete(const char *vfs_name) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(vfs_name);
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_JOURNAL;
    int rc = vfs->xOpen(vfs, "scratch", file, flags, &flags);
    if (file->pMethods != NULL)
        file->pMethods->xClose(file);
    free(file);
    return rc == SQLITE_OK && vfs->xDelete(vfs, "scratch", 1) == SQLITE_OK;
}

static void *tidy_boot(const struct sut_ports *ports, const struct sut_config *config,
                       char why[SUT_WHY_SIZE]) {
    if (make_and_delete(ports->vfs))
        return sut_core.boot(ports, config, why);
    snprintf(why, SUT_WHY_SIZE, "a file cannot be deleted");
    return NULL;
}

/* ---- the proofs ---- */

#define SIGNAL_AT(time) time " signal D1 buy 100 AAPL limit 150.00\n"
#define SIGNAL          SIGNAL_AT("10:00:01")
#define FILLS           "broker fills all after 5s\n"
/* The OMS stops, and the next start finds what the disk has. */
#define STOPS  "expect oms halted\n 10:00:20 crash kill\n 10:00:30 restart\n " SIGNAL_AT("10:00:31")
#define FILLED "always orders D1 <= 1\n finally order D1 is filled\n finally position AAPL = 100\n"
#define ONCE   "finally submits D1 = 1\n" FILLED
#define NEVER  "always submits D1 = 0\n"
#define COPIES "option checkpoint-frames = 4\n"
/* Down since 10:00:10, with the order filled. */
#define DOWN    SIGNAL "10:00:10 crash kill\n"
#define RESTART "10:00:30 restart\n"
#define ADOPTED                                                   \
    "expect oms running\n expect discrepancy ORPHAN_ORDER AAPL\n" \
    "10:00:36 expect kill-switch on\n"                            \
    "10:01:00 operator releases kill-switch\n " SIGNAL_AT("10:01:01")
#define ADOPTS  RESTART ADOPTED
#define REFUSES RESTART "expect oms halted\n always submits D1 <= 1\n"
#define AGAIN   RESTART "expect oms halted\n 10:00:40 crash kill\n 10:00:50 restart\n"
#define LOOKUP  "10:00:01 fault broker.submit lost-reply once\n"

/* The broker has it, and the OMS finds that out by asking: nothing is sent again. */
#define KNOWN "expect submits D1 = 1\n"
/* So, and the client has waited for its time-out. */
#define SIGNAL_KNOWN_LATER \
    SIGNAL "10:00:05 expect submits D1 = 1\n 10:00:07 expect order D1 is filled\n"

static const struct proof {
    const char *site, *kind;
    const char *headers, *before; /* the fault is in force from 10:00:01, or from 10:00:20, on */
    const char *then;
} proofs[] = {
    {"disk.open(wal)", "fails", FILLS, DOWN, AGAIN ONCE},
    {"disk.open(db)", "fails", FILLS, DOWN, AGAIN ONCE},
    {"disk.stat(db)", "fails", FILLS, DOWN, AGAIN ONCE},
    {"disk.lock(lock)", "fails", FILLS, DOWN, AGAIN ONCE},
    {"disk.read(db)", "fails", FILLS, DOWN, AGAIN ONCE},
    {"disk.read(wal)", "short", FILLS, DOWN, AGAIN ONCE},
    {"disk.write(wal)", "full", FILLS, "", SIGNAL "oms refuses D1\n expect oms running\n" NEVER},
    {"disk.write(wal)", "full(lands=part)", FILLS, "", SIGNAL "oms refuses D1\n" NEVER},
    {"disk.write(wal)", "fails", FILLS, "", SIGNAL STOPS ONCE},
    {"disk.write(wal)", "fails(lands=part)", FILLS, "", SIGNAL STOPS ONCE},
    {"disk.write(wal)", "fails(lands=all)", FILLS, "", SIGNAL STOPS ONCE},
    {"disk.write(wal)", "stalls(for=2m)", FILLS, "",
     "10:00:01 signal D1 buy 100 AAPL limit 150.00 until 10:01:00\n 10:01:30 expect submits D1 = "
     "0\n" NEVER "finally order D1 is expired\n"},
    {"disk.truncate(wal)", "fails", COPIES FILLS, "", SIGNAL "10:00:20 expect oms running\n" ONCE},
    {"disk.sync(wal)", "fails(aftermath=dropped-clean)", FILLS, "",
     SIGNAL "expect submits D1 = 0\n" STOPS ONCE},
    {"disk.sync(wal)", "fails(aftermath=kept-dirty)", FILLS, "",
     SIGNAL "expect submits D1 = 0\n" STOPS ONCE},
    /* The send had left when the OMS was told. */
    {"disk.sync(wal)", "fails(aftermath=late)", FILLS, "",
     SIGNAL "expect submits D1 = 1\n" STOPS ONCE},
    /* The intent is gone, and was answered by nobody; it is presented again. */
    {"disk.sync(wal)", "fails(aftermath=reverted)", FILLS, "",
     SIGNAL "expect oms halted\n 10:00:20 crash kill\n 10:00:30 restart\n"
            "10:00:31 expect submits D1 = 0\n " SIGNAL_AT("10:00:32") ONCE},
    {"disk.sync(wal)", "lies", FILLS, "", SIGNAL "10:00:10 crash power\n" ADOPTS ONCE},
    {"disk.sync(wal)", "stalls(for=2m)", FILLS, "",
     SIGNAL "10:01:30 expect submits D1 = 0\n 10:02:02 expect submits D1 = 1\n" ONCE},
    {"disk.delete(other)", "fails", FILLS, DOWN, AGAIN ONCE},
    {"disk.rest(db)", "bit-flip(at=20,bit=1)", FILLS, DOWN, REFUSES},
    {"disk.rest(wal)", "bit-flip(at=100,bit=1)", FILLS, DOWN, ADOPTS ONCE},
    {"disk.rest(wal)", "cut(at=3000)", FILLS, DOWN, ADOPTS ONCE},
    {"disk.rest(db)", "cut(at=3000)", FILLS, DOWN, REFUSES},
    {"disk.rest(wal)", "missing", FILLS, DOWN, ADOPTS ONCE},
    {"disk.rest(db)", "missing", FILLS, DOWN, REFUSES},
    {"disk.rest(db)", "restored(life=1)", FILLS, DOWN, ADOPTS ONCE},
    {"disk.rest(db)", "restored(life=1,fence=stays)", FILLS, DOWN,
     RESTART "expect kill-switch on\n" ADOPTED ONCE},
    {"broker.submit", "refused", FILLS, "", SIGNAL "expect submits D1 = 0\n" ONCE},
    {"broker.submit", "lost", FILLS, "", SIGNAL "expect submits D1 = 0\n" ONCE},
    {"broker.submit", "lost-reply", FILLS, "", SIGNAL "expect submits D1 = 1\n" ONCE},
    {"broker.submit", "no-reply", FILLS, "", SIGNAL "10:00:02 expect submits D1 = 1\n" ONCE},
    {"broker.submit", "dropped", FILLS, "",
     SIGNAL
     "10:00:06 expect submits D1 = 1\n expect orders D1 = 0\n finally submits D1 = 2\n" FILLED},
    {"broker.submit", "late(by=3s)", FILLS, "",
     SIGNAL "10:00:02 expect submits D1 = 0\n 10:00:04 expect submits D1 = 1\n" ONCE},
    {"broker.submit", "error(status=503)", FILLS, "", SIGNAL "expect submits D1 = 0\n" ONCE},
    {"broker.submit", "error(status=502,body=json)", FILLS, "", SIGNAL ONCE},
    {"broker.submit", "error(status=408,body=empty)", FILLS, "", SIGNAL ONCE},
    {"broker.submit", "error-after(status=502)", FILLS, "", SIGNAL KNOWN ONCE},
    {"broker.submit", "error-after(status=504,body=json)", FILLS, "", SIGNAL KNOWN ONCE},
    {"broker.submit", "error-after(status=500,body=empty)", FILLS, "", SIGNAL KNOWN ONCE},
    {"broker.submit", "twice", FILLS, "", SIGNAL "10:00:02 expect submits D1 = 2\n" FILLED},
    /* Long after the fill, and after another start. */
    {"broker.submit", "twice(by=1m)", FILLS, "",
     SIGNAL "10:00:02 crash kill\n 10:00:30 restart\n"
            "10:00:50 expect submits D1 = 1\n 10:01:02 expect submits D1 = 2\n" FILLED},
    {"broker.submit", "answers(as=another-order)", FILLS, "", SIGNAL KNOWN ONCE},
    {"broker.submit", "answers(as=unknown-status)", FILLS, "",
     SIGNAL "10:00:02 expect order D1 is working\n" ONCE},
    {"broker.submit", "answers(as=missing-fields)", FILLS, "", SIGNAL KNOWN ONCE},
    {"broker.submit", "answers(as=wrong-types)", FILLS, "", SIGNAL KNOWN ONCE},
    {"broker.submit", "answers(as=numbers-for-strings)", FILLS, "", SIGNAL KNOWN ONCE},
    {"broker.submit", "answers(as=huge)", FILLS, "", SIGNAL KNOWN ONCE},
    {"broker.submit", "answers(as=deep)", FILLS, "", SIGNAL KNOWN ONCE},
    {"broker.submit", "answers(as=truncated-json)", FILLS, "", SIGNAL KNOWN ONCE},
    {"broker.submit", "answers(as=empty)", FILLS, "", SIGNAL KNOWN ONCE},
#define ANSWERS_TO(site, headers, before, then)                           \
    {site, "answers(as=missing-fields)", headers, before, then},          \
        {site, "answers(as=wrong-types)", headers, before, then},         \
        {site, "answers(as=numbers-for-strings)", headers, before, then}, \
        {site, "answers(as=huge)", headers, before, then},                \
        {site, "answers(as=deep)", headers, before, then},                \
        {site, "answers(as=truncated-json)", headers, before, then},      \
        {site, "answers(as=empty)", headers, before, then},               \
        {site, "error(status=429,body=json)", headers, before, then}, {   \
        site, "error(status=500,body=empty)", headers, before, then       \
    }
    ANSWERS_TO("broker.lookup", FILLS, LOOKUP, SIGNAL ONCE),
    ANSWERS_TO("broker.orders", FILLS, "", SIGNAL ONCE),
    ANSWERS_TO("broker.fills", FILLS, "", SIGNAL ONCE),
    ANSWERS_TO("broker.positions", FILLS, "", SIGNAL "10:00:08 reconcile\n" ONCE),
    {"broker.lookup", "answers(as=another-order)", FILLS, LOOKUP, SIGNAL ONCE},
    {"broker.lookup", "answers(as=unknown-status)", FILLS, LOOKUP, SIGNAL ONCE},
    {"broker.orders", "answers(as=unknown-status)", FILLS, "", SIGNAL ONCE},
    {"broker.lookup", "lost", FILLS, LOOKUP, SIGNAL ONCE},
    {"broker.lookup", "no-reply", FILLS, LOOKUP, SIGNAL ONCE},
    {"broker.lookup", "error(status=503)", FILLS, LOOKUP, SIGNAL ONCE},
    {"broker.orders", "lost", FILLS, "", SIGNAL ONCE},
    {"broker.orders", "no-reply", FILLS, "", SIGNAL ONCE},
    {"broker.orders", "error(status=503)", FILLS, "", SIGNAL ONCE},
    {"broker.fills", "lost", FILLS, "", SIGNAL ONCE},
    {"broker.fills", "no-reply", FILLS, "", SIGNAL ONCE},
    {"broker.fills", "error(status=503)", FILLS, "", SIGNAL ONCE},
    {"broker.positions", "lost", FILLS, "", SIGNAL "10:00:08 reconcile\n" ONCE},
    {"broker.positions", "no-reply", FILLS, "", SIGNAL "10:00:08 reconcile\n" ONCE},
    {"broker.positions", "error(status=503)", FILLS, "", SIGNAL "10:00:08 reconcile\n" ONCE},
#define CANCELED \
    SIGNAL "10:00:05 cancel D1\n finally order D1 is canceled\n always orders D1 <= 1\n"
    {"broker.cancel", "refused", "", "", CANCELED},
    {"broker.cancel", "lost", "", "", CANCELED},
    {"broker.cancel", "lost-reply", "", "", CANCELED},
    {"broker.cancel", "no-reply", "", "", CANCELED},
    {"broker.cancel", "error(status=503)", "", "", CANCELED},
    {"broker.cancel", "error(status=429,body=json)", "", "", CANCELED},
    {"broker.cancel", "error(status=404,body=empty)", "", "", CANCELED},
    {"broker.cancel", "error-after(status=502)", "", "", CANCELED},
    {"broker.cancel", "error-after(status=422,body=json)", "", "", CANCELED},
    {"broker.cancel", "error-after(status=504,body=empty)", "", "", CANCELED},
    {"broker.cancel", "late(by=20s)", "", "", CANCELED},
    {"broker.cancel", "twice", "", "", CANCELED},
    {"broker.cancel", "twice(by=20s)", "", "", CANCELED},
    {"wire.request(submit)", "close(at=10)", FILLS, "", SIGNAL "expect submits D1 = 0\n" ONCE},
    {"wire.request(submit)", "reset(at=10)", FILLS, "", SIGNAL "expect submits D1 = 0\n" ONCE},
    {"wire.reply(submit)", "close(at=10)", FILLS, "", SIGNAL "expect submits D1 = 1\n" ONCE},
    {"wire.reply(submit)", "reset(at=10)", FILLS, "", SIGNAL "expect submits D1 = 1\n" ONCE},
    /* Within the client's patience: as if nothing had been. */
    {"wire.request(submit)", "stalls(at=10,for=3s)", FILLS, "",
     SIGNAL "10:00:03 expect submits D1 = 0\n 10:00:04 expect order D1 is working\n" ONCE},
    {"wire.request(submit)", "stalls(at=10,for=12s)", FILLS, "",
     SIGNAL "10:00:07 expect order D1 is in-doubt\n 10:00:12 expect submits D1 = 0\n"
            "10:00:13 expect submits D1 = 1\n" ONCE},
    {"wire.reply(submit)", "stalls(at=10,for=3s)", FILLS, "",
     SIGNAL "10:00:03 expect submits D1 = 1\n 10:00:04 expect order D1 is working\n" ONCE},
    {"wire.reply(submit)", "stalls(at=10,for=12s)", FILLS, "", SIGNAL_KNOWN_LATER ONCE},
    {"wire.reply(submit)", "drips(every=1ms)", FILLS, "",
     SIGNAL "10:00:04 expect order D1 is working\n" ONCE},
    {"wire.reply(submit)", "drips(every=100ms)", FILLS, "", SIGNAL_KNOWN_LATER ONCE},
};
enum { PROOFS = sizeof proofs / sizeof proofs[0] };

/* ---- running one ---- */

static struct wire *wire;
static struct scenario_file file;
static struct run_result result;

static struct site site_of(const struct proof *proof) {
    struct site site;
    assert_true(site_parse(proof->site, &site));
    return site;
}

static const struct fault_kind *kind_of(const struct proof *proof) {
    char name[FAULT_NAME_SIZE];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(proof->kind, "("), proof->kind);
    return catalogue_find(site_of(proof), name);
}

/* `fault`: the line that orders it, or "". */
static void parse(const struct proof *proof, const char *fault) {
    char text[TEXT_SIZE];
    struct diags diags = {0};
    snprintf(text, sizeof text,
             "crashgate 1\nscenario \"T\"\ndecision D1 = \"X\"\n%s10:00:00 reconcile\n%s%s%s",
             proof->headers, proof->before, fault, proof->then);
    scenario_free(&file);
    if (!scenario_parse("T", text, strlen(text), &file, &diags)) {
        diags_write(&diags, DIAG_LONG, stderr);
        fail_msg("does not parse:\n%s", text);
    }
    diags_free(&diags);
}

static void run(const struct proof *proof, enum stage_door door, const char *plan_text) {
    struct run_config config = {
        .profile = profile_find("alpaca"), .crash_kind = SCN_KILL, .door = door};
    struct run_options options = {.sut = &sut_core, .wire = wire, .trace = true};
    struct plan plan;
    char why[PLAN_WHY_SIZE] = "";
    if (kind_of(proof)->op == SITE_DISK_DELETE)
        options.sut = &tidy;
    options.claims = options.sut->claims;
    if (!plan_parse(plan_text, &plan, why))
        fail_msg("%s: %s", plan_text, why);
    options.plan = &plan;
    run_result_free(&result);
    run_scenario(&file.scenarios[0], &config, &options, &result);
    if (result.verdict != RUN_PASS)
        fail_msg("%s %s, %s door, plan %s: verdict %d, %s: %s %s", proof->site, proof->kind,
                 door == STAGE_WIRE ? "wire" : "direct", plan_text, result.verdict,
                 result.finding.code, result.finding.headline, result.why);
    assert_int_equal(result.fired[site_index(site_of(proof))], 1);
}

/* The plan item of the fault that the story tells of. */
static void plan_of(const struct proof *proof, char *out, size_t size) {
    unsigned life = 0, call = 0;
    size_t length = strlen(proof->site);
    for (size_t i = 0; i < result.trace.n; i++) {
        const struct trace_line *line = &result.trace.v[i];
        if (strcmp(line->who, "oms") == 0)
            (void)sscanf(line->what, "start of life %u", &life);
        if (strcmp(line->who, "fault") != 0 || strncmp(line->what, proof->site, length) != 0)
            continue;
        assert_int_equal(sscanf(line->what + length, " call %u:", &call), 1);
        /* What befalls a file at rest is told before the life that finds it begins. */
        life += kind_of(proof)->op == SITE_DISK_REST;
        snprintf(out, size, "%u/%s@%u=%s", life, proof->site, call, proof->kind);
        return;
    }
    fail_msg("%s %s: the story does not tell of it", proof->site, proof->kind);
}

static void prove(const struct proof *proof, enum stage_door door) {
    char fault[200], plan[200];
    snprintf(fault, sizeof fault, "%s fault %s %s once\n",
             strcmp(proof->before, DOWN) == 0 ? "10:00:20" : "10:00:01", proof->site, proof->kind);
    parse(proof, fault);
    run(proof, door, "none");
    struct stage_counts counts = result.counts;
    plan_of(proof, plan, sizeof plan);
    parse(proof, "");
    run(proof, door, plan);
    /* The line is an event, too. */
    counts.events = result.counts.events;
    if (memcmp(&result.counts, &counts, sizeof counts) != 0)
        fail_msg("the plan %s is another run than the line %s", plan, fault);
}

static bool is_of_a_disk(const struct proof *proof) {
    return site_of(proof).op <= SITE_DISK_REST;
}

static void every_proof_holds_from_a_line_and_from_a_plan(void **state) {
    (void)state;
    for (size_t i = 0; i < PROOFS; i++) {
        if (!kind_of(&proofs[i])->wire_only)
            prove(&proofs[i], STAGE_DIRECT);
        if (!is_of_a_disk(&proofs[i]))
            prove(&proofs[i], STAGE_WIRE);
    }
}

/* Whatever says it, and in whatever form: an error is no word of the broker's about the order. */
static void
an_error_of_any_kind_before_or_after_the_broker_acted_loses_and_repeats_nothing(void **state) {
    (void)state;
    static const int statuses[] = {400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504};
    static const char *const bodies[] = {"html", "json", "empty"};
    for (size_t i = 0; i < 2 * 3 * sizeof statuses / sizeof statuses[0]; i++) {
        bool after = i % 2 == 1;
        char kind[80];
        snprintf(kind, sizeof kind, "error%s(status=%d,body=%s)", after ? "-after" : "",
                 statuses[i / 6], bodies[i / 2 % 3]);
        struct proof proof = {"broker.submit", kind, FILLS, "",
                              after ? SIGNAL KNOWN ONCE : SIGNAL ONCE};
        prove(&proof, STAGE_DIRECT);
        prove(&proof, STAGE_WIRE);
        proof = (struct proof){"broker.cancel", kind, "", "", CANCELED};
        prove(&proof, STAGE_DIRECT);
        prove(&proof, STAGE_WIRE);
        if (after)
            continue;
        proof = (struct proof){"broker.lookup", kind, FILLS, LOOKUP, SIGNAL KNOWN ONCE};
        prove(&proof, STAGE_DIRECT);
        prove(&proof, STAGE_WIRE);
    }
}

/* Are all words of this argument in some proof? The one that need not be written counts as written. */
static void every_word_is_proved(const struct fault_kind *kind, int arg) {
    for (int w = 0; w < FAULT_WORDS_MAX && kind->args[arg].words[w] != NULL; w++) {
        bool proved = false;
        for (size_t i = 0; i < PROOFS && !proved; i++) {
            char text[FAULT_NAME_SIZE * 2];
            snprintf(text, sizeof text, "%s=%s", kind->args[arg].name, kind->args[arg].words[w]);
            if (kind_of(&proofs[i]) == kind)
                proved = strstr(proofs[i].kind, text) != NULL ||
                         (!kind->args[arg].required && w == (int)kind->args[arg].otherwise);
        }
        if (!proved)
            fail_msg("'%s' at %s has no proof with %s", kind->name,
                     site_name((struct site){kind->op, ON_NONE}, (char[SITE_NAME_SIZE]){0}),
                     kind->args[arg].words[w]);
    }
}

static void every_row_and_every_word_of_the_catalogue_is_proved(void **state) {
    (void)state;
    for (size_t row = 0; row < catalogue_count(); row++) {
        const struct fault_kind *kind = catalogue_at(row);
        bool proved = false;
        for (size_t i = 0; i < PROOFS; i++)
            proved = proved || kind_of(&proofs[i]) == kind;
        if (!proved)
            fail_msg("'%s' has no proof", kind->name);
        for (int a = 0; a < FAULT_ARGS_MAX && kind->args[a].name != NULL; a++)
            every_word_is_proved(kind, a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_proof_holds_from_a_line_and_from_a_plan),
        cmocka_unit_test(
            an_error_of_any_kind_before_or_after_the_broker_acted_loses_and_repeats_nothing),
        cmocka_unit_test(every_row_and_every_word_of_the_catalogue_is_proved),
    };
    int failed = 0;
    disk_vfs_register();
    tidy = sut_core;
    tidy.name = "tidy";
    tidy.boot = tidy_boot;
    wire = wire_open();
    if (wire == NULL)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    run_result_free(&result);
    scenario_free(&file);
    wire_close(wire);
    peek_forget();
    stage_forget_images();
    return failed;
}
