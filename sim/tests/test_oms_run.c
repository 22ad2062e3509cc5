/* `oms run` as strategies and operators meet it: the built program, its lines and its socket. */
#include "core/live/cli.h"
#include "sim/tests/running.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void decisions_are_answered_line_by_line_and_sent_once(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    running_start("");
    running_tell(running.to_it,
                 BUY("D1", "100") BUY("D2", "7") "{\"id\":\"D3\"}\nnonsense\n\n" BUY("D1", "100"));
    running_answers(
        "{\"id\":\"D1\",\"answer\":\"taken\",\"state\":\"intent\",\"client_order_id\":\"cg-");
    running_answers("{\"id\":\"D2\",\"answer\":\"taken\"");
    running_answers("{\"error\":\"line 3: side is missing\"}");
    running_answers("{\"error\":\"line 4: document: is not JSON\"}");
    running_answers("{\"id\":\"D1\",\"answer\":\"known\"");
    running_await_posts(2);
    running_tell(running.to_it, BUY("D1", "8"));
    running_answers(
        "{\"id\":\"D1\",\"answer\":\"not-taken\",\"reason\":\"this decision id was taken with "
        "another payload");
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    assert_false(is_there("oms.db-ctl"));
    program_run(CLI_OK, "status");
    program_said("D1                   working");
    program_said("D2                   working");
    assert_int_equal(program.posts, 2);
}

static void operators_reach_the_running_one(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    running_start("");
    running_tell(running.to_it, BUY("D1", "100"));
    running_answers("taken");
    running_await_posts(1);
    program_run(CLI_OK, "submit D2 buy 5 MSFT limit 20");
    program_said("D2                   working");
    program_run(CLI_OK, "status");
    program_said("D1                   working");
    program_said("profile alpaca: effectively once");
    program_run(CLI_OK, "reconcile");
    program_said("1 comparison, 0 differences");
    program_run(CLI_OK, "kill-switch on --why drill");
    program_said("kill switch ON");
    running_tell(running.to_it, BUY("D3", "1"));
    running_answers("{\"id\":\"D3\",\"answer\":\"not-taken\",\"reason\":\"the kill switch is on: ");
    program_run(CLI_NOT_TAKEN, "submit D4 buy 5 MSFT limit 20");
    program_said("drill");
    program_run(CLI_OK, "kill-switch off --why over --json");
    program_said("{\"kill_switch\":false}");
    running_tell(running.to_it, "{\"cancel\":\"D1\"}\n{\"cancel\":\"D9\"}\n");
    running_answers("{\"cancel\":\"D1\",\"answer\":\"asked\"}");
    running_answers(
        "{\"cancel\":\"D9\",\"answer\":\"refused\",\"reason\":\"cancel: there is no decision");
    program_run(CLI_OK, "cancel D1");
    program_said("D1                   canceled");
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    assert_int_equal(program.posts, 2);
}

static void what_the_running_one_cannot_do_is_refused(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    running_start("");
    program_run(CLI_USAGE, "status --profile label");
    program_said("--profile label: the running process uses alpaca");
    program_run(CLI_USAGE, "status --account B2");
    program_said("--account B2: the running process has A1's store open");
    program_run(CLI_USAGE, "reconcile --url http://127.0.0.1:1");
    program_said("--url http://127.0.0.1:1: the running process talks to");
    program_run(CLI_ENVIRONMENT, "run");
    program_said("is running on it");
    program_run(CLI_ENVIRONMENT, "init --account A1");
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
}

static void killed_at_any_moment_it_forgets_nothing_it_answered(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    running_start("");
    running_tell(running.to_it, BUY("D1", "100") BUY("D2", "7") BUY("D3", "9"));
    for (int i = 0; i < 3; i++)
        running_answers("\"answer\":\"taken\"");
    assert_int_equal(running_stop(SIGKILL), PROGRAM_KILLED);
    assert_true(is_there("oms.db-ctl")); /* a dead one's: replaced */
    running_start("");
    running_tell(running.to_it, BUY("D2", "7"));
    running_answers("{\"id\":\"D2\",\"answer\":\"known\"");
    program_run(CLI_OK, "submit D2 buy 7 AAPL limit 150 --wait 50");
    running_await_posts(3);
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    program_run(CLI_OK, "status");
    program_said("D1");
    program_said("D3");
    assert_int_equal(program.posts, 3);
}

static const struct site answer_to_a_send = {SITE_WIRE_REPLY, ON_SUBMIT};
static const struct site answer_to_a_poll = {SITE_WIRE_REPLY, ON_ORDERS};

static void await_stuck(void) {
    time_t give_up = time(NULL) + RUNNING_WAIT_S;
    while (program.stuck != SITE_COUNT) {
        program_serve(5);
        assert_true(time(NULL) < give_up);
    }
}

/* D1's answer never comes: D2 is live before D1 is given up. */
static void orders_leave_while_others_are_not_answered(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    running_start("");
    program.stuck = site_index(answer_to_a_send);
    running_tell(running.to_it, BUY("D1", "100"));
    running_answers("taken");
    await_stuck();
    program_run(CLI_OK, "submit D2 buy 5 MSFT limit 20");
    program_said("D2                   working");
    program_run(CLI_OK, "orders --json");
    program_said("\"state\":\"intent\"");
    assert_int_equal(program.posts, 2);
    /* once it is given up it is looked up, and was there all the time */
    program_run(CLI_OK, "submit D1 buy 100 AAPL limit 150");
    program_said("D1                   working");
    assert_int_equal(program.posts, 2);
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
}

