// SPDX-License-Identifier: Apache-2.0
#include "lib/doc/yaml.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

struct reader {
	yaml_parser_t parser;
	const char *name, *text;
	size_t len, nodes;
	struct vh_err *err;
};

void vh_yaml_free(struct vh_yaml *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->n; i++)
		vh_yaml_free(node->items[i]);
	free(node->items);
	free(node->text);
	free(node);
}

const char *vh_yaml_type_name(const struct vh_yaml *node)
{
	static const char *const names[] = {
		[VH_YAML_SCALAR] = "a value", [VH_YAML_LIST] = "a list", [VH_YAML_MAP] = "a map",
	};

	return node->null ? "nothing" : names[node->type];
}

const struct vh_yaml *vh_yaml_get(const struct vh_yaml *map, const char *name)
{
	for (size_t i = 0; map->type == VH_YAML_MAP && i < map->n; i += 2)
		if (!strcmp(map->items[i]->text, name))
			return map->items[i + 1];
	return NULL;
}

static int refuse_at(struct reader *r, yaml_mark_t mark, const char *what)
{
	return vh_err_refuse(r->err, EINVAL, "%s:%zu:%zu: %s", r->name, mark.line + 1,
			     mark.column + 1, what);
}

/* Where the reader stumbles over a byte, libyaml gives its offset and no mark. */
static yaml_mark_t mark_of_offset(const struct reader *r, size_t offset)
{
	yaml_mark_t mark = { .index = offset };

	for (size_t i = 0; i < offset && i < r->len; i++) {
		if (r->text[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if ((r->text[i] & 0xc0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}

static int refuse_syntax(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;

	if (p->error == YAML_MEMORY_ERROR)
		return vh_err_nomem(r->err);
	if (p->error == YAML_READER_ERROR)
		return refuse_at(r, mark_of_offset(r, p->problem_offset),
				 p->problem ? p->problem : "cannot be read");
	return refuse_at(r, p->problem_mark, p->problem ? p->problem : "is not YAML");
}

static int next_event(struct reader *r, yaml_event_t *event)
{
	return yaml_parser_parse(&r->parser, event) ? 0 : refuse_syntax(r);
}

/* Escapes can write what the text itself must not hold. */
static bool has_control(const unsigned char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((s[i] < 0x20 && s[i] != '\n' && s[i] != '\t') || s[i] == 0x7f)
			return true;
		if (s[i] == 0xc2 && i + 1 < len && s[i + 1] < 0xa0)
			return true;
	}
	return false;
}

static bool is_null(const yaml_event_t *event)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < vh_array_len(words); i++)
		if (!strcmp((const char *)event->data.scalar.value, words[i]))
			return true;
	return false;
}

static int read_scalar(struct reader *r, const yaml_event_t *event, struct vh_yaml *node)
{
	const unsigned char *value = event->data.scalar.value;

	if (has_control(value, event->data.scalar.length))
		return refuse_at(r, event->start_mark, "control characters are not taken");
	node->null = is_null(event);
	node->text = strdup((const char *)value);
	return node->text ? 0 : vh_err_nomem(r->err);
}

static bool has_tag(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.tag || event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.tag || event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.tag || event->data.mapping_start.anchor;
	default:
		return false;
	}
}

static int read_node(struct reader *r, const yaml_event_t *event, unsigned depth, struct vh_yaml **ret);

static int append(struct reader *r, struct vh_yaml *node, struct vh_yaml *item)
{
	/* Grown at powers of two. */
	if ((node->n & (node->n - 1)) == 0) {
		struct vh_yaml **grown =
			reallocarray(node->items, node->n ? 2 * node->n : 1, sizeof(*grown));

		if (!grown) {
			vh_yaml_free(item);
			return vh_err_nomem(r->err);
		}
		node->items = grown;
	}
	node->items[node->n++] = item;
	return 0;
}

static int refuse_double(struct reader *r, const struct vh_yaml *key, const struct vh_yaml *first)
{
	return vh_err_refuse(r->err, EINVAL, "%s:%u:%u: key '%.60s' is there twice, first on line %u",
			     r->name, key->line, key->column, key->text, first->line);
}

/* The newest node of a map has just become its key. */
static int check_key(struct reader *r, const struct vh_yaml *map)
{
	const struct vh_yaml *key = map->items[map->n - 1];

	if (key->type != VH_YAML_SCALAR || key->null || !*key->text)
		return vh_err_refuse(r->err, EINVAL, "%s:%u:%u: a key must be a word", r->name,
				     key->line, key->column);
	for (size_t i = 0; i + 1 < map->n; i += 2)
		if (!strcmp(map->items[i]->text, key->text))
			return refuse_double(r, key, map->items[i]);
	return 0;
}

static int read_item(struct reader *r, const yaml_event_t *event, unsigned depth, struct vh_yaml *node)
{
	struct vh_yaml *item = NULL;
	int ret = read_node(r, event, depth, &item);

	if (ret < 0)
		return ret;
	ret = append(r, node, item);
	if (ret < 0)
		return ret;
	return node->type == VH_YAML_MAP && node->n % 2 ? check_key(r, node) : 0;
}

static int read_items(struct reader *r, unsigned depth, struct vh_yaml *node)
{
	for (;;) {
		yaml_event_t event;
		bool last;
		int ret = next_event(r, &event);

		if (ret < 0)
			return ret;
		last = event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
		if (!last)
			ret = read_item(r, &event, depth, node);
		yaml_event_delete(&event);
		if (ret < 0 || last)
			return ret;
	}
}

static int check_event(struct reader *r, const yaml_event_t *event, unsigned depth)
{
	if (event->type == YAML_ALIAS_EVENT || has_tag(event)) {
		refuse_at(r, event->start_mark, event->type == YAML_ALIAS_EVENT ? "aliases are not taken" : "tags and anchors are not taken");
		return vh_err_hint(r->err, "write out what they stand for");
	}
	if (depth > VH_YAML_MAX_DEPTH)
		return refuse_at(r, event->start_mark, "nested deeper than 32 levels");
	if (++r->nodes > VH_YAML_MAX_NODES)
		return refuse_at(r, event->start_mark, "more than 20000 values");
	return 0;
}

static int read_node(struct reader *r, const yaml_event_t *event, unsigned depth, struct vh_yaml **ret)
{
	vh_cleanup(vh_yaml_freep) struct vh_yaml *node = NULL;
	int rc = check_event(r, event, depth);

	if (rc < 0)
		return rc;
	node = calloc(1, sizeof(*node));
	if (!node)
		return vh_err_nomem(r->err);
	node->line = (unsigned)event->start_mark.line + 1;
	node->column = (unsigned)event->start_mark.column + 1;
	if (event->type == YAML_SCALAR_EVENT) {
		rc = read_scalar(r, event, node);
	} else {
		node->type = event->type == YAML_MAPPING_START_EVENT ? VH_YAML_MAP : VH_YAML_LIST;
		rc = read_items(r, depth + 1, node);
	}
	if (rc < 0)
		return rc;
	*ret = vh_steal(&node);
	return 0;
}

static int empty_document(struct reader *r, struct vh_yaml **ret)
{
	struct vh_yaml *node = calloc(1, sizeof(*node));

	if (!node)
		return vh_err_nomem(r->err);
	node->line = node->column = 1;
	node->null = true;
	node->text = strdup("");
	if (!node->text) {
		free(node);
		return vh_err_nomem(r->err);
	}
	*ret = node;
	return 0;
}

/* Stream start, document start and end, stream end stand around the one root node. */
static int read_stream(struct reader *r, struct vh_yaml **root)
{
	for (;;) {
		yaml_event_t event;
		bool last;
		int rc = next_event(r, &event);

		if (rc < 0)
			return rc;
		last = event.type == YAML_STREAM_END_EVENT;
		switch (event.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
		case YAML_STREAM_END_EVENT:
			break;
		case YAML_DOCUMENT_START_EVENT:
			if (*root)
				rc = refuse_at(r, event.start_mark, "one document is taken, not several");
			break;
		default:
			rc = read_node(r, &event, 1, root);
		}
		yaml_event_delete(&event);
		if (rc < 0 || last)
			return rc;
	}
}

int vh_yaml_parse(const char *name, const char *text, size_t len, struct vh_yaml **ret,
		  struct vh_err *err)
{
	struct reader r = { .name = name, .text = text, .len = len, .err = err };
	vh_cleanup(vh_yaml_freep) struct vh_yaml *root = NULL;
	int rc;

	if (len > VH_YAML_MAX_BYTES)
		return vh_err_refuse(err, EFBIG, "%s: more than 1 MiB", name);
	if (!yaml_parser_initialize(&r.parser))
		return vh_err_nomem(err);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	rc = read_stream(&r, &root);
	yaml_parser_delete(&r.parser);
	if (rc == 0 && !root)
		rc = empty_document(&r, &root);
	if (rc < 0)
		return rc;
	*ret = vh_steal(&root);
	return 0;
}
