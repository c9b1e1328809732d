// SPDX-License-Identifier: Apache-2.0
/* A domain whose files are in a directory that has another name now. */
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/xml/xml.h"
#include "vmm/domain/domain.h"

struct move { const char *from, *to; unsigned changed; bool failed; };

/* The path as it is now, malloc'd; NULL: it is not in the directory. */
static char *moved(struct move *m, const char *path)
{
	size_t len = strlen(m->from);
	char *now;

	if (!path || strncmp(path, m->from, len) || path[len] != '/')
		return NULL;
	now = vh_strf("%s%s", m->to, path + len);
	m->failed |= !now;
	m->changed++;
	return now;
}

static void move_attributes(struct move *m, xmlNodePtr node)
{
	for (xmlAttrPtr a = node->properties; a; a = a->next) {
		vh_autoxmlstr value = xmlNodeListGetString(node->doc, a->children, 1);
		vh_autofree char *now = moved(m, (const char *)value);

		if (now)
			m->failed |= !xmlSetNsProp(node, a->ns, a->name, BAD_CAST now);
	}
}

static void move_node(struct move *m, xmlNodePtr node)
{
	for (; node; node = node->next) {
		if (node->type == XML_TEXT_NODE) {
			vh_autofree char *now = moved(m, (const char *)node->content);

			if (now)
				xmlNodeSetContent(node, BAD_CAST now);
		} else if (node->type == XML_ELEMENT_NODE) {
			move_attributes(m, node);
			move_node(m, node->children);
		}
	}
}

int vh_domain_moved(const char *xml, const char *from, const char *to, char **ret, struct vh_err *err)
{
	struct move m = { .from = from, .to = to };
	vh_autoxml doc = NULL;
	vh_autoxmlstr text = NULL;
	int len, r = vh_xml_parse("domain", xml, strlen(xml), &doc, err);

	if (r < 0)
		return r;
	move_node(&m, xmlDocGetRootElement(doc));
	if (!m.changed) {
		*ret = NULL;
		return 0;
	}
	if (!m.failed)
		xmlDocDumpMemory(doc, &text, &len);
	*ret = text ? strdup((const char *)text) : NULL;
	return *ret ? 0 : vh_err_nomem(err);
}
