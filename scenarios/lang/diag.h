/* Diagnostics: mistakes in scenario files, collected in one pass and told with their place, the
 * line, a caret and a guess. */
#ifndef SCENARIOS_LANG_DIAG_H
#define SCENARIOS_LANG_DIAG_H

#include <stddef.h>
#include <stdio.h>

/* Stable codes: they are never reused, and reports use them as types.
 * id, code, slug, what rule was broken */
#define DIAG_CODES(X)                                                                              \
    X(FIRST_LINE, "E001", "first-line", "a file begins with the line 'crashgate 1'")               \
    X(FILE, "E002", "file", "the file can be read, is text, and is not larger than the ceilings")  \
    X(NO_SUCH_STATEMENT, "E003", "no-such-statement", "a line begins with a word of the language") \
    X(EXPECTED, "E004", "expected", "a statement has the words of its shape, in order")            \
    X(STRING, "E005", "string", "a text in quotes ends on its line")                               \
    X(TIME, "E006", "time", "a time is HH:MM:SS, +DUR, 'crash +DUR' or 'before point:'")           \
    X(DURATION, "E007", "duration", "a duration is a number with a unit: ns us ms s m h")          \
    X(NUMBER, "E008", "number", "numbers are exact, at most nine decimals, in their range")        \
    X(NO_SCENARIO, "E009", "no-scenario", "headers and lines belong to a scenario")                \
    X(HEADER_PLACE, "E010", "header-place", "headers come before the first line, each once")       \
    X(TIME_BACKWARDS, "E012", "time-goes-backwards", "a line is not earlier than the one above")   \
    X(TIME_NEEDED, "E013", "time-needed", "what happens at a moment has one, or a line above has") \
    X(TIME_UNWANTED, "E014", "time-unwanted", "what holds for the whole run has no time")          \
    X(NO_SUCH_DECISION, "E015", "no-such-decision", "a decision is introduced by a header")        \
    X(DECISION_TWICE, "E016", "decision-twice", "decision names and ids are unique in a scenario") \
    X(TWO_PAYLOADS, "E017", "two-payloads", "every signal of a decision says the same")            \
    X(SAME_PAYLOAD, "E018", "same-payload",                                                        \
      "decisions differ in symbol, side, quantity or price, so orders can be told apart")          \
    X(NEVER_SIGNALLED, "E019", "never-signalled", "a decision that is introduced is signalled")    \
    X(NO_SUCH_PROFILE, "E020", "no-such-profile", "a profile is one of the known brokers")         \
    X(NO_SUCH_OPTION, "E021", "no-such-option", "an option is one of the list")                    \
    X(BAD_OPTION, "E022", "bad-option", "an option's value is in its range")                       \
    X(CRASH_KIND, "E023", "crash-kind", "a bare crash needs 'crashes kill' or 'crashes power'")    \
    X(RESTART, "E024", "restart-without-crash", "a restart follows a crash")                       \
    X(QUANTIFIED, "E025", "observed-in-quantified",                                                \
      "a quantified scenario holds only stimuli, always, finally and reach")                       \
    X(REACH, "E026", "reach-without-quantifier", "reach looks at the runs of a quantifier")        \
    X(TWO_QUANTIFIERS, "E027", "two-quantifiers", "a scenario has at most one 'anywhere'")         \
    X(NO_SUCH_SITE, "E028", "no-such-site", "a site is one of the ports' calls")                   \
    X(NO_SUCH_FAULT, "E029", "no-such-fault", "a fault is a row of the fault table for its site")  \
    X(FAULT_ARGUMENT, "E030", "fault-argument", "a fault has its arguments, in their range")       \
    X(WIRE_ONLY, "E031", "wire-only", "faults of the wire need a door that has bytes")             \
    X(SYMBOL, "E032", "symbol", "a symbol is capital letters, digits, '.', '/' and '-'")           \
    X(UNUSED_SYMBOL, "E033", "unused-symbol", "conditions name symbols that something trades")     \
    X(NO_SUCH_WORD, "E034", "no-such-word", "a state, type or severity is one of its list")        \
    X(USE, "E035", "use", "a used file has headers only and is found, at most four deep")          \
    X(EMPTY, "E036", "empty", "a file has scenarios, a scenario has lines")                        \
    X(TITLE_TWICE, "E037", "title-twice", "scenario titles are unique in a file")                  \
    X(SECOND, "E038", "no-second", "'second refused' needs a 'start second' above")                \
    X(TOO_MANY, "E039", "too-many", "everything that can be repeated has a ceiling")               \
    X(DECISION_ID, "E040", "decision-id", "an id is 1 to 128 printable characters, no spaces")     \
    X(REACH_PLACE, "E041", "reach-place", "'reach crash' names a point or a site")                 \
    X(CLOCK_EXPLORED, "E042", "clock-explored", "no clock jumps where crashes are explored")       \
    X(NO_SUCH_FILL, "E043", "no-such-fill", "an execution is named with 'as' before it is used")   \
    X(DISK_EXPLORED, "E044", "disk-explored", "crashes are explored where overwriting is safe")
enum diag_code {
#define X(id, code, slug, rule) DIAG_##id,
    DIAG_CODES(X)
#undef X
        DIAG_CODE_COUNT
};
const char *diag_code_text(enum diag_code code); /* "E012" */
const char *diag_code_slug(enum diag_code code); /* "time-goes-backwards" */
const char *diag_code_rule(enum diag_code code);

enum {
    DIAG_TEXT_SIZE = 400,
    DIAG_NAME_SIZE = 256,
    DIAG_SOURCE_SIZE = 200,
    DIAGS_MAX = 100 /* of one file; the rest is counted only */
};

struct diag {
    enum diag_code code;
    char file[DIAG_NAME_SIZE];
    int line, col, length;         /* from 1; 0: the whole file. length: bytes underlined */
    char text[DIAG_TEXT_SIZE];     /* "no such statement: 'crahs'" */
    char note[DIAG_TEXT_SIZE];     /* "did you mean 'crash'?", or "" */
    char source[DIAG_SOURCE_SIZE]; /* the line, cut; "" when there is none to show */
};

/* Start from all zero; release with diags_free. */
struct diags {
    struct diag *v;
    size_t n, cap;
    size_t dropped; /* beyond DIAGS_MAX */
};

/* The new row, whose text the caller fills in (diag_say, diag_note), or a scratch row past
 * DIAGS_MAX. */
struct diag *diags_add(struct diags *diags, enum diag_code code, const char *file, int line,
                       int col, int length, const char *source, size_t source_length);
void diag_say(struct diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_note(struct diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sorts by line and column within each file, stably. */
void diags_sort(struct diags *diags);
void diags_free(struct diags *diags);

enum diag_format { DIAG_LONG, DIAG_SHORT };
/* Writes every message: LONG with line and caret, SHORT one line each with its code. */
void diags_write(const struct diags *diags, enum diag_format format, FILE *out);
/* "partial.scn: 2 mistakes, nothing was run" */
void diags_summary(const struct diags *diags, const char *file, FILE *out);

/* A word out of a list that `word` may be a slip of, or NULL: at most one edit (change, swap,
 * missing or extra character) in three characters, letter case aside; the first of equals. */
struct guess {
    const char *word;
    size_t length;
    const char *best; /* not ended by a zero */
    size_t best_length;
    size_t distance;
};
struct guess guess_start(const char *word, size_t length);
void guess_offer(struct guess *guess, const char *candidate);
void guess_offer_n(struct guess *guess, const char *candidate, size_t candidate_length);

#endif
