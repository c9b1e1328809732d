// SPDX-License-Identifier: Apache-2.0
/* What the files that draw a host share: measures, colours, texts whose width is known. */
#ifndef VH_VMM_SHAPES_H
#define VH_VMM_SHAPES_H

#include "lib/xml/svg.h"
#include "vmm/draw/draw.h"

enum { SVG_GAP = 6, SVG_ROW = 20, SVG_TEXT = 16, SVG_CHAR = 7 };
#define SVG_OURS "#5cb85c"
#define SVG_FREE "#ffffff"
#define SVG_TAKEN "#bbbbbb"

struct vh_svg_size { int w, h; };
struct vh_svg { xmlNodePtr svg; const struct vh_left *left; const struct vh_plan *plan; };

/* Returns where the text ends. */
int vh_draw_text(const struct vh_svg *d, int x, int y, const char *text);
/* The size that reaches to x, y as well. */
static inline struct vh_svg_size vh_svg_around(struct vh_svg_size a, int x, int y)
{
	return (struct vh_svg_size){ a.w > x ? a.w : x, a.h > y ? a.h : y };
}

#endif
