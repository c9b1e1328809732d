// SPDX-License-Identifier: Apache-2.0
/* Two plots side by side, both axes logarithmic: latency and bandwidth by message size. The
 * full line is the best batch, the dashed one the lower quartile. */
#include "mpirun-wrap/bench/bench.h"

#include <math.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/xml/svg.h"

enum { W = 480, H = 360, LEFT = 70, TOP = 50, RIGHT = 20, BOTTOM = 60, GAP = 20, MAX_EXPONENT = 22 };

static const char *const colours[] = { "#1f77b4", "#2ca02c", "#9467bd", "#d62728" };

struct plot {
	xmlNodePtr svg;
	int x;			/* its left edge */
	const char *title, *of, *best, *quartile;
	double low, high;	/* exponents of ten */
};

/* 0 bytes stand left of 1 byte. */
static double at_x(const struct plot *p, double bytes)
{
	double exponent = bytes > 0 ? log2(bytes) + 1 : 0;

	return p->x + LEFT + exponent / (MAX_EXPONENT + 1) * (W - LEFT - RIGHT);
}

static double at_y(const struct plot *p, double value)
{
	return TOP + (p->high - log10(value)) / (p->high - p->low) * (H - TOP - BOTTOM);
}

static double figure(const struct plot *p, const json_t *size, const char *which)
{
	return json_number_value(json_object_get(json_object_get(size, p->of), which));
}

/* Whole powers of ten around all figures; false: there are none. */
static bool scale(struct plot *p, const json_t *transports)
{
	double low = INFINITY, high = -INFINITY;
	const json_t *t, *s;
	size_t i, k;

	json_array_foreach(transports, i, t)
		json_array_foreach(json_object_get(t, "sizes"), k, s) {
			const double a = figure(p, s, p->best), b = figure(p, s, p->quartile);

			if (a > 0 && b > 0) {
				low = fmin(low, fmin(a, b));
				high = fmax(high, fmax(a, b));
			}
		}
	if (!isfinite(low) || !isfinite(high))
		return false;
	p->low = floor(log10(low));
	p->high = fmax(ceil(log10(high)), p->low + 1);
	return true;
}

static void draw_axes(const struct plot *p)
{
	static const struct { int bytes; const char *text; } marks[] = {
		{ 0, "0" }, { 1, "1" }, { 8, "8" }, { 64, "64" }, { 512, "512" }, { 4096, "4Ki" }, { 65536, "64Ki" }, { 1048576, "1Mi" }, { 4194304, "4Mi" },
	};

	for (double e = p->low; e <= p->high; e++) {
		vh_autofree char *text = e < 0 ? vh_strf("%.*f", (int)-e, pow(10, e)) : vh_strf("%.0f", pow(10, e));

		vh_svg_line(p->svg, p->x + LEFT, at_y(p, pow(10, e)), p->x + W - RIGHT, at_y(p, pow(10, e)), "#dddddd");
		vh_svg_text(p->svg, p->x + LEFT - 6, at_y(p, pow(10, e)) + 4, "end", text ? text : "");
	}
	for (size_t i = 0; i < vh_array_len(marks); i++) {
		vh_svg_line(p->svg, at_x(p, marks[i].bytes), TOP, at_x(p, marks[i].bytes), H - BOTTOM, "#eeeeee");
		vh_svg_text(p->svg, at_x(p, marks[i].bytes), H - BOTTOM + 16, "middle", marks[i].text);
	}
	vh_svg_line(p->svg, p->x + LEFT, TOP, p->x + LEFT, H - BOTTOM, "#444444");
	vh_svg_line(p->svg, p->x + LEFT, H - BOTTOM, p->x + W - RIGHT, H - BOTTOM, "#444444");
	vh_svg_text(p->svg, p->x + (W + LEFT) / 2.0, TOP - 12, "middle", p->title);
	vh_svg_text(p->svg, p->x + (W + LEFT) / 2.0, H - BOTTOM + 34, "middle", "message, bytes");
}

static void draw_curve(const struct plot *p, const json_t *t, const char *which, const char *colour, bool dashed)
{
	vh_autofree char *points = strdup("");
	const json_t *s;
	xmlNodePtr l;
	size_t i;

	json_array_foreach(json_object_get(t, "sizes"), i, s) {
		const double v = figure(p, s, which);
		char *longer;

		if (v <= 0 || !points)
			continue;
		longer = vh_strf("%s%s%.1f,%.1f", points, *points ? " " : "", at_x(p, json_number_value(json_object_get(s, "bytes"))), at_y(p, v));
		free(points);
		points = longer;
	}
	l = vh_xml_add(p->svg, "polyline", "fill", "none", "stroke", colour, "stroke-width", dashed ? "1" : "2", NULL);
	vh_xml_setf(l, "points", "%s", points ? points : "");
	if (dashed)
		vh_xml_setf(l, "stroke-dasharray", "4 3");
}

static void draw(struct plot *p, const json_t *transports)
{
	const json_t *t;
	size_t i;

	if (!scale(p, transports))
		return;
	draw_axes(p);
	json_array_foreach(transports, i, t) {
		draw_curve(p, t, p->best, colours[i % vh_array_len(colours)], false);
		draw_curve(p, t, p->quartile, colours[i % vh_array_len(colours)], true);
	}
}

static void legend(xmlNodePtr svg, const json_t *doc)
{
	const json_t *t, *between = json_object_get(doc, "between");
	vh_autofree char *title = vh_strf("MPI ping-pong, %s and %s, one way (%s): full the best batch, dashed the quartile",
					  json_string_value(json_array_get(between, 0)), json_string_value(json_array_get(between, 1)),
					  json_string_value(json_object_get(doc, "accel")));
	double x = LEFT;
	size_t i;

	vh_svg_text(svg, LEFT, 20, NULL, title ? title : "");
	json_array_foreach(json_object_get(doc, "transports"), i, t) {
		const char *name = json_string_value(json_object_get(t, "transport")), *hosts = json_string_value(json_object_get(t, "hosts"));
		vh_autofree char *text = vh_strf("%s (%s)", name, hosts);

		vh_svg_line(svg, x, H - 10, x + 24, H - 10, colours[i % vh_array_len(colours)]);
		vh_svg_text(svg, x + 30, H - 6, NULL, text ? text : "");
		x += 60 + 7.0 * (double)strlen(text ? text : "");
	}
}

int vh_mpi_bench_svg(const json_t *doc, char **ret, struct vh_err *err)
{
	vh_autoxml xml = NULL;
	xmlNodePtr svg = vh_svg_begin(&xml, "sans-serif", "12");
	const json_t *transports = json_object_get(doc, "transports");
	struct plot latency = { svg, 0, "latency, us", "latency_us", "min", "p25", 0, 0 };
	struct plot bandwidth = { svg, W + GAP, "bandwidth, MiB/s", "bandwidth_mib_s", "max", "p75", 0, 0 };

	if (!svg)
		return vh_err_nomem(err);
	draw(&latency, transports);
	draw(&bandwidth, transports);
	legend(svg, doc);
	return vh_svg_end(xml, 2 * W + GAP, H, ret, err);
}
