// SPDX-License-Identifier: Apache-2.0
/* A GPU and its nearest HCA, between which data should go without the processor: how near
 * they are, what the ports between them do with such traffic, and what both allow. */
#include "sriov/doctor/pair.h"

#include "lib/strv.h"
#include "sriov/pci/pci.h"

enum { ACS_CONTROL = 6, ACS_REQUEST_REDIRECT = 1 << 2, ACS_DIRECT_TRANSLATED = 1 << 6 };
enum { ATS_CONTROL = 6, ATS_ENABLE = 1 << 15, DEVICE_CONTROL = 8, RELAXED_ORDERING = 1 << 4 };

static const char root_only[] = "its configuration space cannot be read whole: run as root";

static void say_root_complex(struct vh_doctor *d, const char *gpu, const char *hca, enum vh_pci_distance distance)
{
	static const char *const found[] = {
		[VH_PCI_SWITCH] = "shares a port with it", [VH_PCI_COMPLEX] = "is on its root complex",
		[VH_PCI_NODE] = "is on another root complex of its NUMA node",
		[VH_PCI_SYSTEM] = "is across the link between processors",
	};
	enum vh_verdict state = distance <= VH_PCI_COMPLEX ? VH_OK : distance == VH_PCI_NODE ? VH_UNKNOWN : VH_WRONG;

	vh_doctor_say(d, gpu, "root complex", state,
		      distance == VH_PCI_SYSTEM ? "a slot of the GPU's root complex for the HCA" : NULL, "HCA %s %s", hca,
		      found[distance]);
}

/* Needed only where ACS sends the pair's traffic up to the IOMMU: no device has to have it. */
static bool say_ats(struct vh_doctor *d, const char *address)
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

static void say_relaxed_ordering(struct vh_doctor *d, const char *address)
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
static void say_acs_of_port(struct vh_doctor *d, const char *gpu, const char *port, bool translated)
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

static void say_acs(struct vh_doctor *d, const struct vh_pci_device *gpu, const struct vh_pci_device *hca,
		    bool translated)
{
	size_t common = vh_pci_common(gpu->way, hca->way);

	/* Without a port in common all goes by the root complex. */
	if (common < 2) {
		vh_doctor_say(d, gpu->address, "ACS", VH_UNKNOWN, NULL, "no switch joins it with HCA %s", hca->address);
		return;
	}
	for (size_t i = common; gpu->way[i] && gpu->way[i + 1]; i++)
		say_acs_of_port(d, gpu->address, gpu->way[i], translated);
	for (size_t i = common; hca->way[i] && hca->way[i + 1]; i++)
		say_acs_of_port(d, gpu->address, hca->way[i], translated);
}

void vh_doctor_pair(struct vh_doctor *d, const struct vh_pci_device *gpu)
{
	enum vh_pci_distance distance = VH_PCI_SYSTEM;
	const struct vh_pci_device *hca = vh_pci_nearest_hca(gpu, &d->devices, &distance);
	bool translated;

	if (!hca) {
		vh_doctor_say(d, gpu->address, "root complex", VH_UNKNOWN, NULL, "there is no HCA");
		return;
	}
	say_root_complex(d, gpu->address, hca->address, distance);
	translated = say_ats(d, gpu->address);
	translated = say_ats(d, hca->address) && translated;
	say_acs(d, gpu, hca, translated);
	say_relaxed_ordering(d, gpu->address);
	say_relaxed_ordering(d, hca->address);
}
