/* The core, but what it tells depends on something that no run may depend on, or it takes the process
 * along that runs it: the environment variable UNSTEADY says which. For tests of what notices that. */
#include "sim/sut/sut.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern __attribute__((visibility("default"))) struct sut sut_export;

static struct oms_env real;
static char own; /* in the object, which every process loads elsewhere */

static long doubtful_value(void) {
    const char *on = getenv("UNSTEADY");
    struct timespec now = {0};
    if (on != NULL && strcmp(on, "time") == 0)
        syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    if (on != NULL && strcmp(on, "address") == 0)
        now.tv_nsec = (long)(intptr_t)&own;
    return now.tv_nsec;
}

static void emit(void *ctx, const struct oms_event *event) {
    struct oms_event told = *event;
    const char *how = getenv("UNSTEADY");
    char text[64];
    (void)ctx;
    if (how != NULL && strcmp(how, "death") == 0)
        raise(SIGKILL);
    if (event->kind == OMS_EVENT_DECIDE) {
        snprintf(text, sizeof text, "decided with %ld", doubtful_value());
        told.text = text;
    }
    real.emit(real.ctx, &told);
}

static void *boot(const struct sut_ports *ports, const struct sut_config *config,
                  char why[SUT_WHY_SIZE]) {
    struct sut_ports ours = *ports;
    real = ports->env;
    ours.env.emit = emit;
    return sut_core.boot(&ours, config, why);
}

struct sut sut_export;

__attribute__((constructor)) static void take_after_the_core(void) {
    sut_export = sut_core;
    sut_export.name = "unsteady";
    sut_export.boot = boot;
}
