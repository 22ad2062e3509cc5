/* The oms program. */
#include "core/live/cli.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>

static volatile int stop;

static void on_signal(int number) {
    (void)number;
    stop = 1;
}

int main(int argc, char **argv) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal; /* no SA_RESTART: a sleep ends at once */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    umask(077); /* the store holds a desk's trades */
    return cli_run(argc, argv, stdout, stderr, &stop);
}
