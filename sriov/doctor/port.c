// SPDX-License-Identifier: Apache-2.0
#include "sriov/doctor/port.h"

#include <string.h>

#include "lib/strv.h"
#include "sriov/pci/pci.h"

#define PORT VH_PCI_DIR "/%s/infiniband/%s/ports/%s"

enum { PKEY_FULL = 0x8000, PKEY_MASK = 0x7fff };

static void say_subnet_manager(struct vh_doctor *d, const char *address, const char *ibdev, const char *port)
{
	int64_t lid;

	if (vh_root_read_int(d->root, &lid, PORT "/sm_lid", address, ibdev, port) < 0)
		vh_doctor_say(d, address, "subnet manager", VH_UNKNOWN, NULL, "%s port %s does not tell", ibdev, port);
	else if (lid)
		vh_doctor_say(d, address, "subnet manager", VH_OK, NULL, "%s port %s: at LID %d", ibdev, port, (int)lid);
	else
		vh_doctor_say(d, address, "subnet manager", VH_WRONG,
			      "opensm in the fabric, with virt_enabled 2 for VFs; then ibstat", "%s port %s knows none",
			      ibdev, port);
}

static void say_pkeys(struct vh_doctor *d, const char *address, const char *ibdev, const char *port)
{
	vh_autostrv names = NULL;
	unsigned full = 0, limited = 0;

	if (vh_root_list(d->root, &names, PORT "/pkeys", address, ibdev, port) < 0) {
		vh_doctor_say(d, address, "P_Key", VH_UNKNOWN, NULL, "%s port %s does not tell", ibdev, port);
		return;
	}
	for (char **n = names; *n; n++) {
		int64_t key;

		if (vh_root_read_int(d->root, &key, PORT "/pkeys/%s", address, ibdev, port, *n) < 0 || !(key & PKEY_MASK))
			continue;
		full += !!(key & PKEY_FULL);
		limited += !(key & PKEY_FULL);
	}
	if (full)
		vh_doctor_say(d, address, "P_Key", VH_OK, NULL, "%s port %s: %u full, %u limited", ibdev, port, full, limited);
	else
		vh_doctor_say(d, address, "P_Key", VH_WRONG,
			      "make its GUID a full member in OpenSM's partitions.conf, then SIGHUP to opensm",
			      limited ? "%s port %s: %u, all limited: such members do not reach each other" :
					"%s port %s: none", ibdev, port, limited);
}

static void say_state(struct vh_doctor *d, const char *address, const char *ibdev, const char *port)
{
	static const struct { const char *state, *mend; } causes[] = {
		{ "DOWN", "cable and switch port; on a VF: vhpc sriov set VF --policy follow, and a GUID" },
		{ "INIT", "a subnet manager: it makes ports ACTIVE" },
		{ "ARMED", "wait for the subnet manager, or restart it" },
	};
	vh_autofree char *text = NULL;
	vh_autofree char *physical = NULL;
	const char *mend = NULL;

	if (vh_root_read(d->root, &text, PORT "/state", address, ibdev, port) < 0) {
		vh_doctor_say(d, address, "port", VH_UNKNOWN, NULL, "%s port %s does not tell", ibdev, port);
		return;
	}
	if (strstr(text, "ACTIVE")) {
		vh_doctor_say(d, address, "port", VH_OK, NULL, "%s port %s: ACTIVE", ibdev, port);
		return;
	}
	for (size_t i = 0; i < vh_array_len(causes); i++)
		if (strstr(text, causes[i].state))
			mend = causes[i].mend;
	if (vh_root_read(d->root, &physical, PORT "/phys_state", address, ibdev, port) < 0)
		physical = NULL;
	vh_doctor_say(d, address, "port", VH_WRONG, mend, "%s port %s: %s%s%s", ibdev, port, text,
		      physical ? ", physically " : "", physical ? physical : "");
}

static void ib_port(struct vh_doctor *d, const char *address, const char *ibdev, const char *port)
{
	vh_autofree char *layer = NULL;

	if (vh_root_read(d->root, &layer, PORT "/link_layer", address, ibdev, port) < 0 || strcmp(layer, "Ethernet")) {
		say_subnet_manager(d, address, ibdev, port);
		say_pkeys(d, address, ibdev, port);
	}
	say_state(d, address, ibdev, port);
}

/* Without RDMA: the network device's link. */
static void say_link(struct vh_doctor *d, const char *address)
{
	vh_autostrv netdevs = vh_pci_names(d->root, address, "net");
	const char *name = netdevs ? *netdevs : NULL;
	vh_autofree char *text = NULL;
	vh_autofree char *mend = NULL;

	if (!name)
		return;
	if (vh_root_read(d->root, &text, VH_PCI_DIR "/%s/net/%s/operstate", address, name) < 0 || !strcmp(text, "unknown")) {
		vh_doctor_say(d, address, "port", VH_UNKNOWN, NULL, "%s does not tell", name);
		return;
	}
	mend = vh_strf("ip link set %s up; cable and switch port", name);
	vh_doctor_say(d, address, "port", strcmp(text, "up") ? VH_WRONG : VH_OK, strcmp(text, "up") ? mend : NULL,
		      "%s: %s", name, text);
}

void vh_doctor_ports(struct vh_doctor *d, const char *address)
{
	vh_autostrv ibdevs = vh_pci_names(d->root, address, "infiniband");
	const char *ibdev = ibdevs ? *ibdevs : NULL;
	vh_autostrv ports = NULL;

	if (!ibdev) {
		say_link(d, address);
		return;
	}
	if (vh_root_list(d->root, &ports, VH_PCI_DIR "/%s/infiniband/%s/ports", address, ibdev) < 0 || !*ports) {
		vh_doctor_say(d, address, "port", VH_UNKNOWN, NULL, "%s has no ports", ibdev);
		return;
	}
	for (char **p = ports; *p; p++)
		ib_port(d, address, ibdev, *p);
}
