/* The built oms program as a child of a test. */
#include "sim/tests/program.h"

#include "core/profile.h"
#include "sim/tests/loopback.h"
#include "sim/tests/small_exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS_MAX = 24, RUN_S_MAX = 60, NOBODY = 65534 };

struct small_exchange program_exchange;
static struct wire_exchange exchange;
static struct port_answer ask(void *ctx, const struct port_call *call);
static const struct listener_owner owner = {.ask = ask};
static struct listener *server;
static int executable = -1;
static int out = -1; /* what the program says: a file in memory, which no full disk cuts short */

struct program program;

static enum wire_submit count_and_take(void *ctx, const struct broker_request *request,
                                       struct broker_order *order, struct wire_refusal *refusal) {
    struct wire_exchange plain;
    small_exchange(ctx, &plain);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    program_exchange.now_ns = (int64_t)now.tv_sec * PROFILE_SECOND_NS + now.tv_nsec;
    program.posts++;
    program.beside = listener_clients(server) - 1;
    return plain.submit(ctx, request, order, refusal);
}

/* The next message at that site does not get any further. */
static struct port_answer ask(void *ctx, const struct port_call *call) {
    enum { FOR_S = 60 }; /* no client waits so long */
    (void)ctx;
    if (site_index(call->site) != program.stuck)
        return (struct port_answer){.act = ACT_NONE};
    program.stuck = SITE_COUNT;
    return (struct port_answer){.act = ACT_HANG, .arg = {0, FOR_S * PROFILE_SECOND_NS}};
}

int program_setup(void **state) {
    char url[LISTENER_URL_SIZE];
    (void)state;
    program_exchange = (struct small_exchange){0};
    small_exchange(&program_exchange, &exchange);
    exchange.submit = count_and_take;
    exchange.key_id = program.key_id = PROGRAM_KEY_ID;
    exchange.secret = program.secret = PROGRAM_SECRET;
    program.as_nobody = false;
    program.file_size_max = 0;
    program.input = program.answers = program.log = -1;
    program.posts = 0;
    program.stuck = SITE_COUNT;
    server = loopback_open(&exchange, &owner, url);
    setenv("APCA_API_BASE_URL", url, 1);
    snprintf(program.folder, sizeof program.folder, "/tmp/oms-program-XXXXXX");
    assert_non_null(mkdtemp(program.folder));
    assert_int_equal(chdir(program.folder), 0);
    return 0;
}

/* ---- secrets ---- */

static bool holds(const char *bytes, size_t length, const char *text) {
    return memmem(bytes, length, text, strlen(text)) != NULL;
}

static int look_for_secrets(const char *path, const struct stat *status, int type,
                            struct FTW *place) {
    (void)status, (void)place;
    static char bytes[1 << 20];
    FILE *in = type == FTW_F ? fopen(path, "rb") : NULL;
    size_t n = in != NULL ? fread(bytes, 1, sizeof bytes, in) : 0;
    if (in != NULL)
        fclose(in);
    return holds(bytes, n, PROGRAM_KEY_ID) || holds(bytes, n, PROGRAM_SECRET);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place) {
    (void)status, (void)type, (void)place;
    return remove(path);
}

