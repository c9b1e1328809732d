// SPDX-License-Identifier: Apache-2.0
/* Capabilities in a device's configuration space. */
#include <errno.h>
#include <fcntl.h>

#include "sriov/pci/pci.h"

/* No chain has more members than fit, so that a looped one ends. */
enum { CAPS_MAX = 48, ECAPS_MAX = 480, STATUS = 0x06, STATUS_CAPS = 0x10, CAPS = 0x34, ECAPS = 0x100 };

int vh_config_read(const struct vh_root *root, const char *address, struct vh_config *ret)
{
	vh_autoclose int fd = vh_root_openf(root, O_RDONLY, VH_PCI_DIR "/%s/config", address);

	if (fd < 0)
		return fd;
	ret->len = 0;
	while (ret->len < sizeof(ret->bytes)) {
		ssize_t n = read(fd, ret->bytes + ret->len, sizeof(ret->bytes) - ret->len);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		ret->len += (size_t)n;
	}
	return 0;
}

bool vh_config_is_whole(const struct vh_config *c)
{
	return c->len == VH_CONFIG_SIZE;
}

uint16_t vh_config_word(const struct vh_config *c, unsigned at)
{
	return at + 1 < c->len ? (uint16_t)(c->bytes[at] | c->bytes[at + 1] << 8) : 0;
}

unsigned vh_config_cap(const struct vh_config *c, uint8_t id)
{
	unsigned at;

	if (!(vh_config_word(c, STATUS) & STATUS_CAPS))
		return 0;
	at = vh_config_word(c, CAPS) & 0xfc;
	for (int i = 0; i < CAPS_MAX && at >= 0x40 && at + 1 < c->len; i++) {
		uint16_t head = vh_config_word(c, at);

		if ((head & 0xff) == id)
			return at;
		at = head >> 8 & 0xfc;
	}
	return 0;
}

unsigned vh_config_ecap(const struct vh_config *c, uint16_t id)
{
	unsigned at = ECAPS;

	for (int i = 0; i < ECAPS_MAX && at >= ECAPS && at + 3 < c->len; i++) {
		if (vh_config_word(c, at) == id)
			return at;
		at = vh_config_word(c, at + 2) >> 4 & 0xffc;
	}
	return 0;
}
