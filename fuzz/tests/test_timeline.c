/* Timelines: what bytes mean, that every part of one is one, and that what breaks can be told. */
#include "faultinject/choose.h"
#include "fuzz/finding.h"
#include "fuzz/target.h"
#include "fuzz/timeline_tables.h"
#include "scenarios/lang/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RANDOM_TIMELINES = 2000, RANDOM_PLAYED = 150 };

static uint64_t next_random(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void random_timeline(uint64_t *state, struct timeline *timeline) {
    uint8_t bytes[TIMELINE_BYTES_MAX];
    size_t size = next_random(state) % (sizeof bytes + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)next_random(state);
    timeline_read(timeline, bytes, size);
}

static char *printed(const struct timeline_story *story, size_t *length) {
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    assert_non_null(out);
    timeline_print(story, out);
    fclose(out);
    return text;
}

/* ---- what bytes mean ---- */

static void known_bytes_are_a_known_scenario(void **state) {
    static const uint8_t bytes[] = {
        3,
        2,
        1,
        0,
        1,
        8,
        7,
        0, /* label, ext4-data-journal, pace, a position, the switch, seed */
        TIMELINE_CANCEL,
        0,
        0,
        0,
        0,
        0,
        0,
        0, /* of nothing: no line */
        TIMELINE_RESTART,
        0,
        0,
        0,
        0,
        0,
        0,
        0, /* without a crash: no line */
        TIMELINE_SIGNAL,
        1,
        5,
        1,
        50,
        13,
        0,
        0,
        TIMELINE_WAIT,
        10,
        2,
        0,
        0,
        0,
        0,
        0,
        TIMELINE_CRASH_BY,
        0,
        1,
        1,
        SCN_POINT_RECORD,
        1,
        9,
        0,
        TIMELINE_FAULT,
        0,
        0,
        1,
        4,
        2,
        0,
        0,
        TIMELINE_FILL,
        4,
        1,
        1,
        0,
        0,
        0,
        0,
        TIMELINE_SIGNAL,
        0,
        2,
        0,
        0,
        0,
        0,
        0,
        TIMELINE_WAIT,
        19,
        0,
        0,
        0,
        0,
        0,
        0,
        TIMELINE_SIGNAL_AGAIN,
        0,
        0,
        0,
        0,
        0,
        0,
        0, /* expired by now: no line */
        TIMELINE_SIGNAL_AGAIN,
        3,
        0,
        0,
        0,
        0,
        0,
        0,
        TIMELINE_RESTART,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        TIMELINE_RECONCILE,
        0,
        0,
        0,
        0,
        0,
        0, /* cut short: left out */
    };
    static const char expected[] =
        "crashgate 1\n"
        "\n"
        "scenario \"A timeline that a fuzzer found\"\n"
        "  date      2026-01-09\n"
        "  pace      200ms\n"
        "  profile   label\n"
        "  disk      ext4-data-journal\n"
        "  seed      7\n"
        "  given     broker position AAPL 50 @ 140.00\n"
        "  given     oms position AAPL 50 @ 140.00\n"
        "  given     kill-switch on\n"
        "  decision  D1 = \"FUZZ_1\"\n"
        "  decision  D2 = \"FUZZ_2\"\n"
        "\n"
        "  10:00:00                       signal D1 sell 128 MSFT limit 100.50 tif gtc until "
        "10:00:30\n"
        "  10:00:19.999999999             crash power after record D1\n"
        "  10:00:19.999999999             fault disk.open(db) fails on call 5..7\n"
        "  10:00:19.999999999             broker fills D1 64 @ 100.51\n"
        "  10:00:19.999999999             signal D2 buy 65 AAPL market\n"
        "  2026-01-10 11:00:19.999999999  signal D2 buy 65 AAPL market\n"
        "  11:00:19.999999999             restart\n";
    static struct timeline_story story;
    struct timeline timeline;
    size_t length = 0;
    char *text = NULL;
    (void)state;
    timeline_read(&timeline, bytes, sizeof bytes);
    assert_int_equal(timeline.count, 12);
    timeline_story(&timeline, &story);
    text = printed(&story, &length);
    assert_string_equal(text, expected);
    /* What its power loss keeps: two bytes of the crash's record. */
    assert_int_equal(story.survives[1], 257);
    assert_int_equal(timeline_line_at(&story, 16), 1);
    assert_int_equal(timeline_line_at(&story, 14), -1);
    assert_int_equal(timeline_line_at(&story, 22), -1);
    free(text);
}

static void bytes_are_written_as_they_were_read(void **state) {
    uint64_t random = 1;
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct timeline timeline, again;
        uint8_t bytes[TIMELINE_BYTES_MAX];
        random_timeline(&random, &timeline);
        timeline_read(&again, bytes, timeline_write(&timeline, bytes));
        assert_memory_equal(&again, &timeline, sizeof again);
    }
}

