/* The running instance, shared by the files that make up the OMS.
 *
 *   oms.c      open, close, cancel, kill switch: what people ask
 *   decide.c   what strategies ask: decisions become durable intents
 *   agenda.c   what is due next: one function, so that oms_next and oms_step agree
 *   send.c     orders and cancels leaving, and their answers becoming durable
 *   ask.c      questions to the broker, and what goes on while one waits
 *   resolve.c  orders that may be live without our knowing, and expiry
 *   look.c     what the broker shows
 *   follow.c   what its word makes of our orders; routine polls
 *   booking.c  executions moving orders and positions
 *   compare.c  the comparison with the broker
 *   again.c    what it found against what was found before
 *   day.c      the comparison of a whole day: what belongs to it
 *   day_past.c what of it is in the archive
 *   ruling.c   what a person decides about a held order
 *   archiving.c  finished orders moving to the archive and back (core/archiving.h)
 *   durable.c  the transactions all of them use
 *
 * Every function that returns an oms_code has halted the instance when it returns OMS_STORAGE. */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include "core/book.h"
#include "core/text.h"

/* The answer to a send that is not durable yet. At most one; recorded before anything else leaves.
 * (Orders on their way have no answer yet.) */
struct outcome {
    struct order *order; /* NULL: none */
    enum broker_sent sent;
    struct broker_order answer;
    struct broker_reason why;
    int64_t sent_ns; /* right after the call: whatever left, left no later */
    int64_t sent_steady_ns;
};

/* A difference that nothing explains, and since when this life sees it. */
struct suspect {
    struct oms_discrepancy found;
    int64_t first_ns;
};

struct oms {
    struct store store;
    struct book book;
    struct broker broker;
    struct oms_env env;
    struct oms_config config; /* defaults filled in */
    bool halted;
    bool reconciled; /* this start has compared itself with the broker (6) */
    bool compare_asked;
    bool daily_asked;                    /* and that of a whole day, ... */
    int64_t daily_from_ns, daily_to_ns;  /* ... which is this one */
    struct oms_daily daily;              /* what the newest such comparison saw */
    int64_t compare_ns, compare_step_ns; /* not compared before; back-off */
    bool unanswered; /* the comparison that is due could not be made whole, which is on record */
    struct suspect *suspects; /* as the newest comparison left them */
    size_t suspect_count;
    bool barred; /* one of them is CRITICAL and may be timing: nothing is sent until it is known */
    int64_t again_ns;     /* when they are looked at again; INT64_MAX: not for that reason */
    int64_t boot;         /* number of this start once a comparison of it is on record */
    int64_t mark_ns;      /* the latest moment known to have been */
    bool clock_went_back; /* while orders were in doubt; not yet on record */
    struct order **live;  /* orders that are not quiet, by row */
    size_t live_count, live_capacity;
    struct outcome outcome;
    struct order *under_way[OMS_SENDS_MAX]; /* orders on their way, the oldest first */
    size_t under_way_count;
    int64_t collect_ns; /* no use in asking for their answers before */
    bool asking;        /* a question waits for its answer: oms_meanwhile may work */
    bool still;         /* but nothing may leave: a difference waits for its second look */
    uint64_t looks;     /* begun in this life */
    int64_t poll_ns;    /* next routine look */
    int64_t door_ns;    /* no order before: the halt file was there */
    int64_t slow_ns;    /* no order and no question before: the broker said too many requests */
    int64_t slow_step_ns;
    bool archive_asked;   /* all that is finished is to be archived */
    size_t archive_above; /* more finished orders than this are a reason to archive */
    int64_t wanted_back;  /* a segment of the archive that must be live again; 0: none */
    size_t ids_sent;      /* distinct client order ids let through the last door (8) */
    int checkpoint_at;    /* frames */
};

/* ---- durable.c ---- */

/* Stops everything (7). Returns OMS_STORAGE. */
enum oms_code engine_fail(struct oms *oms, const char *what, struct oms_error *error);
/* Has it been stopped? Then *error says so. */
bool engine_is_halted(const struct oms *oms, struct oms_error *error);
enum oms_code engine_begin(struct oms *oms, struct oms_error *error);
/* A commit that is not certain stops everything. */
enum oms_code engine_commit(struct oms *oms, struct oms_error *error);
/* One order's next version, in its own transaction; *order becomes it once it is durable. */
enum oms_code engine_save(struct oms *oms, struct order *order, const struct order *next,
                          struct oms_error *error);
/* The same inside a transaction: memory and store together. */
enum oms_code engine_put(struct oms *oms, struct order *order, const struct order *next,
                         struct oms_error *error);
