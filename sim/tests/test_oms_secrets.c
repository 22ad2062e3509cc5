/* Keys and who they are shown to: where they come from, whom the program talks to, and that they are
 * in no file, output or process list. Every helper of program.h fails its test when a key shows. */
#include "core/live/cli.h"
#include "sim/tests/one_answer.h"
#include "sim/tests/running.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PEM_SIZE = 8192, NOBODY = 65534, CMDLINE_SIZE = 4096 };

#define ID_LINE     "APCA_API_KEY_ID=" PROGRAM_KEY_ID "\n"
#define SECRET_LINE "APCA_API_SECRET_KEY=" PROGRAM_SECRET "\n"

static void write_text(const char *name, const char *text, mode_t mode) {
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(name, mode), 0);
}

/* ---- keys ---- */

static void keys_may_come_from_a_private_file(void **state) {
    char cmdline[CMDLINE_SIZE], path[64];
    (void)state;
    program.key_id = program.secret = NULL;
    write_text("keys", "# paper account\n\n" ID_LINE SECRET_LINE, 0600);
    program_run(CLI_OK, "init --account A1");
    program_run(CLI_OK, "submit D1 buy 1 AAPL --key-file keys --events");
    assert_int_equal(program.posts, 1);
    running_start("--key-file keys --events");
    snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)running.child);
    int fd = open(path, O_RDONLY);
    ssize_t length = read(fd, cmdline, sizeof cmdline);
    close(fd);
    assert_true(length > 0);
    assert_null(memmem(cmdline, (size_t)length, PROGRAM_KEY_ID, strlen(PROGRAM_KEY_ID)));
    assert_null(memmem(cmdline, (size_t)length, PROGRAM_SECRET, strlen(PROGRAM_SECRET)));
    program_run(CLI_OK, "reconcile");
    program_run(CLI_OK, "export --what all --output all.json");
    program_run(CLI_OK, "backup copy.db");
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    unlink("keys"); /* no other file may hold them */
}

static void a_key_file_that_others_can_reach_or_that_is_wrong_is_refused(void **state) {
    static const struct {
        const char *text;
        mode_t mode;
        const char *words;
    } rows[] = {
        {ID_LINE SECRET_LINE, 0640,
         "key file keys: its mode is 0640: others can reach it; it must be"},
        {ID_LINE SECRET_LINE, 0604, "its mode is 0604"},
        {ID_LINE, 0600, "key file keys: there is no line APCA_API_SECRET_KEY=..."},
        {SECRET_LINE, 0600, "key file keys: there is no line APCA_API_KEY_ID=..."},
        {"", 0600, "there is no line APCA_API_KEY_ID=..."},
        {ID_LINE SECRET_LINE ID_LINE, 0600,
         "key file keys: line 3: APCA_API_KEY_ID is there twice"},
        {ID_LINE "\n" SECRET_LINE SECRET_LINE, 0600, "line 4: APCA_API_SECRET_KEY is there twice"},
        {ID_LINE "SECRET=" PROGRAM_SECRET "\n", 0600, "line 2 is neither APCA_API_KEY_ID=... nor"},
        {ID_LINE "APCA_API_SECRET_KEY=\n", 0600, "line 2: the value of APCA_API_SECRET_KEY must"},
        {ID_LINE "APCA_API_SECRET_KEY=" PROGRAM_SECRET "\r\n", 0600, "broker secret must be"},
    };
    (void)state;
    program_run(CLI_OK, "init --account A1");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_text("keys", rows[i].text, rows[i].mode);
        program_run(CLI_USAGE, "submit D1 buy 1 AAPL --key-file keys");
        program_said(rows[i].words);
    }
    program_run(CLI_USAGE, "reconcile --key-file nowhere");
    program_said("key file nowhere: No such file or directory");
    program_run(CLI_USAGE, "reconcile --key-file .");
    program_said("key file .: it must be a regular file");
    unlink("keys");
    assert_int_equal(program.posts, 0);
}

static void somebody_elses_key_file_is_refused_behind_a_link_too(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    write_text("theirs", ID_LINE SECRET_LINE, 0600);
    assert_int_equal(symlink("theirs", "keys"), 0);
    if (geteuid() == 0) { /* only root can give a file away; it may read it all the same */
        assert_int_equal(chown("theirs", NOBODY, NOBODY), 0);
        program_run(CLI_USAGE, "reconcile --key-file keys");
        program_said("key file keys: it belongs to user 65534; it must be this process's own");
    } else {
        program_run(CLI_OK, "reconcile --key-file keys");
    }
    unlink("theirs");
}

/* ---- files ---- */

static void every_file_is_private_whatever_the_umask(void **state) {
    mode_t before = umask(0);
    (void)state;
    program_run(CLI_OK, "init --account A1");
    running_start("--listen strategies");
    running_tell(running.to_it, BUY("D1", "1"));
    running_answers("taken");
    program_run(CLI_OK, "backup copy.db");
    program_run(CLI_OK, "export --output orders.json");
    is_private("oms.db-wal");
    is_private("oms.db-lock");
    is_private("oms.db-ctl");
    is_private("strategies");
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    umask(before);
    is_private("oms.db");
    is_private("copy.db");
    is_private("orders.json");
}

