/* The codes of all messages, explained. */
#include "scenarios/lang/codes.h"

#include "scenarios/lang/diag.h"
#include "sim/judge.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *code;
    bool scenario;
    const char *meaning, *cause, *fix;
} run_codes[] = {
#define X(id, code, scenario, meaning, cause, fix) {code, scenario, meaning, cause, fix},
    RUN_CODES(X)
#undef X
};

struct advice {
    const char *cause, *fix;
};

static const struct advice invariants[INVARIANT_COUNT + 1] = {
    [1] = {"an order was sent again without proof that the first one is not there: recorded only "
           "after it was sent, a new id for the same decision, or doubt taken for absence",
           "make the intent and its id durable before sending; settle doubt by a complete query"},
    [2] = {"two orders for one decision were executed, or an order larger than decided was sent",
           "see I1; compare what the broker echoes with what was decided"},
    [3] = {"a decision was acknowledged before it was durable, or recovery forgets what was in "
           "doubt",
           "commit, with a sync, before answering; every start resolves every open order"},
    [4] = {"an execution was booked twice or never, or at another price",
           "key executions by the broker's execution id, in the transaction that moves the "
           "position"},
    [5] = {"a refusal was taken for doubt, or an order that was refused is still open in the store",
           "a refusal ends an order, durably"},
    [6] = {"the switch was looked at too early, or kept in memory",
           "look at the durable switch and the halt file right before every send, re-sends too"},
    [7] = {"something was promised before it was on the disk: a missing or failed sync",
           "answer after the commit; synchronous=FULL; never go on after a failed sync"},
    [8] = {"recovery does something that its own next run takes for news",
           "make every step of recovery idempotent: keyed inserts, states that only move on"},
    [9] = {"an HTTP error, a truncated list or a time-out was read as an empty answer",
           "only a complete answer says 'nothing there'"},
    [10] = {"the store was opened without the checks, or written past SQLite",
            "integrity check at every start, and refuse to trade when it fails"},
    [11] = {"the HTTP library repeated a request on a connection that had been kept alive",
            "a fresh connection for every order"},
    [12] = {"an order is never resolved, or the OMS polls for ever faster",
            "every state that is not final has a next step and a deadline"},
    [13] = {"a failed commit was taken as not done, and the log holds it all the same",
            "a failed commit is unknown: stop, and let the next start find out"},
    [14] = {"the request left before its intent was synced", "commit with a sync, then send"},
};

