// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/ivshm/core/map.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mpirun-wrap/ivshm/core/copy.h"

static const char sysfs[] = "/sys";
/* A load that takes longer does not come from a cache, emulated CPUs included. */
static const double cached_ns = 60;

/* One way to the memory. */
struct way {
	const char *name;
	mode_t of;		/* a directory: a file of that name in a device's directory of sysfs; else the file itself */
	int (*size)(int fd, size_t *ret);	/* of what was opened: 0 or -errno */
};

static int file_size(int fd, size_t *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return -EINVAL;
	*ret = (size_t)st.st_size;
	return 0;
}

/* Not sscanf(): the C library of a newer builder has another one than an older image. */
static int read_line(const char *path, char *text, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, len - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return n < 0 ? -EIO : 0;
}

int ivshm_dax_size(const char *root, unsigned major, unsigned minor, size_t *ret)
{
	char path[256], text[32], *end;
	unsigned long long size;

	snprintf(path, sizeof(path), "%.200s/dev/char/%u:%u/size", root, major, minor);
	if (read_line(path, text, sizeof(text)) < 0)
		return -ENODEV;
	errno = 0;
	size = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || size == 0 || size > SIZE_MAX / 2)
		return -EINVAL;
	*ret = (size_t)size;
	return 0;
}

static int dax_size(int fd, size_t *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISCHR(st.st_mode) ? ivshm_dax_size(sysfs, major(st.st_rdev), minor(st.st_rdev), ret) : -EINVAL;
}

/* The kernel maps the BAR write-combining by the first and uncached by the second; the
 * hypervisor may make either write-back. Which it was is measured. */
static const struct way ways[] = {
	{ "resource2_wc", S_IFDIR, file_size },
	{ "resource2", S_IFDIR, file_size },
	{ "devdax", S_IFCHR, dax_size },
	{ "file", S_IFREG, file_size },
};

static int map_by(const struct way *way, const char *path, struct ivshm_mapping *m)
{
	int fd, r;

	*m = (struct ivshm_mapping){ .by = way->name };
	if (way->of == S_IFDIR)
		snprintf(m->path, sizeof(m->path), "%.200s/%s", path, way->name);
	else
		snprintf(m->path, sizeof(m->path), "%s", path);
	fd = open(m->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	r = way->size(fd, &m->size);
	if (r == 0) {
		m->base = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		r = m->base == MAP_FAILED ? -errno : 0;
	}
	close(fd);
	if (r < 0) {
		m->base = NULL;
		return r;
	}
	m->load_ns = ivshm_load_ns(m->base);
	m->cached = m->load_ns < cached_ns;
	return 0;
}

static bool better(const struct ivshm_mapping *a, const struct ivshm_mapping *b)
{
	return !b->base || (a->cached && !b->cached) || (a->cached == b->cached && a->load_ns < b->load_ns);
}

/* The best of the ways of its kind; a cached one ends the search. Where there is none,
 * ret->path says which could not be mapped although it is there. */
static int map_best(const char *path, mode_t is, struct ivshm_mapping *ret)
{
	int result = -ENODEV;

	for (const struct way *way = ways; way < ways + sizeof(ways) / sizeof(*ways) && !ret->cached; way++) {
		struct ivshm_mapping m;
		int r;

		if (way->of != is)
			continue;
		r = map_by(way, path, &m);
		if (r == 0 && better(&m, ret)) {
			ivshm_unmap(ret);
			*ret = m;
			result = 0;
		} else if (r == 0) {
			ivshm_unmap(&m);
		} else if (result == -ENODEV || result == -ENOENT) {
			*ret = m;
			result = r;
		}
	}
	return result;
}

static bool has_id(const char *dir, const char *name, const char *id)
{
	char path[320], text[16];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return read_line(path, text, sizeof(text)) == 0 && !strcmp(text, id);
}

static int find_device(char dir[256])
{
	char devices[64];
	DIR *d;
	const struct dirent *e;
	int r = -ENODEV;

	snprintf(devices, sizeof(devices), "%s/bus/pci/devices", sysfs);
	d = opendir(devices);

	while (d && r < 0 && (e = readdir(d))) {
		if (*e->d_name == '.')
			continue;
		snprintf(dir, 256, "%s/%.64s", devices, e->d_name);
		if (has_id(dir, "vendor", "0x1af4") && has_id(dir, "device", "0x1110"))
			r = 0;
	}
	if (d)
		closedir(d);
	return r;
}

int ivshm_map(const char *path, struct ivshm_mapping *ret)
{
	struct stat st;
	char dir[256];
	int r;

	*ret = (struct ivshm_mapping){ 0 };
	if (path && stat(path, &st) < 0)
		return -errno;
	if (path)
		return map_best(path, st.st_mode & S_IFMT, ret);
	r = find_device(dir);
	return r < 0 ? r : map_best(dir, S_IFDIR, ret);
}

void ivshm_unmap(struct ivshm_mapping *m)
{
	if (m->base)
		munmap(m->base, m->size);
	m->base = NULL;
}
