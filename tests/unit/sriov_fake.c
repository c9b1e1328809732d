// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/sriov_fake.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/store/sql.h"
#include "lib/strv.h"
#include "sriov/pci/pci.h"
#include "tests/unit/unit.h"

#define DEVICES "sys/bus/pci/devices"

void fake_file(const struct fake *f, const char *text, const char *fmt, ...)
{
	vh_autofree char *line = vh_strf("%s\n", text);
	vh_autofree char *path = NULL;
	va_list ap;

	va_start(ap, fmt);
	ck_assert_int_gt(vasprintf(&path, fmt, ap), 0);
	va_end(ap);
	free(unit_file(f->dir, path, line));
}

void fake_link(const struct fake *f, const char *target, const char *fmt, ...)
{
	vh_autofree char *path = NULL;
	vh_autofree char *whole = NULL;
	va_list ap;

	va_start(ap, fmt);
	ck_assert_int_gt(vasprintf(&path, fmt, ap), 0);
	va_end(ap);
	whole = vh_strf("%s/%s", f->dir, path);
	unlink(whole);
	ck_assert_msg(symlink(target, whole) == 0, "%s: %s", whole, strerror(errno));
}

static void set_driver(const struct fake *f, const char *address, const char *driver)
{
	vh_autofree char *link = vh_strf("%s/" DEVICES "/%s/driver", f->dir, address);
	vh_autofree char *target = driver ? vh_strf("../../../../bus/pci/drivers/%s", driver) : NULL;

	unlink(link);
	if (target)
		ck_assert_msg(symlink(target, link) == 0, "%s: %s", link, strerror(errno));
}

void fake_device(const struct fake *f, const char *path, const char *class, const char *driver, int group)
{
	const char *address = strrchr(path, '/') + 1;
	vh_autofree char *target = vh_strf("../../../devices/%s", path);

	fake_file(f, class, "sys/devices/%s/class", path);
	fake_file(f, "0x15b3", "sys/devices/%s/vendor", path);
	fake_file(f, "0x101e", "sys/devices/%s/device", path);
	fake_file(f, "(null)", "sys/devices/%s/driver_override", path);
	fake_file(f, "", "sys/devices/%s/reset", path);
	fake_file(f, "\xb3\x15\x1e\x10\x06\x04\x10\x08", "sys/devices/%s/config", path);
	fake_link(f, target, DEVICES "/%s", address);
	if (group >= 0) {
		vh_autofree char *to = vh_strf("../../../../kernel/iommu_groups/%d", group);

		fake_file(f, "", "sys/kernel/iommu_groups/%d/devices/%s", group, address);
		fake_link(f, to, "sys/devices/%s/iommu_group", path);
	}
	if (driver)
		set_driver(f, address, driver);
}

void fake_driver(const struct fake *f, const char *name)
{
	fake_file(f, "", "sys/bus/pci/drivers/%s/bind", name);
}

struct fake_pf *fake_pf(struct fake *f, const char *path, const char *netdev, bool ib, unsigned most)
{
	struct fake_pf *pf = &f->shared->pf[f->shared->n++];
	vh_autofree char *number = vh_strf("%u", most);

	fake_device(f, path, ib ? "0x020700" : "0x020000", "mlx5_core", 10 + (int)f->shared->n);
	snprintf(pf->address, sizeof(pf->address), "%s", strrchr(path, '/') + 1);
	snprintf(pf->path, sizeof(pf->path), "%s", path);
	snprintf(pf->netdev, sizeof(pf->netdev), "%s", netdev);
	pf->vf_driver = "mlx5_core";
	pf->ib = ib;
	pf->have = VH_FN_ATTR_BITS & ~VH_FN_BIT(VH_FN_PKEY_INDEX);
	pf->have &= ib ? ~(VH_FN_BIT(VH_FN_MAC) | VH_FN_BIT(VH_FN_VLAN) | VH_FN_BIT(VH_FN_QOS)) :
			 ~(VH_FN_BIT(VH_FN_NODE_GUID) | VH_FN_BIT(VH_FN_PORT_GUID));
	fake_file(f, number, "sys/devices/%s/sriov_totalvfs", path);
	fake_file(f, "0", "sys/devices/%s/sriov_numvfs", path);
	fake_file(f, "1", "sys/devices/%s/sriov_drivers_autoprobe", path);
	fake_file(f, ib ? "32" : "1", "sys/devices/%s/net/%s/type", path, netdev);
	fake_file(f, "up", "sys/devices/%s/net/%s/operstate", path, netdev);
	return pf;
}

