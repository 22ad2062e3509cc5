/* The oms program's command line: one table of commands, one of flags, and guesses at what was
 * meant. */
#include "core/decimal.h"
#include "core/live/cli.h"
#include "core/live/rfc3339.h"

#include <stdlib.h>
#include <string.h>

enum {
    WORD_MAX = 32,
    DEFAULT_WAIT_S = 60,
    SECONDS_MAX = 86400 * 366,
    PERCENT_STEP = 100000, /* billionths of a percent in one part in a million */
    PERCENT_MAX = 50,
    POINT_STEP = DECIMAL_NANOS / PARITY_BP,
    DAY_LENGTH = 10,
    DAY_S = 86400,
    DEFAULT_LAST = 20,
    LAST_MAX = 1000000,
    ALARM_AFTER_MAX = 100,
    PAGE_MIN = 512,
    PAGE_MAX = 65536,
    RATE_MIN = 20, /* one comparison takes some */
    RATE_MAX = 100000,
    RATE_DEFAULT = 200 /* what Alpaca allows */
};

#define WHOLE_PERCENT INT64_C(100)

static const struct {
    const char *word, *operands, *meaning;
} COMMANDS[] = {
#define X(id, word, operands, meaning) {word, operands, meaning},
    CLI_COMMANDS(X)
#undef X
};

static const struct {
    const char *flag, *value;
    unsigned commands;
    const char *meaning;
} FLAGS[] = {
#define X(id, flag, value, commands, meaning) {flag, value, commands, meaning},
    CLI_FLAGS(X)
#undef X
};

static const char *const TABLES[] = {
#define X(id, word) word,
    CLI_TABLES(X)
#undef X
};

const char *cli_table_name(enum cli_table table) {
    return TABLES[table];
}

static const struct {
    int code;
    const char *meaning;
} EXITS[] = {
#define X(id, code, meaning) {code, meaning},
    CLI_EXITS(X)
#undef X
};

/* ---- help ---- */

static void help_exits(FILE *out) {
    fputs("\nexit codes:\n", out);
    for (size_t i = 0; i < sizeof EXITS / sizeof EXITS[0]; i++)
        fprintf(out, "  %d  %s\n", EXITS[i].code, EXITS[i].meaning);
}

void cli_help(FILE *out) {
    fputs("oms: one decision, at most one order, whatever dies when\n\n"
          "usage: oms COMMAND [operands] [flags]\n\n",
          out);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++)
        fprintf(out, "  %-12s %s\n", COMMANDS[i].word, COMMANDS[i].meaning);
    fputs("\nKeys come from APCA_API_KEY_ID and APCA_API_SECRET_KEY, or from --key-file, only.\n"
          "`oms COMMAND --help` lists a command's flags.\n",
          out);
    help_exits(out);
}

void cli_help_command(enum cli_command command, FILE *out) {
    fprintf(out, "usage: oms %s%s%s [flags]\n\n%s\n\n", COMMANDS[command].word,
            COMMANDS[command].operands[0] != '\0' ? " " : "", COMMANDS[command].operands,
            COMMANDS[command].meaning);
    for (size_t i = 0; i < CLI_FLAG_COUNT; i++)
        if ((FLAGS[i].commands & 1u << command) != 0)
            fprintf(out, "  %-12s %-14s %s\n", FLAGS[i].flag, FLAGS[i].value, FLAGS[i].meaning);
    help_exits(out);
    if (command != CLI_COMMAND_INIT && command != CLI_COMMAND_STATUS)
        return;
    fputs("\nprofiles:\n", out);
    const struct profile *profile;
    for (size_t i = 0; (profile = profile_at(i)) != NULL; i++)
        fprintf(out, "  %-18s %s\n", profile->name, profile->guarantee);
}

/* ---- guesses ---- */

/* Edit distance of two short words; a large number when one is too long to bother. */
static size_t distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b), row[WORD_MAX + 1];
    if (n > WORD_MAX || m > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < shift ? change : shift;
        }
    }
    return row[m];
}

