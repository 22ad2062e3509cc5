/* Asking the process that runs on a store, over its control socket: one JSON object a line.
 *
 * A question is {"who":"anna","folder":"/home/anna","args":["status","--json"]}, where relative paths
 * start in that folder, its answer {"exit":0,"out":"...","err":
 * "..."}: what the command would have printed here, had it opened the store itself. Who may ask is
 * who may open the socket (mode 0600). */
#include "core/live/session.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool control_path(const char *db, char *out, size_t size) {
    int length = snprintf(out, size, "%s-ctl", db);
    return length > 0 && (size_t)length < size &&
           (size_t)length < sizeof((struct sockaddr_un){0}.sun_path);
}

/* A connected socket, or -1: nobody listens there. */
static int connect_to(const char *db) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && control_path(db, address.sun_path, sizeof address.sun_path) &&
        connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static char *question(int argc, char *const *argv) {
    cJSON *json = cJSON_CreateObject();
    cJSON *args = cJSON_AddArrayToObject(json, "args");
    const char *user = getenv("USER");
    char folder[CLI_PATH_SIZE], *text = NULL;
    cJSON_AddStringToObject(json, "who", user != NULL ? user : "");
    if (getcwd(folder, sizeof folder) != NULL)
        cJSON_AddStringToObject(json, "folder", folder);
    for (int i = 1; i < argc; i++)
        cJSON_AddItemToArray(args, cJSON_CreateString(argv[i]));
    text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

static bool send_line(int fd, const char *text) {
    size_t left = strlen(text);
    for (const char *at = text; left > 0;) {
        ssize_t put = write(fd, at, left);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        at += put;
        left -= (size_t)put;
    }
    return write(fd, "\n", 1) == 1;
}

/* All that comes until the other side closes. Owned by the caller; NULL: nothing usable. */
static char *receive(int fd) {
    char *text = NULL, chunk[4096];
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    ssize_t got = 0;
    if (memory == NULL)
        return NULL;
    do {
        got = read(fd, chunk, sizeof chunk);
        if (got > 0)
            fwrite(chunk, 1, (size_t)got, memory);
    } while (got > 0 || (got < 0 && errno == EINTR));
    fclose(memory);
    return text;
}

static int show(const char *answer, FILE *out, FILE *err) {
    cJSON *json = answer == NULL ? NULL : cJSON_Parse(answer);
    const cJSON *exit = cJSON_GetObjectItemCaseSensitive(json, "exit");
    const char *said = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "out"));
    const char *told = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "err"));
    int code = CLI_ENVIRONMENT;
    if (!cJSON_IsNumber(exit) || said == NULL || told == NULL) {
        fputs("oms: the process that runs on the store ended before it answered; what it was asked "
              "may have been done: ask again\n",
              err);
    } else {
        fputs(said, out);
        fputs(told, err);
        code = exit->valueint;
    }
    cJSON_Delete(json);
    return code;
}

int control_ask(const char *db, int argc, char *const *argv, FILE *out, FILE *err) {
    int fd = connect_to(db), exit = CLI_ENVIRONMENT;
    char *asked = NULL, *answer = NULL;
    if (fd < 0)
        return CALL_GOES_ON;
    asked = question(argc, argv);
    if (asked != NULL && send_line(fd, asked))
        answer = receive(fd);
    exit = show(answer, out, err);
    close(fd);
    cJSON_free(asked);
    free(answer);
    return exit;
}
