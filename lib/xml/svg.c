// SPDX-License-Identifier: Apache-2.0
#include "lib/xml/svg.h"

#include <string.h>

xmlNodePtr vh_svg_begin(xmlDocPtr *ret_doc, const char *family, const char *size)
{
	vh_autoxml doc = xmlNewDoc(BAD_CAST "1.0");
	xmlNodePtr svg = doc ? xmlNewNode(NULL, BAD_CAST "svg") : NULL;

	if (!svg)
		return NULL;
	xmlDocSetRootElement(doc, svg);
	vh_xml_setf(svg, "xmlns", "http://www.w3.org/2000/svg");
	vh_xml_setf(svg, "font-family", "%s", family);
	vh_xml_setf(svg, "font-size", "%s", size);
	if (!vh_xml_add(svg, "rect", "width", "100%", "height", "100%", "fill", "#ffffff", NULL))
		return NULL;
	*ret_doc = vh_steal(&doc);
	return svg;
}

int vh_svg_end(xmlDocPtr doc, double w, double h, char **ret, struct vh_err *err)
{
	xmlNodePtr svg = xmlDocGetRootElement(doc);
	vh_autoxmlstr text = NULL;
	char *copy;
	int len = 0;

	vh_xml_setf(svg, "width", "%g", w);
	vh_xml_setf(svg, "height", "%g", h);
	vh_xml_setf(svg, "viewBox", "0 0 %g %g", w, h);
	xmlDocDumpFormatMemory(doc, &text, &len, 1);
	copy = text ? strndup((const char *)text, (size_t)len) : NULL;
	if (!copy)
		return vh_err_nomem(err);
	*ret = copy;
	return 0;
}

xmlNodePtr vh_svg_box(xmlNodePtr svg, double x, double y, const char *fill)
{
	xmlNodePtr rect = vh_xml_add(svg, "rect", "fill", fill, "stroke", "#444444", "rx", "2", NULL);

	vh_xml_setf(rect, "x", "%g", x);
	vh_xml_setf(rect, "y", "%g", y);
	return rect;
}

void vh_svg_set_size(xmlNodePtr rect, double w, double h)
{
	vh_xml_setf(rect, "width", "%g", w);
	vh_xml_setf(rect, "height", "%g", h);
}

xmlNodePtr vh_svg_line(xmlNodePtr svg, double x1, double y1, double x2, double y2, const char *stroke)
{
	xmlNodePtr line = vh_xml_add(svg, "line", "stroke", stroke, NULL);

	vh_xml_setf(line, "x1", "%g", x1);
	vh_xml_setf(line, "y1", "%g", y1);
	vh_xml_setf(line, "x2", "%g", x2);
	vh_xml_setf(line, "y2", "%g", y2);
	return line;
}

xmlNodePtr vh_svg_text(xmlNodePtr svg, double x, double y, const char *anchor, const char *text)
{
	xmlNodePtr node = vh_xml_text(svg, "text", vh_xml_can_hold(text) ? text : "?");

	vh_xml_setf(node, "x", "%g", x);
	vh_xml_setf(node, "y", "%g", y);
	if (anchor)
		vh_xml_setf(node, "text-anchor", "%s", anchor);
	return node;
}

void vh_svg_title(xmlNodePtr node, const char *text)
{
	vh_xml_text(node, "title", vh_xml_can_hold(text) ? text : "?");
}
