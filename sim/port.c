/* Names of sites, written and read by one table. */
#include "sim/port.h"

#include <stdio.h>
#include <string.h>

static const char *const op_names[SITE_OP_COUNT] = {
#define X(id, name, effect) [SITE_##id] = name,
    SITE_OPS(X)
#undef X
};
static const char *const object_names[SITE_OBJECT_COUNT] = {
#define X(id, name) [ON_##id] = name,
    SITE_OBJECTS(X)
#undef X
};

char *site_name(struct site site, char out[SITE_NAME_SIZE]) {
    const char *op = op_names[site.op];
    if (site.on == ON_NONE)
        snprintf(out, SITE_NAME_SIZE, "%s", op);
    else
        snprintf(out, SITE_NAME_SIZE, "%s(%s)", op, object_names[site.on]);
    return out;
}

bool site_parse(const char *text, struct site *site) {
    for (unsigned op = 0; op < SITE_OP_COUNT; op++)
        for (unsigned on = 0; on < SITE_OBJECT_COUNT; on++) {
            struct site candidate = {(enum site_op)op, (enum site_object)on};
            char name[SITE_NAME_SIZE];
            if (site_is_valid(candidate) && strcmp(site_name(candidate, name), text) == 0) {
                *site = candidate;
                return true;
            }
        }
    return false;
}

static bool is_file(enum site_object on) {
    return on >= ON_DB && on <= ON_OTHER;
}

static bool is_broker_call(enum site_object on) {
    return on >= ON_SUBMIT && on <= ON_CANCEL;
}

bool site_is_valid(struct site site) {
    switch (site.op) {
    case SITE_DISK_OPEN:
    case SITE_DISK_READ:
    case SITE_DISK_WRITE:
    case SITE_DISK_TRUNCATE:
    case SITE_DISK_SYNC:
    case SITE_DISK_DELETE:
    case SITE_DISK_LOCK:
    case SITE_DISK_STAT:
        return is_file(site.on);
    case SITE_DISK_REST:
        return site.on == ON_DB || site.on == ON_WAL;
    case SITE_BROKER_SUBMIT:
    case SITE_BROKER_LOOKUP:
    case SITE_BROKER_ORDERS:
    case SITE_BROKER_FILLS:
    case SITE_BROKER_POSITIONS:
    case SITE_BROKER_ACCOUNT:
    case SITE_BROKER_CANCEL:
        return site.on == ON_NONE;
    case SITE_WIRE_REQUEST:
    case SITE_WIRE_REPLY:
        return is_broker_call(site.on);
    case SITE_OP_COUNT:
        break;
    }
    return false;
}
