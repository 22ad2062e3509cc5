/* A campaign's verdict, its figures, and the same for programs. */
#include "scenarios/cli/fuzz.h"

#include "fuzz/timeline_tables.h"
#include "scenarios/cli/figures.h"
#include "scenarios/lang/exits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Of a few seeds nobody expects that they have everything. */
enum { MISSING_TOLD = 12, TELL_MISSING_FROM = 1000 };

struct fuzz_verdict fuzz_judge(const struct campaign_result *result) {
    struct coverage_gaps gaps = coverage_gaps(&result->coverage);
    struct fuzz_verdict verdict = {
        .left = result->played < result->seeds,
        .nothing = result->coverage.timelines == 0,
        .few_kinds =
            result->played >= FUZZ_KINDS_FROM && (gaps.kinds_missing > 0 || gaps.ops_missing > 0),
        .few_pairs = result->played >= FUZZ_PAIRS_FROM && gaps.pairs_missing > 0,
        .no_canary = result->canaries >= CAMPAIGN_CANARIES && result->caught == 0};
    if (result->why[0] != '\0')
        verdict.exit_code = EXIT_ENVIRONMENT;
    else if (result->unrepeatable > 0)
        verdict.exit_code = EXIT_NOT_REPEATABLE;
    else if (result->hit_count > 0)
        verdict.exit_code = EXIT_FAIL;
    else if (verdict.left || verdict.nothing || verdict.few_kinds || verdict.few_pairs ||
             verdict.no_canary)
        verdict.exit_code = EXIT_INCONCLUSIVE;
    return verdict;
}

static const char *word_of(int exit_code) {
    switch (exit_code) {
    case EXIT_PASS:
        return "PASS";
    case EXIT_FAIL:
        return "FAIL";
    case EXIT_NOT_REPEATABLE:
        return "NOT REPEATABLE";
    case EXIT_INCONCLUSIVE:
        return "INCONCLUSIVE";
    default:
        return "ERROR";
    }
}

static const char *const op_words[] = {
#define X(id, meaning, arguments) #id,
    TIMELINE_OPS(X)
#undef X
};

/* ---- for people ---- */

static void print_figure(const char *before, uint64_t number, const char *after) {
    char text[FIGURE_SIZE];
    printf("%s%s%s", before, figure_grouped(number, text), after);
}

static void print_beyond(const struct coverage *coverage) {
    size_t told = 0;
    for (size_t kind = 0; kind < coverage_kinds(); kind++) {
        char name[FAULT_TALLY_SIZE];
        if (!coverage_reaches(coverage, kind))
            printf("%s%s", told++ == 0 ? "  out of reach, as the OMS makes no such call: " : ", ",
                   coverage_kind_name(kind, name));
    }
    if (told > 0)
        putchar('\n');
}

static void print_missing(const struct coverage *coverage) {
    size_t told = 0;
    for (size_t kind = 0; kind < coverage_kinds(); kind++) {
        char name[FAULT_TALLY_SIZE];
        if (!coverage_reaches(coverage, kind) || coverage->kinds[kind] > 0 ||
            told++ >= MISSING_TOLD)
            continue;
        printf("%s%s", told == 1 ? "  never struck: " : ", ", coverage_kind_name(kind, name));
    }
    if (told > MISSING_TOLD)
        printf(", and %zu more", told - MISSING_TOLD);
    if (told > 0)
        putchar('\n');
}

static void print_missing_pairs(const struct coverage *coverage) {
    size_t told = 0;
    for (size_t b = 0; b < coverage_kinds(); b++) {
        for (size_t a = 0; a < b; a++) {
            char one[FAULT_TALLY_SIZE], other[FAULT_TALLY_SIZE];
            if (!coverage_reaches(coverage, a) || !coverage_reaches(coverage, b) ||
                coverage->pairs[a][b] > 0 || told++ >= MISSING_TOLD)
                continue;
            printf("%s%s with %s", told == 1 ? "  never together: " : ", ",
                   coverage_kind_name(a, one), coverage_kind_name(b, other));
        }
    }
    if (told > MISSING_TOLD)
        printf(", and %zu more", told - MISSING_TOLD);
    if (told > 0)
        putchar('\n');
}

static void print_why(const struct campaign_options *options, const struct campaign_result *result,
                      const struct fuzz_verdict *verdict) {
    if (result->why[0] != '\0')
        printf("  %s\n", result->why);
    if (result->unrepeatable > 0)
        printf("  seed %" PRIu64 " took another path the second time, and %" PRIu64 " more did\n",
               result->unrepeatable_seed, result->unrepeatable - 1);
    if (verdict->nothing)
        printf("  no seed was played\n");
    if (verdict->left)
        printf("  the time was spent; left are %s%" PRIu64 "..%" PRIu64 "\n",
               options->shards > 1 ? "those of the shard in " : "", result->left, options->last);
    if (verdict->no_canary)
        printf("  none of %" PRIu64 " timelines showed the known mistake of %s: silence proves "
               "nothing\n",
               result->canaries, options->canary->name);
}

static void print_ops(const struct coverage *coverage) {
    bool told = false;
    for (size_t op = 0; op < TIMELINE_OP_COUNT; op++) {
        if (op == TIMELINE_WAIT || coverage->ops[op] > 0)
            continue;
        printf("%s%s", told ? ", " : "  never happened: ", op_words[op]);
        told = true;
    }
    if (told)
        putchar('\n');
}

