/* crashgate: kills an order-management system at every point, and judges what is left. */
#include "scenarios/cli/commands.h"
#include "scenarios/lang/exits.h"
#include "sim/meaning.h"
#include "sim/peek.h"
#include "sim/stage.h"

#include <stdio.h>

int main(int argc, char **argv) {
    struct options options;
    int exit_code = options_parse(argc, argv, &options);
    if (exit_code < 0)
        exit_code = command_perform(&options, argv[0]);
    options_free(&options);
    peek_forget();
    meaning_forget();
    stage_forget_images();
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        fprintf(stderr, "crashgate: cannot write to standard output\n");
        return EXIT_ENVIRONMENT;
    }
    return exit_code;
}
