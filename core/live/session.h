/* What the oms program's commands work on: a store, its broker, a clock; and one command's call. */
#ifndef CORE_LIVE_SESSION_H
#define CORE_LIVE_SESSION_H

#include "core/live/alpaca.h"
#include "core/live/cli.h"
#include "core/live/clock.h"
#include "core/live/publish.h"

/* Everything starts empty; session_end releases what is there. */
struct session {
    const struct cli_args *args;
    FILE *out, *err;
    volatile const int *stop;
    const struct transport_io *io; /* NULL: the real world */
    struct clock_env clock;
    struct oms_env env;
    struct oms_place place;
    struct oms_config config;
    struct alpaca *alpaca; /* NULL: not connected */
    const char *url;       /* the broker's, once connected */
    struct broker broker;
    struct oms *oms; /* NULL: not open */
};

enum {
    CALL_WHO_SIZE = 33,
    SESSION_SENDS_AT_ONCE = 8 /* orders on their way at once, of a process that runs on */
};

/* One command, asked for on this command line or through a running one's control socket. */
struct call {
    const struct cli_args *args;
    FILE *out, *err;
    int64_t deadline_ns;     /* it is seen through until then */
    char who[CALL_WHO_SIZE]; /* asks through the control socket; "": this program's user */
    int64_t after_run;       /* comparisons up to this one were there before it was asked for */
    long answer_max;    /* what grows longer is thrown away, and may end there; 0: any length */
    const char *folder; /* where it was asked for: relative paths start there; NULL: here */
};

void session_start(struct session *s);
void session_end(struct session *s);

/* Makes ready to tell people. */
int session_open_alerts(struct session *s);
/* A store that others can write to is refused, one that they can read is said to be. */
int session_judge_access(const struct session *s);
/* The account named, or else the one the store was created for. Each returns CLI_OK, or another
 * exit code after saying why. */
int session_set_account(struct session *s, const char *name);
/* Opens the store; without a broker every question to it stays unanswered. */
int session_open(struct session *s);
/* Connects first. */
int session_open_online(struct session *s);
/* A store that somebody writes to cannot be read: what the file shows is not all there is. */
int session_refuse_if_running(struct session *s);

/* Says what the core refused, and what can be done. Returns the exit code. */
int session_fail(const struct session *s, FILE *err, enum oms_code code,
                 const struct oms_error *error);

/* ---- commands (core/live/commands.c) ---- */

enum { CALL_GOES_ON = -1 }; /* no exit code: the call is to be seen through, then finished */

/* What must be open before a command begins. */
enum need { NEED_NOTHING, NEED_STORE, NEED_BROKER };
enum need command_need(const struct cli_args *args);
/* Does the command's one thing; an exit code, or CALL_GOES_ON. */
int command_begin(struct session *s, struct call *call);
/* Given the store as it stands and what is due next: is the call seen through? */
bool command_settled(const struct call *call, const struct oms_view *view,
                     const struct oms_next *next);
/* Shows how it ended. `exit` is CLI_OK when settled, otherwise why not. Returns the exit code. */
int command_finish(struct session *s, struct call *call, const struct oms_view *view, int exit);
/* The exit code of a call whose time is up. */
int command_overdue(const struct oms_view *view);

/* The store as the running process has it, or as it lies when nobody runs on it. */
int command_look(struct session *s, struct call *call, struct oms_view *view);
/* May the store's file be read: is it open here, or nobody's? To be asked before and after: who came
 * meanwhile may have written what was read. */
int command_may_read(struct session *s);
/* core/live/show.c, core/live/export.c, core/live/backup.c */
int command_orders(struct session *s, struct call *call);
int command_positions(struct session *s, struct call *call);
int command_export(struct session *s, struct call *call);
/* Fills the empty file that args->file names. */
int command_backup(struct session *s, struct call *call);
/* Given the copy of the database, under its temporary name: copies the archive of the store `db` to
 * it, opens and checks all of it, tells what is in it and gives it its names, the database's last.
 * False: `err` was told, and nothing of it is left. */
bool backup_finish(const char *db, struct publish *copy, const char *shown, FILE *out, FILE *err);

/* ---- oms run (core/live/run.c) ---- */

/* Serves strategies and operators until asked to stop. Returns the exit code. */
int run_serve(struct session *s);

/* ---- a running one's control socket (core/live/control.c) ---- */

/* Where it is. False: the path is too long for a socket. */
bool control_path(const char *db, char *out, size_t size);
/* Asks the process that runs on the store to do what argv says, and shows its answer. Returns its
 * exit code, or CALL_GOES_ON when there is nobody to ask. */
int control_ask(const char *db, int argc, char *const *argv, FILE *out, FILE *err);

#endif