static struct fake_pf *find_pf(struct fake_shared *sh, const char *address)
{
	for (unsigned i = 0; i < sh->n; i++)
		if (!strcmp(sh->pf[i].address, address))
			return &sh->pf[i];
	return NULL;
}

static struct fake_pf *by_netdev(struct fake_shared *sh, const char *netdev)
{
	for (unsigned i = 0; i < sh->n; i++)
		if (!strcmp(sh->pf[i].netdev, netdev))
			return &sh->pf[i];
	return NULL;
}

/* "0000:3b:00.0" and 7 -> "0000:3b:01.0" */
static void vf_address(const struct fake_pf *pf, unsigned vf, char ret[VH_PCI_ADDRESS_SIZE])
{
	snprintf(ret, VH_PCI_ADDRESS_SIZE, "%.7s:%02x.%u", pf->address, (vf + 1) / 8, (vf + 1) % 8);
}

/* A driver sees a VF's identity as it is when it is bound. */
static void bound(struct fake *f, const char *address)
{
	for (unsigned p = 0; p < f->shared->n; p++)
		for (unsigned v = 0; v < FAKE_VFS; v++) {
			struct fake_vf *vf = &f->shared->pf[p].vf[v];
			char is[VH_PCI_ADDRESS_SIZE];

			vf_address(&f->shared->pf[p], v, is);
			if (strcmp(is, address))
				continue;
			memcpy(vf->live, &vf->value[VH_FN_NODE_GUID], sizeof(vf->live));
			if (!vf->value[VH_FN_MAC] && f->shared->pf[p].draws_macs)
				vf->value[VH_FN_MAC] = 0x0a0000000000 + ++f->shared->drawn;
			vf->live_mac = vf->value[VH_FN_MAC];
		}
}

void fake_late_macs(struct fake *f)
{
	for (unsigned p = 0; p < f->shared->n; p++)
		for (unsigned v = 0; v < FAKE_VFS; v++) {
			struct fake_vf *vf = &f->shared->pf[p].vf[v];

			if (vf->live_mac && vf->value[VH_FN_TRUST])
				vf->value[VH_FN_MAC] = vf->live_mac;
		}
}

static void neutral(struct fake_vf *vf)
{
	memset(vf, 0, sizeof(*vf));
	vf->value[VH_FN_SPOOFCHK] = 1;
}

static void make_vf(struct fake *f, struct fake_pf *pf, unsigned n)
{
	char address[VH_PCI_ADDRESS_SIZE];
	vh_autofree char *parent = strndup(pf->path, (size_t)(strrchr(pf->path, '/') - pf->path));
	vh_autofree char *path = NULL;
	vh_autofree char *to_pf = vh_strf("../%s", pf->address);
	vh_autofree char *to_vf = NULL;
	int64_t autoprobe = 1;

	vf_address(pf, n, address);
	path = vh_strf("%s/%s", parent, address);
	to_vf = vh_strf("../%s", address);
	neutral(&pf->vf[n]);
	vh_root_read_int(f->root, &autoprobe, DEVICES "/%s/sriov_drivers_autoprobe", pf->address);
	fake_device(f, path, pf->ib ? "0x020700" : "0x020000", autoprobe ? pf->vf_driver : NULL,
		    100 + (int)(pf - f->shared->pf) * FAKE_VFS + (int)n);
	if (autoprobe && pf->vf_driver)
		bound(f, address);
	fake_link(f, to_pf, "sys/devices/%s/physfn", path);
	fake_link(f, to_vf, "sys/devices/%s/virtfn%u", pf->path, n);
}

static void remove_vf(struct fake *f, struct fake_pf *pf, unsigned n)
{
	char address[VH_PCI_ADDRESS_SIZE];
	vh_autofree char *parent = strndup(pf->path, (size_t)(strrchr(pf->path, '/') - pf->path));
	vh_autofree char *dir = NULL;
	vh_autofree char *entry = NULL;
	vh_autofree char *virtfn = vh_strf("%s/sys/devices/%s/virtfn%u", f->dir, pf->path, n);
	vh_autoerr err = VH_ERR_NONE;

	vf_address(pf, n, address);
	dir = vh_strf("%s/sys/devices/%s/%s", f->dir, parent, address);
	entry = vh_strf("%s/" DEVICES "/%s", f->dir, address);
	unlink(virtfn);
	unlink(entry);
	ck_assert_msg(vh_remove_tree(dir, &err) == 0, "%s", err.text);
}