void fuzz_print(const struct campaign_options *options, const struct campaign_result *result,
                const struct fuzz_verdict *verdict) {
    const struct coverage *coverage = &result->coverage;
    struct coverage_gaps gaps = coverage_gaps(coverage);
    printf("fuzz: %s", word_of(verdict->exit_code));
    print_figure("  ", coverage->timelines, " timelines");
    print_figure(", ", coverage->lives, " lives");
    print_figure(", ", coverage->crashes, " crashes");
    print_figure(", ", coverage->faults, " faults struck");
    print_figure(", ", result->hit_count, " broke an invariant\n");
    print_why(options, result, verdict);
    printf("  %zu of %zu kinds struck, %zu of %zu pairs of kinds in one run",
           gaps.kinds - gaps.kinds_missing, gaps.kinds, gaps.pairs - gaps.pairs_missing,
           gaps.pairs);
    if (result->canaries > 0)
        printf("; %s caught by %" PRIu64 " of %" PRIu64, options->canary->name, result->caught,
               result->canaries);
    printf("; %" PRIu64 " repeated\n", result->repeated);
    if (result->played >= TELL_MISSING_FROM) {
        print_beyond(coverage);
        print_missing(coverage);
        print_ops(coverage);
    }
    if (result->played >= FUZZ_PAIRS_FROM)
        print_missing_pairs(coverage);
}

/* ---- for programs ---- */

static void write_totals(FILE *out, const struct campaign_options *options,
                         const struct campaign_result *result, const struct fuzz_verdict *verdict) {
    const struct coverage *coverage = &result->coverage;
    struct coverage_gaps gaps = coverage_gaps(coverage);
    fprintf(out,
            "{\"type\":\"sweep\",\"verdict\":\"%s\",\"oms\":\"%s\",\"first\":%" PRIu64
            ",\"last\":%" PRIu64 ",\"shard\":%u,\"shards\":%u,\"seeds\":%" PRIu64
            ",\"played\":%" PRIu64 ",\"timelines\":%" PRIu64 ",\"lives\":%" PRIu64
            ",\"crashes\":%" PRIu64 ",\"faults\":%" PRIu64 ",\"port_calls\":%" PRIu64,
            word_of(verdict->exit_code), options->sut->name, options->first, options->last,
            options->shard, options->shards, result->seeds, result->played, coverage->timelines,
            coverage->lives, coverage->crashes, coverage->faults, coverage->port_calls);
    fprintf(out,
            ",\"broke\":%" PRIu64 ",\"repeated\":%" PRIu64 ",\"unrepeatable\":%" PRIu64
            ",\"canaries\":%" PRIu64 ",\"caught\":%" PRIu64 ",\"kinds\":%zu,\"kinds_missing\":%zu"
            ",\"pairs\":%zu,\"pairs_missing\":%zu,\"fingerprint\":\"%016" PRIx64 "\"}\n",
            result->hit_count, result->repeated, result->unrepeatable, result->canaries,
            result->caught, gaps.kinds, gaps.kinds_missing, gaps.pairs, gaps.pairs_missing,
            coverage->fingerprint);
}

static void write_kinds(FILE *out, const struct coverage *coverage) {
    for (size_t kind = 0; kind < coverage_kinds(); kind++) {
        char name[FAULT_TALLY_SIZE];
        fprintf(out, "{\"type\":\"kind\",\"name\":\"%s\",\"timelines\":%" PRIu64 "}\n",
                coverage_kind_name(kind, name), coverage->kinds[kind]);
    }
    for (size_t op = 0; op < TIMELINE_OP_COUNT; op++)
        fprintf(out, "{\"type\":\"record\",\"name\":\"%s\",\"timelines\":%" PRIu64 "}\n",
                op_words[op], coverage->ops[op]);
    for (size_t i = 0; i < timeline_profiles(); i++)
        fprintf(out, "{\"type\":\"profile\",\"name\":\"%s\",\"timelines\":%" PRIu64 "}\n",
                profile_at(i)->name, coverage->profiles[i]);
    for (size_t i = 0; i < timeline_disks(); i++)
        fprintf(out, "{\"type\":\"disk\",\"name\":\"%s\",\"timelines\":%" PRIu64 "}\n",
                disk_profile_at(i)->name, coverage->disks[i]);
}

static void write_pairs(FILE *out, const struct coverage *coverage) {
    for (size_t b = 0; b < coverage_kinds(); b++) {
        for (size_t a = 0; a < b; a++) {
            char one[FAULT_TALLY_SIZE], other[FAULT_TALLY_SIZE];
            fprintf(
                out, "{\"type\":\"pair\",\"names\":[\"%s\",\"%s\"],\"timelines\":%" PRIu64 "}\n",
                coverage_kind_name(a, one), coverage_kind_name(b, other), coverage->pairs[a][b]);
        }
    }
}

static void write_hits(FILE *out, const struct campaign_result *result) {
    for (size_t i = 0; i < CAMPAIGN_HITS_MAX && i < result->hit_count; i++) {
        if (result->hits[i].invariant == CAMPAIGN_PROGRAM_BROKE)
            fprintf(out, "{\"type\":\"finding\",\"seed\":%" PRIu64 ",\"code\":\"program\"}\n",
                    result->hits[i].seed);
        else
            fprintf(out, "{\"type\":\"finding\",\"seed\":%" PRIu64 ",\"code\":\"I%d\"}\n",
                    result->hits[i].seed, result->hits[i].invariant);
    }
}

bool fuzz_write_json(const char *path, const struct campaign_options *options,
                     const struct campaign_result *result, const struct fuzz_verdict *verdict) {
    FILE *out = fopen(path, "w");
    bool written = out != NULL;
    if (written) {
        write_totals(out, options, result, verdict);
        write_kinds(out, &result->coverage);
        write_pairs(out, &result->coverage);
        write_hits(out, result);
        written = (ferror(out) | fclose(out)) == 0;
    }
    if (!written)
        fprintf(stderr, "crashgate: cannot write %s: %s\n", path, strerror(errno));
    return written;
}
