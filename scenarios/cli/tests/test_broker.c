/* `crashgate broker` as an OMS meets it: a process of its own, asked over TCP by libcurl. */
#include "scenarios/cli/commands.h"
#include "scenarios/lang/exits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 16, ANSWER_SIZE = 1 << 20, TEXT_SIZE = 4096, URL_SIZE = 512 };

static char folder[64], base[URL_SIZE], said[TEXT_SIZE];
static char readme[1 << 16];
static pid_t broker;
static FILE *its_words;

/* ---- the program ---- */

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw) {
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static int setup(void **state) {
    (void)state;
    broker = 0;
    unsetenv("APCA_API_KEY_ID");
    unsetenv("APCA_API_SECRET_KEY");
    snprintf(folder, sizeof folder, "/tmp/crashgate-broker-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return chdir(folder);
}

static int teardown(void **state) {
    (void)state;
    if (broker > 0) {
        kill(broker, SIGKILL);
        waitpid(broker, NULL, 0);
        fclose(its_words);
    }
    assert_int_equal(chdir("/"), 0);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void be_the_program(const char *line, int out) {
    char words[TEXT_SIZE], *argv[WORDS] = {"crashgate", "broker"};
    struct options options;
    int argc = 2, exit_code = -1;
    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    if (dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
        _exit(99);
    exit_code = options_parse(argc, argv, &options);
    if (exit_code < 0)
        exit_code = command_perform(&options, "crashgate");
    options_free(&options);
    exit(exit_code);
}

static pid_t run(const char *line, FILE **words) {
    int ends[2];
    fflush(NULL);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        be_the_program(line, ends[1]);
    }
    close(ends[1]);
    *words = fdopen(ends[0], "r");
    assert_non_null(*words);
    return child;
}

/* Starts a broker on a free port; its first line is where. */
static void start(const char *more) {
    char line[TEXT_SIZE];
    snprintf(line, sizeof line, "--listen 127.0.0.1:0 %s", more);
    broker = run(line, &its_words);
    if (fgets(base, sizeof base, its_words) == NULL || strncmp(base, "http://", 7) != 0)
        fail_msg("'crashgate broker %s' does not begin with a URL", line);
    base[strcspn(base, "\n")] = '\0';
}

static int ended(pid_t child, FILE *words) {
    int status = 0;
    said[fread(said, 1, sizeof said - 1, words)] = '\0';
    fclose(words);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int end(int signal) {
    pid_t child = broker;
    kill(broker, signal);
    broker = 0;
    return ended(child, its_words);
}

static void refuses(const char *line, int exit_code, const char *words) {
    FILE *its = NULL;
    pid_t child = run(line, &its);
    int got = ended(child, its);
    if (got != exit_code || strstr(said, words) == NULL)
        fail_msg("'crashgate broker %s' ended with %d and said:\n%s\nwanted %d and '%s'", line, got,
                 said, exit_code, words);
}

static void write_file(const char *name, const char *text) {
    FILE *out = fopen(name, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

/* ---- a client ---- */

struct answer {
    CURLcode came;
    long status;
    size_t length;
    char body[ANSWER_SIZE];
};
static struct answer answer;
static const char *key = "key", *secret = "secret"; /* NULL: not shown */

static size_t take(char *bytes, size_t size, size_t count, void *ctx) {
    struct answer *to = ctx;
    size_t n = size * count;
    assert_true(to->length + n < sizeof to->body);
    memcpy(to->body + to->length, bytes, n);
    to->length += n;
    to->body[to->length] = '\0';
    return n;
}

static bool asks_first; /* whether it may send the body, and waits for the word */

static struct curl_slist *headers(void) {
    char text[200];
    struct curl_slist *list = NULL;
    if (key != NULL) {
        snprintf(text, sizeof text, "APCA-API-KEY-ID: %s", key);
        list = curl_slist_append(list, text);
        snprintf(text, sizeof text, "APCA-API-SECRET-KEY: %s", secret);
        list = curl_slist_append(list, text);
    }
    if (asks_first)
        list = curl_slist_append(list, "Expect: 100-continue");
    return list;
}

/* What came is in `answer`. Returns the status, or 0 when no answer came. */
static long ask(const char *method, const char *path, const char *body) {
    char url[URL_SIZE * 2];
    CURL *curl = curl_easy_init();
    struct curl_slist *list = headers();
    assert_non_null(curl);
    answer.status = 0;
    answer.length = 0;
    answer.body[0] = '\0';
    snprintf(url, sizeof url, "%s%s", base, path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_EXPECT_100_TIMEOUT_MS, 60000L);
    if (body != NULL)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    answer.came = curl_easy_perform(curl);
    if (answer.came == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_slist_free_all(list);
    curl_easy_cleanup(curl);
    return answer.status;
}

static long get(const char *path) {
    return ask("GET", path, NULL);
}

static long submit(const char *id, const char *qty) {
    char body[TEXT_SIZE];
    snprintf(body, sizeof body,
             "{\"client_order_id\":\"%s\",\"symbol\":\"AAPL\",\"qty\":%s,\"side\":\"buy\","
             "\"type\":\"limit\",\"limit_price\":\"150.25\",\"time_in_force\":\"day\"}",
             id, qty);
    return ask("POST", "/v2/orders", body);
}

/* The member at a path such as "orders.0.status", as text: strings as they are, else JSON. */
static const char *member(const char *path) {
    static char text[TEXT_SIZE];
    char words[TEXT_SIZE];
    cJSON *whole = cJSON_Parse(answer.body);
    const cJSON *at = whole;
    snprintf(words, sizeof words, "%s", path);
    for (char *word = strtok(words, "."); word != NULL && at != NULL; word = strtok(NULL, "."))
        at = cJSON_IsArray(at) ? cJSON_GetArrayItem(at, atoi(word))
                               : cJSON_GetObjectItemCaseSensitive(at, word);
    if (at == NULL)
        fail_msg("there is no %s in %s", path, answer.body);
    char *printed = cJSON_IsString(at) ? strdup(at->valuestring) : cJSON_PrintUnformatted(at);
    snprintf(text, sizeof text, "%s", printed);
    free(printed);
    cJSON_Delete(whole);
    return text;
}

static void holds(const char *path, const char *value) {
    if (strcmp(member(path), value) != 0)
        fail_msg("%s is %s, not %s, in %s", path, member(path), value, answer.body);
}

static int rows(void) {
    cJSON *whole = cJSON_Parse(answer.body);
    int count = cJSON_IsArray(whole) ? cJSON_GetArraySize(whole) : -1;
    cJSON_Delete(whole);
    return count;
}

/* ---- coming and going ---- */

static void port_0_picks_a_port_and_signals_end_it_well(void **state) {
    (void)state;
    static const int signals[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < 2; i++) {
        start("");
        assert_int_not_equal(atoi(strrchr(base, ':') + 1), 0);
        assert_int_equal(get("/v2/account"), 200);
        assert_int_equal(end(signals[i]), EXIT_PASS);
        assert_non_null(strstr(said, "served 1 requests"));
    }
}

static void only_loopback_is_listened_on(void **state) {
    (void)state;
    refuses("--listen 0.0.0.0:0", EXIT_MISTAKE, "'0.0.0.0' is not on loopback");
    refuses("--listen 192.0.2.1:80", EXIT_MISTAKE, "'192.0.2.1' is not on loopback");
    refuses("--listen example.org:80", EXIT_MISTAKE, "'example.org' is not on loopback");
    refuses("--listen [::]:0", EXIT_MISTAKE, "'[::]' is not on loopback");
    refuses("--listen 127.0.0.1", EXIT_MISTAKE, "HOST:PORT");
    refuses("--listen 127.0.0.1:65536", EXIT_MISTAKE, "'65536' is no port");
    refuses("", EXIT_MISTAKE, "--listen");
}

static void a_port_that_is_taken_is_the_environments_fault(void **state) {
    char line[TEXT_SIZE];
    (void)state;
    start("");
    snprintf(line, sizeof line, "--listen %s", base + strlen("http://"));
    refuses(line, EXIT_ENVIRONMENT, "cannot listen on 127.0.0.1:");
    assert_int_equal(get("/v2/account"), 200);
}

static void mistakes_on_the_command_line_are_named(void **state) {
    (void)state;
    refuses("--listen 127.0.0.1:0 --plan nonsense", EXIT_MISTAKE, "'nonsense'");
    refuses("--listen 127.0.0.1:0 --plan 1/disk.sync(wal)@1=lies", EXIT_MISTAKE,
            "'1/disk.sync(wal)@1=lies' is no call to a broker. Possible are broker.submit: lost, "
            "lost-reply");
    refuses("--listen 127.0.0.1:0 --plan 1/broker.submit@1=refused", EXIT_MISTAKE,
            "cannot be served");
    refuses("--listen 127.0.0.1:0 --plan 1/broker.submit@1=kill", EXIT_MISTAKE,
            "does not make its clients die");
    refuses("--listen 127.0.0.1:0 --plan 2/broker.submit@1=lost", EXIT_MISTAKE, "life 1");
    refuses("--listen 127.0.0.1:0 --profile nobody", EXIT_MISTAKE, "'nobody'");
    refuses("--listen 127.0.0.1:0 --key mine", EXIT_MISTAKE, "a key is given without a secret");
    refuses("--listen 127.0.0.1:0 --rate-limit none", EXIT_MISTAKE,
            "--rate-limit is a whole number from 1 to 1000000, not 'none'");
    refuses("--listen 127.0.0.1:0 --market missing.scn", EXIT_MISTAKE, "missing.scn");
    refuses("--listen 127.0.0.1:0 stray", EXIT_MISTAKE, "'stray'");
}

static void only_the_key_is_let_in(void **state) {
    (void)state;
    start("--key key --secret secret");
    assert_int_equal(get("/v2/account"), 200);
    secret = "guess";
    assert_int_equal(get("/v2/account"), 401);
    assert_string_equal(answer.body, "{\"message\":\"unauthorized.\"}");
    key = NULL;
    assert_int_equal(get("/v2/account"), 401);
    assert_non_null(strstr(answer.body, "<html>"));
    assert_int_equal(end(SIGTERM), EXIT_PASS);
    start("");
    assert_int_equal(get("/v2/account"), 401);
    key = "any", secret = "other";
    assert_int_equal(get("/v2/account"), 200);
    key = "key", secret = "secret";
}

/* ---- orders ---- */

static void a_client_id_is_taken_once(void **state) {
    (void)state;
    start("");
    assert_int_equal(submit("one", "10"), 200);
    holds("status", "new");
    holds("filled_avg_price", "null");
    assert_int_equal(submit("one", "10"), 422);
    holds("code", "40010001");
    holds("message", "client_order_id must be unique");
    assert_int_equal(get("/v2/orders:by_client_order_id?client_order_id=one"), 200);
    holds("qty", "10");
    assert_int_equal(get("/control/books"), 200);
    holds("orders.0.client_order_id", "one");
    holds("deliveries.count", "2");
    holds("deliveries.accepted", "1");
    holds("deliveries.duplicate", "1");
}

static void a_client_that_asks_first_is_told_to_go_on(void **state) {
    (void)state;
    start("");
    asks_first = true;
    assert_int_equal(submit("one", "10"), 200);
    asks_first = false;
    holds("client_order_id", "one");
}

/* Who asks for it, or speaks HTTP 1.0, reads until the end. */
static void a_client_that_wants_one_answer_sees_its_end(void **state) {
    static const char question[] =
        "GET /control HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char bytes[4096];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = 60}; /* it is never that long, unless it never ends */
    ssize_t n = 0, all = 0;
    (void)state;
    start("");
    at.sin_port = htons((unsigned short)atoi(strrchr(base, ':') + 1));
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(send(fd, question, sizeof question - 1, 0), sizeof question - 1);
    while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
        all += n;
    assert_int_equal(n, 0);
    assert_true(all > 100);
    close(fd);
    end(SIGTERM);
}

static void the_profile_says_whether_an_id_is_unique(void **state) {
    (void)state;
    start("--profile label");
    assert_int_equal(submit("one", "10"), 200);
    assert_int_equal(submit("one", "10"), 200);
    assert_int_equal(get("/control/books"), 200);
    holds("profile", "label");
    holds("deliveries.accepted", "2");
}

static void what_is_malformed_is_refused_with_its_rule(void **state) {
    static const struct {
        const char *method, *path, *body, *words;
    } wrong[] = {
        {"POST", "/v2/orders", "{", "format is invalid"},
        {"POST", "/v2/orders", "{\"symbol\":\"AAPL\"}", "side is required"},
        {"POST", "/v2/orders", "{\"symbol\":\"AAPL\",\"notional\":5}", "notional is not served"},
        {"GET", "/v2/orders/O1", NULL, "UUID"},
        {"DELETE", "/v2/orders/O1", NULL, "UUID"},
        {"GET", "/v2/orders?limit=501", NULL, "from 1 to 500"},
        {"GET", "/v2/orders?status=some", NULL, "open, closed or all"},
        {"GET", "/v2/orders?after=yesterday", NULL, "RFC 3339"},
        {"GET", "/v2/account/activities/FILL?page_size=101", NULL, "from 1 to 100"},
        {"GET", "/v2/account/activities/FILL?page_token=none", NULL, "page_token"},
        {"POST", "/control/fill", "{}", "\\\"order\\\" is required"},
    };
    (void)state;
    start("");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        long status = ask(wrong[i].method, wrong[i].path, wrong[i].body);
        if (status != 422 || strstr(answer.body, wrong[i].words) == NULL)
            fail_msg("%s %s: %ld %s", wrong[i].method, wrong[i].path, status, answer.body);
    }
    assert_int_equal(get("/v2/orders/00000000-0000-4000-8000-000000000001"), 404);
    holds("code", "40410000");
    assert_int_equal(get("/v2/nothing"), 404);
    assert_int_equal(get("/control/nothing"), 404);
    assert_int_equal(get("/control/fill"), 405);
    assert_int_equal(submit("after-all-that", "1"), 200);
}

static void orders_are_canceled_one_by_one_and_all_at_once(void **state) {
    char path[URL_SIZE];
    (void)state;
    start("");
    assert_int_equal(submit("one", "1"), 200);
    snprintf(path, sizeof path, "/v2/orders/%s", member("id"));
    assert_int_equal(ask("DELETE", path, NULL), 204);
    assert_int_equal(get(path), 200);
    holds("status", "canceled");
    assert_string_not_equal(member("canceled_at"), "null");
    assert_int_equal(ask("DELETE", path, NULL), 204);
    assert_int_equal(submit("two", "2"), 200);
    assert_int_equal(submit("three", "3"), 200);
    assert_int_equal(get("/v2/orders"), 200);
    assert_int_equal(rows(), 2);
    assert_int_equal(ask("DELETE", "/v2/orders", NULL), 207);
    assert_int_equal(rows(), 2);
    holds("1.status", "200");
    assert_int_equal(get("/v2/orders"), 200);
    assert_int_equal(rows(), 0);
    assert_int_equal(get("/v2/orders?status=all&direction=asc&limit=2"), 200);
    assert_int_equal(rows(), 2);
    holds("0.client_order_id", "one");
    assert_int_equal(ask("POST", "/control/fill", "{\"order\":\"three\"}"), 422);
    holds("message", "the order cannot be filled by so much: it is canceled");
}

static void a_fill_by_hand_shows_in_positions_activities_and_books(void **state) {
    (void)state;
    start("");
    assert_int_equal(submit("one", "10"), 200);
    assert_int_equal(get("/v2/positions/AAPL"), 404);
    holds("message", "position does not exist");
    assert_int_equal(
        ask("POST", "/control/fill", "{\"order\":\"one\",\"qty\":\"4\",\"price\":\"150\"}"), 200);
    holds("status", "partially_filled");
    assert_int_equal(ask("POST", "/control/fill", "{\"symbol\":\"AAPL\"}"), 200);
    holds("status", "filled");
    holds("filled_avg_price", "150.15");
    assert_int_equal(get("/v2/positions"), 200);
    assert_int_equal(rows(), 1);
    assert_int_equal(get("/v2/positions/AAPL"), 200);
    holds("qty", "10");
    holds("avg_entry_price", "150.15");
    assert_int_equal(get("/v2/account/activities/FILL?direction=asc"), 200);
    assert_int_equal(rows(), 2);
    holds("0.type", "partial_fill");
    holds("0.leaves_qty", "6");
    holds("1.type", "fill");
    holds("1.cum_qty", "10");
    assert_int_equal(get("/control/books"), 200);
    holds("cash", "998498.5");
    holds("fills.1.price", "150.25");
    holds("positions.0.qty", "10");
    holds("orders.0.filled_qty", "10");
}

static void other_hands_than_the_oms_trade_reject_and_forget(void **state) {
    (void)state;
    start("");
    assert_int_equal(ask("POST", "/control/foreign",
                         "{\"symbol\":\"TSLA\",\"side\":\"buy\",\"qty\":7,\"price\":\"200\"}"),
                     200);
    holds("foreign", "true");
    assert_int_equal(get("/v2/positions/TSLA"), 200);
    assert_int_equal(
        ask("POST", "/control/reject",
            "{\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"5\",\"limit_price\":\"150.25\","
            "\"message\":\"no shares\"}"),
        200);
    assert_int_equal(submit("refused", "5"), 403);
    holds("message", "no shares");
    assert_int_equal(submit("rejected", "6"), 200);
    assert_int_equal(ask("POST", "/control/reject", "{\"order\":\"rejected\"}"), 200);
    holds("status", "rejected");
    assert_int_equal(submit("expired", "7"), 200);
    assert_int_equal(ask("POST", "/control/expire", "{\"order\":\"expired\"}"), 200);
    holds("status", "expired");
    assert_int_equal(submit("lost", "8"), 200);
    assert_int_equal(ask("POST", "/control/lose", "{\"order\":\"lost\"}"), 200);
    assert_int_equal(get("/v2/orders:by_client_order_id?client_order_id=lost"), 404);
}

/* ---- what goes wrong ---- */

static void a_lost_reply_leaves_an_order_and_no_answer(void **state) {
    (void)state;
    start("--plan 1/broker.submit@2=lost-reply");
    assert_int_equal(submit("one", "1"), 200);
    assert_int_equal(submit("two", "2"), 0);
    assert_int_equal(answer.came, CURLE_GOT_NOTHING);
    assert_int_equal(get("/control/books"), 200);
    holds("deliveries.accepted", "2");
    holds("orders.1.client_order_id", "two");
    holds("faults.0.fault", "1/broker.submit@2=lost-reply");
    holds("faults.0.struck", "true");
    assert_int_equal(submit("three", "3"), 200);
    assert_int_equal(end(SIGTERM), EXIT_PASS);
    assert_non_null(strstr(said, "1 of 1 faults struck"));
}

static void every_act_of_the_wire_can_be_served(void **state) {
    (void)state;
    start("--plan 1/broker.submit@1=lost,1/broker.submit@2=error-after(status=503),"
          "1/broker.submit@3=late(by=1ms),1/broker.submit@4=twice,1/"
          "wire.reply(lookup)@1=close(at=200),"
          "1/wire.request(positions)@1=reset(at=9),1/broker.orders@1=answers(as=empty),"
          "1/wire.reply(fills)@1=drips(every=1ms)");
    assert_int_equal(submit("one", "1"), 0);
    assert_int_equal(submit("two", "2"), 503);
    assert_int_equal(submit("three", "3"), 200);
    assert_int_equal(submit("four", "4"), 200);
    assert_int_equal(get("/v2/orders:by_client_order_id?client_order_id=two"), 0);
    assert_int_equal(get("/v2/positions"), 0);
    assert_int_equal(answer.came, CURLE_RECV_ERROR);
    assert_int_equal(get("/v2/orders"), 200);
    assert_string_equal(answer.body, "");
    assert_int_equal(get("/v2/account/activities/FILL"), 200);
    assert_int_equal(get("/control/books"), 200);
    holds("deliveries.accepted", "3");
    holds("deliveries.duplicate", "1"); /* the copy */
    for (int i = 0; i < 8; i++) {
        char path[40];
        snprintf(path, sizeof path, "faults.%d.struck", i);
        holds(path, "true");
    }
}

static void a_plan_can_be_given_while_it_runs(void **state) {
    (void)state;
    start("");
    assert_int_equal(submit("one", "1"), 200);
    assert_int_equal(ask("POST", "/control/plan", "{\"plan\":\"1/broker.submit@1=lost\"}"), 200);
    assert_int_equal(submit("two", "2"), 0);
    assert_int_equal(ask("POST", "/control/plan", "{\"plan\":\"1/disk.open(db)@1=fails\"}"), 422);
    assert_non_null(strstr(answer.body, "is no call to a broker"));
    assert_int_equal(get("/control/books"), 200);
    holds("deliveries.count", "1");
}

static void a_broker_that_is_down_answers_nobody(void **state) {
    (void)state;
    start("");
    assert_int_equal(ask("POST", "/control/down", ""), 200);
    assert_int_equal(submit("one", "1"), 0);
    assert_int_equal(get("/v2/clock"), 0);
    assert_int_equal(ask("POST", "/control/up", ""), 200);
    assert_int_equal(get("/v2/clock"), 200);
    assert_int_equal(get("/v2/orders"), 200);
    assert_int_equal(rows(), 0);
}

static void a_rate_limit_is_kept_when_asked_for(void **state) {
    (void)state;
    start("--rate-limit 2");
    assert_int_equal(get("/v2/account"), 200);
    assert_int_equal(get("/v2/account"), 200);
    assert_int_equal(submit("one", "1"), 429);
    assert_int_equal(get("/control/books"), 200);
    holds("deliveries.count", "0");
}

/* ---- market scripts ---- */

static void a_market_script_acts_on_orders(void **state) {
    (void)state;
    write_file("market.scn", "crashgate 1\n"
                             "scenario \"Market\"\n"
                             "  profile label\n"
                             "  decision D1 = \"1\"\n"
                             "  decision D2 = \"2\"\n"
                             "  given broker cash 5000.00\n"
                             "  given broker position MSFT 3 @ 10\n"
                             "  broker fills all after 0s @ 151\n"
                             "  10:00:00  signal D1 buy 10 AAPL limit 150.25\n"
                             "  signal D2 buy 20 AAPL limit 150.25\n"
                             "  broker rejects D1 \"not today\"\n"
                             "  broker fills D2 5 @ 149\n"
                             "  start +1h  broker goes down\n");
    start("--market market.scn");
    assert_int_equal(submit("one", "10"), 403);
    holds("message", "not today");
    assert_int_equal(submit("two", "20"), 200);
    assert_int_equal(get("/control/books"), 200);
    holds("profile", "label");
    holds("orders.0.status", "filled");
    holds("fills.0.price", "149");
    holds("fills.1.price", "151");
    holds("cash", "1990");
    holds("positions.1.symbol", "MSFT");
    holds("market.0.state", "happened");
    holds("market.5.state", "due");
    assert_int_equal(end(SIGTERM), EXIT_PASS);
    start("--market market.scn --profile alpaca");
    assert_int_equal(get("/control/books"), 200);
    holds("profile", "alpaca");
}

static void a_market_order_is_not_filled_for_nothing(void **state) {
    (void)state;
    write_file("market.scn", "crashgate 1\n"
                             "scenario \"Market\"\n"
                             "  decision D1 = \"1\"\n"
                             "  broker fills all after 0s\n"
                             "  10:00:00  signal D1 buy 10 AAPL\n"
                             "  broker fills D1 5\n");
    start("--market market.scn");
    assert_int_equal(ask("POST", "/v2/orders",
                         "{\"symbol\":\"AAPL\",\"qty\":10,\"side\":\"buy\",\"type\":\"market\","
                         "\"time_in_force\":\"day\"}"),
                     200);
    assert_int_equal(submit("limit", "3"), 200);
    assert_int_equal(get("/control/books"), 200);
    holds("orders.0.status", "new");
    holds("orders.1.status", "filled");
    holds("market.2.state", "failed");
    assert_int_equal(ask("POST", "/control/fill", "{\"symbol\":\"AAPL\"}"), 422);
    holds("message", "\"price\" is required: the order has no limit");
}

static void a_market_script_holds_the_markets_lines_only(void **state) {
    (void)state;
    write_file("story.scn", "crashgate 1\n"
                            "scenario \"Story\"\n"
                            "  crashes kill\n"
                            "  decision D1 = \"1\"\n"
                            "  10:00:00  signal D1 buy 10 AAPL limit 150.25\n"
                            "  10:00:01  crash\n"
                            "  10:00:02  restart\n");
    refuses("--listen 127.0.0.1:0 --market story.scn", EXIT_MISTAKE,
            "story.scn:6:3: error: 'crash': a market script holds 'broker' lines");
    write_file("wrong.scn", "crashgate 1\nscenario \"Wrong\"\n  10:00:00  broker goes up\n");
    refuses("--listen 127.0.0.1:0 --market wrong.scn", EXIT_MISTAKE, "wrong.scn:3:");
}

/* 103 executions of one moment: lists are cut at a page, and the next page goes on behind it. */
static void pages_go_on_where_times_are_equal(void **state) {
    enum { COUNT = 103 };
    char path[URL_SIZE], first[200], *body = NULL;
    (void)state;
    FILE *out = fopen("many.scn", "w");
    assert_non_null(out);
    fprintf(out, "crashgate 1\nscenario \"Many\"\n");
    for (int i = 0; i < COUNT; i++)
        fprintf(out, "  10:00:00  broker gets foreign buy %d AAPL @ 1\n", i + 1);
    assert_int_equal(fclose(out), 0);
    start("--market many.scn");
    assert_int_equal(get("/v2/account/activities/FILL?page_size=100&direction=asc"), 200);
    assert_int_equal(rows(), 100);
    holds("0.qty", "1");
    holds("99.qty", "100");
    snprintf(first, sizeof first, "%s", member("0.transaction_time"));
    snprintf(path, sizeof path,
             "/v2/account/activities/FILL?page_size=100&direction=asc&page_token=%s",
             member("99.id"));
    assert_int_equal(get(path), 200);
    assert_int_equal(rows(), 3);
    holds("0.qty", "101");
    holds("0.transaction_time", first);
    body = curl_easy_escape(NULL, first, 0);
    snprintf(path, sizeof path, "/v2/account/activities/FILL?after=%s", body);
    curl_free(body);
    assert_int_equal(get(path), 200);
    assert_int_equal(rows(), 0);
    assert_int_equal(get("/v2/orders?status=all"), 200);
    assert_int_equal(rows(), 50);
    holds("0.qty", "103");
    snprintf(path, sizeof path, "/v2/orders?status=all&limit=500&until=%s", member("0.created_at"));
    assert_int_equal(get(path), 200);
    assert_int_equal(rows(), 0);
}

static void every_control_stands_in_the_readme(void **state) {
    char path[TEXT_SIZE + 16];
    (void)state;
    start("");
    assert_int_equal(get("/control"), 200);
    int count = rows();
    assert_true(count > 5);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%d.path", i);
        if (strstr(readme, member(path)) == NULL)
            fail_msg("README.md does not know %s", member(path));
    }
}

static void read_readme(void) {
    FILE *in = fopen("README.md", "r");
    assert_non_null(in);
    readme[fread(readme, 1, sizeof readme - 1, in)] = '\0';
    assert_int_equal(fclose(in), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(port_0_picks_a_port_and_signals_end_it_well),
        T(only_loopback_is_listened_on),
        T(a_port_that_is_taken_is_the_environments_fault),
        T(mistakes_on_the_command_line_are_named),
        T(only_the_key_is_let_in),
        T(a_client_id_is_taken_once),
        T(a_client_that_asks_first_is_told_to_go_on),
        T(a_client_that_wants_one_answer_sees_its_end),
        T(the_profile_says_whether_an_id_is_unique),
        T(what_is_malformed_is_refused_with_its_rule),
        T(orders_are_canceled_one_by_one_and_all_at_once),
        T(a_fill_by_hand_shows_in_positions_activities_and_books),
        T(other_hands_than_the_oms_trade_reject_and_forget),
        T(a_lost_reply_leaves_an_order_and_no_answer),
        T(every_act_of_the_wire_can_be_served),
        T(a_plan_can_be_given_while_it_runs),
        T(a_broker_that_is_down_answers_nobody),
        T(a_rate_limit_is_kept_when_asked_for),
        T(a_market_script_acts_on_orders),
        T(a_market_order_is_not_filled_for_nothing),
        T(a_market_script_holds_the_markets_lines_only),
        T(pages_go_on_where_times_are_equal),
        T(every_control_stands_in_the_readme),
#undef T
    };
    read_readme();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
