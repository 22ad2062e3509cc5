/* A broker's door whose answers to sends come later than the sends: around another one that answers
 * at once, for the core to go on sending meanwhile. */
#ifndef SIM_SUT_CORE_LATER_H
#define SIM_SUT_CORE_LATER_H

#include "core/broker.h"
#include "core/env.h"
#include "core/oms.h"

struct later {
    struct broker inner;
    struct oms_env env;
    int64_t after_ns;
    struct oms *oms; /* who goes on while a question waits; NULL: not open yet */
    struct waiting {
        struct broker_answer answer;
        int64_t due_ns;
    } waiting[OMS_SENDS_MAX]; /* in the order in which they were sent */
    size_t count;
};

/* Every send is on its way, and its answer may be collected `after_ns` after the inner door gave it.
 * A question's answer is held back until the OMS has done all that it does meanwhile: what it was
 * told is then as old as it can be. Fills *out, which borrows *later. */
void later_broker(struct later *later, const struct broker *inner, const struct oms_env *env,
                  int64_t after_ns, struct broker *out);

#endif
