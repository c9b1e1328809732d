// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "images/guest/identity_parse.h"
#include "images/guest/seed_find.h"

#define WHERE "/run/vhpc-seed"

enum { CD_WAIT_MS = 5000, CD_POLL_MS = 100, ISO_LABEL = 32768 + 40, ISO_LABEL_LEN = 32, FAT_LABEL_LEN = 11,
       FAT16_LABEL = 43, FAT32_LABEL = 71, FAT_TYPE_AFTER = 11 };

static const char *const labels[] = { "cidata", "config-2" };

static const char *match(const unsigned char *at, size_t len)
{
	while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == 0))
		len--;
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (len == strlen(labels[i]) && !strncasecmp((const char *)at, labels[i], len))
			return labels[i];
	return NULL;
}

const char *vh_seed_label(const unsigned char *head, size_t len, const char **ret_type)
{
	static const size_t fat[] = { FAT16_LABEL, FAT32_LABEL };
	const char *label = NULL;

	*ret_type = "iso9660";
	if (len >= ISO_LABEL + ISO_LABEL_LEN && !memcmp(head + 32769, "CD001", 5))
		return match(head + ISO_LABEL, ISO_LABEL_LEN);
	*ret_type = "vfat";
	for (size_t i = 0; !label && len >= 512 && i < 2; i++)
		if (!memcmp(head + fat[i] + FAT_TYPE_AFTER, "FAT", 3))
			label = match(head + fat[i], FAT_LABEL_LEN);
	return label;
}

static const char *label_of(const char *dev, const char **ret_type)
{
	static unsigned char head[VH_SEED_HEAD];
	int fd = open(dev, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof head, 0);

	if (fd >= 0)
		close(fd);
	return n > 0 ? vh_seed_label(head, (size_t)n, ret_type) : NULL;
}

/* Into dev. */
static bool find_disk(char *dev, size_t len, const char **ret_type)
{
	DIR *d = opendir("/sys/class/block");
	bool found = false;

	for (struct dirent *e; !found && d && (e = readdir(d));) {
		if (e->d_name[0] == '.' || !strncmp(e->d_name, "loop", 4) || !strncmp(e->d_name, "ram", 3))
			continue;
		snprintf(dev, len, "/dev/%.100s", e->d_name);
		found = label_of(dev, ret_type) != NULL;
	}
	if (d)
		closedir(d);
	return found;
}

/* Controllers that a CD-ROM may be on, by the start of their modalias: virtio's, IDE and AHCI. */
static const struct { const char *modalias, *driver; } controllers[] = {
	{ "v00001AF4d00001004", "virtio_scsi" }, { "v00001AF4d00001048", "virtio_scsi" }, { "bc01sc01", "ata_piix" },
	{ "bc01sc06", "ahci" },
};

static const char *driver_for(const char *device)
{
	char path[320], alias[128] = "";

	snprintf(path, sizeof path, "/sys/bus/pci/devices/%.255s/modalias", device);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, alias, sizeof alias - 1);
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; n > 0 && i < sizeof controllers / sizeof *controllers; i++)
		if (strstr(alias, controllers[i].modalias))
			return controllers[i].driver;
	return NULL;
}

/* Before udev does, or where the image keeps udev from it; false when the kernel has none. */
static bool load(const char *driver)
{
	char *const argv[] = { (char *)"modprobe", (char *)"-a", (char *)"-q", (char *)driver, (char *)"sr_mod", (char *)"sd_mod", NULL };
	pid_t pid;
	int status;

	return posix_spawn(&pid, "/sbin/modprobe", NULL, NULL, argv, environ) == 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool load_cd_drivers(void)
{
	DIR *d = opendir("/sys/bus/pci/devices");
	bool loaded = false;

	for (struct dirent *e; d && (e = readdir(d));) {
		const char *driver = e->d_name[0] == '.' ? NULL : driver_for(e->d_name);
		if (driver && load(driver))
			loaded = true;
	}
	if (d)
		closedir(d);
	return loaded;
}

static bool find_cd(char *dev, size_t len, const char **ret_type)
{
	const struct timespec nap = { .tv_nsec = CD_POLL_MS * 1000000L };

	if (!load_cd_drivers())
		return false;
	for (int ms = 0; ms < CD_WAIT_MS; ms += CD_POLL_MS) {
		if (find_disk(dev, len, ret_type))
			return true;
		nanosleep(&nap, NULL);
	}
	return false;
}

static char *read_file(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : calloc(1, VH_ID_TEXT_MAX + 1);
	size_t len = 0;
	ssize_t n = 1;

	while (text && len < VH_ID_TEXT_MAX && (n = read(fd, text + len, VH_ID_TEXT_MAX - len)) > 0)
		len += (size_t)n;
	if (fd >= 0)
		close(fd);
	/* What is longer, cannot be read or is no text is no seed's. */
	if (text && (n != 0 || memchr(text, 0, len))) {
		free(text);
		return NULL;
	}
	return text;
}

int vh_seed_read(const char *dir, struct vh_seed_files *ret, struct vh_seed *seed, char *why, size_t why_len)
{
	static const char *const paths[] = { "meta-data", "user-data", "network-config", "openstack/latest/meta_data.json",
					     "openstack/latest/network_data.json" };
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return snprintf(why, why_len, "%s: %s", dir, strerror(errno)), -1;
	for (size_t i = 0; i < 5; i++)
		ret->text[i] = read_file(fd, paths[i]);
	if (ret->text[3] && !ret->text[1])
		ret->text[1] = read_file(fd, "openstack/latest/user_data");
	close(fd);
	*seed = (struct vh_seed){ ret->text[0], ret->text[1], ret->text[2], ret->text[3], ret->text[4] };
	return 1;
}

int vh_seed_find(struct vh_seed_files *ret, struct vh_seed *seed, char *why, size_t why_len)
{
	char dev[128];
	const char *type;

	if (!find_disk(dev, sizeof dev, &type) && !find_cd(dev, sizeof dev, &type))
		return 0;
	mkdir(WHERE, 0700);
	if (mount(dev, WHERE, type, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "") < 0)
		return snprintf(why, why_len, "%s: cannot be mounted: %s", dev, strerror(errno)), -1;
	int r = vh_seed_read(WHERE, ret, seed, why, why_len);
	umount(WHERE);
	rmdir(WHERE);
	return r;
}

void vh_seed_files_clear(struct vh_seed_files *f)
{
	for (size_t i = 0; i < 5; i++) {
		if (f->text[i])
			explicit_bzero(f->text[i], strlen(f->text[i]));
		free(f->text[i]);
	}
	*f = (struct vh_seed_files){ 0 };
}
