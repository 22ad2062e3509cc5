/* Words for the manual's enums, and where they are read back. */
#include "core/oms.h"

#include <string.h>

const char *oms_state_name(enum oms_state state) {
    switch (state) {
#define X(id, word, final, meaning) \
    case OMS_STATE_##id:            \
        return word;
        OMS_STATES(X)
#undef X
    }
    return "?";
}

bool oms_state_parse(const char *word, enum oms_state *state) {
#define X(id, name, final, meaning) \
    if (strcmp(word, name) == 0) {  \
        *state = OMS_STATE_##id;    \
        return true;                \
    }
    OMS_STATES(X)
#undef X
    return false;
}

bool oms_state_is_final(enum oms_state state) {
    switch (state) {
#define X(id, word, final, meaning) \
    case OMS_STATE_##id:            \
        return final;
        OMS_STATES(X)
#undef X
    }
    return false;
}

const char *oms_code_name(enum oms_code code) {
    switch (code) {
    case OMS_OK:
        return "ok";
    case OMS_INVALID:
        return "invalid";
    case OMS_MISSING:
        return "missing";
    case OMS_EXISTS:
        return "exists";
    case OMS_LOCKED:
        return "locked";
    case OMS_CORRUPT:
        return "corrupt";
    case OMS_FOREIGN:
        return "foreign";
    case OMS_STORAGE:
        return "storage";
    case OMS_HALTED:
        return "halted";
    case OMS_UNANSWERED:
        return "unanswered";
    }
    return "?";
}

const char *oms_event_name(enum oms_event_kind kind) {
    switch (kind) {
#define X(id, name, meaning) \
    case OMS_EVENT_##id:     \
        return name;
        OMS_EVENTS(X)
#undef X
    }
    return "?";
}

const char *oms_discrepancy_name(enum oms_discrepancy_type type) {
    switch (type) {
#define X(id, word) \
    case OMS_##id:  \
        return word;
        OMS_DISCREPANCIES(X)
#undef X
    }
    return "?";
}

const char *oms_severity_name(enum oms_severity severity) {
    switch (severity) {
    case OMS_INFO:
        return "INFO";
    case OMS_WARNING:
        return "WARNING";
    case OMS_CRITICAL:
        return "CRITICAL";
    }
    return "?";
}
