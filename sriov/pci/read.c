// SPDX-License-Identifier: Apache-2.0
/* A device's files and directories as values. */
#include <jansson.h>
#include <string.h>

#include "lib/strv.h"
#include "sriov/pci/pci.h"

/* What is not UTF-8 no JSON can tell. */
static bool is_utf8(const char *text)
{
	json_t *j = json_string(text);

	json_decref(j);
	return j;
}

/* text, or NULL in its place. */
static char *usable(char *text)
{
	if (text && *text && is_utf8(text))
		return text;
	free(text);
	return NULL;
}

char *vh_pci_text(const struct vh_root *root, const char *address, const char *file)
{
	char *text = NULL;

	return vh_root_read(root, &text, VH_PCI_DIR "/%s/%s", address, file) < 0 ? NULL : usable(text);
}

int64_t vh_pci_count(const struct vh_root *root, const char *address, const char *file)
{
	int64_t v;

	return vh_root_read_int(root, &v, VH_PCI_DIR "/%s/%s", address, file) < 0 || v < 0 ? -1 : v;
}

void vh_pci_hex(const struct vh_root *root, const char *address, const char *file, size_t digits, char *ret)
{
	vh_autofree char *text = NULL;

	*ret = 0;
	if (vh_root_read(root, &text, VH_PCI_DIR "/%s/%s", address, file) == 0 && !strncmp(text, "0x", 2) &&
	    strlen(text + 2) == digits && strspn(text + 2, "0123456789abcdef") == digits)
		memcpy(ret, text + 2, digits + 1);
}

char *vh_pci_link(const struct vh_root *root, const char *address, const char *link)
{
	char *name = NULL;

	return vh_root_link_name(root, &name, VH_PCI_DIR "/%s/%s", address, link) < 0 ? NULL : usable(name);
}

char **vh_pci_names(const struct vh_root *root, const char *address, const char *dir)
{
	vh_autostrv names = NULL;
	size_t kept = 0;

	if (vh_root_list(root, &names, VH_PCI_DIR "/%s/%s", address, dir) < 0)
		return NULL;
	for (char **n = names; n && *n; n++) {
		names[kept] = usable(*n);
		kept += !!names[kept];
	}
	if (names)
		names[kept] = NULL;
	return vh_steal(&names);
}
