/* The simulated broker on a real loopback socket, driven by its owner's loop. */
#include "sim/wire_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct wire_server {
    struct wire_http http;
    struct MHD_Daemon *daemon;
};

/* The daemon itself would listen on every address. */
static struct MHD_Daemon *start_on_loopback(struct wire_server *server, unsigned short port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 16) != 0) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    return wire_http_start(&server->http, MHD_NO_FLAG, fd);
}

struct wire_server *wire_listen(unsigned short port, const struct wire_exchange *exchange) {
    struct wire_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    server->http.exchange = exchange;
    server->daemon = start_on_loopback(server, port);
    if (server->daemon == NULL) {
        free(server);
        return NULL;
    }
    return server;
}

unsigned short wire_server_port(const struct wire_server *server) {
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info != NULL ? info->port : 0;
}

void wire_server_run(struct wire_server *server, int wait_ms) {
    MHD_run_wait(server->daemon, wait_ms);
}

void wire_server_close(struct wire_server *server) {
    if (server == NULL)
        return;
    MHD_stop_daemon(server->daemon);
    free(server);
}
