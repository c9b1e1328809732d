// SPDX-License-Identifier: Apache-2.0
/* The host as lstopo draws it: packages hold nodes, nodes caches, caches cores, cores
 * threads; devices beside their node. What is the VM's is green. */
#include <string.h>

#include "lib/files/files.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/draw/devices.h"
#include "vmm/host/host.h"
#include "vmm/place/place.h"

enum { PU_W = 34, CORES_A_ROW = 8, CACHES_A_ROW = 2, MEMORY_W = 330 };
#define MEMORY "#efdfde"

static const char *cpu_colour(char mark)
{
	switch (mark) {
	case '#':
		return SVG_OURS;
	case 'e':
		return "#5bc0de";
	case '+':
		return "#c3e6cb";
	case '~':
		return "#e6f598";
	case 'x':
		return SVG_TAKEN;
	}
	return SVG_FREE;
}

/* "CPU 3: vCPU 1" */
static void say_cpu(const struct vh_svg *d, xmlNodePtr pu, unsigned cpu)
{
	const struct vh_plan *plan = d->plan;
	char text[64];

	snprintf(text, sizeof(text), "CPU %u", d->left->host->cpus[cpu].id);
	for (unsigned v = 0; plan && v < plan->vcpus; v++)
		if (plan->cpu[v] == (int)cpu)
			snprintf(text, sizeof(text), "CPU %u: vCPU %u", d->left->host->cpus[cpu].id, v);
	vh_svg_title(pu, text);
}

/* Threads of the core that begins with CPU i, below each other. */
static struct vh_svg_size draw_core(const struct vh_svg *d, size_t *i, unsigned node, int x, int y)
{
	const struct vh_host *host = d->left->host;
	unsigned core = host->cpus[*i].core;
	xmlNodePtr outer = vh_svg_box(d->svg, x, y, "#eeeeee");
	int at = y + SVG_GAP / 2;

	for (; *i < host->n_cpus && host->cpus[*i].core == core && host->cpus[*i].node == node; ++*i) {
		xmlNodePtr pu = vh_svg_box(d->svg, x + SVG_GAP / 2, at, cpu_colour(vh_plan_mark(d->left, d->plan, (unsigned)*i)));
		char label[16];

		say_cpu(d, pu, (unsigned)*i);
		snprintf(label, sizeof(label), "%u", host->cpus[*i].id);
		vh_svg_set_size(pu, PU_W, SVG_ROW);
		vh_draw_text(d, x + SVG_GAP, at + SVG_TEXT - 2, label);
		at += SVG_ROW + SVG_GAP / 2;
	}
	vh_svg_set_size(outer, PU_W + SVG_GAP, at - y);
	return (struct vh_svg_size){ PU_W + SVG_GAP, at - y };
}

/* Cores of the cache that begins with CPU i. */
static struct vh_svg_size draw_cache(const struct vh_svg *d, size_t *i, unsigned node, int x, int y)
{
	const struct vh_host *host = d->left->host;
	unsigned cache = host->cpus[*i].l3;
	xmlNodePtr outer = vh_svg_box(d->svg, x, y, "#ffffdd");
	struct vh_svg_size size = { 0, 0 }, row = { 0, 0 };
	int top = y + SVG_TEXT + SVG_GAP, n = 0, at = x + SVG_GAP;

	vh_draw_text(d, x + SVG_GAP, y + SVG_TEXT, "LLC");
	size = vh_svg_around(size, x + SVG_GAP + 4 * SVG_CHAR, top);
	while (*i < host->n_cpus && host->cpus[*i].node == node && host->cpus[*i].l3 == cache) {
		struct vh_svg_size core;

		if (n++ == CORES_A_ROW) {
			top += row.h + SVG_GAP / 2;
			at = x + SVG_GAP;
			n = 1;
		}
		core = draw_core(d, i, node, at, top);
		row = vh_svg_around((struct vh_svg_size){ 0, 0 }, 0, core.h);
		size = vh_svg_around(size, at + core.w, top + core.h);
		at += core.w + SVG_GAP / 2;
	}
	vh_svg_set_size(outer, size.w - x + SVG_GAP, size.h - y + SVG_GAP);
	return (struct vh_svg_size){ size.w - x + SVG_GAP, size.h - y + SVG_GAP };
}