/* ---- every part of a timeline is one ---- */

/* Keeps every rule of the language, and reads back equal, line numbers included. */
static void assert_lawful(const struct timeline *timeline) {
    static struct timeline_story story;
    struct scenario_file file;
    struct diags diags = {0};
    size_t length = 0;
    char *text = NULL;
    timeline_story(timeline, &story);
    if (story.scenario.line_count == 0)
        return;
    text = printed(&story, &length);
    if (!scenario_parse("timeline.scn", text, length, &file, &diags)) {
        diags_write(&diags, DIAG_LONG, stderr);
        fail_msg("a timeline broke a rule of the language:\n%s", text);
    }
    assert_int_equal(file.count, 1);
    if (!scenario_equal(&file.scenarios[0], &story.scenario))
        fail_msg("read back, this is another scenario:\n%s", text);
    for (size_t i = 0; i < story.scenario.line_count; i++) {
        assert_int_equal(file.scenarios[0].lines[i].place.line, story.lines[i].place.line);
        assert_int_equal(timeline_line_at(&story, (unsigned)story.lines[i].place.line), i);
    }
    scenario_free(&file);
    diags_free(&diags);
    free(text);
}

static void any_bytes_are_a_lawful_scenario_and_stay_one_without_any_record(void **state) {
    uint64_t random = 2;
    (void)state;
    for (int i = 0; i < RANDOM_TIMELINES; i++) {
        struct timeline timeline;
        random_timeline(&random, &timeline);
        assert_lawful(&timeline);
        if (timeline.count == 0)
            continue;
        size_t gone = next_random(&random) % timeline.count;
        memmove(&timeline.records[gone], &timeline.records[gone + 1],
                (timeline.count - gone - 1) * sizeof timeline.records[0]);
        timeline.count--;
        assert_lawful(&timeline);
    }
}

static void every_value_of_an_operation_is_lawful(void **state) {
    (void)state;
    for (int op = 0; op < TIMELINE_OP_COUNT; op++) {
        for (int k = 0; k < TIMELINE_ARGS; k++) {
            /* No table is longer, and 255 is the last of all. */
            for (int value = 0; value < 256; value += value < 80 ? 1 : 175) {
                struct timeline timeline = {.count = 4};
                timeline.records[0].op = TIMELINE_SIGNAL;
                timeline.records[1].op = TIMELINE_CRASH;
                timeline.records[2].op = timeline.records[3].op = (uint8_t)op;
                timeline.records[2].arg[k] = (uint8_t)value;
                assert_lawful(&timeline);
            }
        }
    }
}

static void every_row_of_the_catalogue_that_needs_no_wire_can_be_picked(void **state) {
    (void)state;
    for (size_t i = 0; i < catalogue_count(); i++) {
        const struct fault_kind *kind = catalogue_at(i);
        if (!kind->wire_only)
            assert_ptr_equal(timeline_fault(timeline_fault_value(kind)), kind);
        for (unsigned on = 0; on < SITE_OBJECT_COUNT; on++) {
            struct site site = {kind->op, (enum site_object)on};
            if (catalogue_fits(kind, site))
                assert_int_equal(
                    timeline_fault_site(kind, timeline_fault_site_value(kind, site)).on, on);
        }
    }
}

/* ---- scenarios as timelines ---- */

