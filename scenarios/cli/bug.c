/* Heads of bugs, and loading the base. */
#include "scenarios/cli/bug.h"

#include "scenarios/cli/save.h"
#include "scenarios/cli/suite.h"
#include "scenarios/lang/diag.h"
#include "sim/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BUGS_MAX = 10000, VALUE_SIZE = PLAN_TEXT_SIZE };

static const char *const state_words[] = {
#define X(id, word, meaning) word,
    BUG_STATES(X)
#undef X
};

const char *bug_state_word(enum bug_state state) {
    return state_words[state];
}

/* ---- heads ---- */

static bool read_state(const char *value, struct bug_head *head, char *why, size_t size) {
    for (int state = BUG_OPEN; state < BUG_STATE_COUNT; state++) {
        head->state = strcmp(value, state_words[state]) == 0 ? (enum bug_state)state : head->state;
    }
    if (head->state == BUG_UNKNOWN)
        snprintf(why, size, "the state is 'open' or 'fixed', not '%.40s'", value);
    return head->state != BUG_UNKNOWN;
}

static bool read_fact(const char *key, const char *value, struct bug_head *head, char *why,
                      size_t size) {
    char plan_why[PLAN_WHY_SIZE];
    if (strcmp(key, "state") == 0)
        return read_state(value, head, why, size);
    if (strcmp(key, "breaks") == 0)
        snprintf(head->breaks, sizeof head->breaks, "%.*s", (int)strcspn(value, " ,"), value);
    if (strcmp(key, "fingerprint") == 0)
        snprintf(head->fingerprint, sizeof head->fingerprint, "%.*s", FINGERPRINT_SIZE - 1, value);
    if (strcmp(key, "found") == 0)
        snprintf(head->found, sizeof head->found, "%.*s", BUG_NOTE_SIZE - 1, value);
    if (strcmp(key, "plan") != 0)
        return true;
    head->has_plan = plan_parse(value, &head->plan, plan_why);
    if (!head->has_plan)
        snprintf(why, size, "%s", plan_why);
    return head->has_plan;
}

bool bug_head_read(const char *text, struct bug_head *head, char why[PLAN_WHY_SIZE + 40]) {
    int number = 0;
    *head = (struct bug_head){0};
    for (const char *line = text; *line == '#' || *line == '\n'; number++) {
        char key[32], value[VALUE_SIZE], rule[PLAN_WHY_SIZE];
        size_t length = strcspn(line, "\n");
        const char *colon = memchr(line, ':', length);
        if (colon != NULL && *line == '#' && (size_t)(colon - line) < sizeof key) {
            const char *from = colon + 1 + strspn(colon + 1, " ");
            snprintf(key, sizeof key, "%.*s", (int)(colon - line - 1 - (line[1] == ' ')),
                     line + 1 + (line[1] == ' '));
            snprintf(value, sizeof value, "%.*s", (int)(line + length - from), from);
            if (!read_fact(key, value, head, rule, sizeof rule)) {
                snprintf(why, PLAN_WHY_SIZE + 40, "line %d: %s", number + 1, rule);
                return false;
            }
        }
        line += length + (line[length] == '\n');
    }
    return true;
}

static void write_fact(const char *key, const char *value, FILE *out) {
    if (value[0] != '\0')
        fprintf(out, "# %s: %s\n", key, value);
}

void bug_head_write(const struct bug_head *head, FILE *out) {
    char plan[PLAN_TEXT_SIZE];
    write_fact("state", bug_state_word(head->state), out);
    write_fact("breaks", head->breaks, out);
    write_fact("fingerprint", head->fingerprint, out);
    write_fact("found", head->found, out);
    write_fact("plan", head->has_plan ? plan_format(&head->plan, plan) : "", out);
}

int bug_head_lines(const struct bug_head *head) {
    return (head->state != BUG_UNKNOWN) + (head->breaks[0] != '\0') +
           (head->fingerprint[0] != '\0') + (head->found[0] != '\0') + head->has_plan;
}

