/* What every simulated port asks before it acts: what goes wrong here, and are we dead?
 *
 * A site is a kind of call at a port ("disk.sync(wal)"). Each call of a site asks once before its
 * effect and reports once after it. The one who answers (a plan, an enumerator, a fuzzer) may let
 * time pass, change the answer, or kill the process: then `dead` is set, and from there on every
 * port call fails without any effect on the world. */
#ifndef SIM_PORT_H
#define SIM_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* operation, name, whether it changes the world. "disk.stat" asks for the size of a file; "disk.rest"
 * is no call of the OMS: it stands for the time a file lies on the disk while nobody runs, and is
 * asked about once per file when a life begins, before the OMS does anything. */
#define SITE_OPS(X)                            \
    X(DISK_OPEN, "disk.open", 1)               \
    X(DISK_READ, "disk.read", 0)               \
    X(DISK_WRITE, "disk.write", 1)             \
    X(DISK_TRUNCATE, "disk.truncate", 1)       \
    X(DISK_SYNC, "disk.sync", 1)               \
    X(DISK_DELETE, "disk.delete", 1)           \
    X(DISK_LOCK, "disk.lock", 0)               \
    X(DISK_STAT, "disk.stat", 0)               \
    X(DISK_REST, "disk.rest", 1)               \
    X(BROKER_SUBMIT, "broker.submit", 1)       \
    X(BROKER_LOOKUP, "broker.lookup", 0)       \
    X(BROKER_ORDERS, "broker.orders", 0)       \
    X(BROKER_FILLS, "broker.fills", 0)         \
    X(BROKER_POSITIONS, "broker.positions", 0) \
    X(BROKER_ACCOUNT, "broker.account", 0)     \
    X(BROKER_CANCEL, "broker.cancel", 1)       \
    X(WIRE_REQUEST, "wire.request", 0)         \
    X(WIRE_REPLY, "wire.reply", 0)
enum site_op {
#define X(id, name, effect) SITE_##id,
    SITE_OPS(X)
#undef X
        SITE_OP_COUNT
};

/* What the operation is on: a file of the store, or (for the wire) the broker call carried. */
#define SITE_OBJECTS(X)       \
    X(NONE, "")               \
    X(DB, "db")               \
    X(WAL, "wal")             \
    X(JOURNAL, "journal")     \
    X(LOCK, "lock")           \
    X(OTHER, "other")         \
    X(SUBMIT, "submit")       \
    X(LOOKUP, "lookup")       \
    X(ORDERS, "orders")       \
    X(FILLS, "fills")         \
    X(POSITIONS, "positions") \
    X(ACCOUNT, "account")     \
    X(CANCEL, "cancel")
enum site_object {
#define X(id, name) ON_##id,
    SITE_OBJECTS(X)
#undef X
        SITE_OBJECT_COUNT
};

struct site {
    enum site_op op;
    enum site_object on;
};
enum { SITE_COUNT = SITE_OP_COUNT * SITE_OBJECT_COUNT, SITE_NAME_SIZE = 40 };
static inline unsigned site_index(struct site site) {
    return (unsigned)site.op * SITE_OBJECT_COUNT + (unsigned)site.on;
}
/* "disk.sync(wal)", "broker.submit". Returns out. */
char *site_name(struct site site, char out[SITE_NAME_SIZE]);
bool site_parse(const char *text, struct site *site);
bool site_is_valid(
    struct site site); /* disk ops on files, wire ops on broker calls, broker on none */

/* What a port does differently at one call. ACT_NONE (all zero) is the normal course. The fault
 * catalogue (faultinject/catalogue.h) gives these mechanisms the names people write. */