/* Remembers the nearest word so far, when it is near enough to be a slip. */
struct guess {
    const char *wrong, *best;
    size_t distance;
};

static void consider(struct guess *guess, const char *word) {
    size_t d = distance(guess->wrong, word);
    if (d <= 3 && d * 2 < strlen(word) && (guess->best == NULL || d < guess->distance)) {
        guess->best = word;
        guess->distance = d;
    }
}

static bool unknown(const char *what, const struct guess *guess, FILE *err) {
    fprintf(err, "oms: no such %s: '%s'", what, guess->wrong);
    if (guess->best != NULL)
        fprintf(err, "; did you mean '%s'?", guess->best);
    fputc('\n', err);
    return false;
}

/* ---- values ---- */

static bool wrong(FILE *err, const char *name, const char *value, const char *rule) {
    fprintf(err, "oms: %s '%s' %s\n", name, value, rule);
    return false;
}

static bool read_seconds(const char *name, const char *text, int64_t *ns, FILE *err) {
    int64_t seconds_nanos;
    if (!decimal_parse(text, &seconds_nanos) || seconds_nanos <= 0 ||
        seconds_nanos / PROFILE_SECOND_NS > SECONDS_MAX)
        return wrong(err, name, text, "must be a positive number of seconds, at most a year");
    *ns = seconds_nanos; /* a billionth of a second is a nanosecond */
    return true;
}

static bool read_rate(const char *text, int *rate, FILE *err) {
    char *end;
    long value = strtol(text, &end, 10);
    if (*end != '\0' || end == text || value < RATE_MIN || value > RATE_MAX)
        return wrong(err, "--rate", text, "must be a whole number of requests from 20 to 100000");
    *rate = (int)value;
    return true;
}

static bool read_page_size(const char *text, int *size, FILE *err) {
    char *end;
    long value = strtol(text, &end, 10);
    if (*end != '\0' || end == text || value < PAGE_MIN || value > PAGE_MAX ||
        (value & (value - 1)) != 0)
        return wrong(err, "--page-size", text, "must be a power of two from 512 to 65536");
    *size = (int)value;
    return true;
}

static bool read_count(const char *name, const char *text, int most, int *count, FILE *err) {
    char *end;
    long value = strtol(text, &end, 10);
    if (*end != '\0' || end == text || value < 1 || value > most) {
        fprintf(err, "oms: %s '%s' must be a whole number from 1 to %d\n", name, text, most);
        return false;
    }
    *count = (int)value;
    return true;
}

/* Up to half of a position; four decimals of a percent are one part in a million. */
static bool read_percent(const char *name, const char *text, int64_t *ppm, FILE *err) {
    int64_t nanos;
    if (!decimal_parse(text, &nanos) || nanos < PERCENT_STEP ||
        nanos > (int64_t)PERCENT_MAX * DECIMAL_NANOS)
        return wrong(err, name, text, "must be a percentage above 0, at most 50");
    *ppm = nanos / PERCENT_STEP;
    return true;
}

static bool read_day(const char *name, const char *text, int64_t *day, FILE *err) {
    char moment[RFC3339_SIZE];
    int64_t ns;
    snprintf(moment, sizeof moment, "%.10sT00:00:00Z", text);
    if (strlen(text) != DAY_LENGTH || !rfc3339_parse(moment, &ns))
        return wrong(err, name, text, "must be a day as in 2026-01-09");
    *day = ns / PROFILE_SECOND_NS / DAY_S;
    return true;
}

static bool read_limit(const char *name, const char *text, size_t *most, FILE *err) {
    char *end;
    long value = strtol(text, &end, 10);
    if (*end != '\0' || end == text || value < 0 || value > PARITY_ROWS_MAX)
        return wrong(err, name, text, "must be a whole number from 0 to 1000000");
    *most = (size_t)value;
    return true;
}

