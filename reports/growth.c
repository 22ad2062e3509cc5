/* The growth of an exploration, drawn. */
#include "reports/growth.h"

#include <inttypes.h>

enum { WIDTH = 640, HEIGHT = 360, LEFT = 80, RIGHT = 20, TOP = 40, BOTTOM = 50 };

bool report_growth_table(FILE *out, const struct report_growth *rows, size_t count) {
    fputs("| orders | lives | crash worlds | distinct | distinct per order |\n"
          "|---|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "| %u | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " |\n",
                rows[i].orders, rows[i].lives, rows[i].crash_worlds, rows[i].distinct,
                rows[i].distinct / rows[i].orders);
    return !ferror(out);
}

static uint64_t most_distinct(const struct report_growth *rows, size_t count) {
    uint64_t most = 1;
    for (size_t i = 0; i < count; i++)
        most = rows[i].distinct > most ? rows[i].distinct : most;
    return most;
}

/* Whole pixels: the same on every machine. */
static int x_of(size_t i, size_t count) {
    return LEFT + (int)((size_t)(WIDTH - LEFT - RIGHT) * (i + 1) / (count + 1));
}

static int y_of(uint64_t value, uint64_t most) {
    return HEIGHT - BOTTOM - (int)((uint64_t)(HEIGHT - TOP - BOTTOM) * value / most);
}

static void draw_axes(FILE *out, uint64_t most) {
    fprintf(out,
            "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#444\"/>\n"
            "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%" PRIu64 "</text>\n"
            "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>\n"
            "<text x=\"%d\" y=\"24\">distinct crash worlds until closed, by number of "
            "orders</text>\n",
            LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT, LEFT - 8, TOP + 4, most, LEFT - 8,
            HEIGHT - BOTTOM + 4, LEFT);
}

bool report_growth_svg(FILE *out, const struct report_growth *rows, size_t count) {
    uint64_t most = most_distinct(rows, count);
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "font-family=\"sans-serif\" font-size=\"13\">\n"
            "<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n",
            WIDTH, HEIGHT, WIDTH, HEIGHT);
    draw_axes(out, most);
    fputs("<polyline fill=\"none\" stroke=\"#0a58ca\" stroke-width=\"2\" points=\"", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%d,%d", i > 0 ? " " : "", x_of(i, count), y_of(rows[i].distinct, most));
    fputs("\"/>\n", out);
    for (size_t i = 0; i < count; i++) {
        int x = x_of(i, count), y = y_of(rows[i].distinct, most);
        fprintf(out,
                "<circle cx=\"%d\" cy=\"%d\" r=\"4\" fill=\"#0a58ca\"/>\n"
                "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%" PRIu64 "</text>\n"
                "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%u</text>\n",
                x, y, x, y - 10, rows[i].distinct, x, HEIGHT - BOTTOM + 20, rows[i].orders);
    }
    fputs("</svg>\n", out);
    return !ferror(out);
}
