/* `oms run` as a child of a test. */
#include "sim/tests/running.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct running running;

int running_setup(void **state) {
    running = (struct running){0};
    return program_setup(state);
}

int running_teardown(void **state) {
    if (running.child > 0) {
        kill(running.child, SIGKILL);
        waitpid(running.child, NULL, 0);
    }
    return program_teardown(state);
}

bool is_there(const char *path) {
    struct stat status;
    return stat(path, &status) == 0;
}

void running_start(const char *flags) {
    char line[256];
    int in[2], out[2], log = open("run.log", O_CREAT | O_WRONLY | O_APPEND, 0600);
    time_t give_up = time(NULL) + RUNNING_WAIT_S;
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    program.input = in[0];
    program.answers = out[1];
    program.log = log;
    snprintf(line, sizeof line, "run --profile alpaca %s", flags);
    unlink("oms.db-ctl");
    running.child = program_start(line);
    program.input = program.answers = program.log = -1;
    close(in[0]), close(out[1]), close(log);
    running.to_it = in[1];
    running.from_it = out[0];
    while (!is_there("oms.db-ctl")) {
        program_serve(5);
        assert_true(time(NULL) < give_up);
    }
}

void running_tell(int fd, const char *text) {
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

char *running_hear(int fd, char line[ANSWER_SIZE]) {
    time_t give_up = time(NULL) + RUNNING_WAIT_S;
    size_t length = 0;
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    while (length == 0 || line[length - 1] != '\n') {
        ssize_t got = read(fd, line + length, 1);
        if (got < 0 && errno == EAGAIN)
            program_serve(2);
        else if (got <= 0 || length + 2 > ANSWER_SIZE || time(NULL) > give_up)
            fail_msg("no whole line came: '%.*s'", (int)length, line);
        length += got > 0;
    }
    line[length - 1] = '\0';
    return line;
}

void running_answers(const char *words) {
    char line[ANSWER_SIZE];
    if (strstr(running_hear(running.from_it, line), words) == NULL)
        fail_msg("'%s' is not in the answer: %s", words, line);
}

int running_stop(int signal) {
    pid_t child = running.child;
    kill(child, signal);
    running.child = 0;
    int exit = program_finish(child);
    close(running.to_it), close(running.from_it);
    return exit;
}

void running_await_posts(unsigned posts) {
    time_t give_up = time(NULL) + RUNNING_WAIT_S;
    while (program.posts < posts && time(NULL) < give_up)
        program_serve(5);
    assert_int_equal(program.posts, posts);
}