static void a_scenario_becomes_its_timeline(void **state) {
    static const char scenario[] = "crashgate 1\n"
                                   "scenario \"s\"\n"
                                   "  crashes kill\n"
                                   "  decision D1 = \"x\"\n"
                                   "  decision D2 = \"y\"\n"
                                   "  10:00:00 signal D1 buy 100 AAPL limit 150.00\n"
                                   "           fault broker.submit late(by=20s) on call 2\n"
                                   "  10:00:05 signal D2 sell 7 MSFT market\n"
                                   "           broker fills D1 50\n"
                                   "           crash after send D2\n"
                                   "  10:00:30 restart\n"
                                   "           cancel D2\n";
    static const char expected[] = "  10:00:00  signal D1 buy 64 AAPL limit 100.00\n"
                                   "  10:00:00  fault broker.submit late(by=19s) on call 2\n"
                                   "  10:00:05  signal D2 sell 65 MSFT market\n"
                                   "  10:00:05  broker fills D1 32 @ 100.00\n"
                                   "  10:00:05  crash power after send D2\n"
                                   "  10:00:30  restart\n"
                                   "  10:00:30  cancel D2\n";
    static struct timeline_story story;
    struct timeline timeline;
    struct scenario_file file;
    struct diags diags = {0};
    size_t length = 0;
    char *text = NULL;
    (void)state;
    assert_true(scenario_parse("s.scn", scenario, sizeof scenario - 1, &file, &diags));
    timeline_of_scenario(&file.scenarios[0], file.scenarios[0].profiles[0], NULL, &timeline);
    timeline_story(&timeline, &story);
    text = printed(&story, &length);
    assert_non_null(strstr(text, "\n\n  10:00:00"));
    assert_string_equal(strstr(text, "\n\n  10:00:00") + 2, expected);
    free(text);
    scenario_free(&file);
    diags_free(&diags);
}

/* ---- playing ---- */

static void the_same_timeline_takes_the_same_path_whatever_was_played_before(void **state) {
    static struct timeline timelines[RANDOM_PLAYED];
    static struct timeline_end ends[RANDOM_PLAYED];
    uint64_t random = 3;
    unsigned long crashes = 0, struck = 0;
    (void)state;
    for (int i = 0; i < RANDOM_PLAYED; i++) {
        random_timeline(&random, &timelines[i]);
        assert_true(timeline_play(&timelines[i], &sut_core, &ends[i]));
        crashes += ends[i].counts.crashes;
        struck += ends[i].counts.faults > 0;
    }
    /* It is no proof when nothing happened. Of random records three kinds kill and one restarts, so
     * that most faults find nobody alive; and one that lasts strikes a thousand times. */
    assert_true(crashes > RANDOM_PLAYED && struck > RANDOM_PLAYED / 20);
    for (int i = RANDOM_PLAYED; i-- > 0;) {
        struct timeline_end again;
        assert_true(timeline_play(&timelines[i], &sut_core, &again));
        assert_int_equal(again.fingerprint, ends[i].fingerprint);
        assert_int_equal(again.counts.port_calls, ends[i].counts.port_calls);
        assert_int_equal(again.invariant, ends[i].invariant);
    }
}

/* Bytes in which an OMS that checks, submits, and then records buys twice, among others. */
static void a_known_mistake(struct timeline *timeline) {
    static const uint8_t bytes[] = {
        0,
        1,
        0,
        1,
        0,
        0,
        9,
        0,
        TIMELINE_WAIT,
        3,
        0,
        0,
        0,
        0,
        0,
        0,
        TIMELINE_FOREIGN,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        TIMELINE_SIGNAL,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        TIMELINE_SIGNAL,
        1,
        1,
        1,
        1,
        0,
        0,
        0,
        TIMELINE_CRASH_BY,
        0,
        0,
        0,
        SCN_POINT_DELIVER,
        1,
        1,
        0,
        TIMELINE_WAIT,
        14,
        0,
        0,
        0,
        0,
        0,
        0,
        TIMELINE_RESTART,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        TIMELINE_SIGNAL_AGAIN,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        TIMELINE_RECONCILE,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    };
    timeline_read(timeline, bytes, sizeof bytes);
}

static void a_mistake_is_found_shrunk_and_repeated_by_its_file_and_plan(void **state) {
    struct timeline timeline;
    struct finding finding;
    (void)state;
    a_known_mistake(&timeline);
    assert_false(finding_make(&timeline, &sut_core, true, &finding));
    assert_string_equal(finding.why, "");
    assert_true(finding_make(&timeline, &sut_seed_protocol, true, &finding));
    assert_int_equal(finding.end.invariant, 1);
    if (!finding.replays)
        fail_msg("%s", finding.why);
    assert_true(finding.timeline.count <= 5);
    assert_non_null(strstr(finding.scenario, "restart"));
    assert_null(strstr(finding.scenario, "reconcile"));
    assert_null(strstr(finding.scenario, "foreign"));
    finding_free(&finding);
}

