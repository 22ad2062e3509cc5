/* The stage: lives of an OMS under test in a world, one after the other, under judgement.
 *
 * The stage owns virtual time. What happens outside the OMS (signals, the market, operators,
 * faults, deaths) is somebody else's script, behind struct stage_outside; the stage asks it what is
 * next and lets it happen in order. At equal times: what comes from outside, then the OMS, then
 * checks.
 *
 * Death is a dead port: from the crash on every port call fails without effect, the OMS unwinds by
 * its ordinary error paths, and its memory is freed. Between two port calls an OMS can change
 * nothing that survives it, so a kill between two calls is a kill before the second: enumerating
 * deaths at port calls is complete for process kills. */
#ifndef SIM_STAGE_H
#define SIM_STAGE_H

#include "sim/chain.h"
#include "sim/direct.h"
#include "sim/judge.h"
#include "sim/port.h"
#include "sim/sut/sut.h"
#include "sim/wire.h"
#include "sim/world.h"

#include <stdbool.h>
#include <stdint.h>

enum stage_door { STAGE_DIRECT, STAGE_WIRE };
enum stage_death { STAGE_ALIVE, STAGE_KILL, STAGE_POWER };
enum stage_end { STAGE_QUIET, STAGE_RESTLESS };

enum {
    STAGE_INBOX_MAX = 256,
    STAGE_BACKUPS_MAX = 64,      /* the store at the beginning of lives 1 .. this */
    STAGE_ACTIONS_MAX = 20000,   /* calls into the OMS per virtual hour; more is restless (I12) */
    STAGE_DEAD_CALLS_MAX = 10000 /* port calls an OMS may make while dying; more is reported */
};

struct stage;

/* Who decides what happens outside the OMS. `ctx` is given back. */
struct stage_outside {
    void *ctx;
    /* When the next thing happens; INT64_MAX: nothing. *after_oms: it is a check, made after what
     * the OMS does at that moment. */
    int64_t (*next)(void *ctx, bool *after_oms);
    /* Lets it happen; world->now_ns is its time. */
    void (*happen)(void *ctx);
    /* A port call is about to take effect / took effect. May call stage_die. `occurrence` counts
     * the calls of this site in this life, from 1. */
    struct port_answer (*ask)(void *ctx, const struct port_call *call, unsigned occurrence);
    void (*passed)(void *ctx, const struct port_call *call, unsigned occurrence);
    /* A life is about to begin: what became of this file (a disk.rest site, `length` bytes) while
     * nobody ran? Only damage at rest that is possible (bytes inside the file, a copy that was
     * kept) is an answer. NULL: nothing ever does. */
    struct port_answer (*rest)(void *ctx, const struct port_call *call);
    /* The OMS told something (points before/after decide, send, record ...). May call stage_die. */
    void (*told)(void *ctx, const struct oms_event *event);
    /* A request for this decision left; reached the broker. May call stage_die. */
    void (*left)(void *ctx, int decision);
    void (*delivered)(void *ctx, int decision);
    /* Something happened (after every event). */
    void (*changed)(void *ctx);
    /* A power loss: which of the outcomes (sim/disk.h)? */
    unsigned (*power)(void *ctx, unsigned outcomes, bool reduced);
};

struct trace_line {
    int64_t at_ns;
    int line;     /* of the script, 0: none */
    bool crash;   /* a death */
    char who[12]; /* oms, broker, market, operator, kill, power ... */
    char what[160];
};

/* The story of a run, when somebody wants it told. */
enum { TRACE_MAX = 20000 };
struct trace {
    struct trace_line *v;
    size_t n, cap;
};

enum inbox_kind {
    INBOX_SIGNAL,
    INBOX_CANCEL,
    INBOX_KILL_SWITCH,
    INBOX_RECONCILE, /* `on`: of the whole day */
    INBOX_GONE,      /* an operator's word: the held order is not at the broker ... */
    INBOX_ADOPT      /* ... or it is the order that the broker has for it */
};
struct inbox_item {
    enum inbox_kind kind;
    size_t decision;
    bool on;
    int line;
    int64_t arrived_ns;
};

struct stage_counts {
    unsigned long lives, port_calls, events, crashes, faults;
};

struct stage_config {
    const struct sut *sut;
    unsigned claims;
    unsigned suspends; /* of these, what the faults that may strike keep any OMS from keeping */
    enum stage_door door;
    struct wire *wire; /* wire door only; borrowed */
    struct sut_config oms;
    int64_t start_ns;
    int64_t pace_ns;
    size_t batch; /* signals that wait are given to the OMS together, so many at most; 0, 1: each */
    uint64_t seed;
    bool keeps_backups; /* the store is copied when a life begins, so that it can be restored */
};