/* Asked to stop it waits for the answer; the next start has no doubt to settle. */
static void asked_to_stop_it_waits_for_the_answers(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    running_start("");
    program.stuck = site_index(answer_to_a_send);
    running_tell(running.to_it, BUY("D1", "100") BUY("D2", "7"));
    running_answers("taken");
    running_answers("taken");
    await_stuck();
    running_await_posts(2);
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    program_run(CLI_OK, "status");
    program_said("D1                   in-doubt");
    program_said("no whole answer within 5000 ms");
    program_said("D2                   working");
}

/* A poll's answer never comes: what is decided meanwhile is answered and leaves at once. */
static void orders_leave_while_a_poll_is_not_answered(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    running_start("");
    running_tell(running.to_it, BUY("D1", "100"));
    running_answers("taken");
    running_await_posts(1);
    program.stuck = site_index(answer_to_a_poll);
    await_stuck();
    running_tell(running.to_it, BUY("D2", "7"));
    running_answers("taken");
    running_await_posts(2);
    assert_int_equal(program.beside, 1); /* the poll's, which has not been given up */
    program_run(CLI_OK, "submit D2 buy 7 AAPL limit 150");
    program_said("D2                   working");
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    assert_int_equal(program.posts, 2);
}

static int connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void strategies_may_come_by_socket_and_only_by_our_own_hand(void **state) {
    char line[ANSWER_SIZE];
    struct stat status;
    (void)state;
    program_run(CLI_OK, "init --account A1");
    running_start("--listen strategies");
    int one = connect_to("strategies"), two = connect_to("strategies");
    running_tell(one, BUY("D1", "1"));
    assert_non_null(strstr(running_hear(one, line), "{\"id\":\"D1\",\"answer\":\"taken\""));
    running_tell(two, BUY("D1", "1"));
    assert_non_null(strstr(running_hear(two, line), "{\"id\":\"D1\",\"answer\":\"known\""));
    close(one);
    running_tell(two, BUY("D2", "2"));
    assert_non_null(strstr(running_hear(two, line), "{\"id\":\"D2\",\"answer\":\"taken\""));
    close(two);
    running_await_posts(2);
    assert_int_equal(stat("strategies", &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(stat("oms.db-ctl", &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    assert_false(is_there("strategies"));
}

static void with_its_input_ended_it_ends_once_all_is_settled(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    running_start("--exit-at-eof");
    running_tell(running.to_it, BUY("D1", "1") BUY("D2", "2"));
    close(running.to_it);
    running_answers("taken");
    running_answers("taken");
    assert_int_equal(program_finish(running.child), CLI_OK);
    running.child = 0;
    close(running.from_it);
    assert_int_equal(program.posts, 2);
}

static void a_path_that_is_too_long_for_a_socket_is_refused(void **state) {
    char line[400], db[160];
    (void)state;
    memset(db, 'd', sizeof db);
    db[sizeof db - 1] = '\0';
    snprintf(line, sizeof line, "init --account A1 --db %s", db);
    program_run(CLI_OK, line);
    snprintf(line, sizeof line, "run --db %s", db);
    program_run(CLI_ENVIRONMENT, line);
    program_said("is too long for a control socket beside it");
}

static void a_store_that_fails_under_an_operator_ends_it(void **state) {
    struct rlimit full = {4096, 4096}; /* no file may grow any more */
    (void)state;
    program_run(CLI_OK, "init --account A1");
    program.file_size_max = 1 << 30;
    running_start("");
    program.file_size_max = 0;
    program_run(CLI_OK, "reconcile");
    assert_int_equal(prlimit(running.child, RLIMIT_FSIZE, &full, NULL), 0);
    program_run(CLI_ENVIRONMENT, "kill-switch on --why drill");
    program_said("storage");
    assert_int_equal(program_finish(running.child), CLI_ENVIRONMENT);
    running.child = 0;
    close(running.to_it), close(running.from_it);
    program_run(CLI_OK, "kill-switch on --why drill");
}

static void a_file_that_is_no_socket_is_never_replaced_by_one(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    program_run(CLI_ENVIRONMENT, "run --listen oms.db");
    program_said("socket oms.db: Address already in use");
    program_run(CLI_OK, "status");
    program_said("account A1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, running_setup, running_teardown)
        T(decisions_are_answered_line_by_line_and_sent_once),
        T(operators_reach_the_running_one),
        T(what_the_running_one_cannot_do_is_refused),
        T(orders_leave_while_others_are_not_answered),
        T(asked_to_stop_it_waits_for_the_answers),
        T(orders_leave_while_a_poll_is_not_answered),
        T(killed_at_any_moment_it_forgets_nothing_it_answered),
        T(strategies_may_come_by_socket_and_only_by_our_own_hand),
        T(with_its_input_ended_it_ends_once_all_is_settled),
        T(a_store_that_fails_under_an_operator_ends_it),
        T(a_file_that_is_no_socket_is_never_replaced_by_one),
        T(a_path_that_is_too_long_for_a_socket_is_refused),
#undef T
    };
    return program_open() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