static bool read_share(const char *name, const char *text, int64_t *ppm, FILE *err) {
    int64_t nanos;
    if (!decimal_parse(text, &nanos) || nanos < 0 || nanos > WHOLE_PERCENT * DECIMAL_NANOS ||
        nanos % PERCENT_STEP != 0)
        return wrong(err, name, text, "must be a percentage from 0 to 100, at most four decimals");
    *ppm = nanos / PERCENT_STEP;
    return true;
}

/* Basis points, to the thousandth; negative: it must even be better than expected. */
static bool read_points(const char *name, const char *text, bool *limited, int64_t *most,
                        FILE *err) {
    int64_t nanos;
    if (!decimal_parse(text, &nanos) || nanos % POINT_STEP != 0)
        return wrong(err, name, text, "must be basis points, at most three decimals");
    *most = nanos / POINT_STEP;
    return *limited = true;
}

static bool read_profile(const char *text, const struct profile **profile, FILE *err) {
    *profile = profile_find(text);
    if (*profile != NULL)
        return true;
    struct guess guess = {.wrong = text};
    const struct profile *row;
    for (size_t i = 0; (row = profile_at(i)) != NULL; i++)
        consider(&guess, row->name);
    return unknown("profile", &guess, err);
}

static bool read_table(const char *text, enum cli_table *table, FILE *err) {
    struct guess guess = {.wrong = text};
    for (size_t i = 0; i < CLI_TABLE_COUNT; i++) {
        *table = (enum cli_table)i;
        if (strcmp(text, TABLES[i]) == 0)
            return true;
        consider(&guess, TABLES[i]);
    }
    return unknown("table to export", &guess, err);
}

static bool read_format(const char *text, bool *csv, FILE *err) {
    *csv = strcmp(text, "csv") == 0;
    return *csv || strcmp(text, "json") == 0 || wrong(err, "--format", text, "must be json or csv");
}

static bool copy_word(const char *name, const char *text, char *out, size_t size, FILE *err) {
    if (text[0] == '\0' || strlen(text) >= size) {
        fprintf(err, "oms: %s '%s' must be 1 to %zu characters\n", name, text, size - 1);
        return false;
    }
    snprintf(out, size, "%s", text);
    return true;
}

/* SYM=QTY@PRICE */
static bool read_opening(const char *text, struct cli_args *args, FILE *err) {
    static const char rule[] = "must be SYMBOL=QTY@PRICE, as in AAPL=100@150.25";
    const char *equals = strchr(text, '='), *at = strchr(text, '@');
    struct oms_opening *o = &args->openings[args->opening_count];
    if (args->opening_count == CLI_OPENINGS_MAX)
        return wrong(err, "--opening", text, "is one too many (256)");
    if (equals == NULL || at == NULL || at < equals || equals == text ||
        (size_t)(equals - text) >= sizeof o->symbol)
        return wrong(err, "--opening", text, rule);
    memcpy(o->symbol, text, (size_t)(equals - text));
    if (!decimal_parse_n(equals + 1, (size_t)(at - equals - 1), &o->qty_nanos) ||
        !decimal_parse(at + 1, &o->price_nanos) || o->qty_nanos == 0 || o->price_nanos < 0)
        return wrong(err, "--opening", text, rule);
    args->opening_count++;
    return true;
}

