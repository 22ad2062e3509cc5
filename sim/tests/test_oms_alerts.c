/* Who is told when the OMS finds something: standard error always, syslog and a webhook when asked, and
 * that nobody waits for them. */
#include "core/live/cli.h"
#include "sim/tests/one_answer.h"
#include "sim/tests/running.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { LOG_SIZE = 65536, LINE_SIZE = 256, SWITCHINGS = 4 };

static const char *with_webhook(const char *line, const struct one_answer *server) {
    static char whole[LINE_SIZE];
    snprintf(whole, sizeof whole, "%s --alert-webhook %s/services/T000", line, server->url);
    return whole;
}

static void log_says(const char *words) {
    static char text[LOG_SIZE];
    FILE *log = fopen("run.log", "r");
    assert_non_null(log);
    size_t n = fread(text, 1, sizeof text - 1, log);
    fclose(log);
    text[n] = '\0';
    if (strstr(text, words) == NULL)
        fail_msg("'%s' is not in run.log:\n%s", words, text);
}

static void await_requests(struct one_answer *server, unsigned count) {
    time_t give_up = time(NULL) + RUNNING_WAIT_S;
    while (one_answer_count(server) < count && time(NULL) < give_up)
        program_serve(5);
    assert_true(one_answer_count(server) >= count);
}

static void an_alert_goes_to_standard_error_and_to_the_webhook(void **state) {
    struct one_answer hook = {.status = 200, .body = "ok"};
    char body[ONE_ANSWER_LAST_SIZE];
    (void)state;
    one_answer_start(&hook);
    program_run(CLI_OK, "init --account A1");
    program_run(CLI_OK, with_webhook("kill-switch on --why drill", &hook));
    program_said("oms: ALERT kill-switch: oms.db: ");
    assert_int_equal(one_answer_count(&hook), 1);
    cJSON *json = cJSON_Parse(one_answer_last(&hook, body));
    assert_non_null(json);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "alert")), "kill-switch");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "store")), "oms.db");
    assert_non_null(strstr(cJSON_GetStringValue(cJSON_GetObjectItem(json, "text")), "drill"));
    cJSON_Delete(json);
    setenv("OMS_ALERT_WEBHOOK", hook.url, 1);
    program_run(CLI_OK, "kill-switch off --why over");
    unsetenv("OMS_ALERT_WEBHOOK");
    assert_int_equal(one_answer_count(&hook), 2);
    one_answer_stop(&hook);
}

static void a_running_one_tells_and_goes_on(void **state) {
    struct one_answer hook = {.status = 500, .body = "no"};
    (void)state;
    one_answer_start(&hook);
    program_run(CLI_OK, "init --account A1");
    running_start(with_webhook("", &hook));
    program_run(CLI_OK, "kill-switch on --why drill");
    program_run(CLI_OK, "kill-switch off --why over");
    running_tell(running.to_it, BUY("D1", "1"));
    running_answers("taken");
    running_await_posts(1);
    await_requests(&hook, 2);
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    log_says("oms: ALERT kill-switch: oms.db: ");
    log_says("oms: an alert did not reach the webhook: it answered HTTP 500 (2 so far)");
    one_answer_stop(&hook);
}

/* Trading does not notice, and what is lost is said. */
static void a_webhook_that_never_answers_keeps_nobody_waiting(void **state) {
    struct one_answer hook = {.never = true};
    (void)state;
    one_answer_start(&hook);
    program_run(CLI_OK, "init --account A1");
    running_start(with_webhook("", &hook));
    for (int i = 0; i < SWITCHINGS; i++)
        program_run(CLI_OK, i % 2 == 0 ? "kill-switch on --why drill" : "kill-switch off --why x");
    await_requests(&hook, 1);
    running_tell(running.to_it, BUY("D1", "1"));
    running_answers("\"answer\":\"taken\"");
    running_await_posts(1);
    program_run(CLI_OK, "orders");
    program_said("D1        working");
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    log_says("oms: an alert did not reach the webhook: ");
    log_says("(4 so far)");
    one_answer_stop(&hook);
}

static void a_webhook_is_https_or_on_loopback_and_never_shown(void **state) {
    static const char *const urls[] = {"http://hooks.evil.com/T0SECRET",
                                       "http://127.0.0.1@evil.com/T0SECRET",
                                       "https://me:T0SECRET@evil.com/", "T0SECRET"};
    char line[LINE_SIZE];
    (void)state;
    program_run(CLI_OK, "init --account A1");
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        snprintf(line, sizeof line, "kill-switch on --why drill --alert-webhook %s", urls[i]);
        program_run(CLI_USAGE, line);
        program_said("oms: the webhook's URL (not shown here) must be");
        assert_null(strstr(program.output, "T0SECRET"));
    }
    program_run(CLI_OK, "kill-switch on --why drill --alert-webhook http://127.0.0.1:1/T0SECRET");
    program_said("oms: an alert did not reach the webhook: ");
    assert_null(strstr(program.output, "T0SECRET"));
}

/* Where no syslog daemon listens, the test does. */
static void an_alert_goes_to_syslog(void **state) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    char message[LINE_SIZE] = "";
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool listens = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    (void)state;
    program_run(CLI_OK, "init --account A1");
    program_run(CLI_OK, "kill-switch on --why drill --alert-syslog");
    ssize_t got = listens ? recv(fd, message, sizeof message - 1, 0) : 0;
    close(fd);
    if (!listens)
        return; /* a daemon has it, or may not be stood in for */
    unlink("/dev/log");
    assert_true(got > 0);
    assert_non_null(strstr(message, "oms["));
    assert_non_null(strstr(message, "kill-switch: oms.db: "));
    assert_non_null(strstr(message, "drill"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, running_setup, running_teardown)
        T(an_alert_goes_to_standard_error_and_to_the_webhook),
        T(a_running_one_tells_and_goes_on),
        T(a_webhook_that_never_answers_keeps_nobody_waiting),
        T(a_webhook_is_https_or_on_loopback_and_never_shown),
        T(an_alert_goes_to_syslog),
#undef T
    };
    return program_open() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
