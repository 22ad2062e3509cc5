/* Lines of decisions: what is taken is whole, what is not is told in a line that is JSON itself. */
#include "core/live/decision_json.h"

#include "fuzz/inputs/inputs.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

const struct input_seed decision_seeds[] = {
    SEED("{\"id\":\"D1\",\"side\":\"buy\",\"qty\":\"100\",\"symbol\":\"AAPL\",\"type\":\"limit\","
         "\"limit_price\":\"150\"}"),
    SEED("{\"id\":\"D2\",\"side\":\"sell\",\"qty\":\"0.5\",\"symbol\":\"SPY\",\"type\":\"market\","
         "\"time_in_force\":\"gtc\",\"expires_at\":\"2026-01-09T14:35:00Z\"}"),
    SEED("{\"cancel\":\"D1\"}"),
    {NULL, 0}};

const char *const decision_words[] = {"\"id\"",
                                      "\"side\"",
                                      "\"qty\"",
                                      "\"symbol\"",
                                      "\"type\"",
                                      "\"limit_price\"",
                                      "\"cancel\"",
                                      "\"buy\"",
                                      "\"sell\"",
                                      "\"market\"",
                                      "\"limit\"",
                                      "\"day\"",
                                      "\"gtc\"",
                                      "\"time_in_force\"",
                                      "\"expires_at\"",
                                      "2026-01-09T14:35:00Z",
                                      "9223372036.854775807",
                                      "\\ud800",
                                      "\\u0000",
                                      "null",
                                      NULL};

static void is_json(const char *text) {
    cJSON *json = cJSON_Parse(text);
    PROMISE(json != NULL);
    cJSON_Delete(json);
}

void input_decision(const uint8_t *data, size_t size) {
    struct oms_decision decision;
    struct oms_answer answer = {.taken = OMS_NOT_TAKEN, .reason = "the \"kill\" switch is on"};
    char why[DECISION_JSON_WHY_SIZE] = "", out[DECISION_JSON_SIZE];
    char *line = input_text(data, size);
    switch (decision_json_read(line, &decision, why)) {
    case DECISION_JSON_WRONG:
        PROMISE(why[0] != '\0' && memchr(why, '\0', sizeof why) != NULL);
        is_json(decision_json_wrong(1, why, out));
        break;
    case DECISION_JSON_DECIDE:
        PROMISE(memchr(decision.symbol, '\0', sizeof decision.symbol) != NULL);
        PROMISE(memchr(decision.id, '\0', sizeof decision.id) != NULL);
        is_json(decision_json_answer(decision.id, &answer, out));
        break;
    case DECISION_JSON_CANCEL:
        PROMISE(memchr(decision.id, '\0', sizeof decision.id) != NULL);
        is_json(decision_json_cancel(decision.id, "it is not known", out));
        break;
    }
    free(line);
}
