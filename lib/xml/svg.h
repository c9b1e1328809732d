// SPDX-License-Identifier: Apache-2.0
/* Drawings as SVG, by libxml2: lengths are pixels, y grows downwards. Building goes on without
 * memory, which vh_svg_end finds. Text of strangers that XML cannot hold becomes "?". */
#ifndef VH_SVG_H
#define VH_SVG_H

#include "lib/xml/xml.h"

/* An empty drawing on white, in this font (family, and size as "11"); the root element, to draw into.
 * *ret_doc owns it. NULL without memory. */
xmlNodePtr vh_svg_begin(xmlDocPtr *ret_doc, const char *family, const char *size);
/* The drawing as text, w by h; malloc'd. -ENOMEM. */
int vh_svg_end(xmlDocPtr doc, double w, double h, char **ret, struct vh_err *err);

/* A box without a size yet: it is drawn before what is in it, and that says how large it is. */
xmlNodePtr vh_svg_box(xmlNodePtr svg, double x, double y, const char *fill);
void vh_svg_set_size(xmlNodePtr rect, double w, double h);
xmlNodePtr vh_svg_line(xmlNodePtr svg, double x1, double y1, double x2, double y2, const char *stroke);
/* anchor: "middle" or "end" of the text is at x; NULL: its start. */
xmlNodePtr vh_svg_text(xmlNodePtr svg, double x, double y, const char *anchor, const char *text);
/* What is said when the pointer rests on the node. */
void vh_svg_title(xmlNodePtr node, const char *text);

#endif
