/* The head of a planted bug: reading what must catch it. */
#include "scenarios/cli/known_bad.h"

#include "scenarios/lang/codes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_SIZE = 8192, LINE_SIZE = 2 * KNOWN_BAD_TEXT_SIZE };

/* id, word, must it be there */
#define KEYS(X)                   \
    X(FAULT, "Fault", true)       \
    X(BREAKS, "Breaks", true)     \
    X(SCENARIO, "Scenario", true) \
    X(PROFILE, "Profile", true)   \
    X(CRASHES, "Crashes", false)  \
    X(DOOR, "Door", true)         \
    X(EXPLORE, "Explore", false)  \
    X(GATE, "Gate", false)        \
    X(FOUND, "Found", false)
enum key {
#define X(id, word, needed) KEY_##id,
    KEYS(X)
#undef X
        KEY_COUNT
};
static const struct {
    const char *word;
    bool needed;
} keys[] = {
#define X(id, word, needed) {word, needed},
    KEYS(X)
#undef X
};

bool known_bad_because(char why[KNOWN_BAD_WHY_SIZE], const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(why, KNOWN_BAD_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

/* What a scenario's own lines can break with, when the OMS is to blame. */
static bool is_check(const char *word) {
    static const struct {
        const char *code;
        bool scenario;
    } checks[] = {
#define X(id, code, scenario, meaning, cause, fix) {code, scenario},
        RUN_CODES(X)
#undef X
    };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (!checks[i].scenario && strcmp(checks[i].code, word) == 0)
            return true;
    }
    return false;
}

static bool read_breaks(struct known_bad *bad, const char *value, char *why) {
    char *end = NULL;
    long number = value[0] == 'I' ? strtol(value + 1, &end, 10) : 0;
    if (!is_check(value) && (number < 1 || number > INVARIANT_COUNT || *end != '\0'))
        return known_bad_because(
            why,
            "'%.40s' is no invariant I1 to I%d, and no check that a scenario can make, "
            "such as 'finally'",
            value, INVARIANT_COUNT);
    bad->invariant = (int)number;
    snprintf(bad->breaks, sizeof bad->breaks, "%s", value);
    return true;
}

static bool read_scenario(struct known_bad *bad, const char *value, char *why) {
    const char *ending = strstr(value, ".scn:");
    const char *rest = ending == NULL ? "" : ending + 5;
    rest += strspn(rest, " ");
    if (*rest == '\0')
        return known_bad_because(
            why, "'%.200s' must be FILE.scn:LINE, or FILE.scn: and words of the title", value);
    snprintf(bad->file, sizeof bad->file, "%.*s", (int)(ending + 4 - value), value);
    if (strspn(rest, "0123456789") == strlen(rest) && strlen(rest) < 9)
        bad->line = atoi(rest);
    else
        memcpy(bad->title, rest, strlen(rest) + 1);
    return true;
}

static const char *const delay_words[] = {
#define X(id, text, meaning) [EXPLORE_##id] = text,
    EXPLORE_DELAYS(X)
#undef X
};

const char *known_bad_restarts(enum explore_delays delays) {
    return delay_words[delays];
}

static bool read_delays(const char *word, size_t length, enum explore_delays *delays) {
    for (size_t i = 0; i < sizeof delay_words / sizeof delay_words[0]; i++) {
        *delays = (enum explore_delays)i;
        if (strlen(delay_words[i]) == length && strncmp(delay_words[i], word, length) == 0)
            return true;
    }
    return false;
}

/* A number of one digit behind these words, which *at is moved past. */
static bool read_digit(const char **at, const char *words, unsigned most, unsigned *value) {
    size_t length = strlen(words);
    const char *digit = *at + length;
    if (strncmp(*at, words, length) != 0 || digit[0] < '0' || digit[0] > '9')
        return false;
    *value = (unsigned)(digit[0] - '0');
    *at = digit + 1;
    return *value <= most;
}

/* The restarts that must not show it, if any, at the end of the line. */
static bool read_hidden(struct known_bad *bad, const char *rest) {
    static const char words[] = ", hidden ";
    if (strncmp(rest, words, sizeof words - 1) != 0)
        return *rest == '\0';
    rest += sizeof words - 1;
    bad->has_hidden = read_delays(rest, strlen(rest), &bad->hidden);
    return bad->has_hidden;
}

static bool read_explore(struct known_bad *bad, const char *value, char *why) {
    const char *rest = value + strcspn(value, ",");
    bad->explored = read_delays(value, (size_t)(rest - value), &bad->restarts) &&
                    read_digit(&rest, ", plan ", KNOWN_BAD_PLAN_MAX, &bad->plan_most) &&
                    (strncmp(rest, ", faults ", strlen(", faults ")) != 0 ||
                     read_digit(&rest, ", faults ", EXPLORE_FAULTS_MAX, &bad->faults)) &&
                    read_hidden(bad, rest);
    return bad->explored ||
           known_bad_because(
               why,
               "'%.60s' must be RESTARTS, plan N (, faults K) (, hidden RESTARTS): restarts as "
               "'crashgate explore' takes them, N at most %d, K at most %d",
               value, KNOWN_BAD_PLAN_MAX, EXPLORE_FAULTS_MAX);
}

static bool is_seed(const char *value) {
    static const char words[] = "sweep seed ";
    const char *digits = value + sizeof words - 1;
    return strncmp(value, words, sizeof words - 1) == 0 && *digits != '\0' &&
           digits[strspn(digits, "0123456789")] == '\0';
}

static bool read_met(struct known_bad *bad, const char *value, char *why) {
    if (strlen(value) >= sizeof bad->met ||
        (strcmp(value, "AFL++") != 0 && strcmp(value, "sweep") != 0 && !is_seed(value)))
        return known_bad_because(why, "'%.40s' must be 'sweep', 'sweep seed N' or 'AFL++'", value);
    memcpy(bad->met, value, strlen(value) + 1);
    return true;
}

/* `value` is shorter than KNOWN_BAD_TEXT_SIZE. */
static bool read_value(struct known_bad *bad, enum key key, const char *value, char *why) {
    switch (key) {
    case KEY_FAULT:
        memcpy(bad->fault, value, strlen(value) + 1);
        return true;
    case KEY_BREAKS:
        return read_breaks(bad, value, why);
    case KEY_SCENARIO:
        return read_scenario(bad, value, why);
    case KEY_PROFILE:
        bad->profile = profile_find(value);
        return bad->profile != NULL || known_bad_because(why, "there is no profile '%.40s'", value);
    case KEY_CRASHES:
        if (strcmp(value, "kill") != 0 && strcmp(value, "power") != 0)
            return known_bad_because(why, "'%.40s' must be 'kill' or 'power'", value);
        bad->crash_kind = value[0] == 'k' ? SCN_KILL : SCN_POWER;
        return true;
    case KEY_DOOR:
        if (strcmp(value, "direct") != 0 && strcmp(value, "wire") != 0)
            return known_bad_because(why, "'%.40s' must be 'direct' or 'wire'", value);
        bad->door = value[0] == 'd' ? STAGE_DIRECT : STAGE_WIRE;
        return true;
    case KEY_EXPLORE:
        return read_explore(bad, value, why);
    case KEY_GATE:
        bad->in_gate = strcmp(value, "yes") == 0;
        return bad->in_gate || known_bad_because(why, "'%.40s' must be 'yes'", value);
    case KEY_FOUND:
        return read_met(bad, value, why);
    case KEY_COUNT:
        break;
    }
    return false;
}

static int find_key(const char *line, size_t length) {
    for (int i = 0; i < KEY_COUNT; i++) {
        if (strlen(keys[i].word) == length && strncmp(keys[i].word, line, length) == 0)
            return i;
    }
    return -1;
}

/* One line, without its end. */
static bool read_line(struct known_bad *bad, const char *line, unsigned *seen, char *why) {
    const char *colon = strchr(line, ':');
    int key = colon == NULL ? -1 : find_key(line, (size_t)(colon - line));
    const char *value = colon == NULL ? "" : colon + 1 + strspn(colon + 1, " \t");
    if (line[strspn(line, " \t")] == '\0')
        return true;
    if (key < 0)
        return known_bad_because(
            why,
            "'%.60s' is no line of the head: Fault, Breaks, Scenario, Profile, "
            "Crashes, Door, Explore, Gate or Found",
            line);
    if ((*seen & 1u << key) != 0)
        return known_bad_because(why, "'%s' is there twice", keys[key].word);
    if (*value == '\0')
        return known_bad_because(why, "'%s' has no value", keys[key].word);
    if (strlen(value) >= KNOWN_BAD_TEXT_SIZE)
        return known_bad_because(why, "'%s' is longer than %d characters", keys[key].word,
                                 KNOWN_BAD_TEXT_SIZE - 1);
    *seen |= 1u << key;
    return read_value(bad, (enum key)key, value, why);
}

static bool read_name(const char *path, struct known_bad *bad, char *why) {
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(name, '.');
    if (dot == NULL || dot == name || dot - name >= KNOWN_BAD_NAME_SIZE)
        return known_bad_because(why, "its name must have 1 to %d characters before its ending",
                                 KNOWN_BAD_NAME_SIZE - 1);
    snprintf(bad->name, sizeof bad->name, "%.*s", (int)(dot - name), name);
    bad->built_in = strcmp(dot, ".known") == 0;
    return true;
}

bool known_bad_parse(const char *path, const char *text, struct known_bad *bad,
                     char why[KNOWN_BAD_WHY_SIZE]) {
    unsigned seen = 0;
    int number = 1;
    *bad = (struct known_bad){.crash_kind = SCN_NONE};
    if (!read_name(path, bad, why))
        return false;
    while (*text != '\0' && strncmp(text, "---", 3) != 0) {
        size_t length = strcspn(text, "\r\n");
        char line[LINE_SIZE], reason[KNOWN_BAD_WHY_SIZE];
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        if (!read_line(bad, line, &seen, reason))
            return known_bad_because(why, "line %d: %.500s", number, reason);
        number++;
        text += length;
        text += text[0] == '\r' && text[1] == '\n' ? 2 : *text != '\0';
    }
    for (int i = 0; i < KEY_COUNT; i++) {
        if (keys[i].needed && (seen & 1u << i) == 0)
            return known_bad_because(why, "its head has no '%s:' line", keys[i].word);
    }
    return true;
}

bool known_bad_read(const char *path, struct known_bad *bad, char why[KNOWN_BAD_WHY_SIZE]) {
    char text[HEAD_SIZE];
    size_t length = 0;
    bool read = false;
    FILE *in = fopen(path, "r");
    if (in == NULL)
        return known_bad_because(why, "cannot be read: %s", strerror(errno));
    length = fread(text, 1, sizeof text - 1, in);
    text[length] = '\0';
    read = ferror(in) == 0 || known_bad_because(why, "cannot be read: %s", strerror(errno));
    fclose(in);
    return read && known_bad_parse(path, text, bad, why);
}
