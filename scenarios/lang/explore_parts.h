/* What the files of the exploration share: worlds, lives, and the search over them. */
#ifndef SCENARIOS_LANG_EXPLORE_PARTS_H
#define SCENARIOS_LANG_EXPLORE_PARTS_H

#include "faultinject/frontier.h"
#include "scenarios/lang/explore.h"
#include "scenarios/lang/moment.h"

enum {
    EXPLORE_POINTS_MAX = 100000, /* crash points of one life */
    EXPLORE_TRAIL_ITEMS = EXPLORE_FAULTS_MAX + 2,
    EXPLORE_NODES_MAX =
        4000000, /* worlds of a kind, with what the life that reaches the bound adds */
    EXPLORE_AUDITS_MAX = 3000
};

/* How a world was reached: what went wrong in the life before it, its death, its start. */
struct trail {
    const struct trail *before;
    struct plan_item items[EXPLORE_TRAIL_ITEMS];
    size_t count;
    struct trail *older; /* all of them, to be freed at the end */
};

/* A life to be run. */
struct work {
    struct moment *start; /* NULL: the very first life */
    const struct trail *trail;
    size_t class;
    struct plan_item faults[EXPLORE_FAULTS_MAX];
    size_t fault_count;
    size_t first_call; /* further faults strike later than this call */
};

/* Worlds about to start that mean the same: what became of the one that was run. */
struct class {
    bool run;
    uint64_t verdict, successors, trace;
};

/* Crash worlds that mean the same. */
struct crash_class {
    uint64_t starts; /* hash of the keys of what can be started from it */
    unsigned audits;
};

struct audit {
    struct moment *start;
    size_t class;
    const struct trail *trail;
};

struct crash_point {
    struct moment *moment;
    unsigned life; /* a story may end and start lives of its own */
    struct site site;
    unsigned occurrence;
    bool after, at_end;
    bool is_submit; /* an order is about to leave */
    struct broker_request request;
};

struct made_call {
    unsigned life;
    struct site site;
    unsigned occurrence;
};

struct explorer {
    const struct scenario *scenario;
    const struct run_config *config;
    const struct explore_options *options;
    struct explore_result *result;
    struct run_options run; /* what scripts are opened with */
    bool kill, power;

    struct keymap crash_bytes;  /* crash world by bytes -> what it means */
    struct keymap crash_worlds; /* by meaning -> index of its crash_class */
    struct keymap start_bytes;  /* world about to start by bytes -> what it means */
    struct keymap starts;       /* by meaning -> index of its class */
    struct class *classes;
    size_t class_count, class_cap;
    struct crash_class *crash_classes;
    size_t crash_class_count, crash_class_cap;
    struct audit *audits;
    size_t audit_count, audit_cap;
    size_t audit_starts; /* picks the start of a sample that is run, among all its starts */
    struct frontier frontier;
    struct trail *trails;

    struct script *script; /* where worlds die and wait; runs no OMS */
    bool scratch_open;

    /* The best finding so far. */
    unsigned found_cost;
    struct plan found_plan;
    struct run_finding finding;
    /* Lines that some life reached. */
    bool *seen;
    bool stopped;
};

struct life {
    struct explorer *x;
    struct script script;
    struct crash_point *points;
    size_t point_count, point_cap;
    struct made_call *calls;
    size_t call_count, call_cap;
    uint64_t trace; /* what the broker was asked, in times relative to the start */
    int64_t start_ns;
    uint64_t *successors;
    size_t successor_count, successor_cap;
    bool audit; /* nothing new is kept, everything is keyed */
    unsigned long port_calls;
};

/* ---- worlds (scenarios/lang/explore_worlds.c) ---- */

bool explore_has_broken(const struct script *script);
/* Keeps what broke in `script` when it is the cheapest so far. */
void explore_found(struct explorer *x, unsigned cost, const struct trail *trail,
                   const struct script *script);
/* A trail that goes on from `before`, freed with the explorer; and one more step of it. */
struct trail *explore_trail(struct explorer *x, const struct trail *before);
void explore_trail_item(struct trail *trail, const struct plan_item *item);
/* A new kind of worlds about to start; a life to be run from one (`start` is taken over); and its place
 * among those that wait (`work` is taken over). */
size_t explore_class(struct explorer *x);
struct work *explore_work(struct moment *start, const struct trail *trail, size_t class);
void explore_push(struct explorer *x, unsigned cost, struct work *work);
/* Every world that a crash in this life leaves. */
void explore_deaths(struct life *life, const struct work *work, unsigned cost);
/* The death at a point, as a plan says it. */
struct plan_item explore_death(const struct crash_point *point, bool power, int64_t late_ns);
/* A death before a call keeps the fault from striking that was meant for it. */
bool explore_forestalls(const struct plan_item *death, const struct plan_item *fault);

/* ---- lives (scenarios/lang/explore_life.c) ---- */

/* False: the scenario cannot be played, and the result says why. */
bool explore_open(struct explorer *x, struct script *script, const struct plan *plan);
/* Runs one life, and everything that can be left of it. *class: what became of it. False: it could not
 * be run; else release with explore_life_free. */
bool explore_life(struct explorer *x, const struct work *work, unsigned cost, bool audit,
                  struct class *class, struct life *life);
void explore_life_free(struct life *life);
/* Runs a world that was merged, and compares what comes of it with what was kept. */
void explore_audit(struct explorer *x, const struct audit *audit);
/* One crash point of a life, run again from its start with a port that dies at the call, must leave
 * the bytes that the copy had. */
void explore_slowly(struct explorer *x, const struct work *work, const struct life *life,
                    size_t index);

/* ---- faults (scenarios/lang/explore_faults.c) ---- */

/* The same life again with one more fault, at each call behind the last one. A broker that drops
 * requests does so once a life at least. */
void explore_faults(struct explorer *x, const struct work *work, const struct life *life,
                    unsigned cost);

#endif
