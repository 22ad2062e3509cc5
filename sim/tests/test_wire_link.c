/* Links: the same calls on a link and on a real socket pair must show the same. */
#include "sim/wire_link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SAID_SIZE = 2048 };

/* One stream, as its library sees it; the other end is the relay's. */
struct stream_under_test {
    bool real;
    int library, relay;
    char said[SAID_SIZE];
    size_t said_n;
};

static struct stream_under_test make(bool real) {
    struct stream_under_test s = {.real = real, .library = -1, .relay = -1};
    int ends[2];
    if (!real) {
        s.library = wire_link_open(false);
        assert_true(s.library >= 0);
        return s;
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    s.library = ends[0];
    s.relay = ends[1];
    return s;
}

static void say(struct stream_under_test *s, const char *what, long result) {
    int error = result < 0 ? errno : 0;
    int n = snprintf(s->said + s->said_n, sizeof s->said - s->said_n, "%s %ld %s\n", what, result,
                     error != 0 ? strerrorname_np(error) : "");
    assert_true(n > 0 && (size_t)n < sizeof s->said - s->said_n);
    s->said_n += (size_t)n;
}

/* ---- the relay's end ---- */

static void put(struct stream_under_test *s, const char *text) {
    size_t n = strlen(text);
    if (s->real)
        say(s, "put", send(s->relay, text, n, MSG_NOSIGNAL) < 0 ? 0 : (long)n);
    else
        say(s, "put", (long)wire_link_put(s->library, text, n));
}

static void take(struct stream_under_test *s) {
    char buffer[256];
    const char *bytes = buffer;
    size_t n = 0;
    bool open = true;
    if (s->real) {
        ssize_t got = recv(s->relay, buffer, sizeof buffer, 0);
        n = got > 0 ? (size_t)got : 0;
        open = got > 0 || (got < 0 && errno == EAGAIN);
    } else {
        open = wire_link_take(s->library, &bytes, &n);
    }
    char text[300];
    snprintf(text, sizeof text, "take '%.*s' open", (int)n, bytes);
    say(s, text, open);
}

static void let_go(struct stream_under_test *s, bool reset) {
    if (!s->real) {
        wire_link_hang_up(s->library, reset);
        return;
    }
    if (reset) /* what it says when its peer goes without having read everything */
        assert_int_equal(send(s->library, "!", 1, MSG_NOSIGNAL), 1);
    assert_int_equal(close(s->relay), 0);
}

/* ---- the library's end ---- */

static void library_receives(struct stream_under_test *s, size_t n, int flags) {
    char buffer[64] = "";
    say(s, flags & MSG_PEEK ? "peek" : "recv", recv(s->library, buffer, n, flags));
    buffer[n] = '\0';
    say(s, buffer, 0);
}

static void library_looks(struct stream_under_test *s) {
    struct pollfd watched = {.fd = s->library,
                             .events = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLWRNORM};
    fd_set to_read, to_write, odd;
    struct timeval none = {0, 0};
    say(s, "poll", poll(&watched, 1, 0));
    say(s, "events", watched.revents);
    FD_ZERO(&to_read);
    FD_ZERO(&to_write);
    FD_ZERO(&odd);
    FD_SET(s->library, &to_read);
    FD_SET(s->library, &to_write);
    FD_SET(s->library, &odd);
    say(s, "select", select(s->library + 1, &to_read, &to_write, &odd, &none));
    say(s, "to read", FD_ISSET(s->library, &to_read) != 0);
    say(s, "to write", FD_ISSET(s->library, &to_write) != 0);
    say(s, "odd", FD_ISSET(s->library, &odd) != 0);
}

static void library_sends_two_parts(struct stream_under_test *s) {
    struct iovec parts[2] = {{.iov_base = "ab", .iov_len = 2}, {.iov_base = "cde", .iov_len = 3}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    say(s, "sendmsg", sendmsg(s->library, &message, MSG_NOSIGNAL));
}

static void library_asks_for_errors(struct stream_under_test *s) {
    int error = -1;
    socklen_t length = sizeof error;
    say(s, "getsockopt", getsockopt(s->library, SOL_SOCKET, SO_ERROR, &error, &length));
    say(s, "error", error);
}

/* ---- stories ---- */

static void bytes_both_ways(struct stream_under_test *s) {
    library_looks(s);
    library_receives(s, 8, 0);
    put(s, "hello");
    library_looks(s);
    library_receives(s, 2, MSG_PEEK);
    library_receives(s, 2, 0);
    library_receives(s, 8, 0);
    library_receives(s, 8, 0);
    library_sends_two_parts(s);
    say(s, "send", send(s->library, "f", 1, MSG_NOSIGNAL));
    take(s);
    take(s);
    say(s, "flags", fcntl(s->library, F_GETFL));
    library_asks_for_errors(s);
}

static void the_relay_hangs_up(struct stream_under_test *s) {
    put(s, "rest");
    let_go(s, false);
    library_looks(s);
    library_receives(s, 8, 0);
    library_receives(s, 8, MSG_PEEK);
    library_receives(s, 8, 0);
    say(s, "send", send(s->library, "x", 1, MSG_NOSIGNAL));
    library_sends_two_parts(s);
    library_looks(s);
    library_asks_for_errors(s);
}

static void the_relay_resets(struct stream_under_test *s) {
    put(s, "rest");
    let_go(s, true);
    library_looks(s);
    library_receives(s, 8, 0);
    library_receives(s, 8, 0);
    library_receives(s, 8, 0);
    say(s, "send", send(s->library, "x", 1, MSG_NOSIGNAL));
    library_looks(s);
}

static void a_reset_is_asked_for(struct stream_under_test *s) {
    let_go(s, true);
    library_asks_for_errors(s);
    library_asks_for_errors(s);
    library_receives(s, 8, 0);
}

static void the_relay_goes_without_reading(struct stream_under_test *s) {
    say(s, "send", send(s->library, "never read", 10, MSG_NOSIGNAL));
    let_go(s, false);
    library_looks(s);
    library_receives(s, 8, 0);
    library_receives(s, 8, 0);
}

static void the_library_writes_no_more(struct stream_under_test *s) {
    say(s, "send", send(s->library, "last", 4, MSG_NOSIGNAL));
    say(s, "shutdown", shutdown(s->library, SHUT_WR));
    say(s, "send", send(s->library, "x", 1, MSG_NOSIGNAL));
    take(s);
    take(s);
    put(s, "still heard");
    library_receives(s, 16, 0);
    let_go(s, false);
}

static void a_link_shows_what_a_socket_shows(void **state) {
    (void)state;
    static void (*const stories[])(struct stream_under_test *) = {bytes_both_ways,
                                                                  the_relay_hangs_up,
                                                                  the_relay_resets,
                                                                  a_reset_is_asked_for,
                                                                  the_relay_goes_without_reading,
                                                                  the_library_writes_no_more};
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        struct stream_under_test link = make(false), real = make(true);
        stories[i](&link);
        stories[i](&real);
        assert_string_equal(link.said, real.said);
        assert_int_equal(close(link.library), 0);
        assert_int_equal(close(real.library), 0);
        if (i == 0) {
            wire_link_hang_up(link.library, false);
            close(real.relay);
        }
    }
    wire_link_forget();
}

static void a_closed_library_takes_and_gives_nothing(void **state) {
    (void)state;
    const char *bytes = NULL;
    size_t n = 0;
    int fd = wire_link_open(false);
    assert_int_equal(send(fd, "bye", 3, 0), 3);
    assert_int_equal(close(fd), 0);
    assert_int_equal(wire_link_put(fd, "x", 1), 0);
    assert_true(wire_link_take(fd, &bytes, &n));
    assert_memory_equal(bytes, "bye", 3);
    assert_int_equal(n, 3);
    assert_false(wire_link_take(fd, &bytes, &n));
    wire_link_hang_up(fd, false);
    wire_link_forget();
}

static void a_full_link_takes_no_more_until_it_is_read(void **state) {
    (void)state;
    static char much[WIRE_LINK_ROOM + 100], back[WIRE_LINK_ROOM];
    struct pollfd watched;
    const char *bytes = NULL;
    size_t n = 0;
    int fd = wire_link_open(false);
    for (size_t i = 0; i < sizeof much; i++)
        much[i] = (char)(i % 251);
    assert_int_equal(wire_link_put(fd, much, sizeof much), WIRE_LINK_ROOM);
    assert_int_equal(wire_link_put(fd, much, 1), 0);
    assert_int_equal(recv(fd, back, 100, 0), 100);
    assert_int_equal(wire_link_put(fd, much + WIRE_LINK_ROOM, 100), 100);
    assert_int_equal(recv(fd, back, sizeof back, 0), sizeof back);
    assert_memory_equal(back, much + 100, sizeof back);

    assert_int_equal(send(fd, much, sizeof much, 0), WIRE_LINK_ROOM);
    assert_int_equal(send(fd, much, 1, 0), -1);
    assert_int_equal(errno, EAGAIN);
    watched = (struct pollfd){.fd = fd, .events = POLLOUT};
    assert_int_equal(poll(&watched, 1, 1000), 0);
    assert_true(wire_link_take(fd, &bytes, &n));
    assert_int_equal(n, WIRE_LINK_ROOM);
    assert_int_equal(poll(&watched, 1, 1000), 1);
    wire_link_hang_up(fd, false);
    close(fd);
    wire_link_forget();
}

static void a_refused_connection_is_refused(void **state) {
    (void)state;
    struct sockaddr nobody = {.sa_family = AF_INET};
    int fd = wire_link_open(true);
    assert_int_equal(connect(fd, &nobody, sizeof nobody), -1);
    assert_int_equal(errno, ECONNREFUSED);
    wire_link_hang_up(fd, false);
    close(fd);
    wire_link_forget();
}

/* What nobody stands in for must not look as if it had worked. */
static void other_calls_fail_on_a_link(void **state) {
    (void)state;
    char byte = 'x';
    int fd = wire_link_open(false);
    assert_int_equal(write(fd, &byte, 1), -1);
    assert_int_equal(read(fd, &byte, 1), -1);
    assert_int_equal(fcntl(fd, F_DUPFD, 0), -1);
    wire_link_hang_up(fd, false);
    close(fd);
    wire_link_forget();
}

static void a_descriptor_comes_back_when_both_have_let_go(void **state) {
    (void)state;
    int first = wire_link_open(false), second = 0, third = 0;
    wire_link_hang_up(first, false);
    second = wire_link_open(false);
    assert_int_not_equal(first, second);
    assert_int_equal(send(first, "x", 1, MSG_NOSIGNAL), -1);
    close(first);
    third = wire_link_open(false);
    assert_int_equal(first, third);
    assert_int_equal(recv(third, &(char){0}, 1, 0), -1);
    assert_int_equal(errno, EAGAIN); /* nothing of the link before it */
    wire_link_hang_up(second, false);
    wire_link_hang_up(third, false);
    close(second);
    close(third);
    wire_link_forget();
    assert_int_equal(fcntl(first, F_GETFD), -1);
    assert_int_equal(errno, EBADF);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_shows_what_a_socket_shows),
        cmocka_unit_test(a_closed_library_takes_and_gives_nothing),
        cmocka_unit_test(a_full_link_takes_no_more_until_it_is_read),
        cmocka_unit_test(a_refused_connection_is_refused),
        cmocka_unit_test(other_calls_fail_on_a_link),
        cmocka_unit_test(a_descriptor_comes_back_when_both_have_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
