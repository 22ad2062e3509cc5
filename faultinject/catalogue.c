/* The fault catalogue's rows, and the reading and writing of one fault. */
#include "faultinject/catalogue.h"

#include "core/decimal.h"
#include "sim/check.h"
#include "sim/image.h"

#include <stdio.h>
#include <string.h>

#define ON(id) (1u << ON_##id)

enum { SECOND = 1000000000 };
#define HOUR_NS   (INT64_C(3600) * SECOND)
#define MINUTE_NS (INT64_C(60) * SECOND)
#define MS_NS     INT64_C(1000000)
#define BREAKS(n) (1u << (n))

/* "fails" at a sync: the aftermath word's index picks the mechanism. There is no word for a sync
 * that fails for want of space: whatever errno fsync gives, SQLite's VFSs answer
 * SQLITE_IOERR_FSYNC, so the OMS cannot tell it from the others, and what becomes of the bytes is
 * dropped-clean or kept-dirty all the same. */
enum aftermath { DROPPED_CLEAN, KEPT_DIRTY, LATE, REVERTED };
static const enum act aftermaths[] = {[DROPPED_CLEAN] = ACT_SYNC_DROPPED_CLEAN,
                                      [KEPT_DIRTY] = ACT_SYNC_KEPT_DIRTY,
                                      [LATE] = ACT_SYNC_LATE,
                                      [REVERTED] = ACT_SYNC_REVERTED};

/* What nobody can keep who was told "durable" and it was not. */
#define SYNC_LIED (BREAKS(3) | BREAKS(7) | BREAKS(14))
/* What nobody can keep whose newest, or any, records are gone without a trace. */
#define RECORDS_LOST (BREAKS(3) | BREAKS(7))
/* A damaged word of a record may read well and be wrong: the OMS can notice, not repair. */
#define RECORDS_WRONG (RECORDS_LOST | BREAKS(4))

/* Pages that read as zeros in part may be written back so, and what is added to them may be where nobody
 * finds it: the next start notices it. */
#define READ_AS_ZEROS (RECORDS_WRONG | BREAKS(10) | BREAKS(14))

#define NO_ARGS \
    {           \
        { 0 }   \
    }
#define ARG_AFTERMATH                                                   \
    {                                                                   \
        {                                                               \
            "aftermath", FAULT_ARG_WORD, true, 0, 0, 3, {               \
                "dropped-clean", "kept-dirty", "late", "reverted", NULL \
            }                                                           \
        }                                                               \
    }
#define ARG_LANDS(most, ...)                              \
    {                                                     \
        {                                                 \
            "lands", FAULT_ARG_WORD, false, 0, 0, most, { \
                __VA_ARGS__, NULL                         \
            }                                             \
        }                                                 \
    }
#define ARG_FOR                                                                              \
    {                                                                                        \
        {                                                                                    \
            "for", FAULT_ARG_DURATION, true, 10 * (int64_t)SECOND, SECOND, 10 * MINUTE_NS, { \
                NULL                                                                         \
            }                                                                                \
        }                                                                                    \
    }
#define AT_BYTE                                             \
    {                                                       \
        "at", FAULT_ARG_INT, false, 0, 0, IMAGE_SIZE_MAX, { \
            NULL                                            \
        }                                                   \
    }
#define ARG_AT_BYTE \
    { AT_BYTE }
#define ARG_AT_BIT                                  \
    {                                               \
        AT_BYTE, {                                  \
            "bit", FAULT_ARG_INT, false, 0, 0, 7, { \
                NULL                                \
            }                                       \
        }                                           \
    }
#define ARG_LIFE                                                 \
    {                                                            \
        {"life", FAULT_ARG_INT, false, 1, 1, 1000000, {NULL}}, { \
            "fence", FAULT_ARG_WORD, false, 0, 0, 1, {           \
                "too", "stays", NULL                             \
            }                                                    \
        }                                                        \
    }
#define ARG_BY                                                                  \
    {                                                                           \
        {                                                                       \
            "by", FAULT_ARG_DURATION, true, 12 * (int64_t)SECOND, 1, HOUR_NS, { \
                NULL                                                            \
            }                                                                   \
        }                                                                       \
    }
