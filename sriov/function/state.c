// SPDX-License-Identifier: Apache-2.0
/* States of a PF and its functions: lists of them, and as JSON. */
#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "sriov/function/function.h"

void vh_pf_clear(struct vh_pf *pf)
{
	free(pf->fn);
	pf->fn = NULL;
	pf->n = 0;
}

struct vh_fn *vh_pf_add(struct vh_pf *pf, int index, const char *address)
{
	struct vh_fn *fn, *grown = pf->n < VH_FNS_MAX ? reallocarray(pf->fn, pf->n + 1, sizeof(*grown)) : NULL;

	if (!grown)
		return NULL;
	pf->fn = grown;
	fn = &grown[pf->n++];
	*fn = (struct vh_fn){ .index = index };
	snprintf(fn->address, sizeof(fn->address), "%s", address);
	return fn;
}

struct vh_fn *vh_pf_find(const struct vh_pf *pf, int index, const char *address)
{
	/* Observed VFs stand at their index. */
	if (index >= 0 && (size_t)index < pf->n && pf->fn[index].index == index)
		return &pf->fn[index];
	for (size_t i = 0; i < pf->n; i++)
		if (index < 0 ? pf->fn[i].index < 0 && !strcmp(pf->fn[i].address, address) : pf->fn[i].index == index)
			return &pf->fn[i];
	return NULL;
}

bool vh_driver_is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	return n > 0 && n < VH_DRIVER_SIZE && !s[n];
}

static int set_text(json_t *j, const char *name, const char *text)
{
	return json_object_set_new(j, name, *text ? json_string(text) : json_null());
}

json_t *vh_fn_json(const struct vh_fn *fn)
{
	vh_autojson j = json_pack("{ss so}", "address", fn->address, "vf",
				  fn->index < 0 ? json_null() : json_integer(fn->index));
	int r = j ? 0 : -1;

	for (unsigned a = 0; r == 0 && a < VH_FN_ATTRS; a++)
		if (fn->have & VH_FN_BIT(a))
			r = json_object_set_new(j, vh_fn_attr_key(a), vh_fn_attr_json(a, fn->value[a]));
	if (r == 0 && fn->have & VH_FN_DRIVER)
		r = set_text(j, "driver", fn->driver);
	if (r == 0 && fn->have & VH_FN_OVERRIDE)
		r = set_text(j, "override", fn->override);
	return r == 0 ? vh_steal(&j) : NULL;
}

json_t *vh_pf_json(const struct vh_pf *pf)
{
	vh_autojson list = json_array();
	vh_autojson j = json_pack("{ss sO}", "device", pf->address, "functions", list);

	for (size_t i = 0; j && i < pf->n; i++)
		if (json_array_append_new(list, vh_fn_json(&pf->fn[i])) < 0)
			return NULL;
	if (!j || (pf->have & VH_PF_VFS && json_object_set_new(j, "vfs", json_integer(pf->vfs)) < 0) ||
	    (pf->have & VH_PF_AUTOPROBE && json_object_set_new(j, "autoprobe", json_boolean(pf->autoprobe)) < 0))
		return NULL;
	return vh_steal(&j);
}

static bool get_attr(const json_t *j, enum vh_fn_attr attr, struct vh_fn *fn)
{
	const json_t *value = json_object_get(j, vh_fn_attr_key(attr));
	char number[32];
	const char *text = json_string_value(value);

	if (!value)
		return true;
	if (json_is_boolean(value)) {
		text = json_is_true(value) ? "on" : "off";
	} else if (json_is_integer(value)) {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		text = number;
	}
	fn->have |= VH_FN_BIT(attr);
	/* What the kernel reports is read as it is, an unset all-zero identity included. */
	return text && vh_fn_attr_read(attr, text, &fn->value[attr]) == 0;
}

static bool get_driver(const json_t *j, const char *name, unsigned bit, char *ret, struct vh_fn *fn)
{
	const json_t *value = json_object_get(j, name);
	const char *text = json_is_null(value) ? "" : json_string_value(value);

	if (!value)
		return true;
	fn->have |= bit;
	if (!text || strlen(text) >= VH_DRIVER_SIZE || (strcmp(text, VH_DRIVER_ANY) && *text && !vh_driver_is_name(text)))
		return false;
	memcpy(ret, text, strlen(text) + 1);
	return true;
}

static bool get_fn(const json_t *j, struct vh_pf *pf)
{
	const char *address = json_string_value(json_object_get(j, "address"));
	const json_t *vf = json_object_get(j, "vf");
	struct vh_fn *fn;

	if (!address || !vh_pci_is_address(address) || (json_is_integer(vf) && (json_integer_value(vf) < 0 ||
	    json_integer_value(vf) >= VH_FNS_MAX)))
		return false;
	fn = vh_pf_add(pf, json_is_integer(vf) ? (int)json_integer_value(vf) : -1, address);
	if (!fn)
		return false;
	for (unsigned a = 0; a < VH_FN_ATTRS; a++)
		if (!get_attr(j, a, fn))
			return false;
	return get_driver(j, "driver", VH_FN_DRIVER, fn->driver, fn) &&
	       get_driver(j, "override", VH_FN_OVERRIDE, fn->override, fn);
}

static bool get_pf(const json_t *doc, struct vh_pf *pf)
{
	const char *address = json_string_value(json_object_get(doc, "device"));
	const json_t *vfs = json_object_get(doc, "vfs"), *autoprobe = json_object_get(doc, "autoprobe");
	const json_t *fn;
	size_t i;

	if (!address || !vh_pci_is_address(address))
		return false;
	snprintf(pf->address, sizeof(pf->address), "%s", address);
	if (json_is_integer(vfs)) {
		if (json_integer_value(vfs) < 0 || json_integer_value(vfs) > UINT16_MAX)
			return false;
		pf->vfs = (unsigned)json_integer_value(vfs);
		pf->have |= VH_PF_VFS;
	}
	if (json_is_boolean(autoprobe)) {
		pf->autoprobe = json_is_true(autoprobe);
		pf->have |= VH_PF_AUTOPROBE;
	}
	json_array_foreach(json_object_get(doc, "functions"), i, fn)
		if (!get_fn(fn, pf))
			return false;
	return true;
}

int vh_pf_from_json(const json_t *doc, struct vh_pf *ret, struct vh_err *err)
{
	vh_autopf pf = { 0 };

	if (!get_pf(doc, &pf))
		return vh_err_set(err, EUCLEAN, "the store: a stored state of a PCI device is damaged");
	*ret = pf;
	pf.fn = NULL;
	return 0;
}
