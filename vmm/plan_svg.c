// SPDX-License-Identifier: Apache-2.0
/* The host as lstopo draws it: packages hold nodes, nodes caches, caches cores, cores
 * threads; devices beside their node. What is the VM's is green. */
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/verbs.h"
#include "vmm/xml.h"

enum { PU_W = 34, PU_H = 20, GAP = 6, TEXT = 16, DEVICE_W = 190, CORES_A_ROW = 8, CACHES_A_ROW = 2, CHAR_W = 7 };

struct size { int w, h; };

struct drawing {
	xmlNodePtr svg;
	const struct vh_left *left;
	const struct vh_plan *plan;
};

static struct size around(struct size a, int x, int y)
{
	return (struct size){ a.w > x ? a.w : x, a.h > y ? a.h : y };
}

static xmlNodePtr box(const struct drawing *d, int x, int y, const char *fill)
{
	xmlNodePtr rect = vh_xml_add(d->svg, "rect", "fill", fill, "stroke", "#444444", "rx", "2", NULL);

	vh_xml_setf(rect, "x", "%d", x);
	vh_xml_setf(rect, "y", "%d", y);
	return rect;
}

static void set_size(xmlNodePtr rect, int w, int h)
{
	vh_xml_setf(rect, "width", "%d", w);
	vh_xml_setf(rect, "height", "%d", h);
}

static int text_at(const struct drawing *d, int x, int y, const char *text)
{
	xmlNodePtr node = vh_xml_text(d->svg, "text", vh_xml_can_hold(text) ? text : "?");

	vh_xml_setf(node, "x", "%d", x);
	vh_xml_setf(node, "y", "%d", y);
	return x + (int)strlen(text) * CHAR_W;
}

static const char *cpu_colour(char mark)
{
	switch (mark) {
	case '#':
		return "#5cb85c";
	case 'e':
		return "#5bc0de";
	case '+':
	case '~':
		return "#c3e6cb";
	case 'x':
		return "#bbbbbb";
	}
	return "#ffffff";
}

/* Threads of the core that begins with CPU i, below each other. */
static struct size draw_core(const struct drawing *d, size_t *i, unsigned node, int x, int y)
{
	const struct vh_host *host = d->left->host;
	unsigned core = host->cpus[*i].core;
	xmlNodePtr outer = box(d, x, y, "#eeeeee");
	int at = y + GAP / 2;

	for (; *i < host->n_cpus && host->cpus[*i].core == core && host->cpus[*i].node == node; ++*i) {
		xmlNodePtr pu = box(d, x + GAP / 2, at, cpu_colour(vh_plan_mark(d->left, d->plan, (unsigned)*i)));
		char label[16];

		snprintf(label, sizeof(label), "%u", host->cpus[*i].id);
		set_size(pu, PU_W, PU_H);
		text_at(d, x + GAP, at + TEXT - 2, label);
		at += PU_H + GAP / 2;
	}
	set_size(outer, PU_W + GAP, at - y);
	return (struct size){ PU_W + GAP, at - y };
}

/* Cores of the cache that begins with CPU i. */
static struct size draw_cache(const struct drawing *d, size_t *i, unsigned node, int x, int y)
{
	const struct vh_host *host = d->left->host;
	unsigned cache = host->cpus[*i].l3;
	xmlNodePtr outer = box(d, x, y, "#ffffdd");
	struct size size = { 0, 0 }, row = { 0, 0 };
	int top = y + TEXT + GAP, n = 0, at = x + GAP;

	text_at(d, x + GAP, y + TEXT, "LLC");
	size = around(size, x + GAP + 4 * CHAR_W, top);
	while (*i < host->n_cpus && host->cpus[*i].node == node && host->cpus[*i].l3 == cache) {
		struct size core;

		if (n++ == CORES_A_ROW) {
			top += row.h + GAP / 2;
			at = x + GAP;
			n = 1;
		}
		core = draw_core(d, i, node, at, top);
		row = around((struct size){ 0, 0 }, 0, core.h);
		size = around(size, at + core.w, top + core.h);
		at += core.w + GAP / 2;
	}
	set_size(outer, size.w - x + GAP, size.h - y + GAP);
	return (struct size){ size.w - x + GAP, size.h - y + GAP };
}

static struct size draw_caches(const struct drawing *d, unsigned node, int x, int y)
{
	const struct vh_host *host = d->left->host;
	struct size size = { 0, 0 };
	int at = x, top = y, n = 0;

	for (size_t i = 0; i < host->n_cpus;) {
		struct size cache;

		if (host->cpus[i].node != node) {
			i++;
			continue;
		}
		if (n++ == CACHES_A_ROW) {
			top = y + size.h + GAP;
			at = x;
			n = 1;
		}
		cache = draw_cache(d, &i, node, at, top);
		size = around(size, at + cache.w - x, top + cache.h - y);
		at += cache.w + GAP;
	}
	return size;
}

static struct size draw_devices(const struct drawing *d, int node, int x, int y)
{
	const struct vh_host *host = d->left->host;
	struct size size = { 0, 0 };
	int at = y, column = x;

	for (size_t i = 0; i < host->n_devices; i++) {
		const struct vh_host_device *dev = &host->devices[i];
		vh_autofree char *label = NULL;
		const char *fill = vh_plan_has_device(d->plan, i) ? "#5cb85c" :
				   d->left->device[i] ? "#ffffff" : "#bbbbbb";

		if (dev->node != node)
			continue;
		label = vh_strf("%s%s %s", vh_device_kind_name(dev->kind), dev->pf[0] ? " VF" : "", dev->address);
		set_size(box(d, column, at, fill), DEVICE_W, PU_H);
		text_at(d, column + GAP, at + TEXT - 2, label ? label : "");
		at += PU_H + GAP / 2;
		size = around(size, column + DEVICE_W - x, at - y);
		if (at - y > 10 * PU_H) {
			at = y;
			column += DEVICE_W + GAP;
		}
	}
	return size;
}

