/* The crashgate program as a test runs it: a command line in, files and words out, in a folder of its
 * own that goes again. */
#ifndef SCENARIOS_CLI_TESTS_COMMAND_LINE_H
#define SCENARIOS_CLI_TESTS_COMMAND_LINE_H

/* A scenario, from line 3 on, whose crash is tried at every point. */
#define SCENARIO_ANYWHERE                               \
    "crashgate 1\n"                                     \
    "\n"                                                \
    "scenario \"Any\"\n"                                \
    "  crashes   kill\n"                                \
    "  decision  D1 = \"X\"\n"                          \
    "\n"                                                \
    "  10:00:00  crash anywhere\n"                      \
    "            signal D1 buy 100 TSLA limit 250.00\n" \
    "  10:00:30  restart\n"                             \
    "  10:00:31  signal D1 buy 100 TSLA limit 250.00\n"

enum { OUTPUT_SIZE = 262144 };

/* What the last command line said, on both streams. */
extern char output[OUTPUT_SIZE];

/* For cmocka: each test stands in an empty folder. */
int command_line_setup(void **state);
int command_line_teardown(void **state);

void write_file(const char *name, const char *text);
/* Until the next call. */
const char *read_file(const char *name);
/* Fails the test unless the two files have the same bytes, and some. */
void assert_same_file(const char *a, const char *b);

/* Runs a command line ("+two_words" is one word) in a process of its own. Returns its exit code. */
int crashgate(const char *line);
/* Fails the test unless it ends so and says that. */
void does(const char *line, int exit_code, const char *words);
/* Standard output alone goes to a file from here on; "": no more. */
void say_into(const char *name);

#endif