static struct vh_svg_size draw_caches(const struct vh_svg *d, unsigned node, int x, int y)
{
	const struct vh_host *host = d->left->host;
	struct vh_svg_size size = { 0, 0 };
	int at = x, top = y, n = 0;

	for (size_t i = 0; i < host->n_cpus;) {
		struct vh_svg_size cache;

		if (host->cpus[i].node != node) {
			i++;
			continue;
		}
		if (n++ == CACHES_A_ROW) {
			top = y + size.h + SVG_GAP;
			at = x;
			n = 1;
		}
		cache = draw_cache(d, &i, node, at, top);
		size = vh_svg_around(size, at + cache.w - x, top + cache.h - y);
		at += cache.w + SVG_GAP;
	}
	return size;
}

/* How much of it the VM has and how much is taken, as parts of the box. */
static struct vh_svg_size draw_memory(const struct vh_svg *d, size_t node, int x, int y)
{
	const struct vh_host_node *n = &d->left->host->nodes[node];
	uint64_t here = vh_plan_memory(d->plan, node), gone = n->memory - vh_left_bytes(d->left, VH_PAGE_SMALL, node);
	double all = n->memory ? (double)n->memory : 1;
	char total[16], used[16];
	vh_autofree char *label = vh_strf("NUMANode %u%s%s (%s)%s%s%s", n->id, n->kind[0] ? " " : "", n->kind,
					  vh_size_format(total, sizeof(total), n->memory), here ? ": " : "",
					  here ? vh_size_format(used, sizeof(used), here) : "", here ? " of the VM" : "");
	int w = MEMORY_W, ours = (int)((double)here / all * w), taken = (int)((double)gone / all * w);

	vh_svg_set_size(vh_svg_box(d->svg, x, y, MEMORY), w, SVG_ROW);
	if (taken)
		vh_svg_set_size(vh_svg_box(d->svg, x, y, SVG_TAKEN), taken, SVG_ROW);
	if (here)
		vh_svg_set_size(vh_svg_box(d->svg, x + taken, y, SVG_OURS), ours > 2 ? ours : 3, SVG_ROW);
	vh_draw_text(d, x + SVG_GAP, y + SVG_TEXT - 2, label ? label : "");
	return (struct vh_svg_size){ w, SVG_ROW };
}

/* A node's box is sized by its package, so that all are as wide. */
static struct vh_svg_size draw_node(const struct vh_svg *d, size_t node, int x, int y)
{
	struct vh_svg_size memory = draw_memory(d, node, x + SVG_GAP, y + SVG_GAP), size, devices;
	int top = y + 2 * SVG_GAP + memory.h;
	struct vh_svg_size cpus = draw_caches(d, d->left->host->nodes[node].id, x + SVG_GAP, top);

	size = vh_svg_around((struct vh_svg_size){ memory.w, memory.h }, cpus.w, cpus.h ? memory.h + SVG_GAP + cpus.h : 0);
	devices = vh_svg_devices(d, (int)node, x + 2 * SVG_GAP + size.w, y + SVG_GAP);
	if (devices.w)
		size = vh_svg_around(size, size.w + SVG_GAP + devices.w, devices.h);
	return (struct vh_svg_size){ size.w + 2 * SVG_GAP, size.h + 2 * SVG_GAP };
}

