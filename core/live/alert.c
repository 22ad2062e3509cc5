/* Alerts on their ways: standard error, syslog, and a webhook through libcurl. */
#include "core/live/alert.h"

#include "core/live/clock.h"
#include "core/live/rfc3339.h"
#include "core/live/transport.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

enum { MS_NS = 1000000, FAILED_STATUS = 300 };

struct alerts {
    struct alerts_config config;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    char *queue[ALERT_QUEUE_MAX]; /* JSON; a ring, whose first is under way */
    size_t first, count;
    bool under_way;
    unsigned long lost;
};

/* ---- the webhook ---- */

static void say_lost(struct alerts *alerts, const char *why) {
    alerts->lost++;
    fprintf(alerts->config.err, "oms: an alert did not reach the webhook: %s (%lu so far)\n", why,
            alerts->lost);
}

static size_t ignore_answer(char *bytes, size_t size, size_t count, void *ctx) {
    (void)bytes, (void)ctx;
    return size * count;
}

static bool set_options(struct alerts *alerts) {
    CURL *e = alerts->easy;
    bool ok = true;
/* used below: on the handle `e`, remembering failure in `ok` */
#define SET(option, value) ok = ok && curl_easy_setopt(e, option, value) == CURLE_OK
    SET(CURLOPT_URL, alerts->config.webhook);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* a name that is not resolved in time is not waited for */
    SET(CURLOPT_PROTOCOLS_STR, "http,https"); /* http: loopback only, checked at open */
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_TIMEOUT_MS, (long)ALERT_TIMEOUT_MS);
    SET(CURLOPT_HTTPHEADER, alerts->headers);
    SET(CURLOPT_WRITEFUNCTION, ignore_answer);
    SET(CURLOPT_POST, 1L);
#undef SET
    return ok;
}

