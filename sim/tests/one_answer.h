/* A loopback server with one answer for everything, plain or behind TLS; it remembers what came. */
#ifndef SIM_TESTS_ONE_ANSWER_H
#define SIM_TESTS_ONE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

enum { ONE_ANSWER_LAST_SIZE = 8192, ONE_ANSWER_URL_SIZE = 64 };

struct one_answer {
    /* set before the start */
    int status;
    const char *body, *location;   /* NULL: none */
    const char *key, *certificate; /* PEM; NULL: plain HTTP */
    bool never;                    /* a request is never answered */
    /* set by the start */
    char url[ONE_ANSWER_URL_SIZE]; /* by address, without a slash */
    unsigned port;
    bool closing;
    struct MHD_Daemon *daemon;
};

/* Serves from a thread of its own. Fails the test when it cannot. */
void one_answer_start(struct one_answer *server);
void one_answer_stop(struct one_answer *server);
/* Requests so far. */
unsigned one_answer_count(struct one_answer *server);
/* The body of the newest request that had one. Returns out. */
char *one_answer_last(struct one_answer *server, char out[ONE_ANSWER_LAST_SIZE]);

#endif
