/* crashgate promote: a finding becomes a bug of the base. */
#include "scenarios/cli/bug.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/draft.h"
#include "scenarios/cli/found.h"
#include "scenarios/cli/save.h"
#include "scenarios/cli/version.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"
#include "sim/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, NAMESAKES_MAX = 100 };

/* ---- the file ---- */

static void make_head(const struct found *found, const struct options *options, const char *source,
                      struct bug_head *head) {
    const char *oms = options->value[OPTION_OMS] != NULL ? options->value[OPTION_OMS] : "core";
    const char *slash = strrchr(source, '/');
    *head = (struct bug_head){.state = BUG_OPEN, .has_plan = true, .plan = found->plan};
    snprintf(head->breaks, sizeof head->breaks, "%s", found->finding.code);
    snprintf(head->fingerprint, sizeof head->fingerprint, "%s", found->fingerprint);
    if (found->origin[0] != '\0')
        snprintf(head->found, sizeof head->found, "%s", found->origin);
    else
        snprintf(head->found, sizeof head->found, "%.100s, crashgate %s, from %.150s", oms,
                 CRASHGATE_VERSION, slash == NULL ? source : slash + 1);
}

/* Where the marks stand: behind the longest line. */
static size_t widest(const char *text) {
    size_t width = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        width = length > width ? length : width;
        text += length + (text[length] == '\n');
    }
    return width;
}

static void write_lines(const struct found *found, FILE *out) {
    size_t width = widest(found->text);
    int number = 0;
    for (const char *line = found->text; *line != '\0'; number++) {
        size_t length = strcspn(line, "\n");
        fprintf(out, "%.*s", (int)length, line);
        if (found->needed[(number + 1) % FOUND_LINES_MAX])
            fprintf(out, "%*s# needed", (int)(width - length) + 2, "");
        fputc('\n', out);
        line += length + (line[length] == '\n');
    }
}

static char *compose(const struct found *found, struct bug_head *head, size_t *length) {
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    CHECK(out != NULL);
    bug_plan_move(&head->plan, bug_head_lines(head) + 1);
    bug_head_write(head, out);
    fprintf(out, "# Each line marked 'needed' was left out by itself: then %s did not break.\n",
            head->breaks);
    write_lines(found, out);
    fclose(out);
    return text;
}

/* A name of its own, however many bugs have that sentence. */
static bool choose_path(const char *folder, const char *sentence, char path[PATH_SIZE]) {
    char title[SENTENCE_SIZE + 16], name[BUG_NAME_SIZE];
    for (int n = 1; n < NAMESAKES_MAX; n++) {
        if (n == 1)
            snprintf(title, sizeof title, "%s", sentence);
        else
            snprintf(title, sizeof title, "%s %d", sentence, n);
        draft_file_name(title, name, sizeof name);
        snprintf(path, PATH_SIZE, "%.3900s/%s", folder, name);
        if (access(path, F_OK) != 0)
            return true;
    }
    return false;
}

static bool make_folder(const char *path) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return true;
    fprintf(stderr, "crashgate: cannot make %s: %s\n", path, strerror(errno));
    return false;
}

/* ---- refusing ---- */

static const struct bug *known(const struct bugs *bugs, const char *fingerprint) {
    for (size_t i = 0; i < bugs->n; i++) {
        if (strcmp(bugs->v[i].head.fingerprint, fingerprint) == 0)
            return &bugs->v[i];
    }
    return NULL;
}

static int refuse_known(const char *source, const struct bug *bug) {
    fprintf(stderr,
            "crashgate: %s is in the base already: %s (%s) has the fingerprint\n  %s\n"
            "see it: crashgate bugs show %s\n",
            source, bug->path, bug_state_word(bug->head.state), bug->head.fingerprint, bug->name);
    return EXIT_MISTAKE;
}

/* The file as it will stand must fail as it was found. */
static bool repeats(struct trial *trial, const char *text, size_t length,
                    const struct bug_head *head) {
    char code[RUN_CODE_SIZE];
    trial_code(trial, text, length, &head->plan, code);
    if (strcmp(code, head->breaks) == 0)
        return true;
    fprintf(stderr, "crashgate: the file does not repeat the finding: %s breaks, not %s\n",
            code[0] != '\0' ? code : "nothing", head->breaks);
    return false;
}

static int save(struct trial *trial, const struct found *found, const struct options *options,
                const char *source, const char *folder, const char *program) {
    struct bug_head head;
    char path[PATH_SIZE];
    size_t length = 0;
    int exit_code = EXIT_PASS;
    const char *oms = options->value[OPTION_OMS];
    make_head(found, options, source, &head);
    char *text = compose(found, &head, &length);
    if (!repeats(trial, text, length, &head))
        exit_code = EXIT_NOT_REPEATABLE;
    else if (!make_folder(folder) || !choose_path(folder, found->sentence, path) ||
             !save_file(path, text, length, SAVE_NEW))
        exit_code = EXIT_ENVIRONMENT;
    else
        printf("%s\n  %s: %s\n  %u events and faults, %lu runs%s\n"
               "retest it: %s bugs retest --base %s%s%s\n",
               path, found->finding.code, found->fingerprint, found->events, trial->runs,
               found->bound ? "; a bound was hit: perhaps it could be smaller" : "", program,
               folder, oms != NULL ? " --oms " : "", oms != NULL ? oms : "");
    free(text);
    return exit_code;
}

static int promote(struct trial *trial, const struct options *options, const struct bugs *bugs,
                   const char *folder, const char *program) {
    const char *source = options->files[0];
    struct found found;
    char why[FOUND_WHY_SIZE];
    int exit_code = EXIT_MISTAKE;
    enum found_how how =
        found_open(trial, source, options->has_plan ? &options->plan : NULL,
                   options->value[OPTION_PROFILE], options->crash_kind, &found, why);
    if (how == FOUND_NOTHING)
        fprintf(stderr, "crashgate: %s breaks nothing with the OMS '%s'%s%s: a bug is what fails\n",
                source, trial->sut->name, why[0] != '\0' ? ": " : "", why);
    else if (how == FOUND_MISTAKE && why[0] != '\0')
        fprintf(stderr, "crashgate: %s: %s\n", source, why);
    else if (how == FOUND_READY && known(bugs, found.fingerprint) != NULL)
        exit_code = refuse_known(source, known(bugs, found.fingerprint));
    else if (how == FOUND_READY)
        exit_code = save(trial, &found, options, source, folder, program);
    found_free(&found);
    return exit_code;
}

int command_promote(const struct options *options, const char *program) {
    const char *base = options->value[OPTION_BASE];
    const char *folder = base != NULL ? base : BUG_FOLDER;
    struct trial trial = {.sut = options->sut, .claims = options->claims};
    struct bugs bugs;
    int exit_code = EXIT_MISTAKE;
    if (options->file_count != 1) {
        fprintf(stderr, "crashgate: 'promote' takes one FILE[:LINE], not %zu\n",
                options->file_count);
        return EXIT_MISTAKE;
    }
    disk_vfs_register();
    if (bugs_load(folder, &bugs))
        exit_code = promote(&trial, options, &bugs, folder, program);
    bugs_free(&bugs);
    trial_close(&trial);
    return exit_code;
}