/* Many more comparisons behind what breaks it. */
static void pad(const struct timeline *timeline, struct timeline *padded) {
    *padded = *timeline;
    while (padded->count < 60)
        padded->records[padded->count++].op = TIMELINE_RECONCILE;
}

static void every_record_of_a_shrunk_timeline_is_necessary(void **state) {
    struct timeline timeline, padded;
    struct finding finding;
    (void)state;
    a_known_mistake(&timeline);
    pad(&timeline, &padded);
    assert_true(finding_make(&padded, &sut_seed_protocol, true, &finding));
    assert_int_equal(finding.shrunk.records_before, 60);
    assert_false(finding.shrunk.bound);
    assert_in_range(finding.timeline.count, 1, 5);
    for (size_t i = 0; i < finding.timeline.count; i++) {
        struct timeline less = finding.timeline;
        struct timeline_end end;
        less.count--;
        memmove(&less.records[i], &less.records[i + 1], (less.count - i) * sizeof less.records[0]);
        assert_true(timeline_play(&less, &sut_seed_protocol, &end));
        assert_int_not_equal(end.invariant, finding.end.invariant);
        assert_true(finding.shrunk.necessary[i]);
    }
    finding_free(&finding);
}

static void what_breaks_nothing_is_not_shrunk(void **state) {
    struct timeline timeline, before;
    struct timeline_shrunk shrunk;
    (void)state;
    a_known_mistake(&timeline);
    before = timeline;
    timeline_shrink(&timeline, &sut_core, 1, &shrunk);
    assert_memory_equal(&timeline, &before, sizeof before);
    assert_int_equal(shrunk.played, 1);
    assert_false(shrunk.necessary[0]);
}

