/* HTTP over libcurl: easy handles in one multi handle, driven by a waiting port. */
#include "core/live/transport.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { MS_NS = 1000000, IDLE_CONNECTIONS = 2, HEADER_SIZE = 256, KEY_MAX = 128 };

/* A request and what came of it. */
struct talk {
    CURL *easy;
    char errors[CURL_ERROR_SIZE];
    bool once;       /* must not start twice (1) */
    bool withdrawn;  /* must not start any more */
    unsigned starts; /* how often libcurl was about to write it */
    bool headers_end, framed, too_long;
    char *body;
    size_t length, room;
    bool under_way; /* added to the multi handle */
    bool ended;     /* libcurl is done with it: `code` */
    CURLcode code;
    int64_t deadline_ns;
    uint64_t tag;
};

struct transport {
    struct transport_io io;
    CURLM *multi;
    struct curl_slist *get_headers, *post_headers;
    char *url;
    int64_t timeout_ns;
    struct talk *talks; /* the first is the one that is waited for */
    size_t talk_count;
};

/* ---- the real world ---- */

static int64_t real_now_ns(void *ctx) {
    (void)ctx;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool real_wait(void *ctx, CURLM *multi, int64_t until_ns) {
    int64_t left_ns = until_ns - real_now_ns(ctx);
    int64_t ms = left_ns <= 0 ? 0 : left_ns / MS_NS + 1;
    return curl_multi_poll(multi, NULL, 0, ms > 1000 ? 1000 : (int)ms, NULL) == CURLM_OK;
}

static const struct transport_io REAL_IO = {.wait = real_wait, .now_ns = real_now_ns};

const struct transport_io *transport_real_io(void) {
    return &REAL_IO;
}

/* ---- what libcurl calls ---- */

static int on_start(void *ctx, char *to, char *from, int to_port, int from_port) {
    (void)to, (void)from, (void)to_port, (void)from_port;
    struct talk *t = ctx;
    if ((t->once && t->starts > 0) || t->withdrawn)
        return CURL_PREREQFUNC_ABORT;
    t->starts++;
    return CURL_PREREQFUNC_OK;
}

static bool header_is(const char *line, size_t length, const char *name) {
    size_t n = strlen(name);
    return length > n && strncasecmp(line, name, n) == 0;
}

static size_t on_header(char *line, size_t size, size_t count, void *ctx) {
    struct talk *t = ctx;
    size_t length = size * count;
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (header_is(line, length, "HTTP/")) {
        t->framed = false;
        t->headers_end = false;
    } else if (header_is(line, length, "Content-Length:") ||
               header_is(line, length, "Transfer-Encoding: chunked")) {
        t->framed = true;
    } else if (length == 2 && line[0] == '\r' && line[1] == '\n' && status >= 200) {
        t->headers_end = true;
    }
    return length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx) {
    struct talk *t = ctx;
    size_t more = size * count;
    if (more > TRANSPORT_BODY_MAX - t->length) {
        t->too_long = true;
        return 0;
    }
    if (t->length + more + 1 > t->room) {
        size_t room = (t->length + more + 1) * 2;
        char *grown = realloc(t->body, room);
        if (grown == NULL)
            return 0;
        t->body = grown;
        t->room = room;
    }
    memcpy(t->body + t->length, bytes, more);
    t->length += more;
    t->body[t->length] = '\0';
    return more;
}

/* ---- set-up ---- */

static bool is_loopback(const char *host) {
    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
           (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host));
}

/* One part of a URL, "" when absent; NULL without memory. Freed with curl_free. */
static char *url_part(CURLU *parsed, CURLUPart part) {
    char *text = NULL;
    return curl_url_get(parsed, part, &text, 0) == CURLUE_OK ? text : NULL;
}

const char *transport_url_complaint(const char *url, bool base) {
    CURLU *parsed = curl_url();
    if (parsed == NULL)
        return "out of memory";
    const char *complaint = NULL;
    char *scheme = NULL, *host = NULL, *path = NULL;
    char *user = NULL, *query = NULL, *fragment = NULL;
    if (curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK) {
        complaint = "must be a URL with a scheme, as in https://paper-api.alpaca.markets";
        goto done;
    }
    scheme = url_part(parsed, CURLUPART_SCHEME);
    host = url_part(parsed, CURLUPART_HOST);
    path = url_part(parsed, CURLUPART_PATH);
    user = url_part(parsed, CURLUPART_USER);
    query = url_part(parsed, CURLUPART_QUERY);
    fragment = url_part(parsed, CURLUPART_FRAGMENT);
    if (scheme == NULL || host == NULL)
        complaint = "must have a scheme and a host";
    else if (base && (user != NULL || query != NULL || fragment != NULL ||
                      (path != NULL && strcmp(path, "/") != 0)))
        complaint = "must be scheme, host and port only, without user, path or query";
    else if (user != NULL)
        complaint = "must be without a user";
    else if (strcmp(scheme, "http") == 0 && !is_loopback(host))
        complaint = "must be https: plain http would show keys and orders to the network "
                    "(allowed to loopback only)";
    else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        complaint = "must be https";
done:
    curl_free(fragment);
    curl_free(query);
    curl_free(user);
    curl_free(path);
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(parsed);
    return complaint;
}

