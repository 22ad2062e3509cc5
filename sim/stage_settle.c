/* When faults have stopped: the world becomes quiet, and one more start changes nothing. */
#include "sim/stage_parts.h"

#include "sim/content.h"
#include "sim/hash.h"
#include "sim/shortage.h"

enum stage_end stage_settle(struct stage *stage) {
    enum stage_end end = STAGE_QUIET;
    stage->world.broker_down = false;
    shortage_off();
    stage->settling = true;
    stage->line = 0;
    if (stage->oms == NULL) {
        stage_note(stage, "harness", false, "faults have stopped; the OMS is started again");
        stage_boot(stage);
    }
    end = stage_run(stage);
    if (end != STAGE_QUIET)
        return end;
    /* To stop over a store that is damaged is right, and stays right. */
    if (stage->oms == NULL && stage->judge.damaged)
        return end;
    judge_quiet(&stage->judge, &stage->world, STAGE_STORE);
    if (stage->oms == NULL)
        judge_restless(&stage->judge, &stage->world,
                       "faults have stopped, and the OMS does not stay up");
    return end;
}

/* Settled worlds whose recovery was seen to change nothing, by what they mean. Direct-mapped:
 * losing a place only costs another look. */
enum { SETTLED_SLOTS = 1 << 14 };
static uint64_t settled[SETTLED_SLOTS];
static uint64_t settled_era; /* part of every key */

void stage_forget_settled(void) {
    settled_era++;
}

/* Everything that a start after a kill here can act on (a kill leaves what reads show, so what is
 * pending does not count); false when the store's content cannot be told. */
static bool settled_key(const struct stage *stage, uint64_t *key) {
    const struct stage_config *config = &stage->config;
    uint64_t content = 0;
    if (!content_hash(stage->world.disk, STAGE_STORE, &content))
        return false;
    content = hash_u64(content, disk_archive_hash(stage->world.disk, STAGE_STORE));
    content = hash_u64(hash_u64(content, settled_era), exchange_hash(&stage->world.exchange));
    content = hash_u64(content, (uint64_t)stage->world.now_ns);
    content = hash_u64(content, (uint64_t)stage->world.ahead_ns);
    content = hash_u64(content, (uint64_t)stage->world.halt_file);
    content = hash_u64(content, (uint64_t)(uintptr_t)config->sut);
    content = hash_u64(content, (uint64_t)config->door);
    content = hash_u64(content, judge_memory(&stage->judge));
    content = hash_u64(content, (uint64_t)config->oms.page_size);
    content = hash_u64(content, (uint64_t)config->oms.checkpoint_frames);
    content = hash_u64(content, (uint64_t)config->oms.archive_orders);
    *key = content + (content == 0);
    return true;
}

/* True: the world became quiet again. */
static bool start_once_more(struct stage *stage) {
    stage_note(stage, "harness", false, "killed and started once more");
    stage->chain = NULL;
    stage->dying = STAGE_KILL;
    stage_finish_death(stage);
    stage_boot(stage);
    return stage_run(stage) == STAGE_QUIET;
}

/* A start that has news to learn, before one that has none. What it learns must be right. */
static bool learn_news(struct stage *stage, enum judge_news news) {
    struct judge_meaning before = judge_meaning(&stage->judge, &stage->world, STAGE_STORE), after;
    if (news == JUDGE_NO_NEWS)
        return true;
    if (!start_once_more(stage) || stage->oms == NULL)
        return false;
    judge_quiet(&stage->judge, &stage->world, STAGE_STORE);
    after = judge_meaning(&stage->judge, &stage->world, STAGE_STORE);
    if (news == JUDGE_SWITCH_NEWS)
        judge_idempotent(&stage->judge, &stage->world, &before, &after, true);
    return true;
}

void stage_recover_again(struct stage *stage) {
    struct judge_meaning before, after;
    uint64_t key = 0;
    bool known = false, quiet = true;
    /* This is a judgement on the run, not a part of it: whether it is made again or remembered must
     * not show in counts and fingerprint. */
    struct stage_counts counts = stage->counts;
    uint64_t fingerprint = stage->fingerprint;
    struct chain *chain = stage->chain;
    if ((stage->judge.claims & INVARIANT_BIT(8)) == 0 || stage->oms == NULL)
        return;
    if (stage->world.now_ns < exchange_shows_all_ns(&stage->world.exchange))
        stage->world.now_ns = exchange_shows_all_ns(&stage->world.exchange);
    known = settled_key(stage, &key);
    if (known && settled[key % SETTLED_SLOTS] == key)
        return;
    quiet = learn_news(stage, judge_expects_news(&stage->judge, &stage->world, STAGE_STORE));
    before = judge_meaning(&stage->judge, &stage->world, STAGE_STORE);
    quiet = quiet && start_once_more(stage);
    stage->counts = counts;
    stage->fingerprint = fingerprint;
    stage->chain = chain;
    if (!quiet)
        return;
    after = judge_meaning(&stage->judge, &stage->world, STAGE_STORE);
    judge_idempotent(&stage->judge, &stage->world, &before, &after, false);
    if (known && stage->judge.first.invariant == 0)
        settled[key % SETTLED_SLOTS] = key;
}
