/* Writes the language reference from the language's own tables. */
#include "scenarios/lang/reference.h"

#include "scenarios/lang/exits.h"
#include "scenarios/lang/parser.h"
#include "scenarios/lang/time_text.h"
#include "sim/judge.h"

#include <string.h>

/* In a table of Markdown a bar ends the cell. */
static void put_cell(const char *text, FILE *out) {
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
}

static void put_code(const char *text, FILE *out) {
    fputc('`', out);
    put_cell(text, out);
    fputc('`', out);
}

static void put_row(const char *shape, const char *help, const char *example, FILE *out) {
    fputs("| ", out);
    put_code(shape, out);
    fputs(" | ", out);
    put_cell(help, out);
    fputs(" | ", out);
    put_code(example, out);
    fputs(" |\n", out);
}

static void put_verbs(const struct verb *rows, size_t count, FILE *out) {
    fputs("| line | meaning | example |\n|---|---|---|\n", out);
    for (size_t i = 0; i < count; i++)
        put_row(rows[i].shape, rows[i].help, rows[i].example, out);
    fputc('\n', out);
}

static void put_statements(enum scn_sort sort, FILE *out) {
    fputs("| line | meaning | example |\n|---|---|---|\n", out);
    for (size_t i = 0; i < SCN_STATEMENT_COUNT; i++) {
        if (verb_statements[i].sort == sort)
            put_row(verb_statements[i].shape, verb_statements[i].help, verb_statements[i].example,
                    out);
    }
    fputc('\n', out);
}

static void put_opening(FILE *out) {
    fputs(
        "# Writing scenarios\n"
        "\n"
        "A scenario file reads like an incident timeline: a time, then a sentence. It says what "
        "happens to an\n"
        "order-management system (the OMS), when it dies, and what must be true afterwards. Time "
        "is simulated and\n"
        "exact; there is nothing to install, to mock or to wait for.\n"
        "\n"
        "This page is made from the tables that the parser uses; a test fails when it is stale.\n"
        "\n"
        "## Your first scenario, in two minutes\n"
        "\n"
        "Put this into `scenarios/operations/my_first_scenario.scn`:\n"
        "\n"
        "```crashgate\n"
        "crashgate 1\n"
        "\n"
        "scenario \"An order survives a crash\"\n"
        "  crashes   kill\n"
        "  profile   alpaca\n"
        "  decision  D1 = \"AAPL_BUY_2026-01-09_10:00\"\n"
        "\n"
        "  10:00:00  signal D1 buy 100 AAPL limit 150.00\n"
        "  10:00:04  crash\n"
        "  10:00:05  broker fills D1 100 @ 150.00\n"
        "  10:00:30  restart\n"
        "\n"
        "  always    orders D1 <= 1\n"
        "  finally   position AAPL = 100 @ 150.00\n"
        "```\n"
        "\n"
        "Run it:\n"
        "\n"
        "```\n"
        "crashgate run scenarios/operations/my_first_scenario.scn\n"
        "```\n"
        "\n"
        "What it says: a strategy decides to buy, and signals that to the OMS. Four seconds later "
        "the OMS process is\n"
        "killed. The broker fills the order while nobody is there. After the restart the OMS must "
        "find out, and at no\n"
        "moment may the broker have accepted a second order.\n"
        "\n"
        "Now let it die *everywhere* instead of at 10:00:04. One word does that:\n"
        "\n"
        "```crashgate\n"
        "crashgate 1\n"
        "\n"
        "scenario \"An order survives a crash at any point\"\n"
        "  crashes   kill, power\n"
        "  profile   alpaca, label\n"
        "  decision  D1 = \"AAPL_BUY_2026-01-09_10:00\"\n"
        "\n"
        "  10:00:00  crash anywhere\n"
        "            signal D1 buy 100 AAPL limit 150.00\n"
        "  10:00:05  broker fills D1 100 @ 150.00\n"
        "  10:00:30  restart\n"
        "  10:00:31  signal D1 buy 100 AAPL limit 150.00\n"
        "\n"
        "  always    orders D1 <= 1\n"
        "  finally   position AAPL = broker position AAPL\n"
        "```\n"
        "\n"
        "The strategy signals again after the restart, as real ones do. The OMS knows the decision "
        "(or, if it died before it\n"
        "was written down, takes it now); either way there is at most one order.\n"
        "\n",
        out);
}

