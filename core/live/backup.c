/* oms backup: the database is copied by whoever has it open; the archive, which does not change, is
 * copied and all of it checked by whoever asked. */
#include "core/live/rfc3339.h"
#include "core/live/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

/* ---- the archive, and the names ---- */

/* Segment `id` of the copy under its two names. */
static bool find_segment(const struct publish *copy, int64_t id, struct publish *segment,
                         FILE *err) {
    char suffix[32];
    snprintf(suffix, sizeof suffix, "-archive%" PRId64, id);
    return publish_beside(copy, suffix, segment, err);
}

/* Takes away what there is of the copy's segments: `named` of them have their names. */
static void drop_segments(const struct publish *copy, int64_t made, int64_t named, FILE *err) {
    for (int64_t id = 1; id <= made; id++) {
        struct publish segment;
        if (!find_segment(copy, id, &segment, err))
            continue;
        if (id <= named)
            unlink(segment.path);
        else
            publish_drop(&segment);
    }
}

static bool name_segments(const struct publish *copy, int64_t made, int64_t *named, FILE *err) {
    bool done = true;
    for (int64_t id = 1; done && id <= made; id++) {
        struct publish segment;
        done = find_segment(copy, id, &segment, err) && publish_finish(&segment, err);
        *named += done;
    }
    return done;
}

static bool pass_by(void *ctx, const struct oms_execution *execution) {
    (void)ctx, (void)execution;
    return true;
}

/* Every segment is held against its digest when its executions are read. */
static enum oms_code look(const struct oms_place *place, struct oms_view *view,
                          struct oms_error *error) {
    const struct oms_reader reader = {.execution = pass_by};
    enum oms_code code = oms_view_at(place, true, view, error);
    return code == OMS_OK && view->archived_count > 0 ? oms_records_at(place, &reader, error)
                                                      : code;
}

static void tell_copy(const char *shown, const struct oms_view *view, FILE *out) {
    char archived[48] = "";
    if (view->archived_count > 0)
        snprintf(archived, sizeof archived, " and %" PRId64 " in the archive",
                 view->archived_count);
    fprintf(
        out,
        "backup %s: checked; account %s, %zu order%s%s, %zu position%s; its kill switch is on\n",
        shown, view->account, view->order_count, view->order_count == 1 ? "" : "s", archived,
        view->position_count, view->position_count == 1 ? "" : "s");
}

bool backup_finish(const char *db, struct publish *copy, const char *shown, FILE *out, FILE *err) {
    struct oms_place from = {.path = db}, to = {.path = copy->temporary};
    struct oms_view view = {0};
    struct oms_error error = {0};
    int64_t made = 0, named = 0;
    enum oms_code code = oms_backup_archive(&from, &to, &made, &error);
    if (code == OMS_OK)
        code = look(&to, &view, &error);
    if (code != OMS_OK)
        fprintf(err, "oms: backup %s: the copy is not whole: %s\n", shown, error.text);
    bool done =
        code == OMS_OK && name_segments(copy, made, &named, err) && publish_finish(copy, err);
    if (done)
        tell_copy(shown, &view, out);
    else
        drop_segments(copy, made, named, err);
    oms_view_free(&view);
    return done;
}