/* Each broke an invariant once, and none by a mistake in what an OMS can be held to. */
static void what_the_fuzzer_found_stays_mended(void **state) {
    static const uint8_t found[][TIMELINE_UNIT * 6] = {
        /* A crash that is armed when the faults are over does not strike. */
        {[8] = TIMELINE_CRASH, 1, [16] = TIMELINE_CRASH_BY, 1, 0, 0, SCN_POINT_RECONCILE},
        /* What somebody else traded after the last comparison is news to the next start. */
        {[8] = TIMELINE_SIGNAL, [16] = TIMELINE_WAIT, 12, [24] = TIMELINE_FOREIGN},
        /* What the halt file holds back expires in the course of time ... */
        {[8] = TIMELINE_HALT_FILE, [16] = TIMELINE_SIGNAL, 0, 0, 0, 0, 10},
        /* ... or was reserved before the file came, and is in doubt after a start. */
        {3, [8] = TIMELINE_SIGNAL, [16] = TIMELINE_HALT_FILE},
        /* A death before the send does not use up the sends of later starts. */
        {[8] = TIMELINE_SIGNAL,
         [16] = TIMELINE_HALT_FILE,
         [24] = TIMELINE_CRASH_BY,
         1,
         0,
         0,
         SCN_POINT_DECIDE,
         1},
        /* The broker's own word that an order expired is no expiry held back. */
        {0, 0, 2, [8] = TIMELINE_SIGNAL, 0, 0, 0, 0,
         10, [16] = TIMELINE_EXPIRE, [24] = TIMELINE_SIGNAL},
        /* An acceptance is on its way while the broker loses the order, and a cancel of it has no end. */
        {[8] = TIMELINE_SIGNAL,
         [16] = TIMELINE_LOSE,
         [24] = TIMELINE_WAIT,
         15,
         [32] = TIMELINE_CANCEL},
        /* What waits for a point does not happen in the recovery after the end. */
        {[8] = TIMELINE_SIGNAL, [16] = TIMELINE_MOMENT, SCN_POINT_BOOT, [24] = TIMELINE_REJECT},
        /* By a clock that went back a day, what expires does so a day later. */
        {[8] = TIMELINE_SIGNAL,
         0,
         0,
         0,
         0,
         19,
         [16] = TIMELINE_FOREIGN,
         [24] = TIMELINE_CLOCK,
         1,
         18},
        /* A broker that tells no executions (8) does not tell that one was taken back. */
        {8, [8] = TIMELINE_SIGNAL, [16] = TIMELINE_FILL, [24] = TIMELINE_WAIT,
         11, [32] = TIMELINE_BUST, [40] = TIMELINE_CRASH, 1},
        /* A broker without ids (6) has the order, whose answer (fault 20) never came, and an operator says
         * that it has not. */
        {6, [8] = TIMELINE_FAULT, 20, [16] = TIMELINE_SIGNAL, [24] = TIMELINE_WAIT,
         15, [32] = TIMELINE_RESOLVE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        struct timeline timeline;
        struct timeline_end end;
        timeline_read(&timeline, found[i], sizeof found[i]);
        assert_true(timeline_play(&timeline, &sut_core, &end));
        if (end.invariant != 0)
            fail_msg("number %zu: I%d: %s", i, end.invariant, end.headline);
        assert_true(end.counts.lives > 0);
    }
}

/* What a power loss kept is in the plan, and the plan's line is the crash's. */
static void what_survives_a_power_loss_is_told_as_a_plan(void **state) {
    struct timeline timeline = {.count = 4};
    struct timeline_end end;
    char plan[PLAN_TEXT_SIZE];
    (void)state;
    timeline.records[0].op = TIMELINE_CRASH_AT;
    timeline.records[0].arg[1] = 3;
    timeline.records[0].arg[3] = timeline_crash_site_value((struct site){SITE_DISK_SYNC, ON_WAL});
    timeline.records[0].arg[4] = 1;
    timeline.records[1].op = TIMELINE_SIGNAL;
    timeline.records[2].op = TIMELINE_WAIT;
    timeline.records[2].arg[0] = 14;
    timeline.records[3].op = TIMELINE_RESTART;
    assert_true(timeline_play(&timeline, &sut_core, &end));
    assert_int_equal(end.counts.crashes, 1);
    assert_int_equal(end.plan.count, 1);
    assert_int_equal(end.plan.items[0].place, PLAN_AT_LINE);
    assert_int_equal(end.plan.items[0].occurrence, 10);
    assert_true(strncmp(plan_format(&end.plan, plan), "1/line@10=power(keep=", 21) == 0);
}

/* ---- the target ---- */

static int run_target(const char *oms, const struct timeline *timeline) {
    uint8_t bytes[TIMELINE_BYTES_MAX];
    size_t size = timeline_write(timeline, bytes);
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDERR_FILENO);
        setenv("FUZZ_OMS", oms, 1);
        LLVMFuzzerInitialize(NULL, NULL);
        LLVMFuzzerTestOneInput(bytes, size);
        _exit(0);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    return status;
}

static void the_target_aborts_when_an_invariant_breaks_and_only_then(void **state) {
    struct timeline timeline;
    int status = 0;
    (void)state;
    a_known_mistake(&timeline);
    assert_int_equal(run_target("core", &timeline), 0);
    status = run_target("seed-protocol", &timeline);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    status = run_target("no-such-oms", &timeline);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

static int set_up(void **state) {
    (void)state;
    disk_vfs_register();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    stage_forget_images();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes_are_a_known_scenario),
        cmocka_unit_test(bytes_are_written_as_they_were_read),
        cmocka_unit_test(any_bytes_are_a_lawful_scenario_and_stay_one_without_any_record),
        cmocka_unit_test(every_value_of_an_operation_is_lawful),
        cmocka_unit_test(every_row_of_the_catalogue_that_needs_no_wire_can_be_picked),
        cmocka_unit_test(a_scenario_becomes_its_timeline),
        cmocka_unit_test(the_same_timeline_takes_the_same_path_whatever_was_played_before),
        cmocka_unit_test(a_mistake_is_found_shrunk_and_repeated_by_its_file_and_plan),
        cmocka_unit_test(every_record_of_a_shrunk_timeline_is_necessary),
        cmocka_unit_test(what_breaks_nothing_is_not_shrunk),
        cmocka_unit_test(what_the_fuzzer_found_stays_mended),
        cmocka_unit_test(what_survives_a_power_loss_is_told_as_a_plan),
        cmocka_unit_test(the_target_aborts_when_an_invariant_breaks_and_only_then),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