/* A header's value: visible ASCII, so that it cannot start another header. */
static bool is_key(const char *key) {
    if (key == NULL || key[0] == '\0' || strlen(key) > KEY_MAX)
        return false;
    for (const char *c = key; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return true;
}

static bool add_header(struct curl_slist **list, const char *name, const char *value) {
    char line[HEADER_SIZE];
    snprintf(line, sizeof line, "%s%s", name, value);
    struct curl_slist *longer = curl_slist_append(*list, line);
    explicit_bzero(line, sizeof line);
    if (longer == NULL)
        return false;
    *list = longer;
    return true;
}

static bool make_headers(struct curl_slist **list, const struct transport_config *config,
                         bool body) {
    return add_header(list, "APCA-API-KEY-ID: ", config->key_id) &&
           add_header(list, "APCA-API-SECRET-KEY: ", config->secret) &&
           add_header(list, "Accept: ", "application/json") && add_header(list, "Expect:", "") &&
           (!body || add_header(list, "Content-Type: ", "application/json"));
}

static bool set_options(const struct transport *t, struct talk *talk, const char *ca_file) {
    CURL *e = talk->easy;
    bool ok = true;
/* used in set_options and prepare: on the handle `e`, remembering failure in `ok` */
#define SET(option, value) ok = ok && curl_easy_setopt(e, option, value) == CURLE_OK
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https"); /* http: loopback only, checked at open */
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (ca_file != NULL)
        SET(CURLOPT_CAINFO, ca_file);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_ERRORBUFFER, talk->errors);
    SET(CURLOPT_PREREQFUNCTION, on_start);
    SET(CURLOPT_PREREQDATA, talk);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, talk);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, talk);
    if (t->io.opensocket != NULL) {
        SET(CURLOPT_OPENSOCKETFUNCTION, t->io.opensocket);
        SET(CURLOPT_OPENSOCKETDATA, t->io.ctx);
    }
    if (t->io.closesocket != NULL) {
        SET(CURLOPT_CLOSESOCKETFUNCTION, t->io.closesocket);
        SET(CURLOPT_CLOSESOCKETDATA, t->io.ctx);
    }
    return ok;
}

static bool make_talks(struct transport *t, const struct transport_config *config) {
    t->talks = calloc(config->beside + 1, sizeof *t->talks);
    t->talk_count = t->talks != NULL ? config->beside + 1 : 0;
    for (size_t i = 0; i < t->talk_count; i++) {
        t->talks[i].easy = curl_easy_init();
        if (t->talks[i].easy == NULL || !set_options(t, &t->talks[i], config->ca_file))
            return false;
    }
    return t->talks != NULL;
}

struct transport *transport_open(const struct transport_config *config, char *error,
                                 size_t error_size) {
    static bool started;
    if (!started && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        snprintf(error, error_size, "libcurl does not start");
        return NULL;
    }
    started = true;
    const char *complaint = transport_url_complaint(config->url, true);
    if (complaint != NULL) {
        snprintf(error, error_size, "broker URL '%.120s' %s", config->url, complaint);
        return NULL;
    }
    if (!is_key(config->key_id) || !is_key(config->secret)) {
        snprintf(error, error_size,
                 "broker %s must be 1 to %d visible ASCII characters (not shown here)",
                 is_key(config->key_id) ? "secret" : "key id", KEY_MAX);
        return NULL;
    }
    struct transport *t = calloc(1, sizeof *t);
    if (t == NULL)
        goto out_of_memory;
    t->io = config->io != NULL ? *config->io : REAL_IO;
    t->timeout_ns = config->timeout_ns;
    t->url = strdup(config->url);
    t->multi = curl_multi_init();
    if (t->url == NULL || t->multi == NULL || !make_headers(&t->get_headers, config, false) ||
        !make_headers(&t->post_headers, config, true) || !make_talks(t, config) ||
        curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS) != CURLM_OK)
        goto out_of_memory;
    size_t n = strlen(t->url);
    if (t->url[n - 1] == '/')
        t->url[n - 1] = '\0';
    return t;
