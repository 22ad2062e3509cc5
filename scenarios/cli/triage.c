/* crashgate triage: many findings, shrunk, grouped by fingerprint, ranked and named. */
#include "scenarios/cli/commands.h"
#include "scenarios/cli/found.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"
#include "sim/disk.h"

#include <cjson/cJSON.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, FILES_MAX = 20000, LIVENESS = 12 };

/* One file, and what was found in it. */
struct triaged {
    char path[PATH_SIZE];
    bool found;
    bool broken; /* the program itself ended while it was looked at */
    int invariant;
    char code[RUN_CODE_SIZE];
    unsigned events;
    char fingerprint[FINGERPRINT_SIZE];
    char sentence[SENTENCE_SIZE];
    char why[FOUND_WHY_SIZE]; /* not found */
    int exit_code;
};

struct triage {
    struct triaged *v;
    size_t n, cap;
};

/* ---- the files ---- */

static struct triaged *add_path(struct triage *triage, const char *path) {
    CHECK_ROOM(triage->v, triage->n, triage->cap, FILES_MAX);
    triage->v[triage->n] = (struct triaged){0};
    snprintf(triage->v[triage->n].path, PATH_SIZE, "%s", path);
    return &triage->v[triage->n++];
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct triaged *)a)->path, ((const struct triaged *)b)->path);
}

/* What a fuzzer writes beside its inputs for people to read. */
static bool is_a_word_to_people(const char *name) {
    return name[0] == '.' || strncmp(name, "README", 6) == 0;
}

static bool add_folder(struct triage *triage, const char *folder) {
    DIR *dir = opendir(folder);
    const struct dirent *entry = NULL;
    size_t from = triage->n;
    if (dir == NULL) {
        fprintf(stderr, "crashgate: cannot read %s: %s\n", folder, strerror(errno));
        return false;
    }
    while ((entry = readdir(dir)) != NULL) {
        char path[PATH_SIZE];
        struct stat about;
        snprintf(path, sizeof path, "%.3800s/%s", folder, entry->d_name);
        if (!is_a_word_to_people(entry->d_name) && stat(path, &about) == 0 &&
            S_ISREG(about.st_mode))
            add_path(triage, path);
    }
    closedir(dir);
    if (triage->n > from)
        qsort(triage->v + from, triage->n - from, sizeof *triage->v, by_path);
    return true;
}

static bool add_all(struct triage *triage, const struct options *options) {
    bool added = true;
    for (size_t i = 0; i < options->file_count; i++) {
        struct stat about;
        if (stat(options->files[i], &about) == 0 && S_ISDIR(about.st_mode))
            added = add_folder(triage, options->files[i]) && added;
        else
            add_path(triage, options->files[i]);
    }
    return added;
}

/* ---- looking at one, in a process of its own: it may end the program ---- */

static void look(const struct options *options, struct triaged *row) {
    struct trial trial = {.sut = options->sut, .claims = options->claims};
    struct found found;
    enum found_how how = found_open(&trial, row->path, NULL, NULL, SCN_NONE, &found, row->why);
    row->found = how == FOUND_READY;
    row->exit_code = how == FOUND_MISTAKE ? EXIT_MISTAKE : EXIT_PASS;
    if (how == FOUND_NOTHING && row->why[0] == '\0')
        snprintf(row->why, sizeof row->why, "breaks nothing");
    row->invariant = found.finding.invariant;
    row->events = found.events;
    memcpy(row->code, found.finding.code, sizeof row->code);
    memcpy(row->fingerprint, found.fingerprint, sizeof row->fingerprint);
    memcpy(row->sentence, found.sentence, sizeof row->sentence);
    found_free(&found);
    trial_close(&trial);
}

