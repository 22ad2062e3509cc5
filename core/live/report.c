/* Where reports go. */
#include "core/live/reports.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool report_path(const struct call *call, const char *path, char out[CLI_PATH_SIZE]) {
    bool relative = call->folder != NULL && path[0] != '/';
    int length = snprintf(out, CLI_PATH_SIZE, "%s%s%s", relative ? call->folder : "",
                          relative ? "/" : "", path);
    if (length >= 0 && length < CLI_PATH_SIZE)
        return true;
    fprintf(call->err, "oms: path '%.60s...' must be at most %d characters\n", path,
            CLI_PATH_SIZE - 1);
    return false;
}

static bool write_all(int fd, const char *text) {
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t put = write(fd, text, left);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        text += put;
        left -= (size_t)put;
    }
    return true;
}

/* Under another name first, so that who reads the file never sees half of it. */
static bool write_file(const char *path, const char *text) {
    char partial[CLI_PATH_SIZE + sizeof ".partial"];
    snprintf(partial, sizeof partial, "%s.partial", path);
    int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    bool done = fd >= 0 && write_all(fd, text) && write_all(fd, "\n") && fsync(fd) == 0;
    if (fd >= 0)
        done = close(fd) == 0 && done;
    return done && rename(partial, path) == 0;
}

static int put_file(const struct call *call, const cJSON *json) {
    char path[CLI_PATH_SIZE];
    char *text = NULL;
    bool done = false;
    if (!report_path(call, call->args->json_file, path))
        return CLI_ENVIRONMENT;
    text = cJSON_Print(json);
    done = text != NULL && write_file(path, text);
    if (!done)
        fprintf(call->err, "oms: report %s: %s\n", path,
                text == NULL ? "no memory" : strerror(errno));
    cJSON_free(text);
    return done ? CLI_OK : CLI_ENVIRONMENT;
}

int report_show(const struct call *call, cJSON *json, void (*text)(const void *ctx, FILE *out),
                const void *ctx) {
    char *line = call->args->json ? cJSON_PrintUnformatted(json) : NULL;
    int exit = CLI_OK;
    if (line != NULL)
        fprintf(call->out, "%s\n", line);
    else
        text(ctx, call->out);
    if (call->args->json_file != NULL)
        exit = put_file(call, json);
    cJSON_free(line);
    cJSON_Delete(json);
    return exit;
}
