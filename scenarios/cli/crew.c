/* Processes and pipes: tasks are taken from a counter that all share, what they came to comes back
 * through a pipe of each process, a frame a task. */
#include "scenarios/cli/crew.h"

#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What all processes see. */
struct board {
    _Atomic size_t next;
    size_t doing[CREW_JOBS_MAX]; /* the task of each; written by it alone */
};

struct frame {
    size_t task, length;
    int exit_code;
};

struct worker {
    pid_t pid;
    FILE *from; /* NULL: it has ended */
};

static int worse(int one, int other) {
    return one > other ? one : other;
}

/* ---- in a process of the crew ---- */

static bool perform(const struct crew *crew, size_t task, FILE *to) {
    struct frame frame = {.task = task};
    char *text = NULL;
    FILE *made = open_memstream(&text, &frame.length);
    bool sent = false;
    CHECK(made != NULL);
    frame.exit_code = crew->perform(crew->ctx, task, made);
    CHECK(fclose(made) == 0);
    sent = fwrite(&frame, sizeof frame, 1, to) == 1 &&
           fwrite(text, 1, frame.length, to) == frame.length && fflush(to) == 0;
    free(text);
    return sent;
}

static _Noreturn void work(const struct crew *crew, struct board *board, unsigned index, int end) {
    FILE *to = fdopen(end, "w");
    bool good = to != NULL;
    while (good) {
        size_t task = atomic_fetch_add(&board->next, 1);
        if (task >= crew->count)
            break;
        board->doing[index] = task;
        good = perform(crew, task, to);
    }
    board->doing[index] = crew->count;
    _exit(good ? EXIT_PASS : EXIT_ENVIRONMENT);
}

/* ---- here ---- */

static bool start(const struct crew *crew, struct board *board, unsigned index,
                  struct worker workers[]) {
    int ends[2];
    fflush(NULL);
    if (pipe(ends) != 0)
        return false;
    workers[index].pid = fork();
    if (workers[index].pid == 0) {
        close(ends[0]);
        work(crew, board, index, ends[1]);
    }
    close(ends[1]);
    if (workers[index].pid > 0)
        workers[index].from = fdopen(ends[0], "r");
    if (workers[index].from == NULL) {
        close(ends[0]);
        return false;
    }
    /* Nothing waits in a buffer that poll does not see. */
    setvbuf(workers[index].from, NULL, _IONBF, 0);
    return true;
}

/* One that has no more to say. */
static int see_off(const struct crew *crew, const struct board *board, unsigned index,
                   struct worker *worker) {
    int status = 0;
    size_t task = 0;
    fclose(worker->from);
    worker->from = NULL;
    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (status == 0)
        return EXIT_PASS;
    task = board->doing[index];
    fprintf(stderr, "crashgate: the process that did '%s' ended with status %d\n",
            task < crew->count ? crew->name(crew->ctx, task) : "its last task",
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_INTERNAL ? EXIT_INTERNAL
                                                                     : EXIT_ENVIRONMENT;
}

/* False: there is none any more. */
static bool take_frame(const struct crew *crew, FILE *from, int *exit_code) {
    struct frame frame;
    char *made = NULL;
    bool whole = fread(&frame, sizeof frame, 1, from) == 1;
    if (!whole)
        return false;
    made = check_zalloc(frame.length + 1, 1);
    whole = fread(made, 1, frame.length, from) == frame.length;
    if (whole && !crew->take(crew->ctx, frame.task, made, frame.length)) {
        fprintf(stderr, "crashgate: what came of '%s' cannot be read\n",
                crew->name(crew->ctx, frame.task));
        *exit_code = worse(*exit_code, EXIT_ENVIRONMENT);
    }
    if (whole)
        *exit_code = worse(*exit_code, frame.exit_code);
    free(made);
    return whole;
}

static unsigned await(const struct worker workers[], unsigned jobs, struct pollfd polls[],
                      unsigned who[]) {
    unsigned count = 0;
    for (unsigned i = 0; i < jobs; i++) {
        if (workers[i].from == NULL)
            continue;
        polls[count] = (struct pollfd){.fd = fileno(workers[i].from), .events = POLLIN};
        who[count++] = i;
    }
    if (count > 0)
        (void)poll(polls, count, -1);
    return count;
}

static int listen_to_all(const struct crew *crew, const struct board *board,
                         struct worker workers[]) {
    struct pollfd polls[CREW_JOBS_MAX];
    unsigned who[CREW_JOBS_MAX], count = 0;
    int exit_code = EXIT_PASS;
    while ((count = await(workers, crew->jobs, polls, who)) > 0) {
        for (unsigned i = 0; i < count; i++) {
            struct worker *worker = &workers[who[i]];
            if (polls[i].revents != 0 && !take_frame(crew, worker->from, &exit_code))
                exit_code = worse(exit_code, see_off(crew, board, who[i], worker));
        }
    }
    return exit_code;
}

int crew_run(const struct crew *crew) {
    struct worker workers[CREW_JOBS_MAX] = {{0}};
    struct board *board =
        mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int exit_code = EXIT_PASS;
    CHECK(crew->jobs >= 1 && crew->jobs <= CREW_JOBS_MAX);
    if (board == MAP_FAILED) {
        fprintf(stderr, "crashgate: no memory to share: %s\n", strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    for (unsigned i = 0; i < crew->jobs; i++) {
        board->doing[i] = crew->count;
        if (!start(crew, board, i, workers)) {
            fprintf(stderr, "crashgate: cannot start a process: %s\n", strerror(errno));
            exit_code = EXIT_ENVIRONMENT;
            break;
        }
    }
    exit_code = worse(exit_code, listen_to_all(crew, board, workers));
    munmap(board, sizeof *board);
    return exit_code;
}
