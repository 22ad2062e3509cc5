/* Alerts that nobody takes: they queue up to a ceiling, and every one that is lost is said. */
#include "core/live/alert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SAID = 65536, TOO_MANY = 3 };

static char said[SAID];

/* A port that takes connections and never says a word. */
static int listen_silently(char url[64]) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(url, 64, "http://127.0.0.1:%u/hook", (unsigned)ntohs(address.sin_port));
    return fd;
}

static void hear(struct alerts *alerts, enum oms_event_kind kind, enum oms_phase phase) {
    struct oms_event event = {.kind = kind,
                              .phase = phase,
                              .decision_id = "D1",
                              .client_order_id = "",
                              .text = "something"};
    alerts_hear(alerts, &event);
}

static unsigned times(const char *words) {
    unsigned count = 0;
    for (const char *at = said; (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

static void the_queue_has_a_ceiling_and_every_lost_one_is_said(void **state) {
    char url[64], why[160];
    int fd = listen_silently(url);
    FILE *err = fmemopen(said, sizeof said, "w");
    struct alerts_config config = {.err = err, .webhook = url, .store = "oms.db"};
    struct alerts *alerts = alerts_open(&config, why, sizeof why);
    (void)state;
    assert_non_null(alerts);
    for (int i = 0; i < ALERT_QUEUE_MAX + TOO_MANY; i++)
        hear(alerts, OMS_EVENT_ALARM, OMS_AFTER);
    fflush(err);
    assert_int_equal(times("oms: ALERT alarm: D1: something\n"), ALERT_QUEUE_MAX + TOO_MANY);
    assert_int_equal(times("too many are waiting"), TOO_MANY);
    alerts_close(alerts);
    fclose(err);
    assert_int_equal(times("did not reach the webhook"), ALERT_QUEUE_MAX + TOO_MANY);
    assert_int_equal(times("(67 so far)"), 1);
    close(fd);
}

static void only_what_is_for_people_is_told(void **state) {
    char why[160];
    FILE *err = fmemopen(said, sizeof said, "w");
    struct alerts_config config = {.err = err, .store = "oms.db"};
    struct alerts *alerts = alerts_open(&config, why, sizeof why);
    static const enum oms_event_kind told[] = {OMS_EVENT_KILL_SWITCH, OMS_EVENT_HOLD,
                                               OMS_EVENT_ALARM, OMS_EVENT_HALT};
    (void)state;
    assert_non_null(alerts);
    hear(alerts, OMS_EVENT_SEND, OMS_BEFORE);
    hear(alerts, OMS_EVENT_FILL, OMS_AFTER);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        hear(alerts, told[i], OMS_AFTER);
    hear(NULL, OMS_EVENT_HALT, OMS_AFTER);
    alerts_close(alerts);
    fclose(err);
    assert_int_equal(times("oms: ALERT "), sizeof told / sizeof told[0]);
    assert_int_equal(times("oms: ALERT halt: D1: something\n"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_queue_has_a_ceiling_and_every_lost_one_is_said),
        cmocka_unit_test(only_what_is_for_people_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
