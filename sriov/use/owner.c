// SPDX-License-Identifier: Apache-2.0
/* Who else keeps a PF's VFs. Each of these enforces its own number of them, so that two
 * keepers would undo each other's work at every reload. */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/function/function.h"
#include "sriov/pci/pci.h"
#include "sriov/use/use.h"

/* What a configuration may name the PF by. */
struct names {
	const char *address;
	char **netdevs, *driver;
	char *path;	/* "pci-0000:3b:00.0", as udev has it */
	char *mac;
};

static void names_clear(struct names *n)
{
	vh_strv_free(n->netdevs);
	free(n->driver);
	free(n->path);
	free(n->mac);
}

static int get_names(const struct vh_root *root, const char *pf, struct names *ret)
{
	ret->address = pf;
	ret->netdevs = vh_pci_names(root, pf, "net");
	ret->driver = vh_pci_link(root, pf, "driver");
	ret->path = vh_strf("pci-%s", pf);
	if (ret->netdevs && *ret->netdevs &&
	    vh_root_read(root, &ret->mac, VH_PCI_DIR "/%s/net/%s/address", pf, *ret->netdevs) < 0)
		ret->mac = NULL;
	return ret->path ? 0 : -ENOMEM;
}

static bool glob(const char *patterns, const char *text)
{
	vh_autofree char *copy = strdup(patterns);
	char *rest = copy, *pattern;

	while (text && (pattern = strsep(&rest, " \t;,")))
		if (*pattern && fnmatch(pattern, text, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

static bool glob_netdev(const struct names *names, const char *patterns)
{
	for (char **n = names->netdevs; n && *n; n++)
		if (glob(patterns, *n))
			return true;
	return false;
}

/* A condition that is not known here counts as met: rather a refusal too many. */
static bool matches(const struct names *names, const char *key, const char *value)
{
	if (!strcmp(key, "Name") || !strcmp(key, "OriginalName") || !strcmp(key, "interface-name"))
		return glob_netdev(names, value);
	if (!strcmp(key, "MACAddress") || !strcmp(key, "PermanentMACAddress") || !strcmp(key, "mac-address"))
		return glob(value, names->mac);
	if (!strcmp(key, "Path") || !strcmp(key, "path"))
		return glob(value, names->path);
	if (!strcmp(key, "Driver"))
		return glob(value, names->driver);
	return true;
}

static bool is_condition(const char *section, const char *key)
{
	return !strcmp(section, "Match") || !strcmp(section, "match") ||
	       (!strcmp(section, "connection") && !strcmp(key, "interface-name")) ||
	       (!strcmp(section, "ethernet") && !strcmp(key, "mac-address"));
}

/* An INI file: sets *sriov where it speaks of VFs; false when it is not of this PF. */
static bool read_ini(char *text, const struct names *names, bool *sriov)
{
	char *rest = text, *line;
	const char *section = "";

	while ((line = strsep(&rest, "\n"))) {
		char *value, *end;

		line += strspn(line, " \t\r");
		end = line + strlen(line);
		while (end > line && strchr(" \t\r", end[-1]))
			*--end = 0;
		if (*line == '[' && end[-1] == ']') {
			end[-1] = 0;
			section = line + 1;
			*sriov = *sriov || !strcmp(section, "SR-IOV") || !strcmp(section, "sriov");
			continue;
		}
		value = strchr(line, '=');
		if (*line == '#' || *line == ';' || !value)
			continue;
		end = value;
		while (end > line && strchr(" \t", end[-1]))
			end--;
		*value++ = *end = 0;
		value += strspn(value, " \t");
		*sriov = *sriov || !strcmp(line, "SR-IOVVirtualFunctions");
		if (is_condition(section, line) && !matches(names, line, value))
			return false;
	}
	return true;
}

static int refuse(const char *pf, const char *who, const char *path, struct vh_err *err)
{
	vh_err_refuse(err, EBUSY, "%s: %s keeps its VFs: /%s", pf, who, path);
	return vh_err_hint(err, "take it out there, or --force %s", pf);
}

static int check_dir(const struct vh_root *root, const struct names *names, const char *dir, const char *ends,
		     const char *who, struct vh_err *err)
{
	vh_autostrv files = NULL;

	if (vh_root_list(root, &files, "%s", dir) < 0)
		return 0;
	for (char **f = files; *f; f++) {
		vh_autofree char *path = vh_strf("%s/%s", dir, *f);
		vh_autofree char *text = NULL;
		const char *dot = strrchr(*f, '.');
		bool sriov = false;

		if (!path)
			return vh_err_nomem(err);
		if (!dot || fnmatch(ends, dot, FNM_EXTMATCH) || vh_root_read(root, &text, "%s", path) < 0)
			continue;
		if (read_ini(text, names, &sriov) && sriov)
			return refuse(names->address, who, path, err);
	}
	return 0;
}

/* The operator leaves one JSON file for each PF that it configured. */
static int check_operator(const struct vh_root *root, const char *pf, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("etc/sriov-operator/pci/%s", pf);
	vh_autofree char *text = NULL;
	vh_autojson doc = NULL;

	if (!path)
		return vh_err_nomem(err);
	if (vh_root_read(root, &text, "%s", path) < 0)
		return 0;
	doc = json_loads(text, 0, NULL);
	return json_is_true(json_object_get(doc, "externallyManaged")) ? 0 :
	       refuse(pf, "the SR-IOV network operator", path, err);
}

int vh_check_owner(const struct vh_sriov *s, const char *pf, struct vh_err *err)
{
	static const struct { const char *dir, *ends, *who; } places[] = {
		{ "etc/systemd/network", ".@(link|network)", "systemd-networkd" },
		{ "run/systemd/network", ".@(link|network)", "systemd-networkd" },
		{ "usr/local/lib/systemd/network", ".@(link|network)", "systemd-networkd" },
		{ "usr/lib/systemd/network", ".@(link|network)", "systemd-networkd" },
		{ "etc/NetworkManager/system-connections", ".nmconnection", "NetworkManager" },
		{ "run/NetworkManager/system-connections", ".nmconnection", "NetworkManager" },
		{ "usr/lib/NetworkManager/system-connections", ".nmconnection", "NetworkManager" },
	};
	vh_cleanup(names_clear) struct names names = { 0 };
	int r;

	if (vh_is_forced(s, pf))
		return 0;
	if (get_names(s->root, pf, &names) < 0)
		return vh_err_nomem(err);
	r = check_operator(s->root, pf, err);
	for (size_t i = 0; r == 0 && i < vh_array_len(places); i++)
		r = check_dir(s->root, &names, places[i].dir, places[i].ends, places[i].who, err);
	return r;
}
