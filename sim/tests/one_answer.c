/* One answer for everything, over libmicrohttpd. */
#include "sim/tests/one_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING_MAX = 64 };

/* Shared with the servers' threads; one test runs at a time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct record {
    const struct one_answer *server;
    unsigned count;
    char last[ONE_ANSWER_LAST_SIZE];
    struct MHD_Connection *waiting[WAITING_MAX]; /* never answered, until the server stops */
    unsigned waiting_count;
} records[4];

static struct record *record_of(const struct one_answer *server) {
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        if (records[i].server == server || records[i].server == NULL) {
            records[i].server = server;
            return &records[i];
        }
    }
    fail_msg("too many servers");
    return NULL;
}

struct coming {
    size_t length;
    char body[ONE_ANSWER_LAST_SIZE];
};

static void note(const struct one_answer *server, const struct coming *coming) {
    pthread_mutex_lock(&lock);
    struct record *record = record_of(server);
    record->count++;
    if (coming->length > 0)
        memcpy(record->last, coming->body, coming->length + 1);
    pthread_mutex_unlock(&lock);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *length, void **state) {
    const struct one_answer *server = ctx;
    struct coming *coming = *state;
    (void)url, (void)method, (void)version;
    if (coming == NULL) {
        *state = calloc(1, sizeof *coming);
        return *state != NULL ? MHD_YES : MHD_NO;
    }
    if (*length > 0) {
        size_t room = sizeof coming->body - 1 - coming->length;
        size_t take = *length < room ? *length : room;
        memcpy(coming->body + coming->length, bytes, take);
        coming->length += take;
        *length = 0;
        return MHD_YES;
    }
    pthread_mutex_lock(&lock);
    bool closing = server->closing;
    pthread_mutex_unlock(&lock);
    if (closing)
        return MHD_NO;
    note(server, coming);
    if (server->never) {
        MHD_suspend_connection(connection);
        pthread_mutex_lock(&lock);
        struct record *record = record_of(server);
        if (record->waiting_count < WAITING_MAX)
            record->waiting[record->waiting_count++] = connection;
        pthread_mutex_unlock(&lock);
        return MHD_YES;
    }
    const char *body = server->body != NULL ? server->body : "";
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_PERSISTENT);
    if (server->location != NULL)
        MHD_add_response_header(response, "Location", server->location);
    enum MHD_Result queued = MHD_queue_response(connection, (unsigned)server->status, response);
    MHD_destroy_response(response);
    return queued;
}

static void on_end(void *ctx, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code) {
    (void)ctx, (void)connection, (void)code;
    free(*state);
    *state = NULL;
}

void one_answer_start(struct one_answer *server) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)server->key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)server->certificate},
        {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    bool behind_tls = server->key != NULL;
    pthread_mutex_lock(&lock);
    *record_of(server) = (struct record){.server = server};
    pthread_mutex_unlock(&lock);
    server->daemon = MHD_start_daemon(
        flags | (behind_tls ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, server,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_NOTIFY_COMPLETED, on_end,
        NULL, MHD_OPTION_ARRAY, behind_tls ? tls : plain, MHD_OPTION_END);
    assert_non_null(server->daemon);
    server->port = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    snprintf(server->url, sizeof server->url, "%s://127.0.0.1:%u", behind_tls ? "https" : "http",
             server->port);
}

unsigned one_answer_count(struct one_answer *server) {
    pthread_mutex_lock(&lock);
    unsigned count = record_of(server)->count;
    pthread_mutex_unlock(&lock);
    return count;
}

char *one_answer_last(struct one_answer *server, char out[ONE_ANSWER_LAST_SIZE]) {
    pthread_mutex_lock(&lock);
    memcpy(out, record_of(server)->last, ONE_ANSWER_LAST_SIZE);
    pthread_mutex_unlock(&lock);
    return out;
}

/* A daemon ends when nobody waits; those who did are closed unanswered. */
static void let_go(struct one_answer *server) {
    pthread_mutex_lock(&lock);
    struct record *record = record_of(server);
    for (unsigned i = 0; i < record->waiting_count; i++)
        MHD_resume_connection(record->waiting[i]);
    record->waiting_count = 0;
    server->closing = true;
    pthread_mutex_unlock(&lock);
}

void one_answer_stop(struct one_answer *server) {
    let_go(server);
    MHD_stop_daemon(server->daemon);
    pthread_mutex_lock(&lock);
    *record_of(server) = (struct record){.server = NULL};
    pthread_mutex_unlock(&lock);
}
