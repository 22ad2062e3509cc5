/* HTTP over libcurl, whose waiting is a port. One request at a time is waited for; others may be under
 * way beside it.
 *
 * What it keeps:
 *  (1) A request that is not a GET travels on a fresh connection that is never used again: on a
 *      reused one libcurl silently sends a second time when the server closes without an answer.
 *      As a second lock, libcurl is refused a second start of such a request.
 *  (2) Nothing is retried, redirected, sent through a proxy, or (except to loopback) sent in clear.
 *  (3) `whole` is true only when the end of the answer was proven: the headers' end was seen and
 *      the body was framed. libcurl alone calls an answer cut in its headers a success.
 *  (4) Keys travel in headers and reach no message.
 *  (5) Every request ends within the time-out, also one that nobody waits for.
 */
#ifndef CORE_LIVE_TRANSPORT_H
#define CORE_LIVE_TRANSPORT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TRANSPORT_BODY_MAX = 8 * 1024 * 1024, /* a longer answer is damaged: no list is so long */
    TRANSPORT_PATH_SIZE = 512,
    TRANSPORT_TEXT_SIZE = 160
};

enum transport_method { TRANSPORT_GET, TRANSPORT_POST, TRANSPORT_DELETE };

/* One request. Borrowed during the call. */
struct transport_request {
    enum transport_method method;
    const char *path; /* with its query, starting with '/' */
    const char *body; /* JSON for a POST, else NULL */
};

/* Where sockets, waiting and time come from. All NULL: the real ones. */
struct transport_io {
    void *ctx;
    /* A request is about to start; false: the process is dead, do nothing. May be NULL. */
    bool (*begin)(void *ctx, const struct transport_request *request);
    curl_opensocket_callback opensocket;   /* clientp is ctx */
    curl_closesocket_callback closesocket; /* clientp is ctx; NULL with opensocket NULL */
    /* Returns once libcurl may have something to do, at the latest at until_ns. False: give up. */
    bool (*wait)(void *ctx, CURLM *multi, int64_t until_ns);
    int64_t (*now_ns)(void *ctx); /* measures waiting; never steps back */
};

/* The real ones, for who changes only some of them. */
const struct transport_io *transport_real_io(void);

struct transport_config {
    const char *url; /* "https://host[:port]", or "http://" to a loopback address */
    const char *key_id, *secret;
    const char *ca_file; /* certificates that may vouch for the server, PEM; NULL: the system's */
    int64_t timeout_ns;  /* for connecting, sending and the whole answer together */
    size_t beside;       /* requests that may be under way beside the one that is waited for */
    const struct transport_io *io; /* NULL: the real world; else copied */
};

struct transport_reply {
    bool left;  /* false is proof: no byte of the request left, it may be sent again */
    bool whole; /* status and body arrived, to the last byte */
    int status; /* HTTP status, 0: none seen */
    char *body; /* zero-terminated, length bytes; the transport's, until its next request begins */
    size_t length;
    char text[TRANSPORT_TEXT_SIZE]; /* what went wrong; "" when whole */
};

struct transport;

/* Why this URL is refused, or NULL: it is https, or http to a loopback address, and names no user;
 * a base has no path or query either. The answer does not hold the URL. */
const char *transport_url_complaint(const char *url, bool base);

/* NULL on a bad configuration or lack of memory; `error` then names value and rule. */
struct transport *transport_open(const struct transport_config *config, char *error,
                                 size_t error_size);
void transport_close(struct transport *transport); /* NULL is allowed */

/* Sends one request and waits for its answer or the time-out. */
void transport_send(struct transport *transport, const struct transport_request *request,
                    struct transport_reply *reply);

/* Starts a request that nobody waits for; transport_finished tells its end under this tag. False:
 * nothing left, and reply->text says why. At most `beside` may be under way. */
bool transport_start(struct transport *transport, const struct transport_request *request,
                     uint64_t tag, struct transport_reply *reply);
/* Goes on with everything that is under way, as far as it goes without waiting; true: one that was
 * started has ended, *tag and *reply tell which and how. False: none has. */
bool transport_finished(struct transport *transport, uint64_t *tag, struct transport_reply *reply);
/* Of what was started, nothing leaves that has not left yet. It ends as such. */
void transport_withdraw(struct transport *transport);
/* Waits until something under way, or one of these descriptors, can go on; at most so long. True:
 * something can. */
bool transport_wait(struct transport *transport, struct curl_waitfd *fds, unsigned count, int ms);

/* Appends `text` to a path or query, percent-encoded. False when it does not fit. */
bool transport_escape(char path[TRANSPORT_PATH_SIZE], const char *text);

#endif
