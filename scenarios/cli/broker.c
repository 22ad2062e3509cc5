/* The command `broker`: the simulated exchange, served on loopback until it is told to end. */
#include "core/live/clock.h"
#include "scenarios/cli/broker_control.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/listener.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A signal that comes between looking and waiting is seen that much later. */
enum { WAIT_MS = 100, MS_NS = 1000000, RATE_MAX = 1000000 };

struct served {
    struct broker_control control;
    struct wire_exchange door;
    struct listener *listener;
};

static volatile sig_atomic_t is_told_to_end;

static void end(int signal) {
    (void)signal;
    is_told_to_end = 1;
}

/* ---- the command line ---- */

__attribute__((format(printf, 1, 2))) static int refuse(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("crashgate: broker: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return EXIT_MISTAKE;
}

static const char *option_or(const struct options *options, enum option option,
                             const char *variable) {
    return options->value[option] != NULL ? options->value[option] : getenv(variable);
}

/* Keys: both are given, or any will do. -1: go on. */
static int read_keys(const struct options *options, struct wire_exchange *door) {
    const char *key = option_or(options, OPTION_KEY, "APCA_API_KEY_ID");
    const char *secret = option_or(options, OPTION_SECRET, "APCA_API_SECRET_KEY");
    if ((key == NULL) != (secret == NULL))
        return refuse("%s is given without %s: both, or neither (then any keys will do)",
                      key != NULL ? "a key" : "a secret", key != NULL ? "a secret" : "a key");
    door->wants_keys = true;
    door->key_id = key;
    door->secret = secret;
    return -1;
}

static int read_rate(const struct options *options, struct broker_books *books) {
    unsigned long limit = 0; /* none */
    if (!options_number("--rate-limit", options->value[OPTION_RATE_LIMIT], 1, RATE_MAX, &limit))
        return EXIT_MISTAKE;
    books->rate_limit = (unsigned)limit;
    return -1;
}

static int read_plan(const struct options *options, struct broker_faults *faults) {
    char why[FAULTS_WHY_SIZE] = "";
    if (options->has_plan && !faults_set(faults, &options->plan, why))
        return refuse("--plan: %s", why);
    return -1;
}

static const struct profile *choose_profile(const struct options *options,
                                            const struct broker_market *market) {
    const struct profile *named = broker_market_profile(market);
    if (options->value[OPTION_PROFILE] != NULL)
        return profile_find(options->value[OPTION_PROFILE]);
    return named != NULL ? named : profile_find("alpaca");
}

/* ---- what the listener asks ---- */

static void deliver(struct served *served) {
    struct broker_books *books = &served->control.books;
    struct books_flight flight = books_take_flight(books);
    const struct exchange *exchange = &books->world.exchange;
    size_t before = exchange->delivery_count;
    books->delivers = true;
    listener_deliver(served->listener, flight.due_ns, flight.bytes, flight.length);
    books->delivers = false;
    /* What is made of a proxy's copy is nobody's order. */
    if (flight.is_copy && exchange->delivery_count > before &&
        exchange->deliveries[before].verdict == EXCHANGE_ACCEPTED)
        exchange->orders[exchange->deliveries[before].order].foreign = true;
    free(flight.bytes);
}

static void due(void *ctx, int64_t now_ns) {
    struct served *served = ctx;
    struct broker_books *books = &served->control.books;
    if (now_ns > books->world.now_ns) /* the exchange's clock never goes back */
        books->world.now_ns = now_ns;
    while (books_next_flight(books) <= books->world.now_ns)
        deliver(served);
    broker_market_run(&served->control.market, &books->world);
    books_note(books);
}

static struct port_answer ask(void *ctx, const struct port_call *call) {
    struct served *served = ctx;
    return faults_ask(&served->control.faults, call);
}

static bool beside(void *ctx, const char *method, const char *path, const char *body, size_t length,
                   struct wire_said *said) {
    struct broker_books *books = ctx;
    struct broker_control *control =
        (struct broker_control *)((char *)books - offsetof(struct broker_control, books));
    return control_answer(control, method, path, body, length, said);
}

/* ---- serving ---- */

/* How long nothing is due; at most WAIT_MS. */
static int wait_ms(const struct served *served) {
    const struct broker_books *books = &served->control.books;
    int64_t flight_ns = books_next_flight(books);
    int64_t market_ns = broker_market_next(&served->control.market);
    int64_t next_ns = flight_ns < market_ns ? flight_ns : market_ns;
    if (next_ns >= books->world.now_ns + WAIT_MS * (int64_t)MS_NS)
        return WAIT_MS;
    return next_ns <= books->world.now_ns
               ? 0
               : (int)((next_ns - books->world.now_ns + MS_NS - 1) / MS_NS);
}

static void greet(const struct served *served) {
    const struct broker_control *control = &served->control;
    char url[LISTENER_URL_SIZE];
    /* The first line is for programs. */
    printf("%s\n", listener_url(served->listener, url));
    printf("profile %s, %s, %zu fault%s planned, %s; books at %s/control/books\n",
           control->books.world.exchange.profile->name,
           served->door.key_id != NULL ? "one key" : "any keys", control->faults.plan.count,
           control->faults.plan.count == 1 ? "" : "s",
           control->market.scenario != NULL ? "a market script"
                                            : "no market script: orders stay open",
           url);
    fflush(stdout);
}

static void take_leave(const struct served *served) {
    const struct broker_control *control = &served->control;
    const struct exchange *exchange = &control->books.world.exchange;
    size_t planned = control->faults.plan.count, struck = faults_struck(&control->faults);
    printf("served %llu requests: %zu orders delivered, %zu accepted, %zu executions",
           (unsigned long long)listener_served(served->listener), exchange->delivery_count,
           exchange->order_count, exchange->fill_count);
    if (planned > 0)
        printf("; %zu of %zu faults struck", struck, planned);
    putchar('\n');
}

static void serve(struct served *served) {
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    greet(served);
    while (!is_told_to_end)
        listener_run(served->listener, wait_ms(served));
    take_leave(served);
}

static int listen_and_serve(const struct options *options, struct served *served) {
    struct listener_owner owner = {.ctx = served, .due = due, .ask = ask};
    char why[LISTENER_WHY_SIZE];
    switch (listener_open(options->value[OPTION_LISTEN], &served->door, &owner, &served->listener,
                          why)) {
    case LISTENER_MISTAKE:
        return refuse("--listen: %s", why);
    case LISTENER_CANNOT:
        refuse("%s", why);
        return EXIT_ENVIRONMENT;
    case LISTENER_OPEN:
        break;
    }
    serve(served);
    listener_close(served->listener);
    return EXIT_PASS;
}

static int prepare(const struct options *options, struct served *served) {
    struct broker_control *control = &served->control;
    int exit_code = -1;
    books_open(&control->books, choose_profile(options, &control->market), clock_now_ns());
    books_door(&control->books, &served->door);
    served->door.beside = beside;
    exit_code = read_keys(options, &served->door);
    if (exit_code < 0)
        exit_code = read_rate(options, &control->books);
    if (exit_code < 0)
        exit_code = read_plan(options, &control->faults);
    if (exit_code < 0)
        broker_market_open(&control->market, &control->books.world);
    return exit_code;
}

int command_broker(const struct options *options) {
    struct served *served = NULL;
    int exit_code = -1;
    if (options->file_count > 0)
        return refuse("takes no files ('%s'); a market script goes with --market",
                      options->files[0]);
    if (options->value[OPTION_LISTEN] == NULL)
        return refuse("needs --listen 127.0.0.1:PORT (port 0: any that is free)");
    served = check_zalloc(1, sizeof *served);
    if (options->value[OPTION_MARKET] != NULL &&
        !broker_market_load(&served->control.market, options->value[OPTION_MARKET])) {
        free(served);
        return EXIT_MISTAKE;
    }
    exit_code = prepare(options, served);
    if (exit_code < 0)
        exit_code = listen_and_serve(options, served);
    broker_market_close(&served->control.market);
    books_close(&served->control.books);
    free(served);
    return exit_code;
}
