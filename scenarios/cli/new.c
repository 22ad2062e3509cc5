/* crashgate new: a file to begin with. */
#include "scenarios/cli/commands.h"
#include "scenarios/cli/draft.h"
#include "scenarios/cli/save.h"
#include "scenarios/lang/exits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_SIZE = 150, PATH_SIZE = 4096 };

/* "scenarios/operations/An order survives": the folder, and the title. */
static const char *title_of(const char *name, char *folder, size_t size) {
    const char *slash = strrchr(name, '/');
    snprintf(folder, size, "%.*s", slash == NULL ? 0 : (int)(slash + 1 - name), name);
    return slash == NULL ? name : slash + 1;
}

static bool is_title(const char *title) {
    if (strlen(title) > NAME_MAX_SIZE)
        return false;
    for (const unsigned char *c = (const unsigned char *)title; *c != '\0'; c++) {
        if (*c < 0x20 || *c >= 0x7f)
            return false;
    }
    return true;
}

static char *make_draft(const struct options *options, const char *title) {
    const char *from = options->value[OPTION_FROM];
    size_t length = 0, understood = 0, left = 0;
    char *text = NULL, *draft = NULL;
    if (from == NULL)
        return draft_skeleton(title);
    text = read_whole(from, &length);
    if (text == NULL)
        return NULL;
    draft = draft_from(title, text, &understood, &left);
    free(text);
    if (draft == NULL)
        fprintf(stderr, "crashgate: not one line of %s was understood; nothing was written\n",
                from);
    else
        printf("%zu line%s understood, %zu left as comments\n", understood,
               understood == 1 ? "" : "s", left);
    return draft;
}

int command_new(const struct options *options) {
    const char *name = options->file_count == 1 ? options->files[0] : "A new scenario";
    char folder[PATH_SIZE / 2], file[NAME_MAX_SIZE + 8], path[PATH_SIZE];
    const char *title = title_of(name, folder, sizeof folder);
    char *draft = NULL;
    bool saved = false;
    if (options->file_count > 1) {
        fprintf(stderr, "crashgate: new takes one name; put it in quotes\n");
        return EXIT_MISTAKE;
    }
    if (!is_title(title) || !draft_file_name(title, file, sizeof file)) {
        fprintf(stderr,
                "crashgate: a name is a sentence of at most %d plain characters, not '%s'\n",
                NAME_MAX_SIZE, title);
        return EXIT_MISTAKE;
    }
    snprintf(path, sizeof path, "%s%s", folder, file);
    draft = make_draft(options, title);
    if (draft == NULL)
        return EXIT_MISTAKE;
    saved = save_file(path, draft, strlen(draft), SAVE_NEW);
    free(draft);
    if (!saved)
        return EXIT_ENVIRONMENT;
    printf("%s\n", path);
    return EXIT_PASS;
}