static bool read_flag(enum cli_flag flag, const char *value, struct cli_args *args, FILE *err) {
    switch (flag) {
    case CLI_FLAG_DB:
        args->db = value;
        return value[0] != '\0' || wrong(err, "--db", value, "must be a path");
    case CLI_FLAG_ACCOUNT:
        args->account = value;
        return true;
    case CLI_FLAG_PROFILE:
        args->profile_named = true;
        return read_profile(value, &args->profile, err);
    case CLI_FLAG_URL:
        args->url = value;
        return true;
    case CLI_FLAG_KEY_FILE:
        args->key_file = value;
        return value[0] != '\0' || wrong(err, "--key-file", value, "must be a path");
    case CLI_FLAG_CA_FILE:
        args->ca_file = value;
        return value[0] != '\0' || wrong(err, "--ca-file", value, "must be a path");
    case CLI_FLAG_WAIT:
        return read_seconds("--wait", value, &args->wait_ns, err);
    case CLI_FLAG_TIF:
        return broker_tif_parse(value, &args->decision.tif) ||
               wrong(err, "--tif", value, "must be day, gtc, ioc, fok, opg or cls");
    case CLI_FLAG_EXPIRES:
        return read_seconds("--expires", value, &args->expires_after_ns, err);
    case CLI_FLAG_OPENING:
        return read_opening(value, args, err);
    case CLI_FLAG_PAGE_SIZE:
        return read_page_size(value, &args->page_size, err);
    case CLI_FLAG_LAST:
        return read_count("--last", value, LAST_MAX, &args->last, err);
    case CLI_FLAG_ALARM_AFTER:
        return read_count("--alarm-after", value, ALARM_AFTER_MAX, &args->alarm_after, err);
    case CLI_FLAG_SELF_HEAL:
        return read_percent("--self-heal", value, &args->self_heal_ppm, err);
    case CLI_FLAG_DAY:
        args->one_day = true;
        return read_day("--day", value, &args->day, err);
    case CLI_FLAG_DAILY:
        args->daily = true;
        return true;
    case CLI_FLAG_SIGNALS:
        args->signals = value;
        return value[0] != '\0' || wrong(err, "--signals", value, "must be a path");
    case CLI_FLAG_AGAINST:
        args->against = value;
        return value[0] != '\0' || wrong(err, "--against", value, "must be a path");
    case CLI_FLAG_MAX_MISSED:
        return read_limit("--max-missed", value, &args->limits.missed_max, err);
    case CLI_FLAG_MAX_UNEXPECTED:
        return read_limit("--max-unexpected", value, &args->limits.unexpected_max, err);
    case CLI_FLAG_MIN_FILL:
        return read_share("--min-fill", value, &args->limits.fill_min_ppm, err);
    case CLI_FLAG_MAX_SLIPPAGE:
        return read_points("--max-slippage", value, &args->limits.limits_average,
                           &args->limits.average_max, err);
    case CLI_FLAG_MAX_WORST:
        return read_points("--max-worst", value, &args->limits.limits_worst,
                           &args->limits.worst_max, err);
    case CLI_FLAG_WHY:
        args->why = value;
        return true;
    case CLI_FLAG_HALT_FILE:
        return copy_word("--halt-file", value, args->halt_path, sizeof args->halt_path, err);
    case CLI_FLAG_LISTEN:
        args->listen = value;
        return value[0] != '\0' || wrong(err, "--listen", value, "must be a path");
    case CLI_FLAG_EXIT_AT_EOF:
        args->exit_at_eof = true;
        return true;
    case CLI_FLAG_RATE:
        return read_rate(value, &args->rate, err);
    case CLI_FLAG_ALERT_SYSLOG:
        return args->alert_syslog = true;
    case CLI_FLAG_ALERT_WEBHOOK:
        args->alert_webhook = value;
        return value[0] != '\0' || wrong(err, "--alert-webhook", value, "must be a URL");
    case CLI_FLAG_OPEN:
        args->open_only = true;
        return true;
    case CLI_FLAG_ARCHIVED:
        args->archived = true;
        return true;
    case CLI_FLAG_HELD:
        args->held_only = true;
        return true;
    case CLI_FLAG_SYMBOL:
        args->symbol = value;
        return true;
    case CLI_FLAG_DECISION:
        args->only_id = value;
        return true;
    case CLI_FLAG_FORMAT:
        return read_format(value, &args->csv, err);
    case CLI_FLAG_WHAT:
        return read_table(value, &args->table, err);
    case CLI_FLAG_OUTPUT:
        args->output = value;
        return value[0] != '\0' || wrong(err, "--output", value, "must be a path");
    case CLI_FLAG_JSON:
        args->json = true;
        return true;
    case CLI_FLAG_EVENTS:
        args->events = true;
        return true;
    case CLI_FLAG_HELP:
        args->help = true;
        return true;
    case CLI_FLAG_COUNT:
        break;
    }
    return false;
}

