// SPDX-License-Identifier: Apache-2.0
/* A GPU and its nearest HCA, between which data should go without the processor: how near
 * they are, what the ports between them do with such traffic, and what both allow. */
#include "sriov/doctor/pair.h"

#include "lib/strv.h"
#include "sriov/inventory/inventory.h"
#include "sriov/pci/pci.h"

enum { ACS_CONTROL = 6, ACS_REQUEST_REDIRECT = 1 << 2, ACS_DIRECT_TRANSLATED = 1 << 6 };
enum { ATS_CONTROL = 6, ATS_ENABLE = 1 << 15, DEVICE_CONTROL = 8, RELAXED_ORDERING = 1 << 4 };

static const char root_only[] = "its configuration space cannot be read whole: run as root";

static void root_complex(struct vh_doctor *d, const char *gpu, const char *hca, int distance)
{
	static const char *const found[] = {
		"shares a port with it", "is on its root complex", "is on another root complex of its NUMA node",
		"is across the link between processors",
	};

	vh_doctor_say(d, gpu, "root complex", distance < 2 ? VH_OK : distance == 2 ? VH_UNKNOWN : VH_WRONG,
		      distance < 3 ? NULL : "a slot of the GPU's root complex for the HCA", "HCA %s %s", hca,
		      found[distance]);
}

/* Needed only where ACS sends the pair's traffic up to the IOMMU: no device has to have it. */
static bool ats(struct vh_doctor *d, const char *address)
{
	vh_autofree char *mend = vh_strf("mstconfig -d %s set ATS_ENABLED=true, then reboot", address);
	struct vh_config c;
	unsigned at;
	bool on;

	if (vh_config_read(d->root, address, &c) < 0 || !vh_config_is_whole(&c)) {
		vh_doctor_say(d, address, "ATS", VH_UNKNOWN, NULL, "%s", root_only);
		return false;
	}
	at = vh_config_ecap(&c, VH_ECAP_ATS);
	on = at && vh_config_word(&c, at + ATS_CONTROL) & ATS_ENABLE;
	if (!at)
		vh_doctor_say(d, address, "ATS", VH_UNKNOWN, NULL, "it offers none");
	else
		vh_doctor_say(d, address, "ATS", on ? VH_OK : VH_WRONG, on ? NULL : mend, on ? "on" : "off");
	return on;
}

static void relaxed_ordering(struct vh_doctor *d, const char *address)
{
	vh_autofree char *mend = vh_strf("setpci -s %s CAP_EXP+8.w=0010:0010", address);
	struct vh_config c;
	unsigned at;
	bool on;

	if (vh_config_read(d->root, address, &c) < 0 || !(at = vh_config_cap(&c, VH_CAP_EXPRESS)) ||
	    at + DEVICE_CONTROL + 1 >= c.len) {
		vh_doctor_say(d, address, "relaxed ordering", VH_UNKNOWN, NULL, "%s", root_only);
		return;
	}
	on = vh_config_word(&c, at + DEVICE_CONTROL) & RELAXED_ORDERING;
	vh_doctor_say(d, address, "relaxed ordering", on ? VH_OK : VH_WRONG, on ? NULL : mend, on ? "on" : "off");
}

/* Ports below the one that both share: such a port sends the pair's requests up, or not. */
static void acs_of_port(struct vh_doctor *d, const char *gpu, const char *port, bool translated)
{
	vh_autofree char *mend = vh_strf("setpci -s %s ECAP_ACS+6.w=0040:0040, and ATS on in both; or ACS off", port);
	struct vh_config c;
	uint16_t control;
	unsigned at;

	if (vh_config_read(d->root, port, &c) < 0 || !vh_config_is_whole(&c)) {
		vh_doctor_say(d, gpu, "ACS", VH_UNKNOWN, NULL, "%s: %s", port, root_only);
		return;
	}
	at = vh_config_ecap(&c, VH_ECAP_ACS);
	control = at ? vh_config_word(&c, at + ACS_CONTROL) : 0;
	if (!(control & ACS_REQUEST_REDIRECT))
		vh_doctor_say(d, gpu, "ACS", VH_OK, NULL, "%s lets the pair speak directly", port);
	else if (control & ACS_DIRECT_TRANSLATED && translated)
		vh_doctor_say(d, gpu, "ACS", VH_OK, NULL, "%s lets what ATS translated go directly", port);
	else
		vh_doctor_say(d, gpu, "ACS", VH_WRONG, mend, "%s sends the pair's traffic up to the root complex", port);
}

static void acs(struct vh_doctor *d, const char *gpu, const char *hca, bool translated)
{
	vh_autostrv a = NULL;
	vh_autostrv b = NULL;
	size_t common;

	if (vh_pci_way(d->root, gpu, &a) < 0 || vh_pci_way(d->root, hca, &b) < 0)
		return;
	common = vh_pci_common(a, b);
	/* Without a port in common all goes by the root complex. */
	if (common < 2) {
		vh_doctor_say(d, gpu, "ACS", VH_UNKNOWN, NULL, "no switch joins it with HCA %s", hca);
		return;
	}
	for (size_t i = common; a[i] && a[i + 1]; i++)
		acs_of_port(d, gpu, a[i], translated);
	for (size_t i = common; b[i] && b[i + 1]; i++)
		acs_of_port(d, gpu, b[i], translated);
}

void vh_doctor_pair(struct vh_doctor *d, const json_t *gpu)
{
	const char *address = json_string_value(json_object_get(gpu, "address"));
	int distance = 0;
	const json_t *row = vh_pci_nearest_hca(d->root, gpu, d->devices, &distance);
	const char *hca = json_string_value(json_object_get(row, "address"));
	bool translated;

	if (!hca) {
		vh_doctor_say(d, address, "root complex", VH_UNKNOWN, NULL, "there is no HCA");
		return;
	}
	root_complex(d, address, hca, distance);
	translated = ats(d, address);
	translated = ats(d, hca) && translated;
	acs(d, address, hca, translated);
	relaxed_ordering(d, address);
	relaxed_ordering(d, hca);
}
