/* The table of targets, and what they share. */
#include "fuzz/inputs/inputs.h"

#include "sim/check.h"
#include "sim/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct input_seed no_seeds[] = {{NULL, 0}};

/* In the order of INPUTS. */
static const struct {
    const struct input_seed *seeds;
    const char *const *words;
} extras[] = {{answers_seeds, answers_words}, {no_seeds, scenario_words},
              {plan_seeds, plan_words},       {decision_seeds, decision_words},
              {signals_seeds, signals_words}, {store_seeds, NULL}};

static const struct {
    const char *name, *meaning;
    void (*read)(const uint8_t *data, size_t size);
} rows[] = {
#define X(name, meaning) {#name, meaning, input_##name},
    INPUTS(X)
#undef X
};
enum { COUNT = sizeof rows / sizeof rows[0] };
_Static_assert(sizeof extras / sizeof extras[0] == COUNT, "every target has its seeds");

const struct input *input_at(size_t index) {
    static struct input inputs[COUNT];
    if (index >= COUNT)
        return NULL;
    inputs[index] = (struct input){rows[index].name, rows[index].meaning, rows[index].read,
                                   extras[index].seeds, extras[index].words};
    return &inputs[index];
}

const struct input *input_find(const char *name) {
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return input_at(i);
    }
    return NULL;
}

void inputs_prepare(void) {
    disk_vfs_register();
    input_store_prepare();
}

_Noreturn void input_failed(const char *file, int line, const char *promise) {
    fprintf(stderr, "%s:%d: '%s' does not hold\n", file, line, promise);
    abort();
}

char *input_text(const uint8_t *data, size_t size) {
    char *text = check_alloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}
