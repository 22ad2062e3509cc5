/* `oms run` as a child of a test: its lines, and the end it comes to. */
#ifndef SIM_TESTS_RUNNING_H
#define SIM_TESTS_RUNNING_H

#include "sim/tests/program.h"

enum { ANSWER_SIZE = 1024, RUNNING_WAIT_S = 30 };

#define BUY(id, qty)                                                               \
    "{\"id\":\"" id "\",\"side\":\"buy\",\"qty\":\"" qty "\",\"symbol\":\"AAPL\"," \
    "\"type\":\"limit\",\"limit_price\":\"150\"}\n"

/* The running process, and the test's ends of its pipes. */
struct running {
    pid_t child; /* 0: none */
    int to_it, from_it;
};
extern struct running running;

/* Around each test, in place of program_setup and program_teardown. */
int running_setup(void **state);
int running_teardown(void **state);

/* Starts `oms run --profile alpaca` with these flags and serves it until its control socket is
 * there. What it says on standard error is added to run.log. */
void running_start(const char *flags);
/* Ends it with this signal. Its exit code, or PROGRAM_KILLED. */
int running_stop(int signal);

/* Writes to it, or to a socket. */
void running_tell(int fd, const char *text);
/* The next line that comes, while the exchange is served. Returns line. */
char *running_hear(int fd, char line[ANSWER_SIZE]);
/* Insists that its next line holds these words. */
void running_answers(const char *words);
/* Serves until so many orders have reached the exchange, and insists on it. */
void running_await_posts(unsigned posts);

bool is_there(const char *path);

#endif
