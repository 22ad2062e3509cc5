/* Embedding liboms: one decision, durable before it leaves, seen through to its end.
 *
 *   cc -std=c11 embed.c $(pkg-config --cflags --libs liboms) -o embed
 *   APCA_API_BASE_URL=... APCA_API_KEY_ID=... APCA_API_SECRET_KEY=... ./embed desk.db D1 5 AAPL 150.25
 *
 * Kill it wherever you like and start it again with the same words: it is the same order. */
#include "core/live/alpaca.h"
#include "core/live/clock.h"
#include "core/oms.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

static const char ACCOUNT[] = "EMBEDDED"; /* part of every client order id: never change it */

static int complain(const char *what, const char *text) {
    fprintf(stderr, "embed: %s: %s\n", what, text);
    return EXIT_FAILURE;
}

/* A store is made on purpose, once: an empty one has forgotten every order. */
static enum oms_code find_or_make_store(const struct oms_place *place,
                                        const struct oms_config *config, const struct oms_env *env,
                                        struct oms_error *error) {
    enum oms_code code = oms_init(place, config, env, NULL, 0, error);
    return code == OMS_EXISTS ? OMS_OK : code;
}

/* Steps until nothing is due but routine looks, or the order has ended. */
static enum oms_code see_through(struct oms *oms, struct oms_error *error) {
    for (;;) {
        struct oms_next next;
        enum oms_code code;
        oms_next(oms, &next);
        if (next.work == OMS_WORK_NONE || next.work == OMS_WORK_POLL)
            return OMS_OK;
        clock_sleep_until(next.at_ns);
        code = oms_step(oms, error);
        if (code != OMS_OK)
            return code; /* fail-stop: close, and start again */
    }
}

static int trade(struct oms *oms, const struct oms_decision *decision) {
    struct oms_error error;
    struct oms_answer answer;
    struct oms_view view = {0};
    enum oms_code code = oms_decide(oms, decision, &answer, &error);
    if (code == OMS_OK && answer.taken == OMS_NOT_TAKEN)
        return complain(decision->id, answer.reason);
    if (code == OMS_OK)
        code = see_through(oms, &error);
    if (code == OMS_OK)
        code = oms_view(oms, &view, &error);
    for (size_t i = 0; code == OMS_OK && i < view.order_count; i++)
        printf("%s is %s (%s) %s\n", view.orders[i].decision.id,
               oms_state_name(view.orders[i].state), view.orders[i].client_order_id,
               view.orders[i].reason);
    oms_view_free(&view);
    return code == OMS_OK ? EXIT_SUCCESS : complain(oms_code_name(code), error.text);
}

/* Opens the store for as long as one decision takes. */
static int with_store(const char *path, const struct broker *broker,
                      const struct oms_decision *decision, const struct profile *profile) {
    struct clock_env clock = {.halt_path = "embed-halt"};
    struct oms_place place = {.path = path};
    struct oms_config config = {.profile = profile};
    struct oms_env env;
    struct oms_error error;
    struct oms *oms = NULL;
    enum oms_code code;
    int exit = EXIT_FAILURE;
    snprintf(config.account, sizeof config.account, "%s", ACCOUNT);
    clock_env(&clock, &env);
    code = find_or_make_store(&place, &config, &env, &error);
    if (code == OMS_OK)
        code = oms_open(&oms, &place, &config, broker, &env, &error);
    exit = code == OMS_OK ? trade(oms, decision) : complain(oms_code_name(code), error.text);
    oms_close(oms);
    return exit;
}

static bool read_decision(char *const *argv, struct oms_decision *decision) {
    *decision = (struct oms_decision){.side = BROKER_BUY, .type = BROKER_LIMIT, .tif = BROKER_DAY};
    return snprintf(decision->id, sizeof decision->id, "%s", argv[2]) < (int)sizeof decision->id &&
           decimal_parse(argv[3], &decision->qty_nanos) &&
           snprintf(decision->symbol, sizeof decision->symbol, "%s", argv[4]) <
               (int)sizeof decision->symbol &&
           decimal_parse(argv[5], &decision->limit_nanos);
}

int main(int argc, char **argv) {
    char why[OMS_ERROR_SIZE];
    struct oms_decision decision;
    struct broker broker;
    struct alpaca *alpaca = NULL;
    struct alpaca_config config = {.url = getenv("APCA_API_BASE_URL"),
                                   .key_id = getenv("APCA_API_KEY_ID"),
                                   .secret = getenv("APCA_API_SECRET_KEY"),
                                   .profile = profile_find("alpaca-retention")};
    int exit = EXIT_FAILURE;
    if (argc != 6 || !read_decision(argv, &decision))
        return complain("usage", "embed DB DECISION-ID QTY SYMBOL LIMIT-PRICE");
    if (config.url == NULL)
        return complain("APCA_API_BASE_URL", "must be set");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    alpaca = alpaca_open(&config, why, sizeof why);
    if (alpaca == NULL) {
        exit = complain("broker", why);
    } else {
        alpaca_broker(alpaca, &broker);
        exit = with_store(argv[1], &broker, &decision, config.profile);
    }
    alpaca_close(alpaca);
    curl_global_cleanup();
    return exit;
}
