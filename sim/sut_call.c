/* Traps of an OMS end its life, not the program. */
#include "sim/sut_call.h"

#include "sim/check.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>

/* A call into an OMS that has not come back. */
struct call {
    sigjmp_buf back;
    const struct sut *sut;
    void *instance;
    struct call *outer; /* it was made from within a port of this one */
};
static struct call *innermost;
static char stop_text[SUT_WHY_SIZE]; /* "": nothing was stopped since it was asked */
static void *broken;                 /* an instance that stopped itself and is not buried yet */

/* The signals of a trap, and what they did before. */
static struct trap {
    const int number;
    struct sigaction before;
} traps[] = {{.number = SIGILL}, {.number = SIGTRAP}};
enum { TRAP_COUNT = sizeof traps / sizeof traps[0] };

static void on_trap(int number) {
    if (innermost != NULL)
        siglongjmp(innermost->back, 1);
    /* it happens again, and does what it would have done */
    for (int i = 0; i < TRAP_COUNT; i++) {
        if (traps[i].number == number)
            sigaction(number, &traps[i].before, NULL);
    }
}

void sut_catch_stops(void) {
    /* No mask is kept: what is blocked in the handler would stay so after the jump. */
    const struct sigaction action = {.sa_handler = on_trap, .sa_flags = SA_NODEFER};
    for (int i = 0; i < TRAP_COUNT; i++) {
        struct sigaction before;
        CHECK(sigaction(traps[i].number, &action, &before) == 0);
        if (before.sa_handler != on_trap)
            traps[i].before = before;
    }
}

static void begin(struct call *call, const struct sut *sut, void *instance) {
    call->sut = sut;
    call->instance = instance;
    call->outer = innermost;
    innermost = call;
}

static void end(void) {
    innermost = innermost->outer;
}

static void note_stop(void) {
    const struct sut *sut = innermost->sut;
    const char *said = sut->said == NULL ? NULL : *sut->said;
    snprintf(stop_text, sizeof stop_text, "the OMS stopped itself: %s",
             said == NULL ? "a trap, and no word why" : said);
    if (innermost->instance != NULL)
        broken = innermost->instance;
    end();
}

bool sut_stopped(char why[SUT_WHY_SIZE]) {
    bool stopped = stop_text[0] != '\0';
    if (stopped)
        snprintf(why, SUT_WHY_SIZE, "%s", stop_text);
    stop_text[0] = '\0';
    return stopped;
}

/* False once, in the frame of the function it stands in, when the OMS has stopped itself. */
#define COMES_BACK(call, sut, instance) \
    (begin(&(call), sut, instance), sigsetjmp((call).back, 0) == 0)

bool sut_create(const struct sut *sut, const struct sut_ports *ports,
                const struct sut_config *config, const struct oms_opening *opening,
                size_t opening_count, char why[SUT_WHY_SIZE]) {
    struct call call;
    bool made;
    if (!COMES_BACK(call, sut, NULL)) {
        note_stop();
        snprintf(why, SUT_WHY_SIZE, "%s", stop_text);
        return false;
    }
    made = sut->create(ports, config, opening, opening_count, why);
    end();
    return made;
}

void *sut_boot(const struct sut *sut, const struct sut_ports *ports,
               const struct sut_config *config, char why[SUT_WHY_SIZE]) {
    struct call call;
    void *instance;
    if (!COMES_BACK(call, sut, NULL)) {
        note_stop();
        snprintf(why, SUT_WHY_SIZE, "%s", stop_text);
        return NULL;
    }
    instance = sut->boot(ports, config, why);
    end();
    return instance;
}

enum sut_answer sut_signal(const struct sut *sut, void *instance,
                           const struct oms_decision *decision, char why[SUT_WHY_SIZE]) {
    struct call call;
    enum sut_answer answer;
    if (!COMES_BACK(call, sut, instance)) {
        note_stop();
        return SUT_UNKNOWN;
    }
    answer = sut->signal(instance, decision, why);
    end();
    return answer;
}

void sut_signals(const struct sut *sut, void *instance, const struct oms_decision *decisions,
                 size_t count, enum sut_answer *answers, char why[SUT_WHY_SIZE]) {
    struct call call;
    if (!COMES_BACK(call, sut, instance)) {
        note_stop();
        for (size_t i = 0; i < count; i++)
            answers[i] = SUT_UNKNOWN;
        return;
    }
    sut->signals(instance, decisions, count, answers, why);
    end();
}

bool sut_cancel(const struct sut *sut, void *instance, const char *decision_id) {
    struct call call;
    bool healthy;
    if (!COMES_BACK(call, sut, instance)) {
        note_stop();
        return false;
    }
    healthy = sut->cancel(instance, decision_id);
    end();
    return healthy;
}

bool sut_kill_switch(const struct sut *sut, void *instance, bool on) {
    struct call call;
    bool healthy;
    if (!COMES_BACK(call, sut, instance)) {
        note_stop();
        return false;
    }
    healthy = sut->kill_switch(instance, on);
    end();
    return healthy;
}

bool sut_reconcile(const struct sut *sut, void *instance, bool daily) {
    struct call call;
    bool healthy;
    if (!COMES_BACK(call, sut, instance)) {
        note_stop();
        return false;
    }
    healthy = sut->reconcile(instance, daily);
    end();
    return healthy;
}

bool sut_resolve(const struct sut *sut, void *instance, const char *decision_id,
                 const char *broker_order_id, char why[SUT_WHY_SIZE]) {
    struct call call;
    bool healthy;
    if (!COMES_BACK(call, sut, instance)) {
        note_stop();
        snprintf(why, SUT_WHY_SIZE, "%s", stop_text);
        return false;
    }
    healthy = sut->resolve(instance, decision_id, broker_order_id, why);
    end();
    return healthy;
}

bool sut_step(const struct sut *sut, void *instance) {
    struct call call;
    bool healthy;
    if (!COMES_BACK(call, sut, instance)) {
        note_stop();
        return false;
    }
    healthy = sut->step(instance);
    end();
    return healthy;
}

bool sut_next(const struct sut *sut, void *instance, struct oms_next *next) {
    struct call call;
    if (!COMES_BACK(call, sut, instance)) {
        note_stop();
        return false;
    }
    sut->next(instance, next);
    end();
    return true;
}

void sut_bury(const struct sut *sut, void *instance, bool orderly) {
    struct call call;
    if (instance == broken) {
        broken = NULL;
    } else if (!COMES_BACK(call, sut, NULL)) {
        note_stop();
    } else {
        sut->bury(instance, orderly);
        end();
    }
}

bool sut_observe(const struct sut *sut, const char *vfs, const char *path, bool check,
                 struct oms_view *view, char why[SUT_WHY_SIZE]) {
    struct call call;
    bool read;
    if (!COMES_BACK(call, sut, NULL)) {
        note_stop();
        snprintf(why, SUT_WHY_SIZE, "%s", stop_text);
        *view = (struct oms_view){0};
        return false;
    }
    read = sut->observe(vfs, path, check, view, why);
    end();
    return read;
}

bool sut_meaning(const struct sut *sut, const char *vfs, const char *path,
                 const struct sut_config *config, struct sut_meaning *meaning) {
    struct call call;
    bool read;
    if (!COMES_BACK(call, sut, NULL)) {
        note_stop();
        *meaning = (struct sut_meaning){0};
        return false;
    }
    read = sut->meaning(vfs, path, config, meaning);
    end();
    return read;
}