/* By diagnostic; the rule is the row in diag.h. */
static const struct advice mistakes[DIAG_CODE_COUNT] = {
    [DIAG_FIRST_LINE] = {"the first line is missing or of another version",
                         "begin the file with 'crashgate 1'"},
    [DIAG_FILE] = {"a wrong name, a binary file, or an odd character that came with copying",
                   "check the path; save the file as UTF-8"},
    [DIAG_NO_SUCH_STATEMENT] = {"a slip of the pen", "take the guess, or look at the reference"},
    [DIAG_EXPECTED] = {"a word is missing, too many, or in another place",
                       "compare with the example of that line in the reference"},
    [DIAG_STRING] = {"the closing quote is missing", "close it on the same line"},
    [DIAG_TIME] = {"a time that is no time of day, or counts from nothing",
                   "write 10:00:00, +5s, 'crash +5s', or 'before send D1:'"},
    [DIAG_DURATION] = {"a number without a unit", "write 5s, 200ms, 2m, 1h"},
    [DIAG_NUMBER] = {"a number that is not exact, too large, or negative",
                     "write a decimal with at most nine decimals"},
    [DIAG_NO_SCENARIO] = {"a line above the first 'scenario'",
                          "begin with: scenario \"what it is about\""},
    [DIAG_HEADER_PLACE] = {"a header below the first line, or twice",
                           "move it up, or join the two"},
    [DIAG_TIME_BACKWARDS] = {"lines in another order, or midnight in between",
                             "sort the lines; the next day is written with its date"},
    [DIAG_TIME_NEEDED] = {"the first line with a moment has no time", "write one before it"},
    [DIAG_TIME_UNWANTED] = {"always, finally and reach hold for the whole run",
                            "drop the time, or write 'expect'"},
    [DIAG_NO_SUCH_DECISION] = {"a name that no header introduces",
                               "add: decision D1 = \"the strategy's id\""},
    [DIAG_DECISION_TWICE] = {"two headers with one name or one id", "rename one"},
    [DIAG_TWO_PAYLOADS] = {"a repeated signal with another quantity or price",
                           "repeat it word by word, or make it a decision of its own"},
    [DIAG_SAME_PAYLOAD] = {"two decisions that no judge could tell apart at the broker",
                           "let one differ in quantity or price"},
    [DIAG_NEVER_SIGNALLED] = {"a decision that nothing signals", "signal it or drop it"},
    [DIAG_NO_SUCH_PROFILE] = {"a broker that is not known", "the reference lists the profiles"},
    [DIAG_NO_SUCH_OPTION] = {"an option that is not known", "the reference lists the options"},
    [DIAG_BAD_OPTION] = {"a value that the option does not take", "the reference lists the values"},
    [DIAG_CRASH_KIND] = {"'crash' alone, and no header that says what that means",
                         "write 'crash kill' or the header: crashes kill, power"},
    [DIAG_RESTART] = {"a restart of an OMS that did not die",
                      "write the crash above it; an OMS that halted is buried with 'crash kill'"},
    [DIAG_QUANTIFIED] = {"a check at a fixed time, which cannot be true in every run",
                         "use always, finally or reach"},
    [DIAG_REACH] = {"a 'reach' in a scenario that is one run",
                    "use 'expect' or 'finally', or quantify with 'anywhere'"},
    [DIAG_TWO_QUANTIFIERS] = {"two 'anywhere' in one scenario",
                              "make two scenarios, or write 'crash twice anywhere'"},
    [DIAG_NO_SUCH_SITE] = {"a call that the OMS does not make",
                           "'crashgate faults' lists the sites"},
    [DIAG_NO_SUCH_FAULT] = {"a kind of fault that this site does not have",
                            "'crashgate faults' lists the kinds"},
    [DIAG_FAULT_ARGUMENT] = {"an argument is missing, unknown or out of range",
                             "'crashgate faults' shows an example of each"},
    [DIAG_WIRE_ONLY] = {"a fault of bytes at a door that has none", "drop 'option door = direct'"},
    [DIAG_SYMBOL] = {"small letters or other signs", "write it as the broker does: BRK.B, BTC/USD"},
    [DIAG_UNUSED_SYMBOL] = {"a slip of the pen in a symbol", "take the guess"},
    [DIAG_NO_SUCH_WORD] = {"a word that is not in its list", "take the guess"},
    [DIAG_USE] = {"a used file with lines, or one that is not there",
                  "keep headers in it; its path counts from this file's folder"},
    [DIAG_EMPTY] = {"a file or a scenario without content", "write a line, or drop it"},
    [DIAG_TITLE_TWICE] = {"a copied scenario", "give it a title of its own"},
    [DIAG_SECOND] = {"nothing starts a second instance above", "write 'start second' first"},
    [DIAG_TOO_MANY] = {"a ceiling was exceeded", "split the file or the scenario"},
    [DIAG_DECISION_ID] = {"an id with spaces, too long, or empty",
                          "write it as the strategy does, 1 to 128 characters"},
    [DIAG_NO_SUCH_FILL] = {"a bust or a correction of an execution that no line above names",
                           "name it where it is executed: broker fills D1 100 as F1"},
    [DIAG_REACH_PLACE] = {"'reach crash anywhere' would say nothing",
                          "name a point: reach crash before record D1"},
    [DIAG_CLOCK_EXPLORED] = {"'crash again anywhere' tells worlds apart by times that only pass",
                             "write 'crash anywhere' or 'crash twice anywhere'"},
    [DIAG_DISK_EXPLORED] =
        {"'crash again anywhere' tells worlds apart by what a store says, and where "
         "a power loss ruins what is being written, its bytes count as well",
         "write 'crash anywhere' or 'crash twice anywhere'"},
};

const char *run_code_text(enum run_code code) {
    return run_codes[code].code;
}

bool run_code_blames_scenario(const char *code) {
    for (size_t i = 0; i < RUN_CODE_COUNT; i++) {
        if (strcmp(run_codes[i].code, code) == 0)
            return run_codes[i].scenario;
    }
    return false;
}

bool code_at(size_t index, struct code *code) {
    *code = (struct code){.slug = ""};
    if (index < INVARIANT_COUNT) {
        snprintf(code->code, sizeof code->code, "I%zu", index + 1);
        code->what = "invariant";
        code->meaning = invariant_meaning((int)index + 1);
        code->cause = invariants[index + 1].cause;
        code->fix = invariants[index + 1].fix;
        return true;
    }
    index -= INVARIANT_COUNT;
    if (index < RUN_CODE_COUNT) {
        snprintf(code->code, sizeof code->code, "%s", run_codes[index].code);
        code->what = "end of a run";
        code->meaning = run_codes[index].meaning;
        code->cause = run_codes[index].cause;
        code->fix = run_codes[index].fix;
        return true;
    }
    index -= RUN_CODE_COUNT;
    if (index >= DIAG_CODE_COUNT)
        return false;
    snprintf(code->code, sizeof code->code, "%s", diag_code_text((enum diag_code)index));
    code->slug = diag_code_slug((enum diag_code)index);
    code->what = "mistake in a file";
    code->meaning = diag_code_rule((enum diag_code)index);
    code->cause = mistakes[index].cause;
    code->fix = mistakes[index].fix;
    return true;
}

bool code_find(const char *text, struct code *code) {
    for (size_t i = 0; code_at(i, code); i++) {
        if (strcasecmp(code->code, text) == 0 ||
            (code->slug[0] != '\0' && strcasecmp(code->slug, text) == 0))
            return true;
    }
    return false;
}
