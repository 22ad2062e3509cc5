/* What the program's exit code says; one table for the program and the reference. */
#ifndef SCENARIOS_LANG_EXITS_H
#define SCENARIOS_LANG_EXITS_H

/* id, code, meaning */
#define EXITS(X)                                                                         \
    X(PASS, 0, "everything was run and held")                                            \
    X(FAIL, 1, "at least one run broke an invariant or an expectation")                  \
    X(MISTAKE, 2, "a mistake in a file or on the command line; nothing was run")         \
    X(INCONCLUSIVE, 3, "a bound was hit, or a crash or fault never happened: not green") \
    X(NOT_REPEATABLE, 4, "the same run went another way the second time: a harness error")
enum exit_code {
#define X(id, code, meaning) EXIT_##id = (code),
    EXITS(X)
#undef X
};

#endif
