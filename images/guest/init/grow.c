// SPDX-License-Identifier: Apache-2.0
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "images/guest/gpt.h"
#include "images/guest/init/grow.h"

#define EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t)	/* linux/ext4.h is younger than this ioctl */

/* Of ext4's superblock, at byte 1024 of the file system. */
enum { SUPERBLOCK = 1024, BLOCKS = 0x4, LOG_BLOCK = 0x18, MAGIC = 0x38, INCOMPAT = 0x60, UUID = 0x68, BLOCKS_HIGH = 0x150,
       EXT4_MAGIC = 0xef53, INCOMPAT_64BIT = 0x80 };

static int fail(const char **why)
{
	*why = strerror(errno);
	return -1;
}

static int read_superblock(const char *dev, uint8_t super[1024])
{
	int fd = open(dev, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, super, 1024, SUPERBLOCK);

	if (fd >= 0)
		close(fd);
	return n == 1024 && (super[MAGIC] | super[MAGIC + 1] << 8) == EXT4_MAGIC ? 0 : -1;
}

int vh_ext4_uuid(const char *dev, char uuid[37])
{
	uint8_t super[1024];
	const uint8_t *u = super + UUID;

	if (read_superblock(dev, super) < 0)
		return -1;
	for (int i = 0, at = 0; i < 16; i++)
		at += snprintf(uuid + at, 37 - (size_t)at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
	return 0;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return le32toh(v);
}

static bool read_number(const char *path, unsigned *ret)
{
	char text[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	*ret = (unsigned)strtoul(text, NULL, 10);
	return n > 0;
}

/* "/dev/vda" and 2 of "/dev/vda2"; false for a whole disk. */
static bool split(const char *dev, char disk[64], unsigned *number)
{
	char path[96], *real, *slash;
	bool ok = false;

	snprintf(path, sizeof path, "/sys/class/block/%.40s/partition", dev + strlen("/dev/"));
	if (!read_number(path, number))
		return false;
	path[strlen(path) - strlen("/partition")] = 0;
	real = realpath(path, NULL);
	slash = real ? strrchr(real, '/') : NULL;
	if (slash) {
		*slash = 0;
		slash = strrchr(real, '/');
		ok = slash && snprintf(disk, 64, "/dev/%s", slash + 1) < 64;
	}
	free(real);
	return ok;
}

/* The copy at the end first: until the other one is written the old table holds. */
static bool write_table(int fd, uint64_t bytes, const uint8_t *head, const uint8_t *tail)
{
	return pwrite(fd, tail, VH_GPT_TAIL, (off_t)(bytes - VH_GPT_TAIL)) == VH_GPT_TAIL && fsync(fd) == 0 &&
	       pwrite(fd, head, VH_GPT_HEAD, 0) == VH_GPT_HEAD && fsync(fd) == 0;
}

static int tell_kernel(int fd, const struct vh_gpt_grown *grown)
{
	struct blkpg_partition part = { .start = (long long)grown->first * VH_GPT_SECTOR,
					.length = (long long)grown->sectors * VH_GPT_SECTOR, .pno = (int)grown->number };
	struct blkpg_ioctl_arg arg = { .op = BLKPG_RESIZE_PARTITION, .datalen = sizeof part, .data = &part };

	return ioctl(fd, BLKPG, &arg);
}

static int grow_table(int fd, unsigned number, const char **why)
{
	static uint8_t head[VH_GPT_HEAD], tail[VH_GPT_TAIL];
	struct vh_gpt_grown grown;
	uint64_t bytes;
	int sector;

	if (ioctl(fd, BLKGETSIZE64, &bytes) < 0 || ioctl(fd, BLKSSZGET, &sector) < 0 ||
	    pread(fd, head, sizeof head, 0) != sizeof head)
		return fail(why);
	if (sector != VH_GPT_SECTOR)
		return *why = "its sectors are not of 512 bytes", -1;
	int r = vh_gpt_grow(bytes / VH_GPT_SECTOR, head, tail, &grown);
	if (r < 0)
		return *why = "no sound GPT", -1;
	if (r == 0 || grown.number != number)
		return 0;
	return write_table(fd, bytes, head, tail) && tell_kernel(fd, &grown) == 0 ? 0 : fail(why);
}

int vh_grow_partition(const char *dev, const char **why)
{
	char disk[64];
	unsigned number;

	if (!split(dev, disk, &number))
		return 0;
	int fd = open(disk, O_RDWR | O_CLOEXEC);
	int r = fd < 0 ? fail(why) : grow_table(fd, number, why);
	if (fd >= 0)
		close(fd);
	return r;
}

/* In the file system's blocks. */
static int sizes(const char *dev, uint64_t *is, uint64_t *could_be)
{
	uint8_t super[1024];
	uint64_t bytes;
	int fd = open(dev, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -1 : ioctl(fd, BLKGETSIZE64, &bytes);

	if (fd >= 0)
		close(fd);
	if (r < 0 || read_superblock(dev, super) < 0)
		return -1;
	*is = get32(super + BLOCKS);
	if (get32(super + INCOMPAT) & INCOMPAT_64BIT)
		*is |= (uint64_t)get32(super + BLOCKS_HIGH) << 32;
	*could_be = bytes >> (10 + (get32(super + LOG_BLOCK) & 7));
	return 0;
}

int vh_grow_ext4(const char *dev, const char *where, const char **why)
{
	uint64_t is, could_be;

	if (sizes(dev, &is, &could_be) < 0)
		return fail(why);
	if (could_be <= is)
		return 0;
	int fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 || ioctl(fd, EXT4_IOC_RESIZE_FS, &could_be) < 0 ? fail(why) : 0;
	if (fd >= 0)
		close(fd);
	return r;
}
