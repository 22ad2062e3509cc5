/* The environment port in the real world. */
#include "core/live/clock.h"

#include "core/live/rfc3339.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

enum { SECOND_NS = 1000000000 };

int64_t clock_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

void clock_sleep_until(int64_t at_ns) {
    int64_t left_ns = at_ns - clock_now_ns();
    if (left_ns <= 0)
        return;
    struct timespec left = {.tv_sec = left_ns / SECOND_NS, .tv_nsec = left_ns % SECOND_NS};
    nanosleep(&left, NULL);
}

enum oms_halt_file clock_halt_file(const char *path) {
    struct stat status;
    if (lstat(path, &status) == 0)
        return OMS_HALT_PRESENT;
    return errno == ENOENT ? OMS_HALT_ABSENT : OMS_HALT_UNREADABLE;
}

static int64_t now_ns(void *ctx) {
    (void)ctx;
    return clock_now_ns();
}

/* Goes on while the machine sleeps, too. */
static int64_t steady_ns(void *ctx) {
    struct timespec now;
    (void)ctx;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

static enum oms_halt_file halt_file(void *ctx) {
    const struct clock_env *clock = ctx;
    return clock->hold != NULL && *clock->hold ? OMS_HALT_PRESENT
                                               : clock_halt_file(clock->halt_path);
}

static void add_text(cJSON *line, const char *name, const char *text) {
    if (text != NULL && text[0] != '\0')
        cJSON_AddStringToObject(line, name, text);
}

/* A log that cannot be written does not stop trading: what matters is in the store. */
static void emit(void *ctx, const struct oms_event *event) {
    const struct clock_env *clock = ctx;
    char at[RFC3339_SIZE];
    alerts_hear(clock->alerts, event);
    if (clock->events == NULL)
        return;
    cJSON *line = cJSON_CreateObject();
    add_text(line, "at", rfc3339_format(clock_now_ns(), at));
    add_text(line, "event", oms_event_name(event->kind));
    add_text(line, "phase", event->phase == OMS_BEFORE ? "before" : "after");
    add_text(line, "decision", event->decision_id);
    add_text(line, "client_order_id", event->client_order_id);
    add_text(line, "text", event->text);
    if (event->kind == OMS_EVENT_CHECK)
        cJSON_AddBoolToObject(line, "known", event->known);
    char *text = cJSON_PrintUnformatted(line);
    if (text != NULL)
        fprintf(clock->events, "%s\n", text);
    fflush(clock->events);
    cJSON_free(text);
    cJSON_Delete(line);
}

void clock_env(struct clock_env *clock, struct oms_env *out) {
    *out = (struct oms_env){.ctx = clock,
                            .now_ns = now_ns,
                            .steady_ns = steady_ns,
                            .halt_file = halt_file,
                            .emit = emit};
}