static struct vh_svg_size draw_package(const struct vh_svg *d, unsigned package, int x, int y)
{
	const struct vh_host *host = d->left->host;
	xmlNodePtr outer = vh_svg_box(d->svg, x, y, "#dddddd"), boxes[VH_HOST_NODES_MAX];
	struct vh_svg_size size = { 0, SVG_TEXT + SVG_GAP };
	int heights[VH_HOST_NODES_MAX], n = 0;
	char label[32];

	snprintf(label, sizeof(label), "Package %u", package);
	vh_draw_text(d, x + SVG_GAP, y + SVG_TEXT, label);
	for (size_t i = 0; i < host->n_nodes && n < VH_HOST_NODES_MAX; i++) {
		struct vh_svg_size node;

		if (host->nodes[i].package != package)
			continue;
		boxes[n] = vh_svg_box(d->svg, x + SVG_GAP, y + size.h, "#f5f5f5");
		node = draw_node(d, i, x + SVG_GAP, y + size.h);
		heights[n++] = node.h;
		size = (struct vh_svg_size){ size.w > node.w ? size.w : node.w, size.h + node.h + SVG_GAP };
	}
	while (n-- > 0)
		vh_svg_set_size(boxes[n], size.w, heights[n]);
	vh_svg_set_size(outer, size.w + 2 * SVG_GAP, size.h);
	return (struct vh_svg_size){ size.w + 2 * SVG_GAP, size.h };
}

static struct vh_svg_size draw_legend(const struct vh_svg *d, int x, int y)
{
	static const struct { char mark; const char *text; } legend[] = {
		{ '.', "free" }, { 'x', "taken" }, { '#', "the VM's" }, { '+', "kept idle for it" },
		{ '~', "shared with others" }, { 'e', "its emulator" },
	};

	for (size_t i = 0; i < (d->plan ? vh_array_len(legend) : 2); i++) {
		vh_svg_set_size(vh_svg_box(d->svg, x, y, cpu_colour(legend[i].mark)), SVG_ROW, SVG_ROW);
		x = vh_draw_text(d, x + SVG_ROW + SVG_GAP, y + SVG_TEXT - 2, legend[i].text) + 2 * SVG_GAP;
	}
	return (struct vh_svg_size){ x, y + SVG_ROW };
}

static struct vh_svg_size draw_all(const struct vh_svg *d, const char *title)
{
	const struct vh_host *host = d->left->host;
	struct vh_svg_size size = { vh_draw_text(d, SVG_GAP, SVG_TEXT + SVG_GAP, title), SVG_TEXT + 3 * SVG_GAP }, more;
	unsigned packages = 0;

	for (size_t i = 0; i < host->n_nodes; i++)
		packages = host->nodes[i].package >= packages ? host->nodes[i].package + 1 : packages;
	for (unsigned p = 0; p < packages; p++) {
		struct vh_svg_size package = draw_package(d, p, SVG_GAP, size.h);

		size = (struct vh_svg_size){ package.w + SVG_GAP > size.w ? package.w + SVG_GAP : size.w, size.h + package.h + SVG_GAP };
	}
	more = vh_svg_devices(d, -1, SVG_GAP, size.h);
	size = vh_svg_around(size, more.w + SVG_GAP, size.h + more.h);
	more = draw_legend(d, SVG_GAP, size.h + SVG_GAP);
	size = vh_svg_around(size, more.w, more.h);
	return (struct vh_svg_size){ size.w + SVG_GAP, size.h + SVG_GAP };
}

int vh_plan_svg(const char *path, const char *title, const struct vh_left *left, const struct vh_plan *plan,
		struct vh_err *err)
{
	vh_autoxml doc = NULL;
	const struct vh_svg d = { vh_svg_begin(&doc, "monospace", "11"), left, plan };
	vh_autofree char *text = NULL;
	struct vh_svg_size size;
	int r;

	if (!d.svg)
		return vh_err_nomem(err);
	size = draw_all(&d, title);
	r = vh_svg_end(doc, size.w, size.h, &text, err);
	return r < 0 ? r : vh_write_file(path, text, strlen(text), 0644, err);
}
