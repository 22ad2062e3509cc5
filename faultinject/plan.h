/* A plan: what goes wrong in a run, as one line of text, both ways.
 *
 *   1/broker.submit@1=lost-reply,2/disk.sync(wal)@3=power(keep=0b101)
 *
 * life/site@occurrence=kind: in life 1, at the first broker.submit, the reply is lost; in life 2,
 * at the third sync of the log, the power goes and keeps these of the unsynced writes (newest
 * leftmost). Deaths: kill and power strike before the call takes effect, kill-after and power-after
 * once it has, before its answer. Without keep= power keeps nothing that was not synced. With late=
 * (at broker.submit only) the request has left when death strikes, and arrives that much later. Some
 * places are no port calls: `idle` is the moment before the script's next restart, `end` the moment
 * when nothing is left to happen, `line` a crash that the script itself orders at that line
 * (life/line@<number>=power(keep=...) only chooses what survives it), and life/start@1=after(20s)
 * starts that life so long after the death before it. "none" is the empty plan. */
#ifndef FAULTINJECT_PLAN_H
#define FAULTINJECT_PLAN_H

#include "faultinject/catalogue.h"

#include <stdbool.h>
#include <stddef.h>

enum { PLAN_MAX = 64, PLAN_KEEP_SIZE = 64, PLAN_TEXT_SIZE = 4096, PLAN_WHY_SIZE = 300 };

enum plan_what {
    PLAN_FAULT,
    PLAN_KILL,
    PLAN_KILL_AFTER,
    PLAN_POWER,
    PLAN_POWER_AFTER,
    PLAN_START /* no death: a start */
};
enum plan_place { PLAN_AT_CALL, PLAN_AT_IDLE, PLAN_AT_LINE, PLAN_AT_END, PLAN_AT_START };

struct plan_item {
    unsigned life;
    enum plan_place place;
    struct site site;    /* AT_CALL */
    unsigned occurrence; /* from 1; AT_LINE: the line number */
    enum plan_what what;
    struct fault fault;        /* PLAN_FAULT */
    char keep[PLAN_KEEP_SIZE]; /* PLAN_POWER*: as disk_outcome_name writes it */
    int64_t late_ns;           /* a death whose request arrives so much later; 0: none */
    int64_t after_ns;          /* PLAN_START */
};

struct plan {
    struct plan_item items[PLAN_MAX];
    size_t count;
};

/* False: `why` names the place, the value and the rule; *plan is empty. */
bool plan_parse(const char *text, struct plan *plan, char why[PLAN_WHY_SIZE]);
/* Returns out. */
char *plan_format(const struct plan *plan, char out[PLAN_TEXT_SIZE]);
/* Whether it is a death by power loss; whether it strikes after the call's effect. */
bool plan_is_power(enum plan_what what);
bool plan_strikes_after(enum plan_what what);
/* Appends; false when the plan is full. */
bool plan_add(struct plan *plan, const struct plan_item *item);
/* The item for a call, a death (after = true: one that strikes after the effect) or a fault. */
const struct plan_item *plan_at_call(const struct plan *plan, unsigned life, struct site site,
                                     unsigned occurrence, bool after);
const struct plan_item *plan_at(const struct plan *plan, unsigned life, enum plan_place place,
                                unsigned occurrence);

#endif
