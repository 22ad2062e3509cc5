/* An OMS under test: all the harness knows of one.
 *
 * The core, its known-bad variants, and anybody's own linked OMS stand behind this one interface
 * and are judged by the same code. To be loaded with `--oms ./my.so`, a shared object exports a
 * `const struct sut sut_export`. */
#ifndef SIM_SUT_SUT_H
#define SIM_SUT_SUT_H

#include "core/broker.h"
#include "core/env.h"
#include "core/oms.h"
#include "core/profile.h"

#include <stdbool.h>
#include <stddef.h>

struct transport_io; /* core/live/transport.h */

enum { SUT_ABI = 9, SUT_WHY_SIZE = OMS_ERROR_SIZE, SUT_SIGNALS_MAX = 64 };

/* The doors of one life. Everything is borrowed for that life. */
struct sut_ports {
    const char *vfs; /* the store: a SQLite VFS and a name in it */
    const char *path;
    const struct broker *broker;   /* direct door: the broker port; NULL at the wire door */
    const struct transport_io *io; /* wire door: HTTP through this; NULL at the direct door */
    const char *url;               /* wire door: where to */
    struct oms_env env;
};

struct sut_config {
    const struct profile *profile;
    const char *account;
    int page_size;         /* 0: the OMS's own choice */
    int checkpoint_frames; /* 0: the OMS's own choice */
    int self_heal_percent; /* differences up to this are adjusted; 0: none is */
    int archive_orders;    /* finished orders kept out of the archive; 0: the OMS's own choice */
    /* The answer to a send comes so many seconds after it, to an OMS that goes on meanwhile; 0: it is
     * waited for. One that always waits may ignore it. */
    int answers_late_s;
    int store_version; /* create: as this older version did; 0: the newest */
};

enum sut_answer {
    SUT_TAKEN,     /* acknowledged: from now on it must not be forgotten */
    SUT_KNOWN,     /* acknowledged: it was known already */
    SUT_PENDING,   /* taken up, but nothing is promised yet */
    SUT_NOT_TAKEN, /* refused: must not be sent unless presented again */
    SUT_UNKNOWN    /* no answer could be given: the OMS fail-stops */
};

/* What a store means to the next start of the OMS that owns it: everything it can act on, and
 * nothing that is only told. Two stores with the same meaning, in worlds that are otherwise the
 * same, have the same future. That is a promise of the OMS, checked by running samples; one that
 * makes no such promise (`meaning` is NULL) is told apart by every page of its store. */
struct sut_meaning {
    uint64_t fixed; /* a hash of all that has no time in it */
    /* Moments (ns since 1970) at which the next start would begin to act otherwise, in a fixed
     * order: a stored time plus the threshold that it is compared with. Past ones are all alike. */
    int64_t *moments;
    size_t moment_count, moment_cap;
    /* Executions that are booked: looked for among the exchange's, so that an id made from a clock
     * does not count. */
    struct sut_booked {
        uint64_t row; /* a hash of the rest of its row */
        char execution_id[BROKER_EXECUTION_ID_SIZE];
    } * booked;
    size_t booked_count, booked_cap;
    /* Hashes (hash_text(0, ...)) of client order ids that the next start looks at or leaves alone
     * whatever the age of their orders. Of other orders at the broker only those count that were
     * submitted at or after `since_ns`; and a start at a time t leaves those submitted before
     * t - look_back_ns to no later start. */
    uint64_t *known;
    size_t known_count, known_cap;
    int64_t since_ns, look_back_ns;
    /* From here on the next start sees orders and executions of others, for which alone it looks no
     * further back. */
    int64_t others_since_ns, others_fills_since_ns;
    /* Times from which on live orders make every start look, whenever it comes. */
    int64_t *anchors;
    size_t anchor_count, anchor_cap;
};
void sut_meaning_free(struct sut_meaning *meaning);

struct sut {
    unsigned abi; /* SUT_ABI */
    const char *name;
    unsigned claims;   /* bit mask of 1u << invariant number */
    bool tells_profit; /* what it observes holds realized profits, to be judged (I4) */
    /* Where the OMS leaves a text before it ends its process by a trap because its own rules do not
     * hold: "file:line: what". NULL: it says nothing. */
    const char **said;

    /* Makes the store for a new account. False: `why` says why. */
    bool (*create)(const struct sut_ports *ports, const struct sut_config *config,
                   const struct oms_opening *opening, size_t opening_count, char why[SUT_WHY_SIZE]);
    /* Starts an instance; NULL when it refuses to start, `why` says why. */
    void *(*boot)(const struct sut_ports *ports, const struct sut_config *config,
                  char why[SUT_WHY_SIZE]);
    enum sut_answer (*signal)(void *instance, const struct oms_decision *decision,
                              char why[SUT_WHY_SIZE]);
    /* At most SUT_SIGNALS_MAX decisions that arrived together, to be taken in one durable transaction; answers[i] as signal
     * would give it, and `why` what the last of those without a yes was told. NULL: an OMS that
     * takes them one by one. */
    void (*signals)(void *instance, const struct oms_decision *decisions, size_t count,
                    enum sut_answer *answers, char why[SUT_WHY_SIZE]);
    /* The next three, and step, are false when the instance fail-stopped. */
    bool (*cancel)(void *instance, const char *decision_id);
    bool (*kill_switch)(void *instance, bool on);
    /* Asks for a comparison; a step does it. `daily`: for that of the whole day that it is now, where
     * the OMS knows such a thing. */
    bool (*reconcile)(void *instance, bool daily);
    /* A person says what became of a held order: it is that order of the broker's, or (NULL) it is
     * not there. False: fail-stop. *why is "" when it is done and durable, else why it is not.
     * NULL: an OMS that holds nothing. */
    bool (*resolve)(void *instance, const char *decision_id, const char *broker_order_id,
                    char why[SUT_WHY_SIZE]);
    bool (*step)(void *instance);
    void (*next)(void *instance, struct oms_next *next);
    /* Frees the instance. Orderly: it may write a last checkpoint. Otherwise nothing is written;
     * the ports may be dead. */
    void (*bury)(void *instance, bool orderly);
    /* What the OMS that owns this store believes, read from the store alone (`vfs` is read only).
     * False: unreadable, `why` says why; with `check`, also when its integrity check fails. */
    bool (*observe)(const char *vfs, const char *path, bool check, struct oms_view *view,
                    char why[SUT_WHY_SIZE]);
    /* Fills *meaning (all zero before) from the store alone; `vfs` is read only. False: unreadable.
     * NULL: see struct sut_meaning. */
    bool (*meaning)(const char *vfs, const char *path, const struct sut_config *config,
                    struct sut_meaning *meaning);
};

extern const struct sut sut_core; /* liboms */
extern const struct sut
    sut_seed_protocol; /* check, submit, record: the common mistake, honestly built */

/* A built-in OMS by name, or NULL; and by index for listings. */
const struct sut *sut_find(const char *name);
const struct sut *sut_at(size_t index);
/* Loads a shared object. NULL: `why` says why. Stays loaded until the program ends. */
const struct sut *sut_load(const char *file, char why[SUT_WHY_SIZE]);

#endif
