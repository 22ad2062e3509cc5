/* crashgate: kills an order-management system at every point, and judges what is left. */
#include "scenarios/cli/commands.h"
#include "scenarios/lang/exits.h"
#include "sim/peek.h"
#include "sim/stage.h"

#include <stdio.h>

static int perform(const struct options *options, const char *program) {
    switch (options->command) {
    case COMMAND_RUN:
        return command_run(options, program);
    case COMMAND_CHECK:
        return command_check(options);
    case COMMAND_REPLAY:
        return command_replay(options, program);
    case COMMAND_EXPLORE:
        return command_explore(options, program);
    case COMMAND_GATE:
        return command_gate(options, program);
    case COMMAND_KNOWN_BAD:
        return command_known_bad(options, program);
    case COMMAND_BENCH:
        return command_bench(program);
    case COMMAND_FAULTS:
        return command_faults();
    case COMMAND_REFERENCE:
        return command_reference();
    case COMMAND_COUNT:
        break;
    }
    return EXIT_MISTAKE;
}

int main(int argc, char **argv) {
    struct options options;
    int exit_code = options_parse(argc, argv, &options);
    if (exit_code < 0)
        exit_code = perform(&options, argv[0]);
    options_free(&options);
    peek_forget();
    stage_forget_images();
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        fprintf(stderr, "crashgate: cannot write to standard output\n");
        return EXIT_ENVIRONMENT;
    }
    return exit_code;
}