/* engine_save with the RECORD events around it, and the HOLD event after. */
enum oms_code engine_record(struct oms *oms, struct order *order, const struct order *next,
                            struct oms_error *error);
/* The switch and its line in the journal, unless it stands so already; in the open transaction,
 * whose owner then tells it, or in its own. */
enum oms_code engine_trip(struct oms *oms, bool on, const char *who, const char *why,
                          struct oms_error *error);
void engine_checkpoint_if_due(struct oms *oms, bool idle);

int64_t engine_now(struct oms *oms);
/* The clock that nobody sets; 0: there is none. */
int64_t engine_steady(const struct oms *oms);
/* The order of a decision, or NULL. */
struct order *engine_order(const struct oms *oms, const char *decision_id);
/* After every call to the broker, with its reason: asked to slow down, the OMS does, longer each
 * time. Cancels go out all the same (they wait by themselves). */
void engine_heard(struct oms *oms, const struct broker_reason *why);
void engine_tell(struct oms *oms, enum oms_event_kind kind, enum oms_phase phase,
                 const struct order *order, const char *text);
/* Keeps the list of live orders right after a state changed; false: no memory. */
bool engine_relist(struct oms *oms, struct order *order);
/* May orders leave, as far as the switch and this start are concerned? */
bool engine_may_send(const struct oms *oms);

/* ---- agenda.c ---- */
struct task {
    enum oms_work work;
    int64_t at_ns;
    struct order *order; /* NULL: not about one order */
    enum oms_code (*run)(struct oms *oms, struct order *order, struct oms_error *error);
};
struct task agenda_next(struct oms *oms);

/* ---- ask.c: the broker's answers to questions; see core/broker.h. After a fail-stop meanwhile
 * there is none, whatever the broker said. ---- */
enum broker_found ask_lookup(struct oms *oms, const char *client_order_id,
                             struct broker_order *order, struct broker_reason *why);
bool ask_orders(struct oms *oms, int64_t since_ns, struct broker_orders *list,
                struct broker_reason *why);
bool ask_fills(struct oms *oms, int64_t since_ns, struct broker_fills *list,
               struct broker_reason *why);
bool ask_positions(struct oms *oms, struct broker_positions *list, struct broker_reason *why);
enum broker_canceled ask_cancel(struct oms *oms, const char *order_id, struct broker_reason *why);

/* ---- pieces of work ---- */
enum oms_code send_order(struct oms *oms, struct order *order, struct oms_error *error);
enum oms_code send_cancel(struct oms *oms, struct order *order, struct oms_error *error);
enum oms_code send_record(struct oms *oms, struct order *order, struct oms_error *error);
enum oms_code send_collect(struct oms *oms, struct order *order, struct oms_error *error);
/* May another order leave, as far as the switch, this start and those on their way are concerned? */
bool send_has_room(const struct oms *oms);
/* Not before: its own back-off, the halt file, a broker that asked for fewer requests. */
int64_t send_from_ns(const struct oms *oms, const struct order *order);
/* Could it leave right now, its reservation renewed if need be? */
bool send_is_due(const struct oms *oms, const struct order *order, int64_t now_ns);
/* The switch is on: what has not left does not leave. */
void send_withdraw(struct oms *oms);
/* The next send's reservation, written into *next: from now it may leave for one send window. */
int64_t send_reach_ns(const struct oms *oms);
void send_reserve(const struct oms *oms, struct order *next, int64_t now_ns);
/* May orders leave now, halt file included? What is reserved and held back all the same counts as
 * sent once nobody is left who knows better, so nothing is reserved while it may not leave. */
bool send_may_begin(struct oms *oms);
/* All orders of the broker's that one of ours may be, submitted since shortly before it may have
 * left. False: not a whole answer. Release *list in any case. */
bool resolve_list_since_sent(struct oms *oms, const struct order *order,
                             struct broker_orders *list);
enum oms_code resolve_doubt(struct oms *oms, struct order *order, struct oms_error *error);
enum oms_code resolve_expiry(struct oms *oms, struct order *order, struct oms_error *error);
enum oms_code resolve_clock(struct oms *oms, struct order *order, struct oms_error *error);
enum oms_code follow_poll(struct oms *oms, struct order *order, struct oms_error *error);
enum oms_code compare_books(struct oms *oms, struct order *order, struct oms_error *error);
/* Is a comparison still to be made: the first, one that was asked for, or a second look? */
bool compare_is_due(const struct oms *oms);

/* What a broker's order makes of ours: *next starts as a copy of *order. True: something changed.
 * Another payload under our id makes it HELD. */
bool follow_adopt(struct oms *oms, const struct order *order, const struct broker_order *theirs,
                  struct order *next);

#endif
