/* Readers of foreign bytes: seeds are read, and so is what chance makes of them. */
#include "fuzz/inputs/inputs.h"

#include "sim/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHANGED = 300, CHANGES_MAX = 6, ROOM = 64 };

/* A reader sees no byte before or behind its own: they are memory of their own (for sanitizers). */
static void read_alone(const struct input *input, const uint8_t *bytes, size_t size) {
    uint8_t *alone = malloc(size == 0 ? 1 : size);
    assert_non_null(alone);
    memcpy(alone, bytes, size);
    input->read(alone, size);
    free(alone);
}

static void every_reader_has_a_name_and_reads_nothing(void **state) {
    size_t count = 0;
    (void)state;
    for (; input_at(count) != NULL; count++) {
        const struct input *input = input_find(input_at(count)->name);
        assert_non_null(input);
        assert_string_equal(input->name, input_at(count)->name);
        read_alone(input, (const uint8_t *)"", 0);
    }
    assert_true(count >= 6);
    assert_null(input_find("nobody"));
}

static void seeds_and_what_chance_makes_of_them_are_read(void **state) {
    uint64_t chance = seed_named(1, "inputs");
    (void)state;
    for (size_t i = 0; input_at(i) != NULL; i++) {
        const struct input *input = input_at(i);
        for (const struct input_seed *seed = input->seeds; seed->bytes != NULL; seed++) {
            uint8_t *bytes = malloc(seed->size + ROOM);
            assert_non_null(bytes);
            read_alone(input, (const uint8_t *)seed->bytes, seed->size);
            for (int k = 0; k < CHANGED; k++) {
                size_t size = seed->size + random_next(&chance) % ROOM;
                memset(bytes, (int)(random_next(&chance) % 256), seed->size + ROOM);
                memcpy(bytes, seed->bytes, seed->size);
                for (uint64_t n = random_next(&chance) % CHANGES_MAX; n > 0 && size > 0; n--)
                    bytes[random_next(&chance) % size] = (uint8_t)random_next(&chance);
                read_alone(input, bytes, random_next(&chance) % 3 == 0 ? size / 2 : size);
            }
            free(bytes);
        }
    }
}

static void a_promise_that_does_not_hold_ends_the_program(void **state) {
    int status = 0;
    pid_t pid = fork();
    (void)state;
    if (pid == 0) {
        fclose(stderr);
        PROMISE(pid != 0);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static int prepare(void **state) {
    (void)state;
    inputs_prepare();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reader_has_a_name_and_reads_nothing),
        cmocka_unit_test(seeds_and_what_chance_makes_of_them_are_read),
        cmocka_unit_test(a_promise_that_does_not_hold_ends_the_program),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
