/* Plan text: what is taken prints to a text that means the same. */
#include "faultinject/plan.h"

#include "fuzz/inputs/inputs.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH_MAX = 1024 }; /* so that the printed form, which is longer, always fits */

const struct input_seed plan_seeds[] = {
    SEED("none"),
    SEED("1/broker.submit@1=lost-reply,2/disk.sync(wal)@3=power(keep=0b101)"),
    SEED("1/disk.write(db)@2=power-after(keep=first2+torn1),2/start@1=after(20s)"),
    SEED("1/broker.submit@1=kill(late=27500ms),2/idle=kill,3/line@14=power(keep=but3)"),
    SEED("1/disk.read(db)@1=short,1/broker.lookup@2=error(503,html),2/end=power"),
    {NULL, 0}};

const char *const plan_words[] = {
    "none",       "kill",       "kill-after", "power",         "power-after",
    "keep=",      "late=",      "0b",         "first",         "but",
    "only",       "+torn",      "+tail",      "+garbage",      "+zeros",
    "start@1=",   "after(",     "idle",       "line@",         "end",
    "disk.sync",  "disk.write", "disk.read",  "disk.open",     "(wal)",
    "(db)",       "(journal)",  "broker.",    "broker.submit", "lost-reply",
    "wire.reply", "(submit)",   "stall(",     "error(",        "18446744073709551616",
    NULL};

void input_plan(const uint8_t *data, size_t size) {
    static struct plan plan, again;
    static char printed[PLAN_TEXT_SIZE], printed_again[PLAN_TEXT_SIZE];
    char why[PLAN_WHY_SIZE] = "";
    char *text = input_text(data, size < LENGTH_MAX ? size : LENGTH_MAX);
    if (plan_parse(text, &plan, why)) {
        plan_format(&plan, printed);
        PROMISE(plan_parse(printed, &again, why));
        PROMISE(again.count == plan.count);
        PROMISE(strcmp(plan_format(&again, printed_again), printed) == 0);
    } else {
        PROMISE(plan.count == 0 && why[0] != '\0');
    }
    free(text);
}