struct stage {
    struct stage_config config;
    struct stage_outside outside;
    struct world world;
    struct judge judge;
    struct trace *trace; /* NULL: nobody listens */
    struct chain *chain; /* NULL: nobody records the events that make the fingerprint */
    struct stage_counts counts;
    uint64_t fingerprint; /* chain over everything that happened */
    int line;             /* of the script that is the cause of what happens now */
    bool halted;          /* the OMS exited by fail-stop */
    bool refused_to_boot; /* the latest start was refused */
    char why[SUT_WHY_SIZE];
    bool second_refused;
    size_t noticed;     /* deliveries of the exchange that were told */
    bool power_reduced; /* some power loss had more outcomes than are enumerated */
    unsigned life;      /* number of starts so far */
    struct disk *backups[STAGE_BACKUPS_MAX];
    int64_t restarted_ns, recovered_ns; /* latest start; its first comparison with the broker */

    /* The running life. */
    void *oms;
    bool in_call;
    bool boot_due;
    enum stage_death dying;
    struct port port, second_port;
    struct direct direct;
    struct wire_exchange wire_exchange;
    struct transport_io io;
    struct broker broker;
    unsigned occurrences[SITE_COUNT];
    size_t inbox_count;
    struct oms_next next;
    int64_t known_ns;      /* since when `next` is work of its kind */
    int64_t free_ns;       /* since when the OMS is free for its next paced act */
    unsigned long actions; /* in the virtual hour that began at hour_ns */
    int64_t hour_ns;
    bool settling; /* faults have stopped: from here on the world must become quiet */
    struct inbox_item inbox[STAGE_INBOX_MAX]; /* last: only what is counted is ever set */
};

/* The name of the store on the simulated disk. */
#define STAGE_STORE "oms.db"

/* Sets the stage over a world that already holds the account's store (stage_image) and the
 * exchange's opening books. Takes the world over. Release with stage_close. */
void stage_open(struct stage *stage, const struct stage_config *config,
                const struct stage_outside *outside, struct world *world);
void stage_close(struct stage *stage);

/* A disk with a freshly created store on it, remembered per OMS, configuration and openings; the
 * caller owns the copy. NULL: `why` says why. */
struct disk *stage_image(const struct sut *sut, const struct sut_config *config, int64_t now_ns,
                         const struct oms_opening *opening, size_t opening_count,
                         char why[SUT_WHY_SIZE]);
void stage_forget_images(void);

/* Runs until nothing comes from outside and the world is quiet, or it will not become so. As long
 * as faults may strike (before stage_settle) an OMS that goes on waiting in vain is no violation.
 */
enum stage_end stage_run(struct stage *stage);

/* After stage_run: faults have stopped; brings the broker and the OMS back if they are down, lets
 * the world become quiet, and judges it. */
enum stage_end stage_settle(struct stage *stage);

/* Kills and restarts once more, and judges that it changed nothing (I8). After stage_settle. */
void stage_recover_again(struct stage *stage);
/* Which worlds were judged so already is remembered; from here on all are judged anew. */
void stage_forget_settled(void);

/* ---- for the script, from inside happen/ask/told/... ---- */

/* Starts the OMS now. */
void stage_boot(struct stage *stage);
/* Between two lives: judges what the latest one left, without a start where that can be judged. */
void stage_judge_dead(struct stage *stage);
/* Starts the OMS once everything else of this moment has happened. */
void stage_boot_soon(struct stage *stage);
/* The process dies here and now. Also counts when the OMS is down already. */
void stage_die(struct stage *stage, enum stage_death death);
bool stage_is_up(const struct stage *stage);
/* An order's request has left and is judged so, and arrives by_ns from now, whoever lives then. */
void stage_outlives(struct stage *stage, const struct broker_request *request, int64_t by_ns);
/* Time passes without an OMS until then, or until somebody outside starts it. */
void stage_wait(struct stage *stage, int64_t until_ns);
/* Puts something before the OMS; dropped (false) when it is down and not about to start. */
bool stage_tell(struct stage *stage, enum inbox_kind kind, size_t decision, bool on);
/* An operator switches the kill switch: at the running OMS, or, when it is down, with a tool of his
 * own on the store that it left. */
void stage_operate(struct stage *stage, bool on);
/* An operator says what became of a held order: that it is not at the broker, or that it is what the
 * broker has for the decision. The first also with a tool of his own; the second only while the OMS
 * is up, which asks the broker. */
void stage_resolve(struct stage *stage, size_t decision, bool adopt);
/* Starts a second instance beside the first; stage->second_refused tells how it went. */
void stage_start_second(struct stage *stage);
/* The exchange changed by the script's doing: judge it. */
void stage_changed(struct stage *stage);
/* What a crash now would leave, the time left out, as a hash that is good within one run. */
uint64_t stage_crash_key(const struct stage *stage);

__attribute__((format(printf, 4, 5))) void stage_note(struct stage *stage, const char *who,
                                                      bool crash, const char *format, ...);

#endif