static void put_layout(FILE *out) {
    fputs(
        "## The file\n"
        "\n"
        "- The first line is `crashgate 1`, the version of the language.\n"
        "- A file holds one or more scenarios. Each has a title, then its headers, then its "
        "lines.\n"
        "- `#` begins a comment. Indentation and blank lines are free; a statement is one line.\n"
        "- Names of files are sentences: `the_reply_is_lost.scn`. They live in topic folders: "
        "`documented/`, `network/`,\n"
        "  `disk/`, `operations/`, `reconcile/`, `guarantees/`.\n"
        "- Quantities and prices are exact decimals with at most nine decimals; `limit 150.00` and "
        "`limit 150` are the same.\n"
        "- Symbols are capital letters, digits, `.`, `/` and `-`. Durations are a number and a "
        "unit: `ns us ms s m h`.\n"
        "- Every decision is introduced by a header and signalled. No two decisions of a scenario "
        "want the same symbol,\n"
        "  side, quantity and price: so the judge can tell their orders apart without trusting "
        "anybody's ids.\n"
        "\n",
        out);
    fprintf(out,
            "Ceilings: a file has at most %d bytes and %d scenarios, a line %d bytes, a scenario "
            "%d lines, %d decisions and\n"
            "%d symbols.\n\n",
            SCN_FILE_BYTES_MAX, SCN_SCENARIOS_MAX, SCN_LINE_BYTES_MAX, SCN_LINES_MAX,
            SCN_DECISIONS_MAX, SCN_SYMBOLS_MAX);
}

static void put_slots(FILE *out) {
    fputs(
        "## How lines are described\n\nIn the tables below small words stand for themselves. What "
        "is in brackets may be left out; a bar separates\nalternatives. Capital words stand "
        "for:\n\n"
        "| word | is |\n|---|---|\n",
        out);
    for (size_t i = 0; i < SCN_SLOT_COUNT; i++) {
        if (slot_written[i][0] != '\0')
            fprintf(out, "| `%s` | %s |\n", slot_shapes[i], slot_written[i]);
    }
    fputc('\n', out);
}

static const char *yes(bool is) {
    return is ? "yes" : "no";
}

static void put_disks(FILE *out) {
    fputs(
        "### Disks\n\nA disk is what a power loss may do to writes that were not synced, beyond "
        "leaving any of them out. What the OMS is told\nabout its disk (sectors, whether "
        "overwriting is safe) follows it.\n\n"
        "| disk | sector | overwriting is power-safe | torn writes | zeros | names need a synced "
        "folder | a failed fsync typically leaves | meaning |\n|---|---|---|---|---|---|---|---|\n",
        out);
    for (size_t i = 0; disk_profile_at(i) != NULL; i++) {
        const struct disk_profile *disk = disk_profile_at(i);
        fprintf(out, "| `%s` | %d | %s | %s | %s | %s | %s | %s |\n", disk->name, disk->sector,
                yes(disk->power_safe), yes(disk->torn), yes(disk->zeros), yes(disk->names),
                disk->aftermaths, disk->meaning);
    }
    fprintf(
        out,
        "\nDamage is done to the newest write that survives, the one that was under way, each way "
        "one run; what more than %d unsynced writes\nallow is reduced, and the run says so.\n\n",
        DISK_DAMAGE_BITS);
}