#define ARG_COPY_BY                                           \
    {                                                         \
        {                                                     \
            "by", FAULT_ARG_DURATION, false, 0, 0, HOUR_NS, { \
                NULL                                          \
            }                                                 \
        }                                                     \
    }
#define ARG_STATUS                                                 \
    {                                                              \
        {"status", FAULT_ARG_INT, false, 503, 400, 599, {NULL}}, { \
            "body", FAULT_ARG_WORD, false, ERROR_HTML, 0, 2, {     \
                "html", "json", "empty", NULL                      \
            }                                                      \
        }                                                          \
    }
#define ARG_AS(most, ...)                             \
    {                                                 \
        {                                             \
            "as", FAULT_ARG_WORD, true, 0, 0, most, { \
                __VA_ARGS__, NULL                     \
            }                                         \
        }                                             \
    }
#define DAMAGED                                                                               \
    "missing-fields", "wrong-types", "numbers-for-strings", "huge", "deep", "truncated-json", \
        "empty"
#define ARG_AS_ORDER  ARG_AS(8, "another-order", "unknown-status", DAMAGED)
#define ARG_AS_ORDERS ARG_AS(7, "unknown-status", DAMAGED)
#define ARG_AS_ROWS   ARG_AS(6, DAMAGED)
#define AT_PLACE                                     \
    {                                                \
        "at", FAULT_ARG_INT, false, 0, 0, 1 << 20, { \
            NULL                                     \
        }                                            \
    }
#define ARG_AT \
    { AT_PLACE }
/* What is required has a usual value all the same: for examples, and for the explorer, which varies
 * the first argument only. */
#define ARG_AT_FOR                                                                   \
    {                                                                                \
        AT_PLACE, {                                                                  \
            "for", FAULT_ARG_DURATION, true, 10 * (int64_t)SECOND, MS_NS, HOUR_NS, { \
                NULL                                                                 \
            }                                                                        \
        }                                                                            \
    }
#define ARG_EVERY                                                               \
    {                                                                           \
        {                                                                       \
            "every", FAULT_ARG_DURATION, true, 100 * MS_NS, MS_NS, MINUTE_NS, { \
                NULL                                                            \
            }                                                                   \
        }                                                                       \
    }

/* A query that breaks: the same rows for every kind of query. */
#define QUERY_ROWS(op, as)                                                                        \
    {op, 0, "lost", NO_ARGS, ACT_LOST, 0, false, "the question is lost: no answer"},              \
        {op, 0, "no-reply", NO_ARGS, ACT_NO_REPLY, 0, false, "the answer never comes: time-out"}, \
        {op,        0,                                                                            \
         "error",   ARG_STATUS,                                                                   \
         ACT_ERROR, 0,                                                                            \
         false,     "the broker answers with an HTTP error: says nothing about the order"},       \
    {                                                                                             \
        op, 0, "answers", as, ACT_WRONG, 0, false,                                                \
            "the answer is a 200 whose content is wrong: says nothing about the order; "          \
            "unknown-status: an order in a state whose name nobody knows"                         \
    }

