/* Everything that reads bytes of others, each as a target for a byte fuzzer.
 *
 * What a reader may do with wrong bytes is to refuse them; what it takes must keep its own rules.
 * Anything else ends the program with abort(), which is what fuzzers look for. */
#ifndef FUZZ_INPUTS_INPUTS_H
#define FUZZ_INPUTS_INPUTS_H

#include <stddef.h>
#include <stdint.h>

/* word, whose bytes they are */
#define INPUTS(X)                                                     \
    X(answers, "answers of the broker, as its adapter reads them")    \
    X(scenario, "scenario files: read, checked, printed, read again") \
    X(plan, "plans: read, printed, read again")                       \
    X(decision, "lines of decisions that strategies write")           \
    X(signals, "files of expected signals, JSON and CSV")             \
    X(store, "database files: a start on a damaged store")

/* Reads `data` once. */
#define X(name, meaning) void input_##name(const uint8_t *data, size_t size);
INPUTS(X)
#undef X

enum { INPUT_NAME_SIZE = 16 };

/* One target as a value: for programs and tests. */
struct input {
    const char *name, *meaning;
    void (*read)(const uint8_t *data, size_t size);
    const struct input_seed {
        const char *bytes;
        size_t size;
    } * seeds; /* ended by one without bytes; scenario files are seeds of their own */
    const char *const *words; /* for a dictionary, ended by NULL; may be NULL */
};
const struct input *input_find(const char *name); /* NULL: no such target */
const struct input *input_at(size_t index);       /* NULL: no more */

/* To be called once before the first read: what later reads share is made here. */
void inputs_prepare(void);

/* Ends the program when what a reader promises does not hold. */
_Noreturn void input_failed(const char *file, int line, const char *promise);
#define PROMISE(condition) ((condition) ? (void)0 : input_failed(__FILE__, __LINE__, #condition))

/* The bytes as a text that ends where they do, or at the first zero; the caller frees it. */
char *input_text(const uint8_t *data, size_t size);

/* Each target's seeds and words; nobody outside fuzz/inputs takes them from here. */
extern const struct input_seed answers_seeds[], plan_seeds[], decision_seeds[], signals_seeds[],
    store_seeds[];
extern const char *const answers_words[],
    *const plan_words[], *const decision_words[], *const signals_words[], *const scenario_words[];
void input_store_prepare(void);

/* A seed that is a text. */
#define SEED(text) \
    { text, sizeof(text) - 1 }

#endif