static int set_count(struct fake *f, struct fake_pf *pf, unsigned n)
{
	int64_t is = 0, most = 0;
	vh_autofree char *number = vh_strf("%u", n);

	ck_assert_int_eq(vh_root_read_int(f->root, &is, DEVICES "/%s/sriov_numvfs", pf->address), 0);
	ck_assert_int_eq(vh_root_read_int(f->root, &most, DEVICES "/%s/sriov_totalvfs", pf->address), 0);
	if (n == is)
		return 0;
	if (n && is)
		return -EBUSY;
	if (n > most)
		return -ERANGE;
	for (unsigned i = 0; i < is; i++)
		remove_vf(f, pf, i);
	for (unsigned i = 0; i < n; i++)
		make_vf(f, pf, i);
	fake_file(f, number, "sys/devices/%s/sriov_numvfs", pf->path);
	return 0;
}

static void host_driver(struct fake *f, const char *address, char ret[VH_DRIVER_SIZE])
{
	vh_autofree char *pf = vh_pci_link(f->root, address, "physfn");
	vh_autofree char *host = NULL;
	struct fake_pf *fake = pf ? find_pf(f->shared, pf) : NULL;
	int64_t autoprobe = 1;

	*ret = 0;
	if (fake)
		vh_root_read_int(f->root, &autoprobe, DEVICES "/%s/sriov_drivers_autoprobe", fake->address);
	if (fake && autoprobe && fake->vf_driver)
		snprintf(ret, VH_DRIVER_SIZE, "%s", fake->vf_driver);
	if (!fake && vh_root_read(f->root, &host, DEVICES "/%s/host_driver", address) == 0)
		snprintf(ret, VH_DRIVER_SIZE, "%s", host);
}

/* Success, whether or not anything is bound. */
static void probe(struct fake *f, const char *address)
{
	vh_autofree char *override = NULL;
	char driver[VH_DRIVER_SIZE];

	if (vh_root_exists(f->root, DEVICES "/%s/driver", address) ||
	    vh_root_read(f->root, &override, DEVICES "/%s/driver_override", address) < 0)
		return;
	host_driver(f, address, driver);
	if (strcmp(override, "(null)"))
		snprintf(driver, sizeof(driver), "%s", override);
	if (!*driver || !vh_root_exists(f->root, "sys/bus/pci/drivers/%s", driver))
		return;
	set_driver(f, address, driver);
	if (strcmp(driver, "vfio-pci"))
		bound(f, address);
}

static int do_write(struct fake *f, const char *path, const char *text)
{
	char address[VH_PCI_ADDRESS_SIZE] = "", file[96] = "";

	if (!strcmp(path, "sys/bus/pci/drivers_probe")) {
		probe(f, text);
		return 0;
	}
	ck_assert_msg(sscanf(path, DEVICES "/%19[^/]/%95s", address, file) == 2, "%s", path);
	if (!vh_root_exists(f->root, DEVICES "/%s/class", address))
		return -ENODEV;
	if (!strcmp(file, "sriov_numvfs"))
		return set_count(f, find_pf(f->shared, address), (unsigned)atoi(text));
	if (!strcmp(file, "driver/unbind")) {
		if (strcmp(text, address) || !vh_root_exists(f->root, DEVICES "/%s/driver", address))
			return -ENODEV;
		set_driver(f, address, NULL);
		return 0;
	}
	if (!vh_root_exists(f->root, "%s", path))
		return -ENOENT;
	if (!strcmp(file, "driver_override"))
		text = strcmp(text, "\n") ? text : "(null)";
	fake_file(f, text, "%s", path);
	return 0;
}

static void vanish(struct fake *f)
{
	for (unsigned i = 0; i < f->shared->n; i++)
		set_count(f, &f->shared->pf[i], 0);
}

static void lose_attributes(struct fake *f)
{
	for (unsigned p = 0; p < f->shared->n; p++)
		for (unsigned v = 0; v < FAKE_VFS; v++)
			neutral(&f->shared->pf[p].vf[v]);
}

