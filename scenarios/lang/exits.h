/* What the program's exit code says; one table for the program and the reference. */
#ifndef SCENARIOS_LANG_EXITS_H
#define SCENARIOS_LANG_EXITS_H

/* id, code, meaning */
#define EXITS(X)                                                                              \
    X(PASS, 0, "everything was run and held")                                                 \
    X(FAIL, 1, "at least one run broke an invariant or an expectation")                       \
    X(MISTAKE, 2,                                                                             \
      "a mistake on the command line or in a scenario: it does not parse, or a "              \
      "crash, fault or event it orders never happened")                                       \
    X(INCONCLUSIVE, 3, "nothing broke, but a bound was hit: not everything was tried")        \
    X(NOT_REPEATABLE, 4, "the same run went another way the second time")                     \
    X(ENVIRONMENT, 5, "something outside failed: a file, a library, an OMS that cannot load") \
    X(FIXED, 6, "a bug that was open no longer fails, and nothing else is wrong")             \
    X(INTERNAL, 70, "a mistake in crashgate itself")
enum exit_code {
#define X(id, code, meaning) EXIT_##id = (code),
    EXITS(X)
#undef X
};

#endif