static void a_store_that_others_can_reach_is_said_or_refused(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    assert_int_equal(chmod("oms.db", 0644), 0);
    program_run(CLI_OK, "submit D1 buy 1 AAPL");
    program_said("oms: store oms.db: its mode is 0644: others can read it; it should be 0600");
    assert_int_equal(chmod("oms.db", 0620), 0);
    program_run(CLI_ENVIRONMENT, "submit D2 buy 1 AAPL");
    program_said("oms: store oms.db: its mode is 0620: others can change it; it must be 0600");
    program_run(CLI_ENVIRONMENT, "run");
    program_run(CLI_ENVIRONMENT, "status");
    assert_int_equal(program.posts, 1);
}

/* ---- whom it talks to ---- */

static void only_loopback_is_spoken_to_in_clear(void **state) {
    static const char *const urls[] = {
        "http://localhost.evil.com",
        "http://127.0.0.1@evil.com",
        "http://127.0.0.1.evil.com",
        "http://127.0.0.1:80@evil.com",
        "http://evil.com#@127.0.0.1",
        "http://evil.com?127.0.0.1",
        "http://[::2]",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://localhost:1/path",
        "http://user:pass@localhost",
        "localhost:80",
        "file:///etc/passwd",
        "gopher://127.0.0.1",
    };
    char line[256];
    (void)state;
    program_run(CLI_OK, "init --account A1");
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        snprintf(line, sizeof line, "submit D1 buy 1 AAPL --url %s", urls[i]);
        program_run(CLI_USAGE, line);
        program_said("broker URL '");
        program_said(urls[i]);
    }
    assert_int_equal(program.posts, 0);
}

static void a_redirect_is_not_followed(void **state) {
    struct one_answer elsewhere = {.status = 200, .body = "[]"};
    struct one_answer here = {.status = 307, .body = ""};
    char line[256];
    (void)state;
    one_answer_start(&elsewhere);
    here.location = elsewhere.url;
    one_answer_start(&here);
    program_run(CLI_OK, "init --account A1");
    snprintf(line, sizeof line, "submit D1 buy 1 AAPL --wait 0.3 --url %s", here.url);
    program_run(CLI_ENVIRONMENT, line);
    program_said("has not answered a whole comparison yet");
    assert_true(one_answer_count(&here) > 0);
    assert_int_equal(one_answer_count(&elsewhere), 0);
    one_answer_stop(&here);
    one_answer_stop(&elsewhere);
}

static const char *read_pem(const char *name, char out[PEM_SIZE]) {
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    size_t n = fread(out, 1, PEM_SIZE - 1, file);
    fclose(file);
    out[n] = '\0';
    return out;
}

/* A certificate of our own making, for the address 127.0.0.1 and no name. */
static void make_certificate(void) {
    int made = system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
                      "-keyout server.key -out server.pem -days 2 -subj /CN=loopback "
                      "-addext subjectAltName=IP:127.0.0.1 2>/dev/null");
    assert_int_equal(made, 0);
}

static void a_server_that_nobody_vouches_for_gets_nothing(void **state) {
    char key[PEM_SIZE], certificate[PEM_SIZE], line[256];
    struct one_answer server = {.status = 200, .body = "[]"};
    (void)state;
    make_certificate();
    server.key = read_pem("server.key", key);
    server.certificate = read_pem("server.pem", certificate);
    one_answer_start(&server);
    program_run(CLI_OK, "init --account A1");
    snprintf(line, sizeof line, "reconcile --wait 0.3 --url %s", server.url);
    program_run(CLI_ENVIRONMENT, line);
    program_said("SSL certificate problem");
    program_said("nothing was sent");
    snprintf(line, sizeof line,
             "reconcile --wait 0.3 --ca-file server.pem --url https://localhost:%u", server.port);
    program_run(CLI_ENVIRONMENT, line); /* another name than the certificate's */
    program_said("SSL: no alternative certificate subject name matches");
    assert_int_equal(one_answer_count(&server), 0);
    snprintf(line, sizeof line, "reconcile --ca-file nowhere.pem --url %s", server.url);
    program_run(CLI_USAGE, line);
    program_said("--ca-file nowhere.pem: No such file or directory");
    snprintf(line, sizeof line, "reconcile --ca-file server.pem --url %s", server.url);
    program_run(CLI_OK, line);
    program_said("1 comparison, 0 differences");
    assert_true(one_answer_count(&server) > 0);
    one_answer_stop(&server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, running_setup, running_teardown)
        T(keys_may_come_from_a_private_file),
        T(a_key_file_that_others_can_reach_or_that_is_wrong_is_refused),
        T(somebody_elses_key_file_is_refused_behind_a_link_too),
        T(every_file_is_private_whatever_the_umask),
        T(a_store_that_others_can_reach_is_said_or_refused),
        T(only_loopback_is_spoken_to_in_clear),
        T(a_redirect_is_not_followed),
        T(a_server_that_nobody_vouches_for_gets_nothing),
#undef T
    };
    return program_open() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