#define ACTS(X)                                                                                 \
    X(NONE, "nothing goes wrong")                                                               \
    X(FAIL, "the call fails; arg[0] = SQLite result code (disk), arg[1] = enum lands (write)")  \
    X(SYNC_DROPPED_CLEAN, "sync fails; what was pending stays readable, is never written")      \
    X(SYNC_KEPT_DIRTY, "sync fails; what was pending stays pending")                            \
    X(SYNC_LATE, "as SYNC_LIES, and the next sync of the file writes, but reports the failure") \
    X(SYNC_REVERTED, "sync fails; what reads show is what the device has: the last good state") \
    X(SYNC_LIES, "sync succeeds; what was pending stays readable, is never written")            \
    X(FULL, "no space: SQLITE_FULL; arg[1] = enum lands")                                       \
    X(SHORT, "a read gives only the first half of its bytes, zeros for the rest")               \
    X(STALL, "the call takes arg[0] ns, then takes its course (disk)")                          \
    X(FLIP, "at rest: bit arg[1] of byte arg[0] is another one")                                \
    X(CUT, "at rest: the file ends after arg[0] bytes")                                         \
    X(MISSING, "at rest: the file is gone")                                                     \
    X(RESTORED, "at rest: all files are what they were when life arg[0] began")                 \
    X(REFUSED, "connection refused: nothing leaves")                                            \
    X(LOST, "the request is lost on the way; the connection breaks")                            \
    X(LOST_REPLY, "the request is delivered; the connection breaks before the reply")           \
    X(NO_REPLY, "the request is delivered; the answer never comes: the client times out")       \
    X(DROPPED, "the request is delivered and dropped: no effect, no answer: it times out")      \
    X(LATE, "the request is delivered arg[0] ns after it left, also to a sender that is dead")  \
    X(TWICE, "delivered, and a copy of it arg[0] ns later, also when its sender is dead")       \
    X(ERROR, "HTTP status arg[0] with an enum error_body arg[1]; the broker has not acted")     \
    X(ERROR_AFTER, "as ERROR, but the broker has acted")                                        \
    X(WRONG, "the broker acts; the answer is a 200 with an enum wrong arg[0] in it")            \
    X(HANG, "wire: after arg[0] bytes of this message nothing moves for arg[1] ns")             \
    X(DRIP, "wire: this message arrives byte by byte, one every arg[0] ns")                     \
    X(CLOSE, "wire: the connection closes after arg[0] bytes of this message")                  \
    X(RESET, "wire: the connection is reset after arg[0] bytes of this message")
enum act {
#define X(id, meaning) ACT_##id,
    ACTS(X)
#undef X
        ACT_COUNT
};
/* How much of a write that is answered with a failure was done all the same. */
enum lands { LANDS_NONE, LANDS_PART /* the first half */, LANDS_ALL };
/* What an HTTP error says. None of it is the broker's own word: something on the way speaks. */
enum error_body { ERROR_HTML, ERROR_JSON, ERROR_EMPTY };
/* What is wrong with an answer of status 200, and the word for it. UNKNOWN_STATUS alone leaves an
 * answer that says something: the order is there, in a state whose name nobody knows. */
#define WRONGS(X)                       \
    X(ANOTHER_ORDER, "another-order")   \
    X(UNKNOWN_STATUS, "unknown-status") \
    X(MISSING_FIELDS, "missing-fields") \
    X(WRONG_TYPES, "wrong-types")       \
    X(NUMBERS, "numbers-for-strings")   \
    X(HUGE, "huge")                     \
    X(DEEP, "deep")                     \
    X(TRUNCATED, "truncated-json")      \
    X(EMPTY, "empty")
enum wrong {
#define X(id, word) WRONG_##id,
    WRONGS(X)
#undef X
        WRONG_COUNT
};
/* A word for an order's status that no broker documents. */
#define UNKNOWN_STATUS_WORD "under_review"
struct port_answer {
    enum act act;
    int64_t arg[2];
};

struct broker_request;
struct broker_order;

/* One call, as shown to the one who answers. */
struct port_call {
    struct site site;
    int64_t offset, length;               /* disk: bytes concerned; wire: length of the message */
    const struct broker_request *request; /* submit: the order as it arrives at the broker's door */
    const char *ref; /* lookup: client order id; cancel: broker order id; or "" */
};

/* How the exchange really answered a broker call, told when the whole answer has been handed to the
 * OMS's end; a damaged or lost one is told as not delivered. */
struct port_reply {
    const struct port_call *call;
    bool delivered;
    bool found; /* lookup: the exchange has it; submit: accepted */
};

enum { PORT_DEAD_CALLS_ENDLESS = 1000000 };
struct port {
    void *ctx;
    bool dead;           /* the process behind this port is dead */
    uint64_t dead_calls; /* calls made after death */
    /* The dead process has made PORT_DEAD_CALLS_ENDLESS calls and will not end: it is reported, not
     * awaited, and this does not return. NULL: awaited. */
    void (*endless)(void *ctx);
    /* Before the effect: may pass time, may kill (check dead), returns what goes wrong. */
    struct port_answer (*before)(void *ctx, const struct port_call *call);
    /* After the effect, before the answer: may kill. */
    void (*after)(void *ctx, const struct port_call *call);
    /* What the OMS's end of the connection was given (broker calls only). */
    void (*replied)(void *ctx, const struct port_reply *reply);
    /* A request for an order arrived (delivered = false: left the OMS; true: reached the exchange).
     * `posts` counts the POSTs the wire has seen for this submit call so far. */
    void (*posted)(void *ctx, const struct broker_request *request, unsigned posts);
    /* Lets virtual time pass until `until_ns`; events of the world happen on the way; may kill. */
    void (*wait)(void *ctx, int64_t until_ns);
    int64_t (*now)(void *ctx);
};

/* For ports: false when dead (and counts the call). */
static inline bool port_alive(struct port *port) {
    if (port->dead) {
        if (++port->dead_calls == PORT_DEAD_CALLS_ENDLESS && port->endless != NULL)
            port->endless(port->ctx);
        return false;
    }
    return true;
}

#endif