static void put_headers(FILE *out) {
    fputs("## Headers\n\nHeaders stand before the first line, each at most once (but `option`, "
          "`given`, `use` and `decision`, as often as\nneeded).\n\n",
          out);
    put_verbs(verb_headers, SCN_HEADER_COUNT, out);
    fputs("A header that names several profiles or kinds of crash runs the scenario once for each "
          "combination; all must pass.\n"
          "A line of one's own wins over one from a used file. A used file begins with `crashgate "
          "1`, too, and holds headers only.\n\n"
          "| option | values | meaning |\n|---|---|---|\n",
          out);
    for (size_t i = 0; i < SCN_OPTION_COUNT; i++) {
        const struct option_row *row = &option_rows[i];
        fprintf(out, "| `%s` | ", row->name);
        if (row->type == OPTION_WORD)
            put_code(row->words, out);
        else
            fprintf(out, "%lld to %lld", (long long)row->least, (long long)row->most);
        fprintf(out, " | %s |\n", row->help);
    }
    fputs("\n### Profiles\n\nA profile is what a broker promises, and so what the OMS can "
          "guarantee.\n\n| profile | what the OMS promises with it |\n|---|---|\n",
          out);
    for (size_t i = 0; profile_at(i) != NULL; i++) {
        fprintf(out, "| `%s` | ", profile_at(i)->name);
        put_cell(profile_at(i)->guarantee, out);
        fputs(" |\n", out);
    }
    fputs("\nRun a story under `alpaca` *and* `label`: a broker that refuses a second order with "
          "the same id hides an OMS that sends\none.\n\n",
          out);
    put_disks(out);
}

static void put_times(FILE *out) {
    fputs(
        "## Times\n"
        "\n"
        "| written | means |\n"
        "|---|---|\n"
        "| `10:00:00`, `10:00:00.250` | that time of day (UTC) on the scenario's `date`, or the "
        "day of the line above |\n"
        "| `2026-01-10 09:00:00` | that day; later lines go on from it. Needed to pass midnight "
        "|\n"
        "| `+5s` | that long after the line above |\n"
        "| `start +5s` | after the first life booted |\n"
        "| `crash +5s` | after the last crash above; useful where the crash has a place instead of "
        "a time |\n"
        "| `restart +5s` | after the last restart above |\n"
        "| `before send D1:`, `after record D1:` | when that point is reached, see below |\n"
        "| nothing | the time of the line above; above the first time: in force before the OMS "
        "boots |\n"
        "\n"
        "Times never go backwards. At equal times stimuli happen first, in file order, then the "
        "OMS acts, then checks are made.\n"
        "The first life boots just before the first timed line.\n"
        "\n"
        "The OMS takes a decision in three steps: *decide* (it looks the id up and writes the "
        "intent down), *send*, and *record* (the\n"
        "answer). Each waits `pace`, then acts. With `pace 1s` a signal at 10:00:00 is decided at "
        "10:00:01, sent at 10:00:02 and\n"
        "recorded at 10:00:03. Boot and comparisons take no time. With open orders the OMS looks "
        "at the broker every 2 s.\n"
        "\n"
        "### Points\n"
        "\n"
        "A point can be a time (`before send D1: cancel D1`) and the place of a crash (`crash "
        "after deliver D1`). Without a\n"
        "decision it is that point of any order.\n"
        "\n"
        "| point | meaning |\n"
        "|---|---|\n",
        out);
    for (size_t i = 0; i < SCN_POINT_COUNT; i++)
        fprintf(out, "| `%s%s` | %s |\n", point_rows[i].word,
                point_rows[i].takes_decision ? " [D]" : "", point_rows[i].meaning);
    fputc('\n', out);
}

