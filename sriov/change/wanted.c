// SPDX-License-Identifier: Apache-2.0
/* What is wanted of a device after the next boot: by its address and by its path of slots,
 * which stays when buses are numbered anew. Never by group number or interface name. */
#include "sriov/change/wanted.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/pci/pci.h"

/* "pci0000:3a/02.0/00.0": the root complex and the slots from there; malloc'd. */
static char *path_of_slots(const struct vh_root *root, const char *address)
{
	vh_autofree char *target = NULL;
	vh_autofree char *path = NULL;
	char *rest, *part;

	if (vh_root_readlink(root, &target, VH_PCI_DIR "/%s", address) < 0)
		return NULL;
	rest = target;
	while ((part = strsep(&rest, "/"))) {
		char *longer;

		if (!path && strncmp(part, "pci", strlen("pci")))
			continue;
		if (path && !vh_pci_is_address(part))
			continue;
		longer = path ? vh_strf("%s/%s", path, strrchr(part, ':') + 1) : strdup(part);
		free(path);
		path = longer;
		if (!path)
			return NULL;
	}
	return vh_steal(&path);
}

static json_t *identity(const struct vh_root *root, const char *address)
{
	vh_autofree char *path = path_of_slots(root, address);
	char vendor[5], device[5];

	vh_pci_hex(root, address, "vendor", 4, vendor);
	vh_pci_hex(root, address, "device", 4, device);
	return json_pack("{ss? ss? ss?}", "path", path, "vendor", *vendor ? vendor : NULL, "device", *device ? device : NULL);
}

static bool is_it(const struct vh_root *root, const char *address, const json_t *doc)
{
	vh_autojson id = identity(root, address);

	return id && json_is_string(json_object_get(id, "path")) &&
	       json_equal(json_object_get(id, "path"), json_object_get(doc, "path")) &&
	       json_equal(json_object_get(id, "vendor"), json_object_get(doc, "vendor")) &&
	       json_equal(json_object_get(id, "device"), json_object_get(doc, "device"));
}

int vh_wanted_locate(const struct vh_root *root, const char *address, const json_t *doc,
		     char ret[VH_PCI_ADDRESS_SIZE], struct vh_err *err)
{
	vh_autostrv names = NULL;
	const char *path = json_string_value(json_object_get(doc, "path"));

	if (is_it(root, address, doc)) {
		snprintf(ret, VH_PCI_ADDRESS_SIZE, "%s", address);
		return 0;
	}
	if (vh_root_list(root, &names, VH_PCI_DIR) == 0)
		for (char **n = names; *n; n++)
			if (vh_pci_is_address(*n) && is_it(root, *n, doc)) {
				snprintf(ret, VH_PCI_ADDRESS_SIZE, "%s", *n);
				return 0;
			}
	vh_err_refuse(err, ENODEV, "%s: neither there nor at its path %s is such a device", address, path ? path : "?");
	return vh_err_hint(err, "vhpc sriov forget %s, if it was taken out", address);
}

static void merge_fn(struct vh_fn *into, const struct vh_fn *want)
{
	for (unsigned a = 0; a < VH_FN_ATTRS; a++)
		if (want->have & VH_FN_BIT(a))
			into->value[a] = want->value[a];
	if (want->have & VH_FN_DRIVER)
		memcpy(into->driver, want->driver, sizeof(into->driver));
	if (want->have & VH_FN_OVERRIDE)
		memcpy(into->override, want->override, sizeof(into->override));
	into->have |= want->have;
}

static void drop_fn(struct vh_pf *pf, const struct vh_fn *fn)
{
	struct vh_fn *there = vh_pf_find(pf, fn->index, fn->address);

	if (there) {
		*there = pf->fn[pf->n - 1];
		pf->n--;
	}
}

static int merge_wanted(struct vh_pf *pf, const struct vh_pf *want, enum vh_keep keep, struct vh_err *err)
{
	if (want->have & VH_PF_VFS) {
		/* New VFs know nothing of what the ones before them had. */
		if (!(pf->have & VH_PF_VFS) || pf->vfs != want->vfs)
			vh_pf_clear(pf);
		pf->vfs = want->vfs;
	}
	if (want->have & VH_PF_AUTOPROBE)
		pf->autoprobe = want->autoprobe;
	pf->have |= want->have;
	for (size_t i = 0; i < want->n; i++) {
		const struct vh_fn *w = &want->fn[i];
		struct vh_fn *fn = vh_pf_find(pf, w->index, w->address);

		if (keep == VH_KEEP_DROP_FNS) {
			drop_fn(pf, w);
			continue;
		}
		if (!fn)
			fn = vh_pf_add(pf, w->index, w->address);
		if (!fn)
			return vh_err_nomem(err);
		merge_fn(fn, w);
	}
	return 0;
}

static int put_wanted(struct vh_sriov *s, const struct vh_pf *pf, struct vh_err *err)
{
	vh_autojson doc = identity(s->root, pf->address);

	/* What a device is after any boot. */
	if (!pf->n && !pf->vfs && (!(pf->have & VH_PF_AUTOPROBE) || pf->autoprobe))
		return vh_record_delete(s->store, VH_WANTED, pf->address, err);
	if (!doc || json_object_set_new(doc, "state", vh_pf_json(pf)) < 0)
		return vh_err_nomem(err);
	return vh_record_put(s->store, VH_WANTED, pf->address, doc, err);
}

int vh_wanted_keep(struct vh_sriov *s, const struct vh_pf *want, enum vh_keep keep, struct vh_err *err)
{
	vh_autojson doc = NULL;
	vh_autopf pf = { 0 };
	int r;

	if (keep == VH_KEEP_NOT)
		return 0;
	r = vh_record_get(s->store, VH_WANTED, want->address, &doc, err);
	if (r == 0)
		r = vh_pf_from_json(json_object_get(doc, "state"), &pf, err);
	else if (r == -ENOENT)
		r = 0;
	snprintf(pf.address, sizeof(pf.address), "%s", want->address);
	if (r == 0)
		r = merge_wanted(&pf, want, keep, err);
	return r < 0 ? r : put_wanted(s, &pf, err);
}