out_of_memory:
    snprintf(error, error_size, "transport: out of memory");
    transport_close(t);
    return NULL;
}

static void forget_headers(struct curl_slist *list) {
    for (struct curl_slist *line = list; line != NULL; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(list);
}

void transport_close(struct transport *t) {
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->talk_count; i++) {
        if (t->talks[i].under_way)
            curl_multi_remove_handle(t->multi, t->talks[i].easy);
        curl_easy_cleanup(t->talks[i].easy);
        free(t->talks[i].body);
    }
    free(t->talks);
    if (t->multi != NULL)
        curl_multi_cleanup(t->multi);
    forget_headers(t->get_headers);
    forget_headers(t->post_headers);
    free(t->url);
    free(t);
}

/* ---- one request ---- */

static bool prepare(const struct transport *t, struct talk *talk,
                    const struct transport_request *request) {
    CURL *e = talk->easy;
    char url[TRANSPORT_PATH_SIZE + 256];
    int n = snprintf(url, sizeof url, "%s%s", t->url, request->path);
    if (n < 0 || (size_t)n >= sizeof url)
        return false;
    long alone = request->method != TRANSPORT_GET; /* (1) */
    talk->once = alone;
    bool ok = true;
    SET(CURLOPT_URL, url);
    SET(CURLOPT_FRESH_CONNECT, alone);
    SET(CURLOPT_FORBID_REUSE, alone);
    /* The deadline kept here is exact; this is only so that libcurl ends by itself too. */
    SET(CURLOPT_TIMEOUT_MS, (long)(t->timeout_ns / MS_NS + 1000));
    SET(CURLOPT_CUSTOMREQUEST, NULL);
    switch (request->method) {
    case TRANSPORT_GET:
        SET(CURLOPT_HTTPGET, 1L);
        SET(CURLOPT_HTTPHEADER, t->get_headers);
        break;
    case TRANSPORT_DELETE:
        SET(CURLOPT_HTTPGET, 1L);
        SET(CURLOPT_CUSTOMREQUEST, "DELETE");
        SET(CURLOPT_HTTPHEADER, t->get_headers);
        break;
    case TRANSPORT_POST:
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_HTTPHEADER, t->post_headers);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(request->body));
        SET(CURLOPT_COPYPOSTFIELDS, request->body);
        break;
    }
    return ok;
}

static struct talk *talk_of(const struct transport *t, const CURL *easy) {
    for (size_t i = 0; i < t->talk_count; i++)
        if (t->talks[i].easy == easy)
            return &t->talks[i];
    return NULL;
}

/* Everything that is under way goes on, without waiting. */
static bool go_on(struct transport *t) {
    int running = 0, queued = 0;
    if (curl_multi_perform(t->multi, &running) != CURLM_OK)
        return false;
    for (CURLMsg *m; (m = curl_multi_info_read(t->multi, &queued)) != NULL;) {
        struct talk *talk = m->msg == CURLMSG_DONE ? talk_of(t, m->easy_handle) : NULL;
        if (talk != NULL) {
            talk->ended = true;
            talk->code = m->data.result;
        }
    }
    return true;
}

/* (5) */
static void end_if_overdue(const struct transport *t, struct talk *talk) {
    if (!talk->ended && t->io.now_ns(t->io.ctx) >= talk->deadline_ns) {
        talk->ended = true;
        talk->code = CURLE_OPERATION_TIMEDOUT;
    }
}

/* Until it ends, its time is over, or the port gives up. */
static void run_to_end(struct transport *t, struct talk *talk) {
    while (!talk->ended) {
        if (!go_on(t)) {
            talk->ended = true;
            talk->code = CURLE_FAILED_INIT;
        }
        end_if_overdue(t, talk);
        if (!talk->ended && !t->io.wait(t->io.ctx, t->multi, talk->deadline_ns)) {
            talk->ended = true;
            talk->code = CURLE_ABORTED_BY_CALLBACK;
        }
    }
}