static void put_lines(FILE *out) {
    fputs("## Lines\n\n### What happens\n\n", out);
    put_statements(SCN_STIMULUS, out);
    fputs(
        "- A `broker` line about a decision waits until there is an order of it, without delaying "
        "later lines. If none ever comes\n"
        "  it is an error; in a scenario with `anywhere` the line is dropped from that run. "
        "`broker rejects` is the exception:\n"
        "  before delivery it refuses every delivery.\n"
        "- `signal`ling a decision again is normal: strategies do it after a restart. The payload "
        "must be the same.\n"
        "- What is signalled, canceled or asked while the OMS is down is lost, and so is a cancel "
        "that was not yet durable: ask again.\n"
        "  An operator does reach the kill switch then, with a tool of his own on the store.\n"
        "- While the kill switch is on, decisions are answered 'not taken'. Under the halt file "
        "they are taken and wait.\n"
        "- A broker that `goes down` keeps its orders and its time; only nobody reaches it.\n"
        "\n"
        "### What the OMS is seen doing\n"
        "\n"
        "These lines are optional. Written ones must be seen in this order, each no later than its "
        "time.\n"
        "\n",
        out);
    put_statements(SCN_OBSERVED, out);
    fputs("### What must be true\n\n", out);
    put_statements(SCN_CHECK, out);
    fputs("### Conditions\n\nA condition is one of these, or several joined by `or`.\n\n", out);
    put_verbs(verb_conditions, SCN_CONDITION_COUNT, out);
    fputs(
        "`always` holds from the first start on, so write `orders D1 <= 1` there and keep `orders "
        "D1 = 1` for `finally`. Each\nalternative of an `or` is a whole condition: `finally order "
        "D1 is canceled or order D1 is filled`.\n\n### Invariants\n\nWithout any line of yours "
        "every run is judged by these. A failure names the one that broke, and when.\n\n| | must "
        "hold |\n|---|---|\n",
        out);
#define X(number, meaning) fprintf(out, "| I%d | %s |\n", number, meaning);
    INVARIANTS(X)
#undef X
    fputs("\n### States of an order\n\n| state | final | meaning |\n|---|---|---|\n", out);
#define X(id, word, final, meaning) \
    fprintf(out, "| `%s` | %s | %s |\n", word, (final) ? "yes" : "no", meaning);
    OMS_STATES(X)
#undef X
    fputs("\n### Discrepancies\n\nTypes: ", out);
#define X(id, word) fprintf(out, "%s`%s`", OMS_##id == 0 ? "" : ", ", word);
    OMS_DISCREPANCIES(X)
#undef X
    fputs(".\nSeverities: `INFO`, `WARNING`, `CRITICAL`. Times in force: ", out);
#define X(id, name) fprintf(out, "%s`%s`", BROKER_##id == BROKER_DAY ? "" : ", ", name);
    BROKER_TIFS(X)
#undef X
    fputs(".\n\n", out);
}

static void put_workloads(FILE *out) {
    fputs(
        "### Workloads, and crashes at random\n"
        "\n"
        "`option trading-days = 5` adds a week of trading that nobody writes down: decisions "
        "(`option decisions-a-day`), each signalled\n"
        "three times; orders refused, filled in one to three parts, canceled by either side, "
        "expired; executions busted and corrected; the\n"
        "broker down twice a day; `reconcile` at noon and `reconcile daily` at 21:05; one drill of "
        "the kill switch. All of it is drawn from the\n"
        "seed (header `seed`, or `--seed N`): the same seed is the same week, on every machine.\n"
        "\n"
        "`crash at random N times` (at most 32) lets the OMS die so often from there on, spread "
        "over "
        "what happens, at calls that are drawn as well,\n"
        "and starts it again by itself, up to a quarter of an hour later. It is one run, not all: "
        "another seed is another. What it printed as its plan\n"
        "repeats it, with the same seed. As with `anywhere`, what cannot happen in it is dropped, "
        "and checks are `always`, `finally` and `reach`.\n"
        "\n",
        out);
}

