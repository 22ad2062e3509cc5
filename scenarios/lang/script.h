/* One run of one scenario: its lines become what happens outside the OMS on a stage.
 *
 * Who answers the open questions of a run (does the crash strike here? which writes survive?) is a
 * chooser, or, in a replay, a plan. What was answered is written down as a plan again. */
#ifndef SCENARIOS_LANG_SCRIPT_H
#define SCENARIOS_LANG_SCRIPT_H

#include "faultinject/choose.h"
#include "faultinject/strikes.h"
#include "scenarios/lang/market.h"
#include "scenarios/lang/run.h"
#include "sim/meaning.h"

enum {
    SCRIPT_REACHED_MAX = 64,
    SCRIPT_WINDOWS = 2 /* in which a quantified crash may strike in one run */
};

enum line_state {
    LINE_WAITING,   /* its moment is not known yet */
    LINE_SCHEDULED, /* due at `at_ns` */
    LINE_FOR_ORDER, /* a broker line about an order that does not exist yet */
    LINE_ARMED,     /* a crash or fault that waits for its place */
    LINE_DONE
};

struct line_run {
    enum line_state state;
    int64_t at_ns;    /* SCHEDULED */
    int64_t until_ns; /* a `within`: its deadline; a fault with `until` */
    int64_t calls;    /* calls of its site since it was armed */
    bool in_window;   /* `crash anywhere`: open now */
    bool second;      /* `crash twice anywhere`: its second window has been opened */
    unsigned strikes; /* of a crash that is quantified */
    bool fired;       /* a crash or fault: it happened */
    bool seen;        /* an observed line: it was; a within, a reach: it held */
    bool over;        /* a window that is closed for good */
    /* `reach crash` at a point: what a crash there would leave, in each of the windows. */
    bool has_key[SCRIPT_WINDOWS];
    uint64_t key[SCRIPT_WINDOWS];
};

struct script_failure {
    char code[RUN_CODE_SIZE]; /* "": none */
    char text[RUN_HEADLINE_SIZE];
    int line;
    int64_t at_ns;
};

/* A point of the OMS's work (scenarios/lang/ast.h), about to be reached or passed. */
struct script_point {
    bool after;
    enum scn_point_kind kind;
    int decision; /* SCN_NONE: of no decision */
};

struct script;

/* Somebody who looks at a run from the inside, at every place where a crash would leave something
 * else than at the one before: then no quantifier asks, and windows stay open past a restart. */
struct script_watch {
    void *ctx;
    /* A crash could strike at this call (NULL: nothing is left to happen), before its effect or
     * after it. The script goes on. */
    void (*crash_point)(void *ctx, const struct port_call *call, unsigned occurrence, bool after);
    /* A call is made, or has had its effect. */
    void (*called)(void *ctx, const struct port_call *call, unsigned occurrence, bool after);
    /* Something happened. */
    void (*changed)(void *ctx);
};

struct script {
    const struct scenario *scenario; /* with its workload written out */
    struct scenario *written_out;    /* the same, owned; NULL: it asks for no workload */
    size_t own_lines;                /* the first of its lines, which stand in the file */
    const struct run_config *config;
    struct stage stage;
    struct chooser chooser;
    const struct plan *plan; /* a replay; NULL: quantifiers are answered by the chooser */
    struct plan taken;       /* every answer that was not 0 */
    struct plan_item death;  /* the death under way: where its `keep` belongs */
    int death_index;         /* into taken, or -1 */
    unsigned idle_life;      /* a life ... */
    unsigned idle;           /* ... and how many moments of it were the last before a restart */

    struct line_run *lines; /* one per scenario line */
    /* What some line is: port calls and changes are many, and most scripts want few of them. */
    struct {
        bool window;      /* a quantified crash */
        bool crash_at;    /* a crash at a counted call */
        bool reach_crash; /* a `reach crash` */
        bool fault;
        bool read;      /* speaks of a point at which the broker is read */
        bool condition; /* looked at after every change */
    } has;
    size_t observed; /* the next observed line, index into scenario lines */
    struct market_fills fills;
    struct strikes strikes;           /* of a `crash at random` ... */
    int strikes_line;                 /* ... which is this one; SCN_NONE: none is in force */
    const struct script_watch *watch; /* NULL: nobody */
    int64_t boot_ns;         /* a start that a plan or an explorer orders; INT64_MAX: none */
    const unsigned *outcome; /* what the next power loss keeps; NULL: asked */
    bool faults_over;        /* the script is over: no fault strikes any more */
    bool has_key;            /* the last crash point offered, as a key of the world */
    uint64_t key;
    /* 1: this run is the first that crashes at these places; 0: it does not, or only lets other
     * writes survive its last crash. */
    unsigned long crash_points;
    unsigned crash_count; /* quantified crashes of this run, and what they found */
    uint64_t crash_keys[SCRIPT_WINDOWS];
    unsigned long fired[SITE_COUNT];
    unsigned long *tallies; /* of faults that fired, FAULT_TALLIES of them; borrowed, or NULL */
    uint64_t *called;       /* the same: operations that were called */
    struct script_point reached[SCRIPT_REACHED_MAX]; /* for messages */
    size_t reached_count;
    struct script_failure failure;
    struct run_points *points;                       /* borrowed; NULL: nobody asks */
    char named[sizeof((struct run_point){0}.names)]; /* points told since the last crash point */
    int until; /* the state is taken right before this line of the file happens; 0: never */
    char *state, *facts; /* owned; NULL: not taken yet */
    size_t marked;       /* trace line of the first failure */
    bool marked_set;
};

/* Makes the world and sets the script over it. False: the store could not be made (`why`). */
bool script_open(struct script *script, const struct scenario *scenario,
                 const struct run_config *config, const struct run_options *options,
                 const struct chooser *chooser, const struct plan *plan, struct trace *trace,
                 char why[SUT_WHY_SIZE]);
/* Runs it to the end, final checks and the last recovery included. */
void script_run(struct script *script, bool skip_recovery);
void script_close(struct script *script);
/* How the run ended, as a finding without its story (scenarios/lang/run.c). False: nothing broke;
 * then only its code, headline and invariant are set, to none. */
bool script_failing(const struct script *script, struct run_finding *finding);

/* ---- for an explorer, which runs a script one life at a time ---- */

/* Begins the first life (script_run does it itself). */
void script_begin(struct script *script);
/* Everything until nothing is left to happen, then faults stop, the world settles and is judged. */
void script_finish(struct script *script, bool skip_recovery);
/* The OMS, which is not running, has died as `item` says. `outcome`: what a power loss keeps. */
void script_dies(struct script *script, const struct plan_item *item,
                 const struct broker_request *sent, unsigned outcome);
/* Time passes with the OMS down until then, or until the script itself starts the OMS; then it is
 * about to start. */
void script_waits(struct script *script, int64_t until_ns);
/* What the script itself still remembers, as a hash: the state of its lines. With `timed` also how
 * far ahead what is scheduled is, noted as pending. */
uint64_t script_memory(const struct script *script, bool timed, struct moments *pending);
/* When the script itself will start the OMS, as far as it knows; INT64_MAX: it will not. */
int64_t script_restart_ns(const struct script *script);

/* Takes script->state and script->facts once, and ends the story (scenarios/lang/state.c). */
void state_take(struct script *script);
/* Whether a condition holds now (scenarios/lang/cond.c). */
bool cond_holds(struct script *script, const struct scn_term *terms, size_t count);
/* What the condition's subject really is, for messages: "position AAPL is 50 @ 150". */
void cond_describe(struct script *script, const struct scn_term *term, char *out, size_t size);

#endif
