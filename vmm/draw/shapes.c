// SPDX-License-Identifier: Apache-2.0
#include "vmm/draw/shapes.h"

#include <string.h>

xmlNodePtr vh_svg_box(const struct vh_svg *d, int x, int y, const char *fill)
{
	xmlNodePtr rect = vh_xml_add(d->svg, "rect", "fill", fill, "stroke", "#444444", "rx", "2", NULL);

	vh_xml_setf(rect, "x", "%d", x);
	vh_xml_setf(rect, "y", "%d", y);
	return rect;
}

void vh_svg_set_size(xmlNodePtr rect, int w, int h)
{
	vh_xml_setf(rect, "width", "%d", w);
	vh_xml_setf(rect, "height", "%d", h);
}

int vh_svg_text(const struct vh_svg *d, int x, int y, const char *text)
{
	xmlNodePtr node = vh_xml_text(d->svg, "text", vh_xml_can_hold(text) ? text : "?");

	vh_xml_setf(node, "x", "%d", x);
	vh_xml_setf(node, "y", "%d", y);
	return x + (int)strlen(text) * SVG_CHAR;
}

void vh_svg_title(xmlNodePtr node, const char *text)
{
	vh_xml_text(node, "title", vh_xml_can_hold(text) ? text : "?");
}