static void put_crashes(FILE *out) {
    fputs(
        "## Crashes\n"
        "\n"
        "`kill`: the process dies; what it wrote is still in the machine's memory. `power`: the "
        "machine dies; only what was synced\n"
        "is sure, and of the unsynced writes *any subset* may have survived. A power crash "
        "therefore means one run for every subset.\n"
        "The two differ and there is no default: write `crash kill`, `crash power`, or a bare "
        "`crash` with the header `crashes`.\n"
        "\n"
        "| written | the OMS dies |\n"
        "|---|---|\n"
        "| `crash` | now |\n"
        "| `crash before record D1` | at that point; armed from this line on, so write it above "
        "what leads there |\n"
        "| `crash after deliver D1` | when the broker has acted and the answer is not yet seen |\n"
        "| `crash power at disk.sync(wal)@3` | before the third such call from here on |\n"
        "| `crash anywhere` | one run for every crash point from here to the next `restart` |\n"
        "| `crash anywhere before record D1` | only crash points until then |\n"
        "| `crash anywhere after send D1` | only crash points from then on |\n"
        "| `crash anywhere between send D1 and record D1` | only those between |\n"
        "| `crash at random 12 times` | so often in one run, drawn from the seed; see Workloads |\n"
        "| `crash twice anywhere` | every pair: the second one anywhere after the next restart |\n"
        "| `crash again anywhere` | any number of crashes, until nothing new is reached; explored "
        "by `crashgate explore` |\n"
        "\n"
        "A crash of an OMS that stopped itself counts: `kill` leaves the machine's memory, `power` "
        "cuts it. A crash that never\n"
        "happened is an error, which names the points that were reached. Without a `restart` after "
        "it, a quantified crash reaches\n"
        "to the end of the file, and the OMS is started once more at the end so that the outcome "
        "can be judged.\n"
        "\n",
        out);
    put_workloads(out);
    fputs(
        "### `anywhere`, and how runs are counted\n"
        "\n"
        "`anywhere` means *for all*. A crash is possible before and after every call of the OMS to "
        "its disk and its broker, and right\n"
        "before the restart. Places at which a crash would leave the very same world (between two "
        "calls that only read, say) are one\n"
        "crash point. The story runs once for each crash point, and where the power is cut once "
        "for each subset of the unsynced writes.\n"
        "`fault ... anywhere` does the same for every call of a site, and for faults of the wire "
        "whose `at` is not written, for every\n"
        "byte of the message.\n"
        "\n"
        "    runs = profiles x kinds of crash x crash points (x subsets for power)\n"
        "\n"
        "and one more where the OMS can get past the window or the fault alive: that run is judged "
        "too. The numbers are printed. If a bound reduced the subsets, the run says so and is "
        "inconclusive, not green. A scenario with\n"
        "`anywhere` holds only stimuli, `always`, `finally` and `reach`, because an `expect` at a "
        "fixed time cannot be true in every run.\n"
        "\n"
        "`crash twice anywhere` takes all pairs: for every crash point of the window (its bounds "
        "are those of the first crash), and\n"
        "every subset, every crash point of the life that the next start begins, boot included, "
        "and where that life ends alive also\n"
        "none. Without a `restart` the OMS is started when nothing else is left to happen. What "
        "stands below the first `restart` and\n"
        "counts from a `crash` counts from the second one. With `power` that is soon a hundred "
        "thousand runs: use a narrow window.\n"
        "\n"
        "`reach` makes sure that the scenario is not empty talk: something must have been true in "
        "at least one run. A scenario has at\n"
        "most one `anywhere`.\n"
        "\n"
        "Write what holds in *every* run: in some of them the decision was never taken. That is "
        "why the stories signal again after\n"
        "the restart, and say `orders D1 <= 1` rather than `= 1`.\n"
        "\n",
        out);
}

static void put_argument(const struct fault_arg *arg, FILE *out) {
    char low[TIME_TEXT_SIZE], high[TIME_TEXT_SIZE];
    fprintf(out, "`%s=`", arg->name);
    switch (arg->type) {
    case FAULT_ARG_WORD:
        for (int i = 0; i < FAULT_WORDS_MAX && arg->words[i] != NULL; i++)
            fprintf(out, "%s`%s`", i == 0 ? " " : " or ", arg->words[i]);
        break;
    case FAULT_ARG_INT:
        fprintf(out, " %lld to %lld", (long long)arg->least, (long long)arg->most);
        break;
    case FAULT_ARG_DURATION:
        fprintf(out, " %s to %s", time_format_duration(arg->least, low),
                time_format_duration(arg->most, high));
        break;
    }
    if (arg->required)
        fputs(", required", out);
    else if (arg->type == FAULT_ARG_INT)
        fprintf(out, " [%lld]", (long long)arg->otherwise);
}

