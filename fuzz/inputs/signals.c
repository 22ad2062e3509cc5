/* Files of expected signals: what is taken has an id, a positive quantity and a place in the file. */
#include "core/live/signals.h"

#include "fuzz/inputs/inputs.h"

#include <string.h>

const struct input_seed signals_seeds[] = {
    SEED("{\"id\":\"S1\",\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"10\",\"price\":\"150.5\","
         "\"time\":\"2026-01-09T14:35:00Z\"}\n"
         "\n"
         "{\"id\":\"S2\",\"symbol\":\"SPY\",\"side\":\"sell\",\"qty\":\"0.5\",\"price\":\"1\","
         "\"time\":\"2026-01-09T14:36:00.25Z\"}\n"),
    SEED("id,symbol,side,qty,price,time\nS1,AAPL,buy,10,150.5,2026-01-09T14:35:00Z\r\n"
         "S2,SPY,sell,0.000000001,1,2026-01-09T14:36:00Z\n"),
    {NULL, 0}};

const char *const signals_words[] = {"id,symbol,side,qty,price,time\n",
                                     "\"id\"",
                                     "\"symbol\"",
                                     "\"side\"",
                                     "\"qty\"",
                                     "\"price\"",
                                     "\"time\"",
                                     "buy",
                                     "sell",
                                     "\r\n",
                                     ",",
                                     "2026-01-09T14:35:00Z",
                                     "9223372036.854775807",
                                     NULL};

void input_signals(const uint8_t *data, size_t size) {
    char why[SIGNALS_WHY_SIZE] = "";
    struct signals signals = {0};
    FILE *file = NULL;
    if (size == 0)
        return;
    file = fmemopen((void *)(uintptr_t)data, size, "r");
    PROMISE(file != NULL);
    if (signals_read(file, "input", &signals, why)) {
        for (size_t i = 0; i < signals.n; i++)
            PROMISE(signals.times[i].line > 0);
    } else {
        PROMISE(strncmp(why, "input", 5) == 0);
    }
    signals_free(&signals);
    fclose(file);
}
