/* oms backup: the store is copied by whoever has it open, and checked by whoever asked. */
#include "core/live/rfc3339.h"
#include "core/live/session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The copy goes into an empty file that its owner has made for it, never over anything. */
static bool is_empty_and_ours(const char *path, FILE *err) {
    struct stat status = {0};
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool fine = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                status.st_size == 0 && status.st_uid == geteuid();
    if (!fine)
        fprintf(err, "oms: backup %s: %s\n", path,
                fd < 0 ? strerror(errno) : "must go into an empty file of this process's user");
    if (fd >= 0)
        close(fd);
    return fine;
}

int command_backup(struct session *s, struct call *call) {
    struct oms_error error = {0};
    char at[RFC3339_SIZE], why[OMS_REASON_SIZE];
    int64_t now_ns = clock_now_ns();
    int exit = command_may_read(s);
    if (exit != CLI_OK)
        return exit;
    if (!is_empty_and_ours(call->args->file, call->err))
        return CLI_ENVIRONMENT;
    snprintf(why, sizeof why, "this is a copy made at %.19sZ; compare, then release",
             rfc3339_format(now_ns, at));
    enum oms_code code = s->oms != NULL
                             ? oms_backup(s->oms, call->args->file, why, &error)
                             : oms_backup_at(&s->place, call->args->file, now_ns, why, &error);
    exit = command_may_read(s);
    if (exit != CLI_OK || code == OMS_OK)
        return exit;
    session_fail(s, call->err, code, &error);
    return CLI_ENVIRONMENT;
}

bool backup_check(const char *path, const char *shown, FILE *out, FILE *err) {
    struct oms_place place = {.path = path};
    struct oms_view view = {0};
    struct oms_error error = {0};
    enum oms_code code = oms_view_at(&place, true, &view, &error);
    if (code != OMS_OK)
        fprintf(err, "oms: backup %s: the copy is not whole: %s\n", shown, error.text);
    else
        fprintf(
            out,
            "backup %s: checked; account %s, %zu order%s, %zu position%s; its kill switch is on\n",
            shown, view.account, view.order_count, view.order_count == 1 ? "" : "s",
            view.position_count, view.position_count == 1 ? "" : "s");
    oms_view_free(&view);
    return code == OMS_OK;
}
