/* The crashgate program's command line: one table of commands and one of options. */
#ifndef SCENARIOS_CLI_OPTIONS_H
#define SCENARIOS_CLI_OPTIONS_H

#include "faultinject/plan.h"
#include "sim/sut/sut.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* id, word, arguments, help */
#define COMMANDS(X)                                                                                \
    X(RUN, "run", "FILES|DIRS...", "run scenarios, every run their quantifiers ask for")           \
    X(CHECK, "check", "FILES|DIRS...", "look for mistakes in scenario files, run nothing")         \
    X(FMT, "fmt", "FILES|DIRS... [--check]", "write scenario files in their one canonical form")   \
    X(NEW, "new", "[NAME] [--from FILE|-]", "a skeleton, or a draft from a pasted timeline")       \
    X(EXPLAIN, "explain", "FILE[:LINE]|CODE", "what a file will do, or what a code means")         \
    X(POINTS, "points", "FILE[:LINE]", "list the crash points of a run, numbered and named")       \
    X(REPLAY, "replay", "FILE[:LINE] --plan PLAN", "one run of one scenario, with its story")      \
    X(SHRINK, "shrink", "FILE[:LINE] --plan PLAN", "the smallest plan that still breaks the same") \
    X(EXPLORE, "explore", "FILES|DIRS...",                                                         \
      "every crash at every depth: restart, crash again, until no new state appears")              \
    X(SWEEP, "sweep", "FILES|DIRS...",                                                             \
      "fail allocation and port call number N, for N = 1, 2, 3 ... until none is left")            \
    X(FUZZ, "fuzz", "--seeds A..B | start|status|stop|resume [TARGET]",                            \
      "play random timelines, one for each seed; or let AFL++ look in the background")             \
    X(TRIAGE, "triage", "FILES|DIRS...",                                                           \
      "shrink, group, rank and name findings: scenarios with a plan, or what a fuzzer saved")      \
    X(PROMOTE, "promote", "FILE[:LINE]", "shrink a finding and put it into the bug base")          \
    X(BUGS, "bugs", "list|show NAME|retest",                                                       \
      "the bug base: what is in it, and whether each bug still fails")                             \
    X(GATE, "gate", "[DIR]", "everything CI needs: all scenarios, both doors, repeats, known-bad") \
    X(MERGE, "merge", "DIRS...", "the gate's verdict over what its shards left in these folders")  \
    X(KNOWN_BAD, "known-bad", "[DIR]", "run every planted bug; each must be caught")               \
    X(DOCTOR, "doctor", "[FILES|DIRS...]",                                                         \
      "what could make the same run go another way, and many repeats to see whether it does")      \
    X(BROKER, "broker", "--listen 127.0.0.1:PORT",                                                 \
      "serve the simulated exchange to any OMS, as Alpaca's API on a loopback port")               \
    X(BENCH, "bench", "", "measure: timelines per second, and a life against its floor")           \
    X(FAULTS, "faults", "", "list the fault table")                                                \
    X(REFERENCE, "reference", "[PAGE]",                                                            \
      "print the language reference (scenarios/README.md), a manual page or a completion")
enum command {
#define X(id, word, arguments, help) COMMAND_##id,
    COMMANDS(X)
#undef X
        COMMAND_COUNT
};

/* id, word, argument (NULL: none), commands that take it, help */
#define ON_EXPLORE (1u << COMMAND_EXPLORE)
#define ON_SWEEP   (1u << COMMAND_SWEEP)
#define ON_REPORTS (1u << COMMAND_RUN | 1u << COMMAND_REPLAY | ON_EXPLORE)
#define ON_PLANS   (1u << COMMAND_RUN | 1u << COMMAND_REPLAY | 1u << COMMAND_SHRINK)
#define ON_RUNS                                                                        \
    (ON_REPORTS | ON_PLANS | 1u << COMMAND_POINTS | 1u << COMMAND_EXPLAIN | ON_SWEEP | \
     1u << COMMAND_DOCTOR)
