/* Every code a message can carry: what it means, what usually causes it, what usually helps. One
 * table for the messages, for `crashgate explain CODE`, and for reports. */
#ifndef SCENARIOS_LANG_CODES_H
#define SCENARIOS_LANG_CODES_H

#include <stdbool.h>
#include <stddef.h>

/* What a run can fail with besides an invariant: id, code, whether it says that the scenario (not
 * the OMS) is to blame, meaning, cause, fix */
#define RUN_CODES(X)                                                                               \
    X(EXPECT, "expect", 0, "an 'expect' was not true at its moment",                               \
      "the OMS behaves otherwise, or it had not acted yet at that time",                           \
      "look at the story; 'crashgate run --until LINE' shows the state there; if it only takes "   \
      "longer, write 'within DUR expect'")                                                         \
    X(WITHIN, "within", 0, "a 'within' did not become true by its deadline",                       \
      "the OMS needs longer, or never comes to it",                                                \
      "look at the story; with an order in doubt the OMS waits until nothing can be under way")    \
    X(ALWAYS, "always", 0, "an 'always' was not true after some event",                            \
      "a state in between breaks the promise, or it is only true at the end",                      \
      "if it need only hold at the end, write 'finally'")                                          \
    X(FINALLY, "finally", 0, "a 'finally' was not true once the world was quiet",                  \
      "the OMS ended otherwise than was written, in this run at least",                            \
      "under 'anywhere' write what holds in every run, such as 'order D1 is filled or order D1 "   \
      "is held'")                                                                                  \
    X(OBSERVED, "observed", 0, "an 'oms ...' line was not seen, in this order, by its time",       \
      "the OMS did it later, in another order, or not at all",                                     \
      "look at the story's lines of the OMS; with 'pace' each step takes that long")               \
    X(NEVER_HAPPENED, "never-happened", 1, "a crash, a fault or a line never came to pass",        \
      "its place was not reached: the line stands below what leads there, or the story goes "      \
      "another way",                                                                               \
      "the message lists the points that were reached; write crashes and faults above the signal " \
      "they are meant for")                                                                        \
    X(VACUOUS, "vacuous", 1, "what a 'reach' asks for was true in none of the runs",               \
      "the window of 'anywhere' ends before it, or the story cannot lead there",                   \
      "widen the window, or correct the 'reach'; 'crashgate points' lists what can be reached")    \
    X(NO_ORDER, "no-order", 1, "a broker line is about an order that never came",                  \
      "the order was not sent: refused, held, or the OMS died before it",                          \
      "signal again after the restart, or drop the line")                                          \
    X(FILL_IMPOSSIBLE, "fill-impossible", 1, "an order cannot be filled by that much",             \
      "it is final, or less is left of it",                                                        \
      "the fills of an order add up to at most its quantity, before it ends")                      \
    X(ALREADY_FINAL, "already-final", 1, "the broker cannot end an order that has ended",          \
      "it was filled, canceled or rejected before", "move the line up, or drop it")                \
    X(PLAN, "plan", 1, "a plan keeps writes that are not at stake there",                          \
      "the plan is of another version of the scenario or of the OMS",                              \
      "run the scenario again: it prints its plans")                                               \
    X(MISFIT, "misfit", 1,                                                                         \
      "a plan asks for something that did not come to pass, or a scenario "                        \
      "for more than runs",                                                                        \
      "calls are counted per life: another OMS or scenario makes others",                          \
      "run the scenario again: it prints its plans; 'crash again anywhere' is explored")           \
    X(INCONCLUSIVE, "inconclusive", 1, "nothing broke, but a bound was hit: not all was tried",    \
      "a power loss with more subsets, or a quantifier with more runs, than the ceiling",          \
      "use a narrower window, 'kill' instead of 'power', or fewer quantities at once")             \
    X(NOT_REPEATABLE, "not-repeatable", 0, "the same run went another way the second time",        \
      "something besides the simulated world decides: a clock, an address, memory not set",        \
      "make the OMS ask its ports only; a sanitizer build often shows the place")                  \
    X(ENVIRONMENT, "environment", 1, "something outside failed, such as making a store",           \
      "see the message", "see the message")
enum run_code {
#define X(id, code, scenario, meaning, cause, fix) RUN_CODE_##id,
    RUN_CODES(X)
#undef X
        RUN_CODE_COUNT
};
const char *run_code_text(enum run_code code); /* "never-happened" */
/* Whether a finding with this code says that the scenario could not be judged. */
bool run_code_blames_scenario(const char *code);

/* A code explained. */
struct code {
    char code[40];       /* "I1", "E012", "vacuous" */
    const char *slug;    /* of an E code: "time-goes-backwards"; else "" */
    const char *what;    /* "invariant", "mistake in a file", "check of a run" */
    const char *meaning; /* the rule, or what is so */
    const char *cause, *fix;
};
/* All of them, in order; false once past the last. */
bool code_at(size_t index, struct code *code);
/* By code or slug, letter case aside. */
bool code_find(const char *text, struct code *code);

#endif