/* "disk.write(db), disk.write(wal)": every site a kind of fault fits. */
static void put_sites(const struct fault_kind *kind, FILE *out) {
    bool first = true;
    for (unsigned i = 0; i < SITE_COUNT; i++) {
        struct site site = {i / SITE_OBJECT_COUNT, i % SITE_OBJECT_COUNT};
        char name[SITE_NAME_SIZE];
        if (!site_is_valid(site) || !catalogue_fits(kind, site))
            continue;
        fprintf(out, "%s`%s`", first ? "" : " ", site_name(site, name));
        first = false;
    }
}

static void put_faults(FILE *out) {
    fputs(
        "## Faults\n"
        "\n"
        "`fault SITE KIND[(NAME=VALUE)] [how often]`. A site is a call the OMS makes: to its disk, "
        "to its broker, or on the wire.\n"
        "\n"
        "| how often | which calls |\n"
        "|---|---|\n"
        "| nothing, `once` | the next one |\n"
        "| `always` | every one from here on |\n"
        "| `on call 3`, `on call 3..5` | counted from this line, the next one is 1 |\n"
        "| `until 10:05:00` | every one until then |\n"
        "| `anywhere` | one run for each, see above |\n"
        "\n"
        "A start of the OMS syncs, too: write a fault that is meant for an order *after* the first "
        "timed line. A fault that never\n"
        "struck is an error.\n"
        "\n"
        "`disk.rest` is no call: it is the time a file lies there while no OMS runs. Such a fault "
        "strikes when the next life begins.\n"
        "After it, and after a sync that lied, the OMS may refuse the store, or go on with what it "
        "still says: then what was forgotten\n"
        "is held against nobody (I3, I7, and I14 where a sync lied, are not judged), and "
        "everything "
        "else is, one order at most above all.\n"
        "\n"
        "On the wire everything is plain HTTP: TLS is outside the simulation. An `error` and an "
        "`error-after` are the words of something on the\n"
        "way, in HTML, as JSON without a number of the broker's, or empty: whatever the status "
        "(429 included), they prove nothing about the\n"
        "order. After a 429 the OMS asks and sends less and less often, after 1, 2, 4 ... 60 "
        "seconds.\n"
        "\n"
        "With `twice` two requests reach the broker (`submits`), though one left the OMS. Where "
        "the "
        "broker takes the second for an order of\n"
        "its own, that order is foreign: it does not count in `orders`, and its position is not "
        "the OMS's to know.\n"
        "\n"
        "| fault | at | arguments | meaning |\n"
        "|---|---|---|---|\n",
        out);
    for (size_t i = 0; i < catalogue_count(); i++) {
        const struct fault_kind *kind = catalogue_at(i);
        fprintf(out, "| `%s` | ", kind->name);
        put_sites(kind, out);
        fputs(" | ", out);
        for (int k = 0; k < FAULT_ARGS_MAX && kind->args[k].name != NULL; k++) {
            fputs(k > 0 ? "; " : "", out);
            put_argument(&kind->args[k], out);
        }
        fputs(" | ", out);
        put_cell(kind->meaning, out);
        fputs(kind->wire_only ? " (needs `option door = wire`, or a command that runs that door)"
                              : "",
              out);
        fputs(" |\n", out);
    }
    fputs(
        "\n"
        "An example: the answer to an order is lost, the lookups that would settle the doubt fail "
        "for a while, and no second order\n"
        "may come of it.\n"
        "\n"
        "```crashgate\n"
        "crashgate 1\n"
        "\n"
        "scenario \"A doubt is not resolved by an error\"\n"
        "  profile   alpaca, label\n"
        "  decision  D1 = \"AAPL_BUY_IN_DOUBT\"\n"
        "\n"
        "  broker fills all after 5s @ 150.00\n"
        "\n"
        "  10:00:00  fault broker.submit no-reply once\n"
        "            fault broker.lookup error(status=503) until 10:01:00\n"
        "            signal D1 buy 100 AAPL limit 150.00\n"
        "  10:00:50  expect submits D1 = 1\n"
        "\n"
        "  always    orders D1 <= 1\n"
        "  finally   order D1 is filled\n"
        "```\n"
        "\n",
        out);
}

