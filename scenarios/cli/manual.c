/* Manual pages and completions: one description of a program, and what each form makes of it. */
#include "scenarios/cli/manual.h"

#include "core/live/cli.h"
#include "core/profile.h"
#include "scenarios/cli/options.h"
#include "scenarios/lang/exits.h"

#include <string.h>

/* ---- a program as its tables tell it ---- */

struct tool_command {
    const char *word, *operands, *help;
};
struct tool_option {
    const char *word, *value; /* value NULL or "": none */
    unsigned commands;        /* a bit for each that takes it */
    const char *help;
};
struct tool_exit {
    int code;
    const char *meaning;
};
struct tool_note {
    const char *name, *text;
};
struct tool {
    const char *name, *summary, *description;
    const struct tool_command *commands;
    size_t command_count;
    const struct tool_option *options;
    size_t option_count;
    const struct tool_exit *exits;
    size_t exit_count;
    const struct tool_note *variables, *examples;
    size_t variable_count, example_count;
    const char *see_also;
};
#define ARRAY(name, table) .name##s = (table), .name##_count = sizeof(table) / sizeof(table)[0]

static const struct tool_command crashgate_commands[] = {
#define X(id, word, operands, help) {word, operands, help},
    COMMANDS(X)
#undef X
};
static const struct tool_option crashgate_options[] = {
#define X(id, word, value, commands, help) {word, value, commands, help},
    OPTIONS(X)
#undef X
};
static const struct tool_exit crashgate_exits[] = {
#define X(id, code, meaning) {code, meaning},
    EXITS(X)
#undef X
};
static const struct tool_note crashgate_variables[] = {
    {"GITHUB_STEP_SUMMARY", "the file that --github adds a summary to, as GitHub Actions sets it"},
    {"APCA_API_KEY_ID, APCA_API_SECRET_KEY",
     "the one key that 'crashgate broker' lets in; without them any will do"},
};
static const struct tool_note crashgate_examples[] = {
    {"crashgate run first.scn", "one file, every run its quantifiers ask for"},
    {"crashgate explore --budget 600 scenarios", "every crash at every depth, for ten minutes"},
    {"crashgate gate scenarios --junit results.xml", "everything, for CI"},
    {"crashgate gate --shard 2/4 --out results", "a part of it, for 'crashgate merge results'"},
    {"crashgate broker --listen 127.0.0.1:0", "a broker for your own OMS"},
};

static const struct tool_command oms_commands[] = {
#define X(id, word, operands, help) {word, operands, help},
    CLI_COMMANDS(X)
#undef X
};
static const struct tool_option oms_options[] = {
#define X(id, word, value, commands, help) {word, value, commands, help},
    CLI_FLAGS(X)
#undef X
};
static const struct tool_exit oms_exits[] = {
#define X(id, code, meaning) {code, meaning},
    CLI_EXITS(X)
#undef X
};
static const struct tool_note oms_variables[] = {
    {"APCA_API_BASE_URL",
     "the broker's address, unless --url gives it; plain http to loopback only"},
    {"APCA_API_KEY_ID, APCA_API_SECRET_KEY", "the keys, unless --key-file names a file; they reach "
                                             "no log, report, database or command line"},
    {"OMS_ALERT_WEBHOOK", "where alerts are posted as JSON, unless --alert-webhook gives it"},
};
static const struct tool_note oms_examples[] = {
    {"oms init --db desk.db --account DESK1", "create a store, once"},
    {"oms submit --db desk.db D1 buy 100 AAPL limit 150.00",
     "one decision; repeat it as often as you like, it is one order"},
    {"oms run --db desk.db --listen strategies.sock", "keep a desk going"},
    {"oms kill-switch on --db desk.db --why 'wrong prices'", "nothing is sent any more"},
};

static const struct tool tools[] = {
    {.name = "crashgate",
     .summary = "kill an order-management system at every point, and judge what is left",
     .description = "crashgate runs an order-management system against a simulated broker, disk, "
                    "wire and clock, kills it (or the power) where scenarios say, or everywhere, "
                    "and judges what is left: no decision may become two orders, and none may be "
                    "lost. Every failure ends with the command that repeats it.",
     ARRAY(command, crashgate_commands),
     ARRAY(option, crashgate_options),
     ARRAY(exit, crashgate_exits),
     ARRAY(variable, crashgate_variables),
     ARRAY(example, crashgate_examples),
     .see_also = "oms(1), crashgate-scenario(5)"},
    {.name = "oms",
     .summary = "an order-management core that survives its own death",
     .description = "oms takes trading decisions, makes each durable before its order leaves, and "
                    "sends it once: a decision is one order whatever dies when. Every start "
                    "compares itself with the broker before anything is sent. While 'oms run' "
                    "runs, the other commands go through its control socket (DB-ctl).",
     ARRAY(command, oms_commands),
     ARRAY(option, oms_options),
     ARRAY(exit, oms_exits),
     ARRAY(variable, oms_variables),
     ARRAY(example, oms_examples),
     .see_also = "crashgate(1), crashgate-scenario(5)"},
};