static void begin_first(struct alerts *alerts) {
    const char *body = alerts->queue[alerts->first];
    alerts->under_way = curl_easy_setopt(alerts->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                         (curl_off_t)strlen(body)) == CURLE_OK &&
                        curl_easy_setopt(alerts->easy, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
                        curl_multi_add_handle(alerts->multi, alerts->easy) == CURLM_OK;
}

static void forget_first(struct alerts *alerts) {
    if (alerts->under_way)
        curl_multi_remove_handle(alerts->multi, alerts->easy);
    alerts->under_way = false;
    free(alerts->queue[alerts->first]);
    alerts->queue[alerts->first] = NULL;
    alerts->first = (alerts->first + 1) % ALERT_QUEUE_MAX;
    alerts->count--;
}

static void end_first(struct alerts *alerts, CURLcode code) {
    char why[64];
    long status = 0;
    curl_easy_getinfo(alerts->easy, CURLINFO_RESPONSE_CODE, &status);
    snprintf(why, sizeof why, "it answered HTTP %ld", status);
    if (code != CURLE_OK)
        say_lost(alerts, curl_easy_strerror(code));
    else if (status >= FAILED_STATUS)
        say_lost(alerts, why);
    forget_first(alerts);
}

void alerts_turn(struct alerts *alerts) {
    int running = 0, queued = 0;
    if (alerts == NULL || alerts->count == 0)
        return;
    if (!alerts->under_way)
        begin_first(alerts);
    if (!alerts->under_way || curl_multi_perform(alerts->multi, &running) != CURLM_OK) {
        say_lost(alerts, "it could not be sent");
        forget_first(alerts);
        return;
    }
    const CURLMsg *message = curl_multi_info_read(alerts->multi, &queued);
    if (message != NULL && message->msg == CURLMSG_DONE)
        end_first(alerts, message->data.result);
}

static void add_text(cJSON *line, const char *name, const char *text) {
    if (text != NULL && text[0] != '\0')
        cJSON_AddStringToObject(line, name, text);
}

static char *body_of(const struct alerts *alerts, const struct oms_event *event) {
    char at[RFC3339_SIZE];
    cJSON *json = cJSON_CreateObject();
    add_text(json, "at", rfc3339_format(clock_now_ns(), at));
    add_text(json, "program", "oms");
    add_text(json, "store", alerts->config.store);
    add_text(json, "alert", oms_event_name(event->kind));
    add_text(json, "decision", event->decision_id);
    add_text(json, "text", event->text);
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

/* (1) The one that is too many is the newest: what began it is worth more. */
static void enqueue(struct alerts *alerts, const struct oms_event *event) {
    char *body = alerts->count < ALERT_QUEUE_MAX ? body_of(alerts, event) : NULL;
    if (body == NULL)
        say_lost(alerts, "too many are waiting");
    else
        alerts->queue[(alerts->first + alerts->count++) % ALERT_QUEUE_MAX] = body;
}

/* ---- all ways ---- */

static bool is_for_people(enum oms_event_kind kind) {
    return kind == OMS_EVENT_KILL_SWITCH || kind == OMS_EVENT_HOLD || kind == OMS_EVENT_ALARM ||
           kind == OMS_EVENT_HALT;
}

void alerts_hear(struct alerts *alerts, const struct oms_event *event) {
    if (alerts == NULL || event->phase != OMS_AFTER || !is_for_people(event->kind))
        return;
    const char *about = event->decision_id[0] != '\0' ? event->decision_id : alerts->config.store;
    fprintf(alerts->config.err, "oms: ALERT %s: %s: %s\n", oms_event_name(event->kind), about,
            event->text);
    if (alerts->config.to_syslog)
        syslog(LOG_CRIT, "%s: %s: %s", oms_event_name(event->kind), about, event->text);
    if (alerts->config.webhook != NULL)
        enqueue(alerts, event);
    alerts_turn(alerts);
}

static bool open_webhook(struct alerts *alerts) {
    alerts->headers = curl_slist_append(NULL, "Content-Type: application/json");
    alerts->multi = curl_multi_init();
    alerts->easy = curl_easy_init();
    return alerts->headers != NULL && alerts->multi != NULL && alerts->easy != NULL &&
           set_options(alerts);
}

struct alerts *alerts_open(const struct alerts_config *config, char *why, size_t why_size) {
    const char *complaint =
        config->webhook != NULL ? transport_url_complaint(config->webhook, false) : NULL;
    if (complaint != NULL) {
        snprintf(why, why_size, "the webhook's URL (not shown here) %s", complaint);
        return NULL;
    }
    struct alerts *alerts = calloc(1, sizeof *alerts);
    if (alerts == NULL) {
        snprintf(why, why_size, "no memory for alerts");
        return NULL;
    }
    alerts->config = *config;
    if (config->to_syslog)
        openlog("oms", LOG_PID, LOG_DAEMON);
    if (config->webhook != NULL && !open_webhook(alerts)) {
        snprintf(why, why_size, "the webhook cannot be prepared: libcurl does not start");
        alerts_close(alerts);
        return NULL;
    }
    return alerts;
}

static void see_off(struct alerts *alerts) {
    int64_t until_ns = clock_now_ns() + (int64_t)ALERT_TIMEOUT_MS * MS_NS;
    while (alerts->count > 0 && clock_now_ns() < until_ns) {
        alerts_turn(alerts);
        if (alerts->count > 0)
            curl_multi_poll(alerts->multi, NULL, 0, 100, NULL);
    }
    while (alerts->count > 0) {
        say_lost(alerts, "the program ends");
        forget_first(alerts);
    }
}

void alerts_close(struct alerts *alerts) {
    if (alerts == NULL)
        return;
    see_off(alerts);
    curl_easy_cleanup(alerts->easy);
    if (alerts->multi != NULL)
        curl_multi_cleanup(alerts->multi);
    curl_slist_free_all(alerts->headers);
    if (alerts->config.to_syslog)
        closelog();
    free(alerts);
}
