// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/pci/pci.h"

/* json_string says no to what is not UTF-8. */
static json_t *text_or_null(const char *text)
{
	json_t *j = *text ? json_string(text) : NULL;

	return j ? j : json_null();
}

json_t *vh_pci_text(const struct vh_root *root, const char *address, const char *file)
{
	vh_autofree char *text = NULL;

	if (vh_root_read(root, &text, VH_PCI_DIR "/%s/%s", address, file) < 0)
		return json_null();
	return text_or_null(text);
}

json_t *vh_pci_count(const struct vh_root *root, const char *address, const char *file)
{
	int64_t v;

	if (vh_root_read_int(root, &v, VH_PCI_DIR "/%s/%s", address, file) < 0 || v < 0)
		return json_null();
	return json_integer(v);
}

json_t *vh_pci_hex(const struct vh_root *root, const char *address, const char *file, size_t digits)
{
	vh_autofree char *text = NULL;

	if (vh_root_read(root, &text, VH_PCI_DIR "/%s/%s", address, file) < 0 || strncmp(text, "0x", 2) ||
	    strlen(text + 2) != digits || strspn(text + 2, "0123456789abcdef") != digits)
		return json_null();
	return json_string(text + 2);
}

json_t *vh_pci_link(const struct vh_root *root, const char *address, const char *link)
{
	vh_autofree char *name = NULL;

	if (vh_root_link_name(root, &name, VH_PCI_DIR "/%s/%s", address, link) < 0)
		return json_null();
	return text_or_null(name);
}

json_t *vh_pci_names(const struct vh_root *root, const char *address, const char *dir)
{
	vh_autostrv names = NULL;
	vh_autojson list = json_array();

	if (list && vh_root_list(root, &names, VH_PCI_DIR "/%s/%s", address, dir) == 0)
		for (char **n = names; *n; n++)
			json_array_append_new(list, json_string(*n));
	return vh_steal(&list);
}

/* N of "virtfnN"; -1 when the name is another. */
static long virtfn(const char *name)
{
	const char *digits = name + strlen("virtfn");
	char *end;
	long n;

	if (strncmp(name, "virtfn", strlen("virtfn")) || !isdigit((unsigned char)*digits))
		return -1;
	n = strtol(digits, &end, 10);
	return *end || n > UINT16_MAX ? -1 : n;
}

static int by_index(const void *a, const void *b)
{
	long x = virtfn(*(char *const *)a), y = virtfn(*(char *const *)b);

	return (x > y) - (x < y);
}

json_t *vh_pci_vfs(const struct vh_root *root, const char *pf)
{
	vh_autojson vfs = json_object();
	vh_autostrv names = NULL;

	if (vh_root_list(root, &names, VH_PCI_DIR "/%s", pf) == 0)
		qsort(names, vh_strv_len(names), sizeof(*names), by_index);
	for (char **n = names; vfs && n && *n; n++) {
		vh_autojson vf = virtfn(*n) < 0 ? NULL : vh_pci_link(root, pf, *n);

		if (json_is_string(vf) && vh_pci_is_address(json_string_value(vf)) &&
		    json_object_set_new(vfs, json_string_value(vf), json_integer(virtfn(*n))) < 0)
			return NULL;
	}
	return vh_steal(&vfs);
}