static bool takes(const struct tool_option *option, size_t command) {
    return (option->commands & 1u << command) != 0;
}
static bool has_value(const struct tool_option *option) {
    return option->value != NULL && option->value[0] != '\0';
}

/* ---- what a value may be ---- */

enum value_kind { VALUE_ANY, VALUE_FILE, VALUE_PROFILE, VALUE_WORDS };

static bool has_capital(const char *text) {
    return text[strcspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0';
}

static enum value_kind value_kind(const struct tool_option *option) {
    if (strcmp(option->word, "--profile") == 0)
        return VALUE_PROFILE;
    if (strstr(option->value, "FILE") != NULL || strstr(option->value, "PATH") != NULL ||
        strstr(option->value, "DIR") != NULL || strstr(option->value, ".db") != NULL)
        return VALUE_FILE;
    return strchr(option->value, '|') != NULL && !has_capital(option->value) ? VALUE_WORDS
                                                                             : VALUE_ANY;
}

/* The words of "a|b|c", or the profiles, with blanks between. */
static void write_words(const struct tool_option *option, FILE *out) {
    if (value_kind(option) == VALUE_PROFILE) {
        for (size_t i = 0; profile_at(i) != NULL; i++)
            fprintf(out, "%s%s", i > 0 ? " " : "", profile_at(i)->name);
        return;
    }
    for (const char *c = option->value; *c != '\0'; c++)
        fputc(*c == '|' ? ' ' : *c, out);
}

/* ---- manual pages ---- */

/* Text in roff: its own characters mean themselves. */
static void roff(const char *text, FILE *out) {
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\\')
            fputs("\\e", out);
        else if (*c == '-')
            fputs("\\-", out);
        else if (*c == '\'')
            fputs("\\(aq", out);
        else if (*c == '.' && c == text)
            fputs("\\&.", out);
        else
            fputc(*c, out);
    }
}

static void roff_item(const char *bold, const char *italic, const char *text, FILE *out) {
    fputs(".TP\n\\fB", out);
    roff(bold, out);
    fputs("\\fR", out);
    if (italic != NULL && italic[0] != '\0') {
        fputs(" \\fI", out);
        roff(italic, out);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    roff(text, out);
    fputc('\n', out);
}

static void roff_command(const struct tool *tool, size_t command, FILE *out) {
    const struct tool_command *row = &tool->commands[command];
    fputs(".SS ", out);
    roff(tool->name, out);
    fprintf(out, " %s", row->word);
    fputs(row->operands[0] != '\0' ? " " : "", out);
    roff(row->operands, out);
    fputc('\n', out);
    roff(row->help, out);
    fputs(".\n", out);
    for (size_t i = 0; i < tool->option_count; i++)
        if (takes(&tool->options[i], command))
            roff_item(tool->options[i].word, tool->options[i].value, tool->options[i].help, out);
}

static void write_man(const struct tool *tool, FILE *out) {
    fprintf(out, ".TH %s 1\n.SH NAME\n%s \\- ", tool->name, tool->name);
    roff(tool->summary, out);
    fprintf(out,
            "\n.SH SYNOPSIS\n\\fB%s\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] ...\n"
            ".SH DESCRIPTION\n",
            tool->name);
    roff(tool->description, out);
    fputs("\n.SH COMMANDS\n", out);
    for (size_t i = 0; i < tool->command_count; i++)
        roff_command(tool, i, out);
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < tool->exit_count; i++) {
        char code[16];
        snprintf(code, sizeof code, "%d", tool->exits[i].code);
        roff_item(code, NULL, tool->exits[i].meaning, out);
    }
    fputs(".SH ENVIRONMENT\n", out);
    for (size_t i = 0; i < tool->variable_count; i++)
        roff_item(tool->variables[i].name, NULL, tool->variables[i].text, out);
    fputs(".SH EXAMPLES\n", out);
    for (size_t i = 0; i < tool->example_count; i++)
        roff_item(tool->examples[i].name, NULL, tool->examples[i].text, out);
    fputs(".SH SEE ALSO\n", out);
    roff(tool->see_also, out);
    fputc('\n', out);
}

/* ---- bash ---- */

