/* fuzz_inputs: the readers of foreign bytes without a fuzzer. It lists them, makes their seeds and
 * dictionaries, and reads files. */
#include "fuzz/inputs/inputs.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_SIZE = 4096, FILE_MAX = 1 << 20 };

static bool write_file(const char *path, const void *bytes, size_t size) {
    FILE *out = fopen(path, "wb");
    bool written = out != NULL && fwrite(bytes, 1, size, out) == size;
    if (out != NULL && fclose(out) != 0)
        written = false;
    if (!written)
        fprintf(stderr, "fuzz_inputs: cannot write %s: %s\n", path, strerror(errno));
    return written;
}

/* Returns the number of bytes; -1: it cannot be read, said. */
static long read_file(const char *path, uint8_t *bytes) {
    FILE *in = fopen(path, "rb");
    size_t size = in == NULL ? 0 : fread(bytes, 1, FILE_MAX, in);
    bool failed = in == NULL || ferror(in) != 0;
    if (failed)
        fprintf(stderr, "fuzz_inputs: cannot read %s: %s\n", path, strerror(errno));
    if (in != NULL)
        fclose(in);
    return failed ? -1 : (long)size;
}

/* ---- commands ---- */

static int list(const struct input *input, int count, char **arguments) {
    (void)input, (void)count, (void)arguments;
    for (size_t i = 0; input_at(i) != NULL; i++)
        printf("%-9s %s\n", input_at(i)->name, input_at(i)->meaning);
    return EXIT_PASS;
}

static int save_seeds(const struct input *input, int count, char **arguments) {
    static uint8_t bytes[FILE_MAX];
    char path[PATH_SIZE];
    unsigned made = 0;
    if (mkdir(arguments[0], 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "fuzz_inputs: cannot make %s: %s\n", arguments[0], strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    for (size_t i = 0; input->seeds[i].bytes != NULL; i++) {
        snprintf(path, sizeof path, "%s/%03u", arguments[0], made++);
        if (!write_file(path, input->seeds[i].bytes, input->seeds[i].size))
            return EXIT_ENVIRONMENT;
    }
    for (int i = 1; i < count; i++) {
        long size = read_file(arguments[i], bytes);
        snprintf(path, sizeof path, "%s/%03u", arguments[0], made++);
        if (size < 0 || !write_file(path, bytes, (size_t)size))
            return EXIT_ENVIRONMENT;
    }
    printf("%u seeds for %s in %s\n", made, input->name, arguments[0]);
    return made > 0 ? EXIT_PASS : EXIT_INCONCLUSIVE;
}

/* A dictionary as AFL++ and libFuzzer read it. */
static int print_words(const struct input *input, int count, char **arguments) {
    (void)count, (void)arguments;
    for (size_t i = 0; input->words != NULL && input->words[i] != NULL; i++) {
        putchar('"');
        for (const char *at = input->words[i]; *at != '\0'; at++) {
            if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\')
                printf("\\x%02X", (unsigned)(unsigned char)*at);
            else
                putchar(*at);
        }
        puts("\"");
    }
    return EXIT_PASS;
}

static int read_files(const struct input *input, int count, char **arguments) {
    uint8_t *bytes = check_alloc(FILE_MAX);
    int code = EXIT_PASS;
    inputs_prepare();
    for (int i = 0; i < count; i++) {
        long size = read_file(arguments[i], bytes);
        if (size < 0)
            code = EXIT_ENVIRONMENT;
        else
            input->read(bytes, (size_t)size);
    }
    free(bytes);
    printf("%d files read by %s\n", count, input->name);
    return code;
}

/* ---- the command line ---- */

static const struct {
    const char *word, *arguments, *help;
    int least; /* arguments behind the word */
    int (*perform)(const struct input *input, int count, char **arguments);
} commands[] = {
    {"list", "", "the readers there are", 0, list},
    {"seeds", "NAME FOLDER [FILE...]", "write a reader's seeds, and those files", 2, save_seeds},
    {"words", "NAME", "print its dictionary", 1, print_words},
    {"read", "NAME FILE...", "read files; what breaks a promise ends the program", 2, read_files},
};

static int usage(void) {
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(stderr, "  fuzz_inputs %-5s %-21s %s\n", commands[i].word, commands[i].arguments,
                commands[i].help);
    return EXIT_MISTAKE;
}

int main(int argc, char **argv) {
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++) {
        const struct input *input = argc > 2 ? input_find(argv[2]) : NULL;
        if (strcmp(argv[1], commands[i].word) != 0 || argc - 2 < commands[i].least)
            continue;
        if (commands[i].least == 0)
            return commands[i].perform(NULL, 0, NULL);
        if (input != NULL)
            return commands[i].perform(input, argc - 3, argv + 3);
        fprintf(stderr, "fuzz_inputs: no reader '%s'; 'fuzz_inputs list' lists them\n", argv[2]);
        return EXIT_MISTAKE;
    }
    return usage();
}