static void describe(const struct transport *t, const struct talk *talk,
                     struct transport_reply *reply) {
    if (reply->whole)
        return;
    const char *sent = reply->left ? "" : ", nothing was sent";
    if (talk->withdrawn && !reply->left)
        snprintf(reply->text, sizeof reply->text, "withdrawn, nothing was sent");
    else if (talk->too_long)
        snprintf(reply->text, sizeof reply->text, "the answer is longer than %d bytes",
                 TRANSPORT_BODY_MAX);
    else if (talk->code == CURLE_OPERATION_TIMEDOUT)
        snprintf(reply->text, sizeof reply->text, "no whole answer within %" PRId64 " ms%s",
                 t->timeout_ns / MS_NS, sent);
    else if (talk->code == CURLE_OK)
        snprintf(reply->text, sizeof reply->text, "the answer ended %s",
                 talk->headers_end ? "where its end cannot be known" : "inside its headers");
    else
        snprintf(reply->text, sizeof reply->text, "%.120s%s",
                 talk->errors[0] != '\0' ? talk->errors : curl_easy_strerror(talk->code), sent);
}

/* False: it could not be started. */
static bool start(struct transport *t, struct talk *talk, const struct transport_request *request,
                  struct transport_reply *reply) {
    memset(reply, 0, sizeof *reply);
    talk->starts = 0;
    talk->headers_end = talk->framed = talk->too_long = false;
    talk->ended = talk->withdrawn = false;
    talk->length = 0;
    talk->errors[0] = '\0';
    if (on_body("", 1, 0, talk) != 0 || talk->body == NULL || !prepare(t, talk, request) ||
        (t->io.begin != NULL && !t->io.begin(t->io.ctx, request)) ||
        curl_multi_add_handle(t->multi, talk->easy) != CURLM_OK) {
        snprintf(reply->text, sizeof reply->text, "the request could not be started");
        return false;
    }
    talk->under_way = true;
    talk->deadline_ns = t->io.now_ns(t->io.ctx) + t->timeout_ns;
    return true;
}

static void finish(struct transport *t, struct talk *talk, struct transport_reply *reply) {
    long status = 0;
    memset(reply, 0, sizeof *reply);
    curl_easy_getinfo(talk->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(t->multi, talk->easy);
    talk->under_way = false;
    reply->left = talk->starts > 0;
    reply->status = talk->headers_end ? (int)status : 0;
    reply->whole =
        talk->code == CURLE_OK && talk->headers_end && (talk->framed || status == 204); /* (3) */
    reply->body = talk->body;
    reply->length = talk->length;
    describe(t, talk, reply);
}

void transport_send(struct transport *t, const struct transport_request *request,
                    struct transport_reply *reply) {
    struct talk *talk = &t->talks[0];
    if (!start(t, talk, request, reply))
        return;
    run_to_end(t, talk);
    finish(t, talk, reply);
}

/* ---- requests that nobody waits for ---- */

bool transport_start(struct transport *t, const struct transport_request *request, uint64_t tag,
                     struct transport_reply *reply) {
    size_t i = 1;
    while (i < t->talk_count && t->talks[i].under_way)
        i++;
    if (i >= t->talk_count) {
        memset(reply, 0, sizeof *reply);
        snprintf(reply->text, sizeof reply->text, "%zu requests are under way already",
                 t->talk_count - 1);
        return false;
    }
    if (!start(t, &t->talks[i], request, reply))
        return false;
    t->talks[i].tag = tag;
    (void)go_on(t); /* what fails here fails again when its end is asked for */
    return true;
}

bool transport_finished(struct transport *t, uint64_t *tag, struct transport_reply *reply) {
    bool fine = go_on(t);
    for (size_t i = 1; i < t->talk_count; i++) {
        struct talk *talk = &t->talks[i];
        if (!talk->under_way)
            continue;
        if (!fine && !talk->ended) {
            talk->ended = true;
            talk->code = CURLE_FAILED_INIT;
        }
        end_if_overdue(t, talk);
        if (talk->ended) {
            *tag = talk->tag;
            finish(t, talk, reply);
            return true;
        }
    }
    return false;
}

void transport_withdraw(struct transport *t) {
    for (size_t i = 1; i < t->talk_count; i++)
        t->talks[i].withdrawn = true;
}

bool transport_wait(struct transport *t, struct curl_waitfd *fds, unsigned count, int ms) {
    int ready = 0;
    return curl_multi_poll(t->multi, fds, count, ms, &ready) == CURLM_OK && ready > 0;
}

bool transport_escape(char path[TRANSPORT_PATH_SIZE], const char *text) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    size_t n = strlen(path);
    for (const char *c = text; *c != '\0'; c++) {
        if (n + 4 > TRANSPORT_PATH_SIZE)
            return false;
        if (strchr(plain, *c) != NULL) {
            path[n++] = *c;
        } else {
            snprintf(path + n, 4, "%%%02X", (unsigned)(unsigned char)*c);
            n += 3;
        }
        path[n] = '\0';
    }
    return true;
}