static void bash_values(const struct tool *tool, FILE *out) {
    fputs("    case $previous in\n", out);
    for (size_t i = 0; i < tool->option_count; i++) {
        const struct tool_option *option = &tool->options[i];
        if (!has_value(option))
            continue;
        fprintf(out, "    %s) ", option->word);
        switch (value_kind(option)) {
        case VALUE_FILE:
            fputs("COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n", out);
            break;
        case VALUE_PROFILE:
        case VALUE_WORDS:
            fputs("COMPREPLY=($(compgen -W '", out);
            write_words(option, out);
            fputs("' -- \"$word\")); return ;;\n", out);
            break;
        case VALUE_ANY:
            fputs("return ;;\n", out);
            break;
        }
    }
    fputs("    esac\n", out);
}

static void write_bash(const struct tool *tool, FILE *out) {
    fprintf(out, "# bash completion of %s\n_%s() {\n", tool->name, tool->name);
    fputs("    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} options=\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" = 1 ]; then\n        COMPREPLY=($(compgen -W '",
          out);
    for (size_t i = 0; i < tool->command_count; i++)
        fprintf(out, "%s ", tool->commands[i].word);
    fputs("--help' -- \"$word\"))\n        return\n    fi\n", out);
    bash_values(tool, out);
    fputs("    case ${COMP_WORDS[1]} in\n", out);
    for (size_t i = 0; i < tool->command_count; i++) {
        fprintf(out, "    %s) options='", tool->commands[i].word);
        for (size_t j = 0; j < tool->option_count; j++)
            if (takes(&tool->options[j], i))
                fprintf(out, "%s ", tool->options[j].word);
        fputs("' ;;\n", out);
    }
    fprintf(out,
            "    esac\n"
            "    case $word in\n"
            "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
            "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
            "    esac\n"
            "}\ncomplete -o filenames -F _%s %s\n",
            tool->name, tool->name);
}

/* ---- zsh ---- */

/* Inside '...': a quote ends, escapes and begins again; brackets and colons are zsh's. */
static void zsh_text(const char *text, FILE *out) {
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'')
            fputs("'\\''", out);
        else if (strchr("[]:\\", *c) != NULL)
            fprintf(out, "\\%c", *c);
        else
            fputc(*c, out);
    }
}

static void zsh_option(const struct tool_option *option, FILE *out) {
    fprintf(out, "            '%s[", option->word);
    zsh_text(option->help, out);
    fputc(']', out);
    if (has_value(option)) {
        fputc(':', out);
        zsh_text(option->value, out);
        fputc(':', out);
        switch (value_kind(option)) {
        case VALUE_FILE:
            fputs("_files", out);
            break;
        case VALUE_PROFILE:
        case VALUE_WORDS:
            fputc('(', out);
            write_words(option, out);
            fputc(')', out);
            break;
        case VALUE_ANY:
            fputc(' ', out);
            break;
        }
    }
    fputs("' \\\n", out);
}

static void write_zsh(const struct tool *tool, FILE *out) {
    fprintf(out,
            "#compdef %s\n# zsh completion of %s\n_%s() {\n    local -a commands\n"
            "    commands=(\n",
            tool->name, tool->name, tool->name);
    for (size_t i = 0; i < tool->command_count; i++) {
        fprintf(out, "        '%s:", tool->commands[i].word);
        zsh_text(tool->commands[i].help, out);
        fputs("'\n", out);
    }
    fputs("    )\n"
          "    if ((CURRENT == 2)); then\n        _describe command commands\n        return\n    "
          "fi\n"
          "    shift words\n    ((CURRENT--))\n"
          "    case $words[1] in\n",
          out);
    for (size_t i = 0; i < tool->command_count; i++) {
        fprintf(out, "    %s)\n        _arguments \\\n", tool->commands[i].word);
        for (size_t j = 0; j < tool->option_count; j++)
            if (takes(&tool->options[j], i))
                zsh_option(&tool->options[j], out);
        fputs("            '*:file:_files'\n        ;;\n", out);
    }
    fprintf(out, "    esac\n}\n_%s \"$@\"\n", tool->name);
}

/* ---- all of it ---- */

static bool is_page(const char *page, const char *before, const char *name, const char *after) {
    size_t length = strlen(before), middle = strlen(name);
    return strncmp(page, before, length) == 0 && strncmp(page + length, name, middle) == 0 &&
           strcmp(page + length + middle, after) == 0;
}

bool manual_write(const char *page, FILE *out) {
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        if (is_page(page, "", tools[i].name, ".1"))
            write_man(&tools[i], out);
        else if (is_page(page, "", tools[i].name, ".bash"))
            write_bash(&tools[i], out);
        else if (is_page(page, "_", tools[i].name, ""))
            write_zsh(&tools[i], out);
        else
            continue;
        return true;
    }
    return false;
}
