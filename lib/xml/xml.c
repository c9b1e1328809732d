// SPDX-License-Identifier: Apache-2.0
#include "lib/xml/xml.h"

#include <errno.h>
#include <libxml/parser.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include "lib/strv.h"

enum { XML_MAX = 1 << 20 };

/* libxml2 wants its globals made before threads use it. */
static void init_parser(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, xmlInitParser);
}

xmlNodePtr vh_xml_add(xmlNodePtr parent, const char *name, ...)
{
	xmlNodePtr node = parent ? xmlNewChild(parent, NULL, BAD_CAST name, NULL) : NULL;
	const char *key;
	va_list ap;

	va_start(ap, name);
	while (node && (key = va_arg(ap, const char *))) {
		const char *value = va_arg(ap, const char *);

		if (value && !xmlNewProp(node, BAD_CAST key, BAD_CAST value))
			node = NULL;
	}
	va_end(ap);
	return node;
}

xmlNodePtr vh_xml_text(xmlNodePtr parent, const char *name, const char *text)
{
	return parent ? xmlNewTextChild(parent, NULL, BAD_CAST name, BAD_CAST text) : NULL;
}

void vh_xml_setf(xmlNodePtr node, const char *name, const char *fmt, ...)
{
	vh_autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = vh_vstrf(fmt, ap);
	va_end(ap);
	if (node && text)
		xmlSetProp(node, BAD_CAST name, BAD_CAST text);
}

bool vh_xml_can_hold(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return xmlCheckUTF8(BAD_CAST text);
}

static int parse_error(const char *what, xmlParserCtxtPtr ctxt, struct vh_err *err)
{
	const xmlError *last = xmlCtxtGetLastError(ctxt);

	if (!last || !last->message)
		return vh_err_set(err, EINVAL, "%s: not XML", what);
	return vh_err_set(err, EINVAL, "%s:%d: %.*s", what, last->line,
			  (int)strcspn(last->message, "\n"), last->message);
}

int vh_xml_parse(const char *what, const char *text, size_t len, xmlDocPtr *ret, struct vh_err *err)
{
	xmlParserCtxtPtr ctxt;
	xmlDocPtr doc;
	int r = 0;

	if (len > XML_MAX)
		return vh_err_set(err, EFBIG, "%s: XML of more than 1 MiB", what);
	init_parser();
	ctxt = xmlNewParserCtxt();
	if (!ctxt)
		return vh_err_nomem(err);
	doc = xmlCtxtReadMemory(ctxt, text, (int)len, NULL, NULL,
				XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!doc)
		r = parse_error(what, ctxt, err);
	xmlFreeParserCtxt(ctxt);
	if (doc && doc->intSubset) {
		xmlFreeDoc(doc);
		return vh_err_set(err, EINVAL, "%s: a document type is not accepted", what);
	}
	if (doc)
		*ret = doc;
	return r;
}

static bool is_named(xmlNodePtr node, const char *ns, const char *name)
{
	if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, name))
		return false;
	return !ns || (node->ns && node->ns->href && !strcmp((const char *)node->ns->href, ns));
}

xmlNodePtr vh_xml_next(xmlNodePtr node, const char *ns, const char *name)
{
	for (node = node ? node->next : NULL; node; node = node->next)
		if (is_named(node, ns, name))
			return node;
	return NULL;
}

xmlNodePtr vh_xml_child(xmlNodePtr parent, const char *ns, const char *name)
{
	xmlNodePtr first = parent ? parent->children : NULL;

	return first && !is_named(first, ns, name) ? vh_xml_next(first, ns, name) : first;
}
