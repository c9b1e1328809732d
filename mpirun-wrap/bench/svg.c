// SPDX-License-Identifier: Apache-2.0
/* Two plots side by side, both axes logarithmic: latency and bandwidth by message size. The
 * full line is the best batch, the dashed one the lower quartile. */
#include "mpirun-wrap/bench/bench.h"

#include <libxml/tree.h>
#include <math.h>
#include <string.h>

#include "lib/strv.h"

enum { W = 480, H = 360, LEFT = 70, TOP = 50, RIGHT = 20, BOTTOM = 60, GAP = 20, MAX_EXPONENT = 22 };

static const char *const colours[] = { "#1f77b4", "#2ca02c", "#9467bd", "#d62728" };

struct plot {
	xmlNodePtr svg;
	int x;			/* its left edge */
	const char *title, *of, *best, *quartile;
	double low, high;	/* exponents of ten */
};

static xmlNodePtr add(xmlNodePtr parent, const char *name, const char *text)
{
	return xmlNewTextChild(parent, NULL, BAD_CAST name, text ? BAD_CAST text : NULL);
}

static void __attribute__((format(printf, 3, 4))) set(xmlNodePtr node, const char *name, const char *fmt, ...)
{
	vh_autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = vh_vstrf(fmt, ap);
	va_end(ap);
	xmlNewProp(node, BAD_CAST name, text ? BAD_CAST text : NULL);
}

static void label(xmlNodePtr svg, double x, double y, const char *anchor, const char *text)
{
	xmlNodePtr t = add(svg, "text", text);

	set(t, "x", "%.1f", x);
	set(t, "y", "%.1f", y);
	set(t, "text-anchor", "%s", anchor);
}

static void line(xmlNodePtr svg, double x1, double y1, double x2, double y2, const char *colour)
{
	xmlNodePtr l = add(svg, "line", NULL);

	set(l, "x1", "%.1f", x1);
	set(l, "y1", "%.1f", y1);
	set(l, "x2", "%.1f", x2);
	set(l, "y2", "%.1f", y2);
	set(l, "stroke", "%s", colour);
}

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

		line(p->svg, p->x + LEFT, at_y(p, pow(10, e)), p->x + W - RIGHT, at_y(p, pow(10, e)), "#dddddd");
		label(p->svg, p->x + LEFT - 6, at_y(p, pow(10, e)) + 4, "end", text ? text : "");
	}
	for (size_t i = 0; i < vh_array_len(marks); i++) {
		line(p->svg, at_x(p, marks[i].bytes), TOP, at_x(p, marks[i].bytes), H - BOTTOM, "#eeeeee");
		label(p->svg, at_x(p, marks[i].bytes), H - BOTTOM + 16, "middle", marks[i].text);
	}
	line(p->svg, p->x + LEFT, TOP, p->x + LEFT, H - BOTTOM, "#444444");
	line(p->svg, p->x + LEFT, H - BOTTOM, p->x + W - RIGHT, H - BOTTOM, "#444444");
	label(p->svg, p->x + (W + LEFT) / 2.0, TOP - 12, "middle", p->title);
	label(p->svg, p->x + (W + LEFT) / 2.0, H - BOTTOM + 34, "middle", "message, bytes");
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
	l = add(p->svg, "polyline", NULL);
	set(l, "points", "%s", points ? points : "");
	set(l, "fill", "none");
	set(l, "stroke", "%s", colour);
	set(l, "stroke-width", dashed ? "1" : "2");
	if (dashed)
		set(l, "stroke-dasharray", "4 3");
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

	label(svg, LEFT, 20, "start", title ? title : "");
	json_array_foreach(json_object_get(doc, "transports"), i, t) {
		const char *name = json_string_value(json_object_get(t, "transport")), *hosts = json_string_value(json_object_get(t, "hosts"));
		vh_autofree char *text = vh_strf("%s (%s)", name, hosts);

		line(svg, x, H - 10, x + 24, H - 10, colours[i % vh_array_len(colours)]);
		label(svg, x + 30, H - 6, "start", text ? text : "");
		x += 60 + 7.0 * (double)strlen(text ? text : "");
	}
}

int vh_mpi_bench_svg(const json_t *doc, char **ret, struct vh_err *err)
{
	xmlDocPtr xml = xmlNewDoc(BAD_CAST "1.0");
	xmlNodePtr svg = xml ? xmlNewNode(NULL, BAD_CAST "svg") : NULL;
	const json_t *transports = json_object_get(doc, "transports");
	struct plot latency = { svg, 0, "latency, us", "latency_us", "min", "p25", 0, 0 };
	struct plot bandwidth = { svg, W + GAP, "bandwidth, MiB/s", "bandwidth_mib_s", "max", "p75", 0, 0 };
	xmlChar *text = NULL;
	xmlNodePtr ground;
	int len = 0;

	if (!svg)
		return vh_err_nomem(err);
	xmlDocSetRootElement(xml, svg);
	set(svg, "xmlns", "http://www.w3.org/2000/svg");
	set(svg, "viewBox", "0 0 %d %d", 2 * W + GAP, H);
	set(svg, "font-family", "sans-serif");
	set(svg, "font-size", "12");
	ground = add(svg, "rect", NULL);
	set(ground, "width", "100%%");
	set(ground, "height", "100%%");
	set(ground, "fill", "white");
	draw(&latency, transports);
	draw(&bandwidth, transports);
	legend(svg, doc);
	xmlDocDumpFormatMemory(xml, &text, &len, 1);
	xmlFreeDoc(xml);
	*ret = text ? strndup((char *)text, (size_t)len) : NULL;
	xmlFree(text);
	return *ret ? 0 : vh_err_nomem(err);
}
