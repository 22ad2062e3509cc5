/* The built oms program as a child of a test, in a folder of its own, with a small exchange behind it
 * on a loopback port. Every helper fails its test when a key shows in what the program says. */
#ifndef SIM_TESTS_PROGRAM_H
#define SIM_TESTS_PROGRAM_H

#include "sim/tests/small_exchange.h"

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

enum { PROGRAM_OUTPUT_SIZE = 32768, PROGRAM_PATH_SIZE = 4096, PROGRAM_KILLED = -1 };

#define PROGRAM_KEY_ID "KEYID-7f3a-not-to-be-shown"
#define PROGRAM_SECRET "secret-91bc-not-to-be-shown"

struct program {
    /* how it is started; set anew for each test */
    const char *key_id, *secret; /* NULL: not set */
    bool as_nobody;
    rlim_t file_size_max; /* 0: no limit */
    int input;            /* its standard input; -1: the test's own */
    int answers, log;     /* where standard output and error go; -1: to `output` */
    unsigned stuck;       /* the next message at this site (sim/port.h: site_index) never gets on */
    /* what came of it */
    unsigned posts;  /* orders that reached the exchange */
    size_t beside;   /* connections that were open beside the one that the newest order came by */
    char folder[64]; /* where it runs */
    char output[PROGRAM_OUTPUT_SIZE]; /* what the last one that ended has said */
};
extern struct program program;
extern struct small_exchange program_exchange; /* the one behind it */

/* Once per process. False: there is no program to test, and it is said why. */
bool program_open(void);
/* Around each test: a new folder, exchange and keys; afterwards no file may hold a key. */
int program_setup(void **state);
int program_teardown(void **state);

/* Starts "oms " + line. */
pid_t program_start(const char *line);
/* Serves it to its end. Its exit code, or PROGRAM_KILLED. */
int program_finish(pid_t child);
/* Serves whoever asks, for so long. */
void program_serve(int ms);
/* Starts it, serves it to its end, and insists on its exit code. */
void program_run(int exit_code, const char *line);
/* Insists that the last one that ended has said this. */
void program_said(const char *text);
/* And that it has not. */
void program_did_not_say(const char *text);

/* What is in a file, at most PROGRAM_FILE_MAX - 1 characters; valid until the next call. */
enum { PROGRAM_FILE_MAX = 65536 };
char *file_text(const char *name);
/* Insists that it is there, and that its mode is 0600. */
void is_private(const char *name);
/* Insists that no temporary file is left where the program runs. */
void nothing_is_left_over(void);

void program_path(const char *name, char path[PROGRAM_PATH_SIZE]);

#endif
