/* The fault catalogue's rows, and the reading and writing of one fault. */
#include "faultinject/catalogue.h"

#include "core/decimal.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define ON(id) (1u << ON_##id)

enum { SECOND = 1000000000 };
#define HOUR_NS (INT64_C(3600) * SECOND)

/* "fails" at a sync: the aftermath word's index picks the mechanism. */
static const enum act aftermaths[] = {ACT_SYNC_DROPPED_CLEAN, ACT_SYNC_KEPT_DIRTY};

#define NO_ARGS \
    {           \
        { 0 }   \
    }
#define ARG_AFTERMATH                                     \
    {                                                     \
        {                                                 \
            "aftermath", FAULT_ARG_WORD, true, 0, 0, 1, { \
                "dropped-clean", "kept-dirty", NULL       \
            }                                             \
        }                                                 \
    }
#define ARG_BY                                               \
    {                                                        \
        {                                                    \
            "by", FAULT_ARG_DURATION, true, 0, 1, HOUR_NS, { \
                NULL                                         \
            }                                                \
        }                                                    \
    }
#define ARG_STATUS                                           \
    {                                                        \
        {                                                    \
            "status", FAULT_ARG_INT, false, 503, 400, 599, { \
                NULL                                         \
            }                                                \
        }                                                    \
    }
#define ARG_AT                                           \
    {                                                    \
        {                                                \
            "at", FAULT_ARG_INT, false, 0, 0, 1 << 20, { \
                NULL                                     \
            }                                            \
        }                                                \
    }

/* A query that breaks: the same three rows for every kind of query. */
#define QUERY_ROWS(op)                                                                            \
    {op, 0, "lost", NO_ARGS, ACT_LOST, 0, false, "the question is lost: no answer"},              \
        {op, 0, "no-reply", NO_ARGS, ACT_NO_REPLY, 0, false, "the answer never comes: time-out"}, \
    {                                                                                             \
        op, 0, "error", ARG_STATUS, ACT_ERROR, 0, false,                                          \
            "the broker answers with an HTTP error: says nothing about the order"                 \
    }

static const struct fault_kind rows[] = {
    {SITE_DISK_WRITE, 0, "full", NO_ARGS, ACT_FULL, 0, false, "no space: nothing is written"},
    {SITE_DISK_WRITE, 0, "fails", NO_ARGS, ACT_FAIL, 0, false, "input/output error, no effect"},
    {SITE_DISK_SYNC, 0, "fails", ARG_AFTERMATH, ACT_SYNC_DROPPED_CLEAN, 0, false,
     "fsync fails; dropped-clean: the new bytes stay readable but are never written; kept-dirty: "
     "they are still waiting to be written"},
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
    {SITE_BROKER_SUBMIT, 0, "error", ARG_STATUS, ACT_ERROR, 0, false,
     "the broker answers with an HTTP error and has not acted; nobody can tell"},
    QUERY_ROWS(SITE_BROKER_LOOKUP),
    QUERY_ROWS(SITE_BROKER_ORDERS),
    QUERY_ROWS(SITE_BROKER_FILLS),
    QUERY_ROWS(SITE_BROKER_POSITIONS),
    {SITE_BROKER_CANCEL, 0, "refused", NO_ARGS, ACT_REFUSED, 0, false,
     "connection refused: the cancel did not leave"},
    {SITE_BROKER_CANCEL, 0, "lost", NO_ARGS, ACT_LOST, 0, false,
     "the cancel is lost on the way: no effect, no answer"},
    {SITE_BROKER_CANCEL, 0, "lost-reply", NO_ARGS, ACT_LOST_REPLY, 0, false,
     "the broker has acted on the cancel; its answer is lost"},
    {SITE_BROKER_CANCEL, 0, "no-reply", NO_ARGS, ACT_NO_REPLY, 0, false,
     "the broker has acted on the cancel; its answer never comes"},
    {SITE_BROKER_CANCEL, 0, "error", ARG_STATUS, ACT_ERROR, 0, false,
     "the broker answers the cancel with an HTTP error and has not acted"},
    {SITE_WIRE_REQUEST, 0, "close", ARG_AT, ACT_CLOSE, 0, true,
     "the connection closes after that many bytes of the request"},
    {SITE_WIRE_REQUEST, 0, "reset", ARG_AT, ACT_RESET, 0, true,
     "the connection is reset after that many bytes of the request"},
    {SITE_WIRE_REPLY, 0, "close", ARG_AT, ACT_CLOSE, 0, true,
     "the connection closes after that many bytes of the reply"},
    {SITE_WIRE_REPLY, 0, "reset", ARG_AT, ACT_RESET, 0, true,
     "the connection is reset after that many bytes of the reply"},
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

const struct fault_kind *catalogue_find(struct site site, const char *kind) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (catalogue_fits(&rows[i], site) && strcmp(rows[i].name, kind) == 0)
            return &rows[i];
    }
    return NULL;
}

static int64_t disk_error(enum site_op op) {
    return op == SITE_DISK_WRITE ? SQLITE_IOERR_WRITE : SQLITE_IOERR;
}

struct port_answer fault_answer(const struct fault *fault) {
    struct port_answer answer = {fault->kind->act, {fault->arg[0], fault->arg[1]}};
    if (fault->kind->act == ACT_SYNC_DROPPED_CLEAN)
        answer.act = aftermaths[fault->arg[0]];
    if (fault->kind->act == ACT_FAIL)
        answer.arg[0] = disk_error(fault->kind->op);
    return answer;
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
    for (int i = 0; i < FAULT_ARGS_MAX && fault->kind->args[i].name != NULL; i++) {
        char value[DECIMAL_TEXT_MAX];
        format_arg(&fault->kind->args[i], fault->arg[i], value, sizeof value);
        used += (size_t)snprintf(out + used, FAULT_TEXT_SIZE - used, "%s%s=%s", i == 0 ? "(" : ",",
                                 fault->kind->args[i].name, value);
    }
    if (fault->kind->args[0].name != NULL)
        snprintf(out + used, FAULT_TEXT_SIZE - used, ")");
    return out;
}

/* "12s", "1.5s", "200ms", "2m", "1h" */
static bool parse_duration(const char *text, int64_t *ns) {
    static const struct {
        const char *unit;
        int64_t ns;
    } units[] = {{"ms", 1000000}, {"s", SECOND}, {"m", INT64_C(60) * SECOND}, {"h", HOUR_NS}};
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