static void put_failures(FILE *out) {
    fputs(
        "## When a run fails\n"
        "\n"
        "A failure shows the judgement, the story of the shortest failing run, and the command "
        "that "
        "repeats just that run:\n"
        "\n"
        "    again: crashgate replay FILE:LINE --plan '1/broker.submit@1=kill-after' --profile "
        "alpaca\n"
        "\n"
        "A plan says what goes wrong, each item as `life/site@call=what`, parted by commas; "
        "`none` is "
        "the empty plan. Lives and calls\n"
        "count from 1, calls anew in each life.\n"
        "\n"
        "| what | meaning |\n"
        "|---|---|\n"
        "| a fault, such as `lost-reply` or `late(by=12s)` | that fault strikes this call |\n"
        "| `kill`, `power(keep=none)` | the OMS dies before the call has its effect |\n"
        "| `kill-after`, `power-after(keep=0b101)` | the OMS dies after the effect, before the "
        "answer |\n"
        "| site `idle@2` | the moment before the second restart of the script that finds this life "
        "running, or before its end |\n"
        "| site `line@12` | the crash that line 12 orders; only chooses what survives it |\n"
        "\n"
        "`keep` says which of the unsynced writes survive a power cut: `none`, `all`, or one bit "
        "for "
        "each, the newest leftmost.\n"
        "On disks that damage the newest survivor it goes on: `0b101+torn2` (its first two 512 "
        "bytes), `+tail2` (its last two),\n"
        "`+garbage1` (garbage in the first sector it overlaps), `+zeros` (the file grew, its bytes "
        "did not come).\n"
        "`crashgate replay` shows the story of a run that holds, too.\n"
        "A plan of several items is shrunk to what it needs before it is shown.\n"
        "\n"
        "| to | run |\n"
        "|---|---|\n"
        "| begin a file | `crashgate new \"An order survives\"`, or with `--from FILE` from "
        "pasted lines like `10:00:03 - bought 100 AAPL at 150` |\n"
        "| tidy files | `crashgate fmt FILES`; `--check` only lists those that are not tidy |\n"
        "| know what a file will do, or what a code means | `crashgate explain FILE`, `crashgate "
        "explain I1` |\n"
        "| see where the OMS can die | `crashgate points FILE` |\n"
        "| see the state at a line | `crashgate run FILE --until LINE` |\n"
        "| write down what is observed | `crashgate run FILE --bless`, with `--after LINES` at "
        "those lines; then read it |\n"
        "| make a plan minimal | `crashgate shrink FILE --plan PLAN` |\n"
        "\n",
        out);
}

static void put_mistakes(FILE *out) {
    fputs("## Mistakes, verdicts, exit codes\n"
          "\n"
          "A file is checked as a whole before anything runs; all its mistakes are told at once:\n"
          "\n"
          "```\n"
          "partial.scn:8:13: error: no such statement: 'crahs'\n"
          "    8 |   14:30:06  crahs\n"
          "      |             ^~~~~ did you mean 'crash'?\n"
          "partial.scn: 1 mistake, nothing was run\n"
          "```\n"
          "\n"
          "With `--format short` each is one line that ends with its code, for editors.\n"
          "\n"
          "| exit code | meaning |\n"
          "|---|---|\n",
          out);
#define X(id, code, meaning) fprintf(out, "| %d | %s |\n", code, meaning);
    EXITS(X)
#undef X
    fputs("\n| code | name | the rule |\n|---|---|---|\n", out);
    for (enum diag_code code = 0; code < DIAG_CODE_COUNT; code++)
        fprintf(out, "| %s | %s | %s |\n", diag_code_text(code), diag_code_slug(code),
                diag_code_rule(code));
}

void reference_write(FILE *out) {
    put_opening(out);
    put_layout(out);
    put_slots(out);
    put_headers(out);
    put_times(out);
    put_lines(out);
    put_crashes(out);
    put_faults(out);
    put_failures(out);
    put_mistakes(out);
}
