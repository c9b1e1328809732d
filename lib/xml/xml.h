// SPDX-License-Identifier: Apache-2.0
/* Building and reading XML with libxml2: what is needed of it, in few words. Building
 * goes on after an error, which the end finds. */
#ifndef VH_XML_H
#define VH_XML_H

#include <libxml/tree.h>
#include <stdbool.h>
#include "lib/err.h"

static inline void vh_xml_docp(xmlDocPtr *doc) { if (*doc) xmlFreeDoc(*doc); }
#define vh_autoxml vh_cleanup(vh_xml_docp) xmlDocPtr
static inline void vh_xml_strp(xmlChar **s) { if (*s) xmlFree(*s); }
#define vh_autoxmlstr vh_cleanup(vh_xml_strp) xmlChar *

/* Appends an element; attrs are pairs of name and value ending with NULL, a pair with a
 * NULL value is left out. NULL without memory, and for a NULL parent. */
xmlNodePtr vh_xml_add(xmlNodePtr parent, const char *name, ...) __attribute__((sentinel));
/* Appends <name>text</name>. */
xmlNodePtr vh_xml_text(xmlNodePtr parent, const char *name, const char *text);
/* Sets an attribute to formatted text. */
void vh_xml_setf(xmlNodePtr node, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Whether text can stand in XML: UTF-8 without control characters. */
bool vh_xml_can_hold(const char *text);

/* Parses untrusted text: no network, no entities, at most 1 MiB. what names it in errors. */
int vh_xml_parse(const char *what, const char *text, size_t len, xmlDocPtr *ret, struct vh_err *err);
/* The first child element of that name (ns NULL: of any namespace), or NULL. */
xmlNodePtr vh_xml_child(xmlNodePtr parent, const char *ns, const char *name);
/* The same, counting on from an element. */
xmlNodePtr vh_xml_next(xmlNodePtr node, const char *ns, const char *name);

#endif
