// SPDX-License-Identifier: Apache-2.0
/* Boxes and texts, in pixels: what the files that draw a host share. */
#ifndef VH_VMM_SHAPES_H
#define VH_VMM_SHAPES_H

#include "lib/xml.h"
#include "vmm/draw/draw.h"

enum { SVG_GAP = 6, SVG_ROW = 20, SVG_TEXT = 16, SVG_CHAR = 7 };
#define SVG_OURS "#5cb85c"
#define SVG_FREE "#ffffff"
#define SVG_TAKEN "#bbbbbb"

struct vh_svg_size { int w, h; };
struct vh_svg { xmlNodePtr svg; const struct vh_left *left; const struct vh_plan *plan; };

/* A box whose size is set when what is in it is drawn. */
xmlNodePtr vh_svg_box(const struct vh_svg *d, int x, int y, const char *fill);
void vh_svg_set_size(xmlNodePtr rect, int w, int h);
/* Returns where the text ends. */
int vh_svg_text(const struct vh_svg *d, int x, int y, const char *text);
/* What is said when the pointer rests on it. */
void vh_svg_title(xmlNodePtr node, const char *text);
static inline struct vh_svg_size vh_svg_around(struct vh_svg_size a, int x, int y)
{
	return (struct vh_svg_size){ a.w > x ? a.w : x, a.h > y ? a.h : y };
}

#endif