static const struct fault_kind rows[] = {
    {SITE_DISK_OPEN, 0, "fails", NO_ARGS, ACT_FAIL, 0, false, "the file cannot be opened"},
    {SITE_DISK_STAT, 0, "fails", NO_ARGS, ACT_FAIL, 0, false, "its size cannot be told"},
    {SITE_DISK_LOCK, 0, "fails", NO_ARGS, ACT_FAIL, 0, false,
     "an error, not somebody else's lock: nothing is locked"},
    {SITE_DISK_READ, 0, "fails", NO_ARGS, ACT_FAIL, 0, false, "input/output error"},
    {SITE_DISK_READ, 0, "short", NO_ARGS, ACT_SHORT, READ_AS_ZEROS, false,
     "the file seems to end in the middle of what is read: SQLite takes the rest of a page for "
     "zeros, "
     "and may write it back so"},
    {SITE_DISK_WRITE, 0, "full", ARG_LANDS(1, "none", "part"), ACT_FULL, 0, false,
     "no space; nothing of it is written, or its first half"},
    {SITE_DISK_WRITE, 0, "fails", ARG_LANDS(2, "none", "part", "all"), ACT_FAIL, 0, false,
     "input/output error; nothing of it is written, its first half, or everything"},
    {SITE_DISK_WRITE, 0, "stalls", ARG_FOR, ACT_STALL, 0, false,
     "the call takes that long; the world goes on meanwhile"},
    {SITE_DISK_TRUNCATE, 0, "fails", NO_ARGS, ACT_FAIL, 0, false,
     "input/output error; the file keeps its size"},
    {SITE_DISK_SYNC, 0, "fails", ARG_AFTERMATH, ACT_SYNC_DROPPED_CLEAN, 0, false,
     "fsync fails; dropped-clean: the new bytes stay readable but are never written; kept-dirty: "
     "they are still waiting to be written; late: as dropped-clean, but only the next fsync of the "
     "file says so; reverted: the file reads as after its last good fsync"},
    {SITE_DISK_SYNC, 0, "lies", NO_ARGS, ACT_SYNC_LIES, SYNC_LIED, false,
     "fsync says it worked; the new bytes stay readable but are never written. No OMS survives "
     "that and a power loss unharmed; it must notice, and send nothing twice"},
    {SITE_DISK_SYNC, 0, "stalls", ARG_FOR, ACT_STALL, 0, false,
     "the call takes that long; the world goes on meanwhile"},
    {SITE_DISK_DELETE, 0, "fails", NO_ARGS, ACT_FAIL, 0, false, "the file stays"},
    {SITE_DISK_REST, 0, "bit-flip", ARG_AT_BIT, ACT_FLIP, RECORDS_WRONG, false,
     "one bit of the file is another one"},
    {SITE_DISK_REST, 0, "cut", ARG_AT_BYTE, ACT_CUT, RECORDS_LOST, false,
     "the file ends after that many bytes"},
    {SITE_DISK_REST, 0, "missing", NO_ARGS, ACT_MISSING, RECORDS_LOST, false, "the file is gone"},
    {SITE_DISK_REST, ON(DB), "restored", ARG_LIFE, ACT_RESTORED, RECORDS_LOST, false,
     "the whole store is put back to what it was when that life began; fence=stays: all but the "
     "fence beside it"},
    {SITE_BROKER_SUBMIT, 0, "refused", NO_ARGS, ACT_REFUSED, 0, false,
     "connection refused: nothing left, no order"},
    {SITE_BROKER_SUBMIT, 0, "lost", NO_ARGS, ACT_LOST, 0, false,
     "the request is lost on the way: no order, no answer"},
    {SITE_BROKER_SUBMIT, 0, "lost-reply", NO_ARGS, ACT_LOST_REPLY, 0, false,
     "the broker has acted; the connection breaks before its answer"},
    {SITE_BROKER_SUBMIT, 0, "no-reply", NO_ARGS, ACT_NO_REPLY, 0, false,
     "the broker has acted; its answer never comes and the client times out"},
    {SITE_BROKER_SUBMIT, 0, "late", ARG_BY, ACT_LATE, 0, false,
     "the request arrives that long after it left, also when its sender has given up or died"},
    {SITE_BROKER_SUBMIT, 0, "twice", ARG_COPY_BY, ACT_TWICE, 0, false,
     "a proxy delivers a copy of the request that long after the request itself, also when its "
     "sender has died. A copy that the broker accepts as an order of its own is not the OMS's: it "
     "counts as foreign"},
    {SITE_BROKER_SUBMIT, 0, "error", ARG_STATUS, ACT_ERROR, 0, false,
     "the answer is an HTTP error of something on the way, and the broker has not acted; nobody "
     "can tell"},
    {SITE_BROKER_SUBMIT, 0, "error-after", ARG_STATUS, ACT_ERROR_AFTER, 0, false,
     "the broker has acted; its answer is replaced by an HTTP error of something on the way"},
    {SITE_BROKER_SUBMIT, 0, "answers", ARG_AS_ORDER, ACT_WRONG, 0, false,
     "the broker has acted; its answer is a 200 whose content is wrong, which accepts nothing; "
     "unknown-status: it is right, but for a state whose name nobody knows"},
    QUERY_ROWS(SITE_BROKER_LOOKUP, ARG_AS_ORDER),
    QUERY_ROWS(SITE_BROKER_ORDERS, ARG_AS_ORDERS),
    QUERY_ROWS(SITE_BROKER_FILLS, ARG_AS_ROWS),
    QUERY_ROWS(SITE_BROKER_POSITIONS, ARG_AS_ROWS),
    {SITE_BROKER_CANCEL, 0, "refused", NO_ARGS, ACT_REFUSED, 0, false,
     "connection refused: the cancel did not leave"},
    {SITE_BROKER_CANCEL, 0, "lost", NO_ARGS, ACT_LOST, 0, false,
     "the cancel is lost on the way: no effect, no answer"},
    {SITE_BROKER_CANCEL, 0, "lost-reply", NO_ARGS, ACT_LOST_REPLY, 0, false,
     "the broker has acted on the cancel; its answer is lost"},
    {SITE_BROKER_CANCEL, 0, "no-reply", NO_ARGS, ACT_NO_REPLY, 0, false,
     "the broker has acted on the cancel; its answer never comes"},
    {SITE_BROKER_CANCEL, 0, "late", ARG_BY, ACT_LATE, 0, false,
     "the cancel arrives that long after it left, also when its sender has given up or died"},
    {SITE_BROKER_CANCEL, 0, "twice", ARG_COPY_BY, ACT_TWICE, 0, false,
     "a proxy delivers a copy of the cancel that long after the cancel itself, also when its "
     "sender has died"},
    {SITE_BROKER_CANCEL, 0, "error", ARG_STATUS, ACT_ERROR, 0, false,
     "the answer to the cancel is an HTTP error, and the broker has not acted"},
    {SITE_BROKER_CANCEL, 0, "error-after", ARG_STATUS, ACT_ERROR_AFTER, 0, false,
     "the broker has acted on the cancel; its answer is replaced by an HTTP error"},
    {SITE_WIRE_REQUEST, 0, "close", ARG_AT, ACT_CLOSE, 0, true,
     "the connection closes after that many bytes of the request"},
    {SITE_WIRE_REQUEST, 0, "reset", ARG_AT, ACT_RESET, 0, true,
     "the connection is reset after that many bytes of the request"},
    {SITE_WIRE_REQUEST, 0, "stalls", ARG_AT_FOR, ACT_HANG, 0, true,
     "nothing moves for that long after that many bytes of the request; then the rest arrives, "
     "also when its sender has given up or died. After its last byte: the broker has acted, and "
     "its answer waits as long"},
    {SITE_WIRE_REPLY, 0, "close", ARG_AT, ACT_CLOSE, 0, true,
     "the connection closes after that many bytes of the reply"},
    {SITE_WIRE_REPLY, 0, "reset", ARG_AT, ACT_RESET, 0, true,
     "the connection is reset after that many bytes of the reply"},
    {SITE_WIRE_REPLY, 0, "stalls", ARG_AT_FOR, ACT_HANG, 0, true,
     "nothing moves for that long after that many bytes of the reply; a client that gives up "
     "before never sees the rest"},
    {SITE_WIRE_REPLY, 0, "drips", ARG_EVERY, ACT_DRIP, 0, true,
     "the reply arrives byte by byte, one in that time, for as long as the client listens"},
    {SITE_BROKER_SUBMIT, 0, "dropped", NO_ARGS, ACT_DROPPED, 0, false,
     "the broker has the request, and neither accepts nor ever answers it: the client times out. "
     "A broker of profile dropper does so by nature"},
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

const struct fault_kind *catalogue_at(size_t index) {
    return index < ROW_COUNT ? &rows[index] : NULL;
}

size_t catalogue_count(void) {
    return ROW_COUNT;
}

bool catalogue_fits(const struct fault_kind *kind, struct site site) {
    return kind->op == site.op && site_is_valid(site) &&
           (kind->objects == 0 || (kind->objects & (1u << site.on)) != 0);
}

_Static_assert((int)ROW_COUNT <= (int)FAULT_ROWS_MAX, "every row has its counters");

static bool has_words(const struct fault_kind *kind) {
    return kind->args[0].name != NULL && kind->args[0].type == FAULT_ARG_WORD;
}

size_t fault_tally(const struct fault *fault) {
    size_t row = (size_t)(fault->kind - rows);
    return row * FAULT_WORDS_MAX + (has_words(fault->kind) ? (size_t)fault->arg[0] : 0);
}

bool fault_tally_name(size_t tally, char out[FAULT_TALLY_SIZE]) {
    const struct fault_kind *kind = catalogue_at(tally / FAULT_WORDS_MAX);
    size_t word = tally % FAULT_WORDS_MAX;
    char site[SITE_NAME_SIZE];
    if (kind == NULL || (word > 0 && (!has_words(kind) || word >= FAULT_WORDS_MAX)))
        return false;
    for (size_t i = 0; has_words(kind) && i <= word; i++) {
        if (kind->args[0].words[i] == NULL)
            return false;
    }
    site_name((struct site){kind->op, ON_NONE}, site);
    if (has_words(kind))
        snprintf(out, FAULT_TALLY_SIZE, "%s %s(%s=%s)", site, kind->name, kind->args[0].name,
                 kind->args[0].words[word]);
    else
        snprintf(out, FAULT_TALLY_SIZE, "%s %s", site, kind->name);
    return true;
}

enum site_op fault_tally_op(size_t tally) {
    return rows[tally / FAULT_WORDS_MAX].op;
}

const struct fault_kind *catalogue_find(struct site site, const char *kind) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (catalogue_fits(&rows[i], site) && strcmp(rows[i].name, kind) == 0)
            return &rows[i];
    }
    return NULL;
}