void bug_plan_move(struct plan *plan, int lines) {
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->items[i].place == PLAN_AT_LINE)
            plan->items[i].occurrence = (unsigned)((int)plan->items[i].occurrence + lines);
    }
}

/* ---- the base ---- */

static bool refuse(const char *path, const char *rule) {
    fprintf(stderr, "crashgate: %s: %s\n", path, rule);
    return false;
}

static bool is_whole(const struct bug *bug) {
    const struct bug_head *head = &bug->head;
    if (head->state == BUG_UNKNOWN || head->breaks[0] == '\0' || head->fingerprint[0] == '\0' ||
        !head->has_plan)
        return refuse(bug->path, "a bug begins with '# state:', '# breaks:', '# fingerprint:' and "
                                 "'# plan:'; 'crashgate promote' writes them");
    return bug->file.count == 1 || refuse(bug->path, "a bug is a file with one scenario");
}

static void name_it(struct bug *bug, const char *path) {
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    size_t length = strlen(base);
    if (length > 4 && strcmp(base + length - 4, ".scn") == 0)
        length -= 4;
    snprintf(bug->path, sizeof bug->path, "%s", path);
    snprintf(bug->name, sizeof bug->name, "%.*s", (int)length, base);
}

static bool load(const char *path, struct bug *bug) {
    char why[PLAN_WHY_SIZE + 40];
    struct diags diags = {0};
    size_t length = 0;
    char *text = read_whole(path, &length);
    bool loaded = false;
    *bug = (struct bug){0};
    name_it(bug, path);
    if (text == NULL)
        return false;
    if (!bug_head_read(text, &bug->head, why))
        refuse(path, why);
    else if (!scenario_parse(path, text, length, &bug->file, &diags))
        diags_write(&diags, DIAG_LONG, stderr);
    else
        loaded = is_whole(bug);
    if (loaded)
        bug->events = (unsigned)(bug->file.scenarios[0].line_count + bug->head.plan.count);
    diags_free(&diags);
    free(text);
    return loaded;
}

static int cheapest_first(const void *a, const void *b) {
    const struct bug *one = a, *other = b;
    if (one->events != other->events)
        return one->events < other->events ? -1 : 1;
    return strcmp(one->name, other->name);
}

static bool load_files(const struct suite_paths *paths, struct bugs *bugs) {
    bool loaded = true;
    for (size_t i = 0; i < paths->n; i++) {
        struct bug *bug = NULL;
        CHECK_ROOM(bugs->v, bugs->n, bugs->cap, BUGS_MAX);
        bug = &bugs->v[bugs->n++];
        loaded = load(paths->v[i], bug) && loaded;
    }
    qsort(bugs->v, bugs->n, sizeof *bugs->v, cheapest_first);
    return loaded;
}

bool bugs_load(const char *folder, struct bugs *bugs) {
    struct suite_paths paths;
    struct stat about;
    bool loaded = false;
    *bugs = (struct bugs){0};
    if (stat(folder, &about) != 0 && errno == ENOENT)
        return true;
    loaded = suite_paths(&folder, 1, &paths) && load_files(&paths, bugs);
    suite_paths_free(&paths);
    return loaded;
}

void bugs_free(struct bugs *bugs) {
    for (size_t i = 0; i < bugs->n; i++)
        scenario_free(&bugs->v[i].file);
    free(bugs->v);
    *bugs = (struct bugs){0};
}

bool bug_set_state(const struct bug *bug, enum bug_state state) {
    static const char key[] = "# state:";
    size_t length = 0, new_length = 0;
    char *text = read_whole(bug->path, &length), *new_text = NULL;
    char *at = text == NULL ? NULL : strstr(text, key);
    bool saved = false;
    if (at != NULL) {
        const char *rest = at + strcspn(at, "\n");
        FILE *out = open_memstream(&new_text, &new_length);
        CHECK(out != NULL);
        fprintf(out, "%.*s%s %s%s", (int)(at - text), text, key, bug_state_word(state), rest);
        fclose(out);
        saved = save_file(bug->path, new_text, new_length, SAVE_REPLACE);
    }
    free(new_text);
    free(text);
    return saved;
}