/* Before an effect: 0 go on, 1 leave it out, -errno. */
static int before(struct fake *f)
{
	struct fake_shared *sh = f->shared;

	sh->effects++;
	if (!sh->fault || sh->effects < sh->at || (sh->effects > sh->at && sh->fault != FAKE_DOWN))
		return 0;
	sh->hit = true;
	switch (sh->fault) {
	case FAKE_LIE:
		return 1;
	case FAKE_FAIL:
	case FAKE_DOWN:
		return -sh->num;
	case FAKE_VANISH:
		vanish(f);
		return -ENODEV;
	case FAKE_RESET:
		lose_attributes(f);
		return 0;
	case FAKE_KILL:
		kill(getpid(), SIGKILL);
		return 0;
	default:
		return 0;
	}
}

static int after(struct fake *f)
{
	struct fake_shared *sh = f->shared;

	if (sh->effects == sh->at && sh->fault == FAKE_KILL_LATE)
		kill(getpid(), SIGKILL);
	return sh->effects == sh->at && sh->fault == FAKE_LATE ? -sh->num : 0;
}

static int fake_write(void *arg, const struct vh_root *root, const char *path, const char *text)
{
	struct fake *f = arg;
	int r = before(f);

	(void)root;
	if (r)
		return r < 0 ? r : 0;
	r = do_write(f, path, text);
	return r < 0 ? r : after(f);
}

static int fake_vf_read(void *arg, const char *netdev, struct vh_fn *fn, size_t n, struct vh_err *err)
{
	struct fake *f = arg;
	const struct fake_pf *pf = by_netdev(f->shared, netdev);

	(void)err;
	for (size_t i = 0; pf && i < n; i++) {
		memcpy(fn[i].value, pf->vf[fn[i].index].value, sizeof(fn[i].value));
		fn[i].have |= pf->have;
	}
	return 0;
}

/* As igb has it: a rate is compared with the link's speed. */
static bool link_is_down(const struct fake *f, const struct fake_pf *pf)
{
	vh_autofree char *state = NULL;

	return vh_root_read(f->root, &state, DEVICES "/%s/net/%s/operstate", pf->address, pf->netdev) == 0 &&
	       !strcmp(state, "down");
}

static int write_attr(struct fake *f, struct fake_pf *pf, const struct vh_fn *fn, unsigned attr)
{
	int r = before(f);

	if (r)
		return r < 0 ? r : 0;
	if (!vh_root_exists(f->root, DEVICES "/%s/virtfn%d", pf->address, fn->index))
		return -EINVAL;
	if (!(pf->have & VH_FN_BIT(attr)))
		return -EOPNOTSUPP;
	if ((attr == VH_FN_MIN_RATE || attr == VH_FN_MAX_RATE) && fn->value[attr] && link_is_down(f, pf))
		return -EINVAL;
	pf->vf[fn->index].value[attr] = fn->value[attr];
	return after(f);
}

/* As udev does it, for what asked under the old name. */
static void rename_netdev(struct fake *f, struct fake_pf *pf)
{
	vh_autofree char *from = vh_strf("%s/sys/devices/%s/net/%s", f->dir, pf->path, pf->netdev);
	vh_autofree char *to = vh_strf("%s/sys/devices/%s/net/%s", f->dir, pf->path, f->shared->rename);

	ck_assert_int_eq(rename(from, to), 0);
	snprintf(pf->netdev, sizeof(pf->netdev), "%s", f->shared->rename);
	f->shared->rename[0] = 0;
}

static int fake_vf_write(void *arg, const char *netdev, const struct vh_fn *fn, size_t n, struct vh_err *err)
{
	struct fake *f = arg;
	struct fake_pf *pf = by_netdev(f->shared, netdev);

	if (pf && f->shared->rename[0]) {
		rename_netdev(f, pf);
		pf = NULL;
	}
	if (!pf)
		return vh_err_set(err, ENODEV, "%s: no such device", netdev);
	f->shared->batches++;
	for (size_t i = 0; i < n; i++)
		for (unsigned a = 0; a < VH_FN_ATTRS; a++) {
			int r = fn[i].have & VH_FN_BIT(a) ? write_attr(f, pf, &fn[i], a) : 0;

			if (r < 0)
				return vh_err_set(err, -r, "%s: VF %d: %s: %s", netdev, fn[i].index,
						  vh_fn_attr_name(a), strerror(-r));
		}
	return 0;
}