static bool is_aftermath(const struct fault *fault) {
    return fault->kind->act == ACT_SYNC_DROPPED_CLEAN;
}

/* Not every call has all the words for what is wrong with an answer. */
static enum wrong wrong_of(const struct fault *fault) {
    static const char *const words[] = {
#define X(id, word) [WRONG_##id] = word,
        WRONGS(X)
#undef X
    };
    enum wrong wrong = WRONG_ANOTHER_ORDER;
    while (wrong < WRONG_COUNT &&
           strcmp(words[wrong], fault->kind->args[0].words[fault->arg[0]]) != 0)
        wrong++;
    CHECK(wrong < WRONG_COUNT);
    return wrong;
}

struct port_answer fault_answer(const struct fault *fault) {
    struct port_answer answer = {fault->kind->act, {fault->arg[0], fault->arg[1]}};
    if (answer.act == ACT_WRONG)
        answer.arg[0] = wrong_of(fault);
    if (is_aftermath(fault))
        answer.act = aftermaths[fault->arg[0]];
    /* How much landed stands second; the result code is the usual one of the call. */
    if (answer.act == ACT_FAIL || answer.act == ACT_FULL)
        answer = (struct port_answer){answer.act, {0, fault->arg[0]}};
    return answer;
}

unsigned fault_suspends(const struct fault *fault) {
    bool lied = is_aftermath(fault) && aftermaths[fault->arg[0]] == ACT_SYNC_LATE;
    return fault->kind->suspends | (lied ? SYNC_LIED : 0);
}