/* ---- operands ---- */

static bool read_price(const char *text, struct oms_decision *d, FILE *err) {
    return (decimal_parse(text, &d->limit_nanos) && d->limit_nanos > 0) ||
           wrong(err, "price", text, "must be a positive decimal with at most nine places");
}

static bool read_submit(char *const *word, size_t count, struct oms_decision *d, FILE *err) {
    bool limit = count == 6 && strcmp(word[4], "limit") == 0;
    bool market = count == 4 || (count == 5 && strcmp(word[4], "market") == 0);
    if (!limit && !market)
        return wrong(err, "operands of", "submit",
                     "must be ID buy|sell QTY SYMBOL [limit PRICE|market]");
    d->type = limit ? BROKER_LIMIT : BROKER_MARKET;
    if (!broker_side_parse(word[1], &d->side))
        return wrong(err, "side", word[1], "must be buy or sell");
    if (!decimal_parse(word[2], &d->qty_nanos) || d->qty_nanos <= 0)
        return wrong(err, "quantity", word[2],
                     "must be a positive decimal with at most nine places");
    return copy_word("decision id", word[0], d->id, sizeof d->id, err) &&
           copy_word("symbol", word[3], d->symbol, sizeof d->symbol, err) &&
           (!limit || read_price(word[5], d, err));
}

static bool read_resolve(char *const *word, size_t count, struct cli_args *args, FILE *err) {
    bool gone = count == 2 && strcmp(word[1], "gone") == 0;
    bool adopt = count == 3 && strcmp(word[1], "adopt") == 0;
    if (!gone && !adopt)
        return wrong(err, "operands of", "resolve",
                     "must be a decision id and then gone, or adopt and the broker's order id");
    if (args->why == NULL || args->why[0] == '\0')
        return wrong(err, "resolve", word[0], "needs --why TEXT: the reason goes on record");
    return copy_word("decision id", word[0], args->decision.id, sizeof args->decision.id, err) &&
           (gone || copy_word("broker order id", word[2], args->broker_order_id,
                              sizeof args->broker_order_id, err));
}

static bool read_operands(char *const *word, size_t count, struct cli_args *args, FILE *err) {
    switch (args->command) {
    case CLI_COMMAND_SUBMIT:
        return read_submit(word, count, &args->decision, err);
    case CLI_COMMAND_CANCEL:
        if (count == 1)
            return copy_word("decision id", word[0], args->decision.id, sizeof args->decision.id,
                             err);
        return wrong(err, "operand of", "cancel", "must be one decision id");
    case CLI_COMMAND_KILL_SWITCH:
        if (count != 1 || (strcmp(word[0], "on") != 0 && strcmp(word[0], "off") != 0))
            return wrong(err, "operand of", "kill-switch", "must be on or off");
        args->kill_on = strcmp(word[0], "on") == 0;
        return (args->why != NULL && args->why[0] != '\0') ||
               wrong(err, "kill-switch", word[0], "needs --why TEXT: the reason goes on record");
    case CLI_COMMAND_RESOLVE:
        return read_resolve(word, count, args, err);
    case CLI_COMMAND_INIT:
        if (args->account == NULL)
            return wrong(err, "command", "init",
                         "needs --account NAME: it is part of every order id");
        break;
    case CLI_COMMAND_PARITY:
        if ((args->signals == NULL) == (args->against == NULL))
            return wrong(err, "command", "parity", "needs --signals FILE or --against OTHER.db");
        break;
    case CLI_COMMAND_RECONCILE:
        if (args->one_day && !args->daily)
            return wrong(err, "flag", "--day", "belongs to reconcile --daily");
        if (args->json_file != NULL && !args->daily)
            return wrong(err, "operand", args->json_file, "is not expected here");
        break;
    case CLI_COMMAND_BACKUP:
        args->file = count == 1 ? word[0] : NULL;
        return (args->file != NULL && args->file[0] != '\0') ||
               wrong(err, "operand of", "backup", "must be one file, where the copy goes");
    case CLI_COMMAND_EXPORT:
        if (args->csv && args->table == CLI_TABLE_ALL)
            return wrong(err, "--what", "all", "needs --format json: a CSV file holds one table");
        break;
    case CLI_COMMAND_RUN:
    case CLI_COMMAND_STATUS:
    case CLI_COMMAND_ORDERS:
    case CLI_COMMAND_POSITIONS:
    case CLI_COMMAND_HISTORY:
    case CLI_COMMAND_PNL:
    case CLI_COMMAND_COUNT:
        break;
    }
    return count == 0 || wrong(err, "operand", word[0], "is not expected here");
}