static int fake_link_up(void *arg, const char *netdev, struct vh_err *err)
{
	struct fake *f = arg;
	struct fake_pf *pf = by_netdev(f->shared, netdev);

	(void)err;
	fake_file(f, "up", "sys/devices/%s/net/%s/operstate", pf->path, netdev);
	return 0;
}

const struct vh_sriov_ops fake_ops = {
	.write = fake_write, .vf_read = fake_vf_read, .vf_write = fake_vf_write, .link_up = fake_link_up,
};

int fake_try_reopen(struct fake *f, struct vh_err *err)
{
	int r;

	vh_sriov_close(f->s);
	f->s = NULL;
	r = vh_sriov_open_with(&f->s, f->dir, &fake_ops, f, f->state, err);
	/* Processes are killed here, not machines. */
	return r < 0 ? r : vh_sql_exec(f->s->store, "PRAGMA synchronous = OFF", err);
}

void fake_reopen(struct fake *f)
{
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(fake_try_reopen(f, &err) == 0, "%s", err.text);
}

/* A store is made once a process: that waits for the disk, again and again. */
static void copy_store(struct fake *f)
{
	static char made[1 << 16];
	static size_t len;
	vh_autofree char *path = vh_strf("%s/store.db", f->state);
	vh_autoerr err = VH_ERR_NONE;
	vh_autostore s = NULL;

	if (len) {
		ck_assert_int_eq(vh_mkdirs(f->state, 0755, &err), 0);
		FILE *out = fopen(path, "we");
		ck_assert(out && fwrite(made, 1, len, out) == len && fclose(out) == 0);
		return;
	}
	ck_assert_int_eq(vh_store_open(&s, f->state, VH_STORE_WRITE, &err), 0);
	vh_store_close(s);
	s = NULL;
	FILE *in = fopen(path, "re");
	ck_assert_ptr_nonnull(in);
	len = fread(made, 1, sizeof(made), in);
	fclose(in);
}

void fake_open(struct fake *f)
{
	vh_autoerr err = VH_ERR_NONE;

	f->dir = unit_tmpdir();
	f->state = vh_strf("%s/state", f->dir);
	f->shared = mmap(NULL, sizeof(*f->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(f->shared, MAP_FAILED);
	free(unit_file(f->dir, DEVICES "/.keep", ""));
	fake_driver(f, "mlx5_core");
	fake_driver(f, "vfio-pci");
	ck_assert_int_eq(vh_root_open(&f->root, f->dir, &err), 0);
	copy_store(f);
	fake_reopen(f);
}

void fake_close(struct fake *f)
{
	vh_sriov_close(f->s);
	vh_root_free(f->root);
	munmap(f->shared, sizeof(*f->shared));
	free(f->state);
	free(f->dir);
}

void fake_fault(struct fake *f, unsigned n, enum fake_fault fault, int num)
{
	f->shared->at = f->shared->effects + n;
	f->shared->fault = fault;
	f->shared->num = num;
	f->shared->hit = false;
}

void fake_heal(struct fake *f)
{
	f->shared->fault = FAKE_NONE;
}

unsigned fake_journal(struct fake *f, const char *address)
{
	vh_autofree char *run = vh_strf("sriov/%s", address);
	vh_autoerr err = VH_ERR_NONE;
	struct vh_step *steps;
	size_t n;

	ck_assert_int_eq(vh_journal_list(f->s->store, run, &steps, &n, &err), 0);
	vh_journal_free(steps, n);
	return (unsigned)n;
}

char *fake_state(struct fake *f, const char *address)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autojson leases = json_array();
	vh_autojson wanted = NULL;
	struct vh_lease *l = NULL;
	vh_autopf pf = { 0 };
	size_t n = 0;
	vh_autojson all = NULL;

	ck_assert_msg(vh_pf_observe(f->s, address, &pf, &err) == 0, "%s", err.text);
	ck_assert_int_eq(vh_record_list(f->s->store, VH_WANTED, &wanted, &err), 0);
	ck_assert_int_eq(vh_lease_list(f->s->store, NULL, NULL, &l, &n, &err), 0);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(leases, json_sprintf("%s %s %s", l[i].kind, l[i].key, l[i].holder));
	vh_lease_free(l, n);
	all = json_pack("{so sO sO}", "pf", vh_pf_json(&pf), "wanted", wanted, "leases", leases);
	return json_dumps(all, JSON_SORT_KEYS | JSON_INDENT(1));
}
