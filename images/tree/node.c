// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include "images/tree/node.h"

struct vh_node *vh_node_new(const char *name, mode_t mode)
{
	struct vh_node *node = calloc(1, sizeof *node);

	if (!node)
		return NULL;
	node->name = strdup(name);
	node->mode = mode;
	node->mtime = INT64_MAX;
	if (node->name)
		return node;
	free(node);
	return NULL;
}

void vh_node_free(struct vh_node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->n_children; i++)
		vh_node_free(node->children[i]);
	for (size_t i = 0; i < node->n_xattrs; i++) {
		free(node->xattrs[i].name);
		free(node->xattrs[i].value);
	}
	free(node->children);
	free(node->xattrs);
	free(node->name);
	free(node->target);
	free(node->data);
	free(node);
}

/* Where name is among the children, or belongs. */
static size_t place(const struct vh_node *dir, const char *name)
{
	size_t low = 0, high = dir->n_children;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(dir->children[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct vh_node *vh_node_child(const struct vh_node *dir, const char *name)
{
	size_t i = place(dir, name);
	return i < dir->n_children && !strcmp(dir->children[i]->name, name) ? dir->children[i] : NULL;
}

struct vh_node *vh_node_add(struct vh_node *dir, const char *name, mode_t mode)
{
	size_t n = dir->n_children, i = place(dir, name);
	struct vh_node *node = vh_node_new(name, mode);

	if (!node)
		return NULL;
	/* Room doubles at every power of two. */
	if ((n & (n - 1)) == 0) {
		void *more = realloc(dir->children, (n ? 2 * n : 1) * sizeof(struct vh_node *));
		if (!more) {
			vh_node_free(node);
			return NULL;
		}
		dir->children = more;
	}
	memmove(dir->children + i + 1, dir->children + i, (n - i) * sizeof(struct vh_node *));
	dir->children[i] = node;
	dir->n_children++;
	node->parent = dir;
	return node;
}

void vh_node_drop(struct vh_node *node)
{
	struct vh_node *dir = node->parent;
	size_t i = place(dir, node->name);

	memmove(dir->children + i, dir->children + i + 1,
		(--dir->n_children - i) * sizeof(struct vh_node *));
	vh_node_free(node);
}