static struct size draw_memory(const struct drawing *d, size_t node, int x, int y)
{
	const struct vh_host_node *n = &d->left->host->nodes[node];
	uint64_t here = vh_plan_memory(d->plan, node);
	char total[16], used[16];
	vh_autofree char *label = vh_strf("NUMANode %u%s%s (%s)%s%s%s", n->id, n->kind[0] ? " " : "", n->kind,
					  vh_size_format(total, sizeof(total), n->memory), here ? ": " : "",
					  here ? vh_size_format(used, sizeof(used), here) : "", here ? " here" : "");
	int w = label ? (int)strlen(label) * CHAR_W + 2 * GAP : 0;

	set_size(box(d, x, y, here ? "#5cb85c" : "#efdfde"), w, PU_H);
	text_at(d, x + GAP, y + TEXT - 2, label ? label : "");
	return (struct size){ w, PU_H };
}

static struct size draw_node(const struct drawing *d, size_t node, int x, int y)
{
	xmlNodePtr outer = box(d, x, y, "#f5f5f5");
	struct size memory = draw_memory(d, node, x + GAP, y + GAP);
	int top = y + GAP + memory.h + GAP;
	struct size cpus = draw_caches(d, d->left->host->nodes[node].id, x + GAP, top);
	struct size devices = draw_devices(d, (int)node, x + 2 * GAP + (cpus.w > memory.w ? cpus.w : memory.w),
					   y + GAP);
	struct size size = around((struct size){ memory.w, memory.h + GAP }, cpus.w, memory.h + GAP + cpus.h);

	if (devices.w)
		size = around(size, size.w + GAP + devices.w, devices.h);
	set_size(outer, size.w + 2 * GAP, size.h + 2 * GAP);
	return (struct size){ size.w + 2 * GAP, size.h + 2 * GAP };
}

static struct size draw_package(const struct drawing *d, unsigned package, int x, int y)
{
	xmlNodePtr outer = box(d, x, y, "#dddddd");
	struct size size = { 0, TEXT + GAP };
	char label[32];

	snprintf(label, sizeof(label), "Package %u", package);
	text_at(d, x + GAP, y + TEXT, label);
	for (size_t i = 0; i < d->left->host->n_nodes; i++) {
		struct size node;

		if (d->left->host->nodes[i].package != package)
			continue;
		node = draw_node(d, i, x + GAP, y + size.h);
		size = (struct size){ size.w > node.w ? size.w : node.w, size.h + node.h + GAP };
	}
	set_size(outer, size.w + 2 * GAP, size.h);
	return (struct size){ size.w + 2 * GAP, size.h };
}

static struct size draw_legend(const struct drawing *d, int x, int y)
{
	static const struct { char mark; const char *text; } legend[] = {
		{ '#', "the VM's" }, { '+', "kept idle for it, or shared" }, { 'e', "its emulator" }, { '.', "free" },
		{ 'x', "taken" },
	};

	for (size_t i = 0; i < vh_array_len(legend); i++) {
		set_size(box(d, x, y, cpu_colour(legend[i].mark)), PU_H, PU_H);
		x = text_at(d, x + PU_H + GAP, y + TEXT - 2, legend[i].text) + 2 * GAP;
	}
	return (struct size){ x, y + PU_H };
}

static void draw(const struct drawing *d, const char *title)
{
	const struct vh_host *host = d->left->host;
	struct size size = { text_at(d, GAP, TEXT + GAP, title), TEXT + 3 * GAP }, more;
	unsigned packages = 0;

	for (size_t i = 0; i < host->n_nodes; i++)
		packages = host->nodes[i].package >= packages ? host->nodes[i].package + 1 : packages;
	for (unsigned p = 0; p < packages; p++) {
		struct size package = draw_package(d, p, GAP, size.h);

		size = (struct size){ package.w + GAP > size.w ? package.w + GAP : size.w, size.h + package.h + GAP };
	}
	more = draw_devices(d, -1, GAP, size.h);
	size = around(size, more.w + GAP, size.h + more.h);
	more = draw_legend(d, GAP, size.h + GAP);
	size = around(size, more.w, more.h);
	vh_xml_setf(d->svg, "width", "%d", size.w + GAP);
	vh_xml_setf(d->svg, "height", "%d", size.h + GAP);
}

int vh_plan_svg(const char *path, const char *title, const struct vh_left *left, const struct vh_plan *plan,
		struct vh_err *err)
{
	vh_autoxml doc = xmlNewDoc(BAD_CAST "1.0");
	xmlNodePtr svg = doc ? xmlNewNode(NULL, BAD_CAST "svg") : NULL, ground;
	const struct drawing d = { svg, left, plan };
	vh_autoxmlstr text = NULL;
	int len;

	if (!svg)
		return vh_err_nomem(err);
	xmlDocSetRootElement(doc, svg);
	xmlNewProp(svg, BAD_CAST "xmlns", BAD_CAST "http://www.w3.org/2000/svg");
	xmlNewProp(svg, BAD_CAST "font-family", BAD_CAST "monospace");
	xmlNewProp(svg, BAD_CAST "font-size", BAD_CAST "11");
	ground = vh_xml_add(svg, "rect", "width", "100%", "height", "100%", "fill", "#ffffff", NULL);
	if (!ground)
		return vh_err_nomem(err);
	draw(&d, title);
	xmlDocDumpFormatMemory(doc, &text, &len, 1);
	return text ? vh_write_file(path, text, (size_t)len, 0644, err) : vh_err_nomem(err);
}
