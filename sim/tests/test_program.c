/* The oms program as people run it: a process of its own, a real database, a real loopback socket.
 */
#include "core/live/cli.h"
#include "sim/tests/loopback.h"
#include "sim/tests/small_exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 24, OUTPUT_SIZE = 16384, RUN_S_MAX = 60, KILLED = -1 };

static struct small_exchange small;
static struct wire_exchange exchange;
static struct listener *server;
static char folder[64], url[LISTENER_URL_SIZE], output[OUTPUT_SIZE];

/* The program while it runs, and what the exchange does to it. */
static pid_t child;
static bool kill_on_submit, kill_before_taking;

static enum wire_submit submit_and_perhaps_kill(void *ctx, const struct broker_request *request,
                                                struct broker_order *order,
                                                struct wire_refusal *refusal) {
    struct wire_exchange plain;
    small_exchange(ctx, &plain);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    small.now_ns = (int64_t)now.tv_sec * PROFILE_SECOND_NS + now.tv_nsec;
    if (kill_on_submit)
        kill(child, SIGKILL);
    if (kill_on_submit && kill_before_taking) {
        *refusal = (struct wire_refusal){503, 0, "nobody is there to read this"};
        return WIRE_REFUSED;
    }
    return plain.submit(ctx, request, order, refusal);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw) {
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static int setup(void **state) {
    (void)state;
    small = (struct small_exchange){0};
    small_exchange(&small, &exchange);
    exchange.submit = submit_and_perhaps_kill;
    kill_on_submit = kill_before_taking = false;
    server = loopback_open(&exchange, NULL, url);
    snprintf(folder, sizeof folder, "/tmp/oms-program-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    setenv("APCA_API_BASE_URL", url, 1);
    setenv("APCA_API_KEY_ID", "key", 1);
    setenv("APCA_API_SECRET_KEY", "secret", 1);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    listener_close(server);
    assert_int_equal(chdir("/"), 0);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The child's life: the program itself, telling into a file. */
static void be_the_program(int count, char **words) {
    static const volatile int never;
    FILE *out = fopen("output", "w");
    umask(077);
    int exit_code = out != NULL ? cli_run(count, words, out, out, &never) : 99;
    if (out != NULL)
        fclose(out);
    _exit(exit_code);
}

/* Runs "oms " + line to its end while serving it. Its exit code, or KILLED. */
static int oms(const char *line) {
    char copy[512], *words[WORDS] = {"oms"};
    int count = 1, status = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        words[count++] = word;
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        be_the_program(count, words);
    time_t give_up = time(NULL) + RUN_S_MAX;
    while (waitpid(child, &status, WNOHANG) == 0) {
        listener_run(server, 5);
        if (time(NULL) > give_up)
            kill(child, SIGKILL);
    }
    listener_run(server, 0);
    FILE *in = fopen("output", "r");
    size_t n = in != NULL ? fread(output, 1, sizeof output - 1, in) : 0;
    output[n] = '\0';
    if (in != NULL)
        fclose(in);
    return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED;
}

static void said(const char *text) {
    if (strstr(output, text) == NULL)
        fail_msg("'%s' is not in:\n%s", text, output);
}

static void a_decision_becomes_one_order_however_often_it_is_presented(void **state) {
    (void)state;
    struct stat status;
    assert_int_equal(oms("init --account A1"), CLI_OK);
    assert_int_equal(stat("oms.db", &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(oms("init --account A1"), CLI_ENVIRONMENT);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(oms("submit D1 buy 100 AAPL limit 150.25"), CLI_OK);
        said("working");
    }
    assert_int_equal(small.orders_n, 1);
    assert_int_equal(oms("submit D1 buy 200 AAPL limit 150.25"), CLI_NOT_TAKEN);
    assert_int_equal(oms("status --json"), CLI_OK);
    said("\"decision\":\"D1\"");
    said("\"state\":\"working\"");
    said(small.orders[0].client_order_id);
    assert_int_equal(oms("cancel D1"), CLI_OK);
    said("canceled");
    assert_int_equal(oms("submit D1 buy 100 AAPL limit 150.25"), CLI_ENDED);
    assert_int_equal(small.orders_n, 1);
}

static void kill_9_after_the_exchange_took_it_leaves_one_order(void **state) {
    (void)state;
    assert_int_equal(oms("init --account A1"), CLI_OK);
    kill_on_submit = true;
    assert_int_equal(oms("submit D1 buy 100 AAPL"), KILLED);
    assert_int_equal(small.orders_n, 1);
    kill_on_submit = false;
    assert_int_equal(oms("submit D1 buy 100 AAPL"), CLI_OK);
    said("working");
    assert_int_equal(small.orders_n, 1);
}

static void kill_9_before_the_exchange_took_it_is_not_sent_again_in_haste(void **state) {
    (void)state;
    assert_int_equal(oms("init --account A1"), CLI_OK);
    kill_on_submit = kill_before_taking = true;
    assert_int_equal(oms("submit D1 buy 100 AAPL"), KILLED);
    assert_int_equal(small.orders_n, 0);
    kill_on_submit = kill_before_taking = false;
    assert_int_equal(oms("submit D1 buy 100 AAPL --wait 2"), CLI_UNDECIDED);
    said("not decided yet");
    assert_int_equal(small.orders_n, 0);
}

static void refusals_and_switches_end_in_their_exit_codes(void **state) {
    (void)state;
    assert_int_equal(oms("status"), CLI_ENVIRONMENT);
    said("oms init");
    assert_int_equal(oms("init --account A1"), CLI_OK);
    small.refusal = (struct wire_refusal){403, 40310000, "insufficient buying power"};
    assert_int_equal(oms("submit D1 buy 100 AAPL"), CLI_ENDED);
    said("insufficient buying power");
    small.refusal.status = 0;
    assert_int_equal(oms("kill-switch on --why drill"), CLI_OK);
    assert_int_equal(oms("submit D2 buy 100 AAPL"), CLI_NOT_TAKEN);
    assert_int_equal(oms("status"), CLI_OK);
    said("kill switch ON");
    assert_int_equal(oms("kill-switch off --why drill-over"), CLI_OK);
    assert_int_equal(oms("submit D2 buy 100 AAPL"), CLI_OK);
    assert_int_equal(small.orders_n, 1);
}

static void a_position_nobody_booked_is_critical(void **state) {
    (void)state;
    assert_int_equal(oms("init --account A1"), CLI_OK);
    assert_int_equal(oms("reconcile"), CLI_OK);
    snprintf(small.positions[0].symbol, sizeof small.positions[0].symbol, "AAPL");
    small.positions[0].qty_nanos = INT64_C(100000000000);
    small.positions[0].avg_price_nanos = INT64_C(150000000000);
    small.positions_n = 1;
    assert_int_equal(oms("reconcile"), CLI_ENDED);
    said("MISSING_IN_OMS");
}

static void a_broker_that_is_not_there_is_said_to_be(void **state) {
    (void)state;
    assert_int_equal(oms("init --account A1"), CLI_OK);
    assert_int_equal(oms("reconcile --url http://127.0.0.1:1 --wait 1"), CLI_ENVIRONMENT);
    said("the broker at http://127.0.0.1:1 has not answered");
    assert_int_equal(oms("submit D1 buy 1 AAPL --url http://127.0.0.1:1 --wait 1"),
                     CLI_ENVIRONMENT);
    assert_int_equal(oms("submit D1 buy 1 AAPL"), CLI_OK);
    assert_int_equal(small.orders_n, 1);
    unsetenv("APCA_API_SECRET_KEY");
    assert_int_equal(oms("reconcile"), CLI_USAGE);
    said("no keys");
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(a_decision_becomes_one_order_however_often_it_is_presented),
        T(kill_9_after_the_exchange_took_it_leaves_one_order),
        T(kill_9_before_the_exchange_took_it_is_not_sent_again_in_haste),
        T(refusals_and_switches_end_in_their_exit_codes),
        T(a_position_nobody_booked_is_critical),
        T(a_broker_that_is_not_there_is_said_to_be),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