static void format_arg(const struct fault_arg *arg, int64_t value, char *out, size_t size) {
    switch (arg->type) {
    case FAULT_ARG_INT:
        snprintf(out, size, "%lld", (long long)value);
        return;
    case FAULT_ARG_DURATION: {
        char text[DECIMAL_TEXT_MAX];
        snprintf(out, size, "%ss", decimal_format(value, 0, text));
        return;
    }
    case FAULT_ARG_WORD:
        snprintf(out, size, "%s", arg->words[value]);
        return;
    }
}

char *fault_format(const struct fault *fault, char out[FAULT_TEXT_SIZE]) {
    size_t used = (size_t)snprintf(out, FAULT_TEXT_SIZE, "%s", fault->kind->name);
    const char *before = "(";
    for (int i = 0; i < FAULT_ARGS_MAX && fault->kind->args[i].name != NULL; i++) {
        const struct fault_arg *arg = &fault->kind->args[i];
        char value[DECIMAL_TEXT_MAX];
        /* A word that need not be written is written when it says something. */
        if (arg->type == FAULT_ARG_WORD && !arg->required && fault->arg[i] == arg->otherwise)
            continue;
        format_arg(arg, fault->arg[i], value, sizeof value);
        used += (size_t)snprintf(out + used, FAULT_TEXT_SIZE - used, "%s%s=%s", before, arg->name,
                                 value);
        before = ",";
    }
    if (before[0] == ',')
        snprintf(out + used, FAULT_TEXT_SIZE - used, ")");
    return out;
}

