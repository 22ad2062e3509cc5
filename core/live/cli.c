/* The oms program behind main(): a command works on the store itself, or, while another process
 * runs on that, through its control socket. */
#include "core/live/cli.h"

#include "core/live/fence.h"
#include "core/live/publish.h"
#include "core/live/session.h"

#include <stdlib.h>
#include <string.h>

enum { NAP_NS = 100000000 /* a signal, or work that became due, waits no longer */ };

/* Works until the call is settled, its time is up, or somebody asks to stop. *view is left as it
 * stands (release it always). */
static int see_through(struct session *s, const struct call *call, struct oms_view *view) {
    for (;;) {
        struct oms_error error = {0};
        struct oms_next next;
        oms_view_free(view);
        memset(view, 0, sizeof *view);
        enum oms_code code = oms_view_with(s->oms, s->args->decision.id, view, &error);
        if (code != OMS_OK)
            return session_fail(s, call->err, code, &error);
        oms_next(s->oms, &next);
        alerts_turn(s->clock.alerts);
        int64_t now_ns = clock_now_ns();
        if (command_settled(call, view, &next))
            return CLI_OK;
        if (now_ns >= call->deadline_ns || *s->stop)
            return command_overdue(view);
        if (next.work == OMS_WORK_NONE || next.at_ns > now_ns) {
            bool soon = next.work != OMS_WORK_NONE && next.at_ns < now_ns + NAP_NS;
            clock_sleep_until(soon ? next.at_ns : now_ns + NAP_NS);
            continue;
        }
        code = oms_step(s->oms, &error);
        if (code != OMS_OK)
            return session_fail(s, call->err, code, &error);
    }
}

static int open_as_needed(struct session *s) {
    switch (command_need(s->args)) {
    case NEED_NOTHING:
        return CLI_OK;
    case NEED_STORE:
        return session_open(s);
    case NEED_BROKER:
        return session_open_online(s);
    }
    return CLI_USAGE;
}

static int run_command(struct session *s) {
    struct call call = {.args = s->args,
                        .out = s->out,
                        .err = s->err,
                        .deadline_ns = clock_now_ns() + s->args->wait_ns};
    struct oms_view view = {0};
    int exit = open_as_needed(s);
    if (exit == CLI_OK)
        exit = command_begin(s, &call);
    if (exit != CALL_GOES_ON)
        return exit;
    exit = see_through(s, &call, &view);
    exit = command_finish(s, &call, &view, exit);
    oms_view_free(&view);
    return exit;
}

/* While a process runs on the store, it is the one that does things. */
static int ask_the_running_one(const struct cli_args *args, int argc, char *const *argv, FILE *out,
                               FILE *err) {
    if (args->command == CLI_COMMAND_INIT || args->command == CLI_COMMAND_RUN ||
        fence_holder(args->db) == 0)
        return CALL_GOES_ON;
    return control_ask(args->db, argc, argv, out, err);
}

static int run_here(const struct cli_args *args, FILE *out, FILE *err, volatile const int *stop) {
    struct session session = {.args = args, .out = out, .err = err, .stop = stop};
    session_start(&session);
    int exit = session_judge_access(&session);
    if (exit == CLI_OK)
        exit = session_open_alerts(&session);
    if (exit == CLI_OK)
        exit = args->command == CLI_COMMAND_RUN ? run_serve(&session) : run_command(&session);
    session_end(&session);
    return exit;
}

/* ---- commands whose result is a file ---- */

static int do_here_or_there(const struct cli_args *args, int argc, char *const *argv, FILE *out,
                            FILE *err, volatile const int *stop) {
    int exit = ask_the_running_one(args, argc, argv, out, err);
    return exit == CALL_GOES_ON ? run_here(args, out, err, stop) : exit;
}

static int export_to_file(const struct cli_args *args, int argc, char *const *argv, FILE *err,
                          volatile const int *stop) {
    struct publish publish;
    if (!publish_begin(&publish, args->output, true, err))
        return CLI_ENVIRONMENT;
    FILE *file = fopen(publish.temporary, "we");
    int exit = file != NULL ? do_here_or_there(args, argc, argv, file, err, stop) : CLI_ENVIRONMENT;
    bool written = file != NULL && ferror(file) == 0;
    written = (file == NULL || fclose(file) == 0) && written;
    if (!written) {
        fprintf(err, "oms: file %s: could not be written\n", args->output);
        exit = CLI_ENVIRONMENT;
    }
    if (exit == CLI_OK && !publish_finish(&publish, err))
        exit = CLI_ENVIRONMENT;
    publish_drop(&publish);
    return exit;
}

/* Whoever has the store open fills a file beside the place where the copy is to be; it gets its name
 * once it has been checked. */
static int backup_to_file(struct cli_args *args, int argc, char *const *argv, FILE *out, FILE *err,
                          volatile const int *stop) {
    struct publish publish;
    const char *shown = args->file;
    char **words = calloc((size_t)argc + 1, sizeof *words);
    int exit = CLI_ENVIRONMENT;
    if (words == NULL || !publish_begin(&publish, args->file, false, err)) {
        free(words);
        return CLI_ENVIRONMENT;
    }
    for (int i = 0; i < argc; i++)
        words[i] = argv[i] == shown ? publish.temporary : argv[i];
    args->file = publish.temporary;
    exit = do_here_or_there(args, argc, words, out, err, stop);
    if (exit == CLI_OK && !backup_finish(args->db, &publish, shown, out, err))
        exit = CLI_ENVIRONMENT;
    publish_drop(&publish);
    free(words);
    return exit;
}

static int do_command(struct cli_args *args, int argc, char *const *argv, FILE *out, FILE *err,
                      volatile const int *stop) {
    if (args->command == CLI_COMMAND_BACKUP)
        return backup_to_file(args, argc, argv, out, err, stop);
    if (args->command == CLI_COMMAND_EXPORT && args->output != NULL)
        return export_to_file(args, argc, argv, err, stop);
    return do_here_or_there(args, argc, argv, out, err, stop);
}

int cli_run(int argc, char *const *argv, FILE *out, FILE *err, volatile const int *stop) {
    struct cli_args *args = calloc(1, sizeof *args);
    int exit = CLI_USAGE;
    if (args == NULL) {
        exit = CLI_ENVIRONMENT;
    } else if (!cli_parse(argc, argv, args, err)) {
        exit = CLI_USAGE;
    } else if (args->help) {
        if (args->command == CLI_COMMAND_COUNT)
            cli_help(out);
        else
            cli_help_command(args->command, out);
        exit = CLI_OK;
    } else {
        exit = do_command(args, argc, argv, out, err, stop);
    }
    free(args);
    return exit;
}