int program_teardown(void **state) {
    (void)state;
    int told = nftw(program.folder, look_for_secrets, 8, FTW_PHYS);
    listener_close(server);
    assert_int_equal(chdir("/"), 0);
    (void)umount2(program.folder, MNT_DETACH); /* the full disk, in the one story that has it */
    if (nftw(program.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0)
        return -1;
    if (told != 0)
        print_error("a file of the store holds a key\n");
    return told;
}

/* ---- running it ---- */

static void set_or_unset(const char *name, const char *value) {
    if (value != NULL)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static int said_to(int fd) {
    return fd >= 0 ? fd : out;
}

static void be_the_program(char **words) {
    extern char **environ;
    set_or_unset("APCA_API_KEY_ID", program.key_id);
    set_or_unset("APCA_API_SECRET_KEY", program.secret);
    if (program.file_size_max != 0) {
        struct rlimit limit = {program.file_size_max, program.file_size_max};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    if (dup2(said_to(program.answers), STDOUT_FILENO) >= 0 &&
        dup2(said_to(program.log), STDERR_FILENO) >= 0 &&
        (program.input < 0 || dup2(program.input, STDIN_FILENO) >= 0) &&
        (!program.as_nobody || (setgid(NOBODY) == 0 && setuid(NOBODY) == 0)))
        fexecve(executable, words, environ);
    _exit(127);
}

pid_t program_start(const char *line) {
    char copy[512], *words[WORDS_MAX + 1] = {(char *)(uintptr_t) "oms"};
    int count = 1;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word != NULL && count < WORDS_MAX;
         word = strtok(NULL, " "))
        words[count++] = word;
    assert_int_equal(ftruncate(out, 0), 0);
    assert_int_equal(lseek(out, 0, SEEK_SET), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        be_the_program(words);
    return child;
}

/* Serves the program to its end; its exit code, or PROGRAM_KILLED; `output` is what it said. */
int program_finish(pid_t child) {
    int status = 0;
    time_t give_up = time(NULL) + RUN_S_MAX;
    while (waitpid(child, &status, WNOHANG) == 0) {
        listener_run(server, 5);
        if (time(NULL) > give_up)
            kill(child, SIGKILL);
    }
    listener_run(server, 0);
    ssize_t got = pread(out, program.output, sizeof program.output - 1, 0);
    size_t n = got > 0 ? (size_t)got : 0;
    program.output[n] = '\0';
    if (holds(program.output, n, PROGRAM_KEY_ID) || holds(program.output, n, PROGRAM_SECRET))
        fail_msg("a key is shown in:\n%s", program.output);
    return WIFEXITED(status) ? WEXITSTATUS(status) : PROGRAM_KILLED;
}

void program_serve(int ms) {
    listener_run(server, ms);
}

void program_run(int exit_code, const char *line) {
    int got = program_finish(program_start(line));
    if (got != exit_code)
        fail_msg("oms %s: exit %d, expected %d:\n%s", line, got, exit_code, program.output);
}

void program_said(const char *text) {
    if (strstr(program.output, text) == NULL)
        fail_msg("'%s' is not in:\n%s", text, program.output);
}

void program_did_not_say(const char *text) {
    if (strstr(program.output, text) != NULL)
        fail_msg("'%s' is in:\n%s", text, program.output);
}

void program_path(const char *name, char path[PROGRAM_PATH_SIZE]) {
    snprintf(path, PROGRAM_PATH_SIZE, "%s/%s", program.folder, name);
}

/* ---- files ---- */

char *file_text(const char *name) {
    static char text[PROGRAM_FILE_MAX];
    FILE *in = fopen(name, "rb");
    assert_non_null(in);
    size_t n = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    text[n] = '\0';
    return text;
}

void nothing_is_left_over(void) {
    DIR *folder = opendir(".");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (strstr(entry->d_name, ".part-") != NULL || strstr(entry->d_name, "-journal") != NULL)
            fail_msg("%s is left over", entry->d_name);
    closedir(folder);
}

void is_private(const char *name) {
    struct stat status;
    if (stat(name, &status) != 0 || (status.st_mode & 0777) != 0600)
        fail_msg("%s is not there, or its mode is %04o", name, (unsigned)status.st_mode & 07777);
}

bool program_open(void) {
    executable = open("build/oms", O_RDONLY | O_CLOEXEC);
    if (executable < 0)
        fprintf(stderr, "build/oms is not there: run this from the top folder, after `make`\n");
    out = memfd_create("output", MFD_CLOEXEC);
    return executable >= 0 && out >= 0;
}