/* "12s", "1.5s", "200ms", "2m", "1h" */
static bool parse_duration(const char *text, int64_t *ns) {
    static const struct {
        const char *unit;
        int64_t ns;
    } units[] = {
        {"ns", 1},     {"us", 1000}, {"ms", 1000000}, {"s", SECOND}, {"m", INT64_C(60) * SECOND},
        {"h", HOUR_NS}};
    size_t digits = strspn(text, "0123456789.");
    int64_t value = 0;
    if (!decimal_parse_n(text, digits, &value))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(text + digits, units[i].unit) != 0)
            continue;
        decimal_wide wide = (decimal_wide)value * units[i].ns;
        if (wide % DECIMAL_NANOS != 0 || wide / DECIMAL_NANOS > INT64_MAX)
            return false;
        *ns = (int64_t)(wide / DECIMAL_NANOS);
        return true;
    }
    return false;
}

static bool parse_int(const char *text, int64_t *value) {
    int64_t nanos = 0;
    if (strchr(text, '.') != NULL || !decimal_parse(text, &nanos))
        return false;
    *value = nanos / DECIMAL_NANOS;
    return true;
}

static bool parse_word(const struct fault_arg *arg, const char *text, int64_t *value, char *why,
                       size_t why_size) {
    size_t used = 0;
    for (int i = 0; i < FAULT_WORDS_MAX && arg->words[i] != NULL; i++) {
        if (strcmp(text, arg->words[i]) == 0) {
            *value = i;
            return true;
        }
    }
    used = (size_t)snprintf(why, why_size, "'%s' is no %s; it is one of", text, arg->name);
    for (int i = 0; i < FAULT_WORDS_MAX && arg->words[i] != NULL && used < why_size; i++)
        used +=
            (size_t)snprintf(why + used, why_size - used, "%s %s", i > 0 ? "," : "", arg->words[i]);
    return false;
}

bool fault_arg_parse(const struct fault_arg *arg, const char *text, int64_t *value, char *why,
                     size_t why_size) {
    bool parsed = false;
    switch (arg->type) {
    case FAULT_ARG_WORD:
        return parse_word(arg, text, value, why, why_size);
    case FAULT_ARG_DURATION:
        parsed = parse_duration(text, value);
        break;
    case FAULT_ARG_INT:
        parsed = parse_int(text, value);
        break;
    }
    if (!parsed) {
        snprintf(why, why_size, "'%s' is no %s for %s", text,
                 arg->type == FAULT_ARG_INT ? "whole number" : "duration (12s, 200ms, 2m)",
                 arg->name);
        return false;
    }
    if (*value < arg->least || *value > arg->most) {
        char least[DECIMAL_TEXT_MAX], most[DECIMAL_TEXT_MAX];
        format_arg(arg, arg->least, least, sizeof least);
        format_arg(arg, arg->most, most, sizeof most);
        snprintf(why, why_size, "%s=%s is outside %s to %s", arg->name, text, least, most);
        return false;
    }
    return true;
}