static bool find_command(const char *word, enum cli_command *command, FILE *err) {
    struct guess guess = {.wrong = word};
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        if (strcmp(word, COMMANDS[i].word) == 0) {
            *command = (enum cli_command)i;
            return true;
        }
        consider(&guess, COMMANDS[i].word);
    }
    return unknown("command", &guess, err);
}

static bool find_flag(const char *word, enum cli_command command, size_t *index, FILE *err) {
    struct guess guess = {.wrong = word};
    for (*index = 0; *index < CLI_FLAG_COUNT; (*index)++) {
        bool fits = (FLAGS[*index].commands & 1u << command) != 0;
        if (strcmp(word, FLAGS[*index].flag) == 0)
            return fits || wrong(err, "flag", word, "does not belong to this command; see --help");
        if (fits)
            consider(&guess, FLAGS[*index].flag);
    }
    return unknown("flag", &guess, err);
}

/* A number such as -5 is an operand, to be judged by its own rule. */
static bool is_flag(const char *word) {
    return word[0] == '-' && strspn(word + 1, "0123456789.") != strlen(word + 1);
}

/* These have no operands, so that one behind --json is its file. */
static bool takes_json_file(enum cli_command command) {
    return command == CLI_COMMAND_RECONCILE || command == CLI_COMMAND_PARITY;
}

bool cli_parse(int argc, char *const *argv, struct cli_args *args, FILE *err) {
    memset(args, 0, sizeof *args);
    args->db = "oms.db";
    args->profile = profile_find("alpaca-retention");
    args->rate = RATE_DEFAULT;
    args->wait_ns = DEFAULT_WAIT_S * PROFILE_SECOND_NS;
    args->last = DEFAULT_LAST;
    args->command = CLI_COMMAND_COUNT;
    if (argc < 2) {
        fputs("oms: a command is missing; `oms --help` lists them\n", err);
        return false;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return args->help = true;
    if (!find_command(argv[1], &args->command, err))
        return false;
    char *operands[8];
    size_t count = 0;
    for (int i = 2; i < argc; i++) {
        size_t flag;
        if (!is_flag(argv[i])) {
            if (count == sizeof operands / sizeof operands[0])
                return wrong(err, "operand", argv[i], "is one too many");
            operands[count++] = argv[i];
            continue;
        }
        if (!find_flag(argv[i], args->command, &flag, err))
            return false;
        bool valued = FLAGS[flag].value[0] != '\0';
        if (valued && i + 1 == argc)
            return wrong(err, "flag", argv[i], "needs a value");
        i += valued ? 1 : 0;
        if (flag == CLI_FLAG_JSON && takes_json_file(args->command) && i + 1 < argc &&
            argv[i + 1][0] != '-') {
            args->json_file = argv[++i];
            continue;
        }
        if (!read_flag((enum cli_flag)flag, argv[i], args, err))
            return false;
    }
    if (args->halt_path[0] == '\0' && snprintf(args->halt_path, sizeof args->halt_path, "%s-halt",
                                               args->db) >= (int)sizeof args->halt_path)
        return wrong(err, "--db", args->db, "is too long a path");
    return args->help || read_operands(operands, count, args, err);
}
