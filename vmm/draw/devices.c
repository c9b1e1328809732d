// SPDX-License-Identifier: Apache-2.0
/* Devices as drawn beside their node: those behind one switch, or of one root complex, in a box. */
#include "vmm/draw/devices.h"

#include <string.h>

#include "lib/strv.h"
#include "vmm/host/host.h"
#include "vmm/place/place.h"

enum { DEVICE_W = 250, COLUMN_H = 260 };

static bool together(const struct vh_host_device *a, const struct vh_host_device *b)
{
	return a->node == b->node && !strcmp(a->root, b->root) && !strcmp(a->sw, b->sw);
}

static void draw_device(const struct vh_svg *d, size_t i, int x, int y)
{
	const struct vh_host_device *dev = &d->left->host->devices[i];
	vh_autofree char *label = vh_strf("%s%s %s %s", vh_device_kind_name(dev->kind), dev->pf[0] ? " VF" : "",
					  dev->address, dev->name);
	const char *fill = vh_plan_has_device(d->plan, i) ? SVG_OURS : d->left->device[i] ? SVG_FREE : SVG_TAKEN;

	vh_svg_set_size(vh_svg_box(d->svg, x, y, fill), DEVICE_W, SVG_ROW);
	vh_draw_text(d, x + SVG_GAP, y + SVG_TEXT - 2, label ? label : "");
}

/* All that stand together with device i, which is the first of them. */
static struct vh_svg_size draw_group(const struct vh_svg *d, size_t i, int x, int y)
{
	const struct vh_host *host = d->left->host;
	const struct vh_host_device *first = &host->devices[i];
	vh_autofree char *label = first->sw[0] ? vh_strf("PCIe switch %s", first->sw) :
				  first->root[0] ? vh_strf("PCI %s", first->root) : strdup("PCI");
	xmlNodePtr outer = vh_svg_box(d->svg, x, y, first->sw[0] ? "#dfe8f5" : "#e9eef5");
	int at = y + SVG_TEXT + SVG_GAP / 2;

	vh_draw_text(d, x + SVG_GAP, y + SVG_TEXT - 2, label ? label : "");
	for (; i < host->n_devices; i++) {
		if (!together(first, &host->devices[i]))
			continue;
		draw_device(d, i, x + SVG_GAP, at);
		at += SVG_ROW + SVG_GAP / 2;
	}
	vh_svg_set_size(outer, DEVICE_W + 2 * SVG_GAP, at - y + SVG_GAP / 2);
	return (struct vh_svg_size){ DEVICE_W + 2 * SVG_GAP, at - y + SVG_GAP / 2 };
}

static bool is_first(const struct vh_host *host, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (together(&host->devices[k], &host->devices[i]))
			return false;
	return true;
}

struct vh_svg_size vh_svg_devices(const struct vh_svg *d, int node, int x, int y)
{
	const struct vh_host *host = d->left->host;
	struct vh_svg_size size = { 0, 0 };
	int at = y, column = x;

	for (size_t i = 0; i < host->n_devices; i++) {
		struct vh_svg_size group;

		if (host->devices[i].node != node || !is_first(host, i))
			continue;
		if (at - y > COLUMN_H) {
			at = y;
			column += DEVICE_W + 3 * SVG_GAP;
		}
		group = draw_group(d, i, column, at);
		at += group.h + SVG_GAP;
		size = vh_svg_around(size, column + group.w - x, at - y);
	}
	return size;
}