#define ON_BROKER   (1u << COMMAND_BROKER)
#define ON_GATE     (1u << COMMAND_GATE)
#define ON_VERDICTS (1u << COMMAND_RUN | ON_GATE | 1u << COMMAND_MERGE)
#define ON_FUZZ     (1u << COMMAND_FUZZ)
#define ON_PROMOTE  (1u << COMMAND_PROMOTE)
#define ON_BUGS     (1u << COMMAND_BUGS)
#define ON_FOUND    (1u << COMMAND_TRIAGE | ON_PROMOTE | ON_BUGS)
#define ON_ALL_RUNS (ON_REPORTS | ON_VERDICTS | 1u << COMMAND_KNOWN_BAD)
#define OPTIONS(X)                                                                                 \
    X(OMS, "--oms", "NAME|FILE.so", ON_RUNS | ON_GATE | ON_FUZZ | ON_FOUND,                        \
      "the OMS under test: core, seed-protocol, or your own")                                      \
    X(CLAIMS, "--claims", "I1,I2,...", ON_RUNS | ON_GATE | ON_FOUND,                               \
      "judge only these invariants")                                                               \
    X(WIRE, "--wire", NULL, ON_RUNS, "through real HTTP bytes instead of the direct door")         \
    X(PROFILE, "--profile", "NAME", ON_RUNS | ON_BROKER | ON_PROMOTE,                              \
      "the broker's profile; of those that a scenario names, only this one")                       \
    X(CRASHES, "--crashes", "KIND", ON_RUNS | ON_PROMOTE,                                          \
      "only this one of a scenario's crash kinds")                                                 \
    X(TAG, "--tag", "TAG", 1u << COMMAND_RUN | ON_EXPLORE | ON_SWEEP,                              \
      "only scenarios with this tag")                                                              \
    X(SCENARIO, "--scenario", "TEXT", 1u << COMMAND_RUN | ON_EXPLORE | ON_SWEEP,                   \
      "only scenarios with TEXT in the title")                                                     \
    X(PLAN, "--plan", "PLAN", ON_PLANS | ON_BROKER | ON_PROMOTE,                                   \
      "what goes wrong, instead of quantifiers ('none': nothing)")                                 \
    X(LISTEN, "--listen", "127.0.0.1:PORT", ON_BROKER,                                             \
      "where; port 0 is any that is free, told on the first line of output")                       \
    X(MARKET, "--market", "FILE", ON_BROKER,                                                       \
      "a script of 'broker' lines in the scenario language, played from the start on")             \
    X(KEY, "--key", "ID", ON_BROKER,                                                               \
      "the one key that is let in [APCA_API_KEY_ID; without one any is]")                          \
    X(SECRET, "--secret", "TEXT", ON_BROKER, "its secret [APCA_API_SECRET_KEY]")                   \
    X(RATE_LIMIT, "--rate-limit", "N", ON_BROKER,                                                  \
      "answer 429 to more than N requests a minute (Alpaca: 200) [no limit]")                      \
    X(SEED, "--seed", "N", ON_RUNS, "instead of the scenario's seed")                              \
    X(JSON, "--json", "FILE", ON_ALL_RUNS | ON_FUZZ | 1u << COMMAND_TRIAGE | ON_BUGS,              \
      "write results as JSON lines")                                                               \
    X(JUNIT, "--junit", "FILE", ON_ALL_RUNS, "write results as JUnit XML")                         \
    X(SARIF, "--sarif", "FILE", ON_ALL_RUNS,                                                       \
      "write what did not pass as SARIF 2.1.0, with its story")                                    \
    X(TAP, "--tap", "FILE", ON_ALL_RUNS, "write results as TAP 14")                                \
    X(GITHUB, "--github", NULL, ON_ALL_RUNS,                                                       \
      "annotations for GitHub Actions, and a summary in $GITHUB_STEP_SUMMARY")                     \
    X(BASELINE, "--baseline", "FILE", ON_VERDICTS,                                                 \
      "what is known of: only new findings fail, and fixed ones are told")                         \
    X(WRITE_BASELINE, "--write-baseline", "FILE", ON_VERDICTS,                                     \
      "write what was found as such a list")                                                       \
    X(SEEDS, "--seeds", "A..B", ON_FUZZ | 1u << COMMAND_KNOWN_BAD,                                 \
      "the seeds to play, both included, or a single one; known-bad: against every bug")           \
    X(SHARD, "--shard", "I/N", ON_GATE | ON_FUZZ,                                                  \
      "do part I of N only; gate: needs --out; fuzz start, resume: chance of its own for machine " \
      "I")                                                                                         \
    X(DRY_RUN, "--dry-run", NULL, ON_FUZZ, "with start and resume: print the commands only")       \
    X(EXECUTIONS, "--executions", "N", ON_FUZZ,                                                    \
      "with start and resume: each fuzzer ends after about N executions in all")                   \
    X(FOREIGN, "--foreign", "DIR", ON_FUZZ,                                                        \
      "with start and resume: take inputs from there too, such as libFuzzer's corpus")             \
    X(SAVE, "--save", "DIR", ON_FUZZ, "save what is found as scenarios in that folder")            \
    X(REPEAT_EVERY, "--repeat", "N", ON_FUZZ,                                                      \
      "play one seed in N twice, and compare; 0: none [256]")                                      \
    X(OUT, "--out", "DIR", ON_GATE | 1u << COMMAND_MERGE,                                          \
      "leave the results there as a file, for 'crashgate merge'")                                  \
    X(VARIANTS, "--variants", "DIR", 1u << COMMAND_GATE | 1u << COMMAND_KNOWN_BAD,                 \
      "where the planted bugs were built [build/known_bad]")                                       \
    X(MATRIX, "--matrix", "NAME", 1u << COMMAND_KNOWN_BAD,                                         \
      "ask every oracle of every bug, and write NAME.md and NAME.json")                            \
    X(FROM, "--from", "FILE|-", 1u << COMMAND_NEW,                                                 \
      "lines such as '10:00:03 - bought 100 AAPL at 150'; '-' is standard input")                  \
    X(UNTIL, "--until", "LINE", 1u << COMMAND_RUN,                                                 \
      "the story and the state right before that line of the file")                                \
    X(BLESS, "--bless", NULL, 1u << COMMAND_RUN,                                                   \
      "write what is observed at the end into the file, marked '# observed'")                      \
    X(AFTER, "--after", "LINE,...", 1u << COMMAND_RUN,                                             \
      "with --bless: what is observed after these lines of the file")                              \
    X(CHECK, "--check", NULL, 1u << COMMAND_FMT,                                                   \
      "write nothing: list the files that are not in canonical form, exit 1")                      \
    X(FORMAT, "--format", "long|short",                                                            \
      1u << COMMAND_RUN | 1u << COMMAND_CHECK | 1u << COMMAND_REPLAY | 1u << COMMAND_FMT |         \
          ON_EXPLORE,                                                                              \
      "how things are told; short: one line per message, with its code")                           \
    X(FAULTS_PER_LIFE, "--faults", "K", ON_EXPLORE,                                                \
      "also at most K (0 to 2) other faults a life [0]")                                           \
    X(RESTARTS, "--restarts", "thresholds|at-once|whole-seconds", ON_EXPLORE,                      \
      "when the OMS starts again after a crash [thresholds]")                                      \
    X(AUDITS, "--audits", "N", ON_EXPLORE,                                                         \
      "merged worlds that are run all the same, for each that is kept [2]")                        \
    X(AUDIT_EVERY, "--audit-every", "K", ON_EXPLORE, "... for one in K of those kept only [1]")    \
    X(WRONG_KEY, "--wrong-key", "no-exchange|no-times|cache-only", ON_EXPLORE,                     \
      "merge too much, to see that it is noticed")                                                 \
    X(AUDIT_BY, "--audit-by", "successors|verdict", ON_EXPLORE,                                    \
      "what an audit compares [successors]")                                                       \
    X(LIVES, "--lives", "N", ON_EXPLORE, "stop after N lives: not closed, exit 3")                 \
    X(BUDGET, "--budget", "SECONDS", ON_EXPLORE | ON_GATE | ON_FUZZ,                               \
      "explore, fuzz: stop after so long and say what is left, exit 3; gate: look further for so " \
      "long once the verdict is there, with fresh seeds that are told, and change no verdict")     \
    X(BASE, "--base", "DIR", ON_PROMOTE | ON_BUGS | ON_GATE,                                       \
      "the bug base [scenarios/found; gate: 'found' in its folder]")                               \
    X(MARK, "--mark", NULL, ON_BUGS,                                                               \
      "with retest: write into the files of open bugs that no longer fail that they are fixed")    \
    X(MEMORY, "--memory", "MIB", ON_EXPLORE,                                                       \
      "stop when a process holds so much: not closed, exit 3 [2048]")                              \
    X(JOBS, "--jobs", "N", ON_EXPLORE | ON_FUZZ | ON_GATE,                                         \
      "processes that work at a time [all cores]")                                                 \
    X(REPEATS, "--repeats", "N", 1u << COMMAND_DOCTOR, "repeats in this process [1000]")           \
    X(FINGERPRINTS, "--fingerprints", "FILE", 1u << COMMAND_DOCTOR,                                \
      "write the sample's fingerprints, one a line, and repeat nothing")                           \
    X(HELP, "--help", NULL, ~0u, "what a command takes")
enum option {
#define X(id, word, argument, commands, help) OPTION_##id,
    OPTIONS(X)
#undef X
        OPTION_COUNT
};

enum { OPTION_FILES_MAX = 4096 };

struct options {
    enum command command;
    const char
        *value[OPTION_COUNT]; /* as written; NULL: not given; "" for those without argument */
    const char **files;       /* borrowed from argv */
    size_t file_count;

    const struct sut *sut; /* resolved */
    unsigned claims;
    bool has_plan;
    struct plan plan;
    bool has_seed;
    uint64_t seed;
    int crash_kind; /* enum scn_crash_kind or SCN_NONE */
};

/* Reads the command line. Returns an exit code (2 with a message on standard error, 0 after --help
 * or --version), or -1: go on. Release with options_free. */
int options_parse(int argc, char **argv, struct options *options);
void options_free(struct options *options);
/* An option's value (NULL: it was not given, *value stays) as a whole number. False: it is none in
 * that range; said on standard error. */
bool options_number(const char *option, const char *text, unsigned long least, unsigned long most,
                    unsigned long *value);

#endif