static bool read_row(int from, struct triaged *row) {
    size_t got = 0;
    while (got < sizeof *row) {
        ssize_t n = read(from, (char *)row + got, sizeof *row - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

static bool write_row(int to, const struct triaged *row) {
    size_t put = 0;
    while (put < sizeof *row) {
        ssize_t n = write(to, (const char *)row + put, sizeof *row - put);
        if (n <= 0)
            return false;
        put += (size_t)n;
    }
    return true;
}

static void look_aside(const struct options *options, struct triaged *row) {
    struct triaged seen;
    int ends[2], status = 0;
    CHECK(pipe(ends) == 0);
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        look(options, row);
        _exit(write_row(ends[1], row) ? 0 : EXIT_ENVIRONMENT);
    }
    close(ends[1]);
    if (read_row(ends[0], &seen)) {
        *row = seen;
    } else {
        row->found = row->broken = true;
        snprintf(row->code, sizeof row->code, "program");
        snprintf(row->fingerprint, sizeof row->fingerprint, "program; the program itself broke");
        snprintf(row->sentence, sizeof row->sentence, "The program itself breaks");
    }
    close(ends[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
}

/* ---- ranking ---- */

/* The program's own mistakes, then what is safety, what is liveness, and what only a scenario
 * expects. */
static int rank(const struct triaged *row) {
    if (!row->found)
        return 4;
    if (row->broken)
        return 0;
    if (row->invariant == 0)
        return 3;
    return row->invariant == LIVENESS ? 2 : 1;
}

/* Of one fingerprint the one with the fewest events speaks for all. */
static int by_fingerprint(const void *a, const void *b) {
    const struct triaged *one = a, *other = b;
    int order = rank(one) - rank(other);
    order = order != 0 ? order : strcmp(one->fingerprint, other->fingerprint);
    if (order == 0 && one->events != other->events)
        order = one->events < other->events ? -1 : 1;
    return order != 0 ? order : strcmp(one->path, other->path);
}

struct group {
    const struct triaged *first;
    size_t count;
};

static int by_rank(const void *a, const void *b) {
    const struct triaged *one = ((const struct group *)a)->first;
    const struct triaged *other = ((const struct group *)b)->first;
    int order = rank(one) - rank(other);
    if (order == 0 && one->events != other->events)
        order = one->events < other->events ? -1 : 1;
    return order != 0 ? order : strcmp(one->fingerprint, other->fingerprint);
}

static size_t make_groups(struct triage *triage, struct group *groups) {
    size_t n = 0;
    if (triage->n > 0)
        qsort(triage->v, triage->n, sizeof *triage->v, by_fingerprint);
    for (size_t i = 0; i < triage->n && triage->v[i].found; i++) {
        if (n == 0 || strcmp(groups[n - 1].first->fingerprint, triage->v[i].fingerprint) != 0)
            groups[n++] = (struct group){.first = &triage->v[i]};
        groups[n - 1].count++;
    }
    qsort(groups, n, sizeof *groups, by_rank);
    return n;
}

/* ---- telling ---- */

static void print_groups(const struct group *groups, size_t n, const struct options *options,
                         const char *program) {
    const char *oms = options->value[OPTION_OMS];
    for (size_t i = 0; i < n; i++) {
        const struct triaged *first = groups[i].first;
        printf("%3zu. %-4s %s\n     %u events, in %zu file%s\n     %s\n", i + 1, first->code,
               first->sentence, first->events, groups[i].count, groups[i].count == 1 ? "" : "s",
               first->fingerprint);
        if (first->broken)
            printf("     while looking at %s\n", first->path);
        else
            printf("     keep it: %s promote %s%s%s\n", program, first->path,
                   oms != NULL ? " --oms " : "", oms != NULL ? oms : "");
    }
}

static void print_others(const struct triage *triage) {
    for (size_t i = 0; i < triage->n; i++) {
        if (!triage->v[i].found)
            printf("     - %s: %s\n", triage->v[i].path,
                   triage->v[i].why[0] != '\0' ? triage->v[i].why : "was not read");
    }
}

static void write_group(const struct triage *triage, const struct group *group, size_t number,
                        FILE *json) {
    const struct triaged *first = group->first;
    cJSON *row = cJSON_CreateObject(), *files = cJSON_AddArrayToObject(row, "files");
    char *text = NULL;
    cJSON_AddStringToObject(row, "type", "group");
    cJSON_AddNumberToObject(row, "rank", (double)number);
    cJSON_AddStringToObject(row, "code", first->code);
    cJSON_AddStringToObject(row, "name", first->sentence);
    cJSON_AddStringToObject(row, "fingerprint", first->fingerprint);
    cJSON_AddNumberToObject(row, "events", first->events);
    for (size_t i = 0; i < triage->n; i++) {
        if (triage->v[i].found && strcmp(triage->v[i].fingerprint, first->fingerprint) == 0)
            cJSON_AddItemToArray(files, cJSON_CreateString(triage->v[i].path));
    }
    text = cJSON_PrintUnformatted(row);
    fprintf(json, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(row);
}

static bool write_json(const char *path, const struct triage *triage, const struct group *groups,
                       size_t n) {
    FILE *json = fopen(path, "w");
    for (size_t i = 0; json != NULL && i < n; i++)
        write_group(triage, &groups[i], i + 1, json);
    if (json != NULL && (ferror(json) | fclose(json)) == 0)
        return true;
    fprintf(stderr, "crashgate: cannot write %s\n", path);
    return false;
}

static int tell(struct triage *triage, const struct options *options, const char *program) {
    struct group *groups = check_zalloc(triage->n + 1, sizeof *groups);
    size_t n = make_groups(triage, groups), found = 0;
    int exit_code = n > 0 ? EXIT_FAIL : EXIT_PASS;
    for (size_t i = 0; i < triage->n; i++) {
        found += triage->v[i].found;
        exit_code = triage->v[i].exit_code > exit_code ? triage->v[i].exit_code : exit_code;
    }
    printf("triage: %zu of %zu files break something, in %zu way%s\n", found, triage->n, n,
           n == 1 ? "" : "s");
    print_groups(groups, n, options, program);
    print_others(triage);
    if (options->value[OPTION_JSON] != NULL &&
        !write_json(options->value[OPTION_JSON], triage, groups, n))
        exit_code = EXIT_ENVIRONMENT;
    free(groups);
    return exit_code;
}

int command_triage(const struct options *options, const char *program) {
    struct triage triage = {0};
    int exit_code = EXIT_MISTAKE;
    if (options->file_count == 0) {
        fprintf(stderr, "crashgate: 'triage' needs at least one file or folder\n");
        return EXIT_MISTAKE;
    }
    disk_vfs_register();
    if (add_all(&triage, options)) {
        for (size_t i = 0; i < triage.n; i++)
            look_aside(options, &triage.v[i]);
        exit_code = tell(&triage, options, program);
    }
    free(triage.v);
    return exit_code;
}
