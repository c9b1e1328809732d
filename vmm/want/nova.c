// SPDX-License-Identifier: Apache-2.0
/* Nova's flavor extra specs and Glance's image properties, by the rules that Nova has for
 * each (nova/virt/hardware.py, numa_get_constraints). */
#include "vmm/want/nova.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/strv.h"
#include "lib/values.h"

enum { TOPOLOGY_MAX = 65536 };

static int set_unless_said(char **member, const char *value, struct vh_err *err)
{
	if (!value || *member)
		return 0;
	*member = strdup(value);
	return *member ? 0 : vh_err_nomem(err);
}

static bool is_word(const char *a, const char *b)
{
	return a && !strcmp(a, b);
}

/* Whether flavor and image each name one of these, or nothing. */
static int check_choice(const struct vh_property *p, const char *const *names, const char *nova, struct vh_err *err)
{
	const char *const values[] = { p->flavor, p->image };

	for (size_t i = 0; i < vh_array_len(values); i++) {
		bool found = !values[i];

		for (size_t k = 0; names[k] && !found; k++)
			found = !strcmp(values[i], names[k]);
		if (!found)
			return vh_nova_refuse(err, nova, "hw%c%s: '%.40s' is none", i ? '_' : ':', p->name, values[i]);
	}
	return 0;
}

/* --- CPUs */

static bool says_true(const char *value)
{
	static const char *const words[] = { "1", "t", "true", "on", "y", "yes" };

	for (size_t i = 0; value && i < vh_array_len(words); i++)
		if (!strcasecmp(value, words[i]))
			return true;
	return false;
}

/* "resources:PCPU", "resources2:PCPU": true when key is one of these groups. */
static bool is_grouped(const char *entry, const char *kind, const char *name)
{
	size_t len = strlen(kind);

	if (strncmp(entry, kind, len))
		return false;
	entry += len + strspn(entry + len, "0123456789");
	return *entry == ':' && !strncmp(entry + 1, name, strlen(name)) && entry[1 + strlen(name)] == '=';
}

static const char *grouped(char *const *map, const char *kind, const char *name)
{
	for (; map && *map; map++)
		if (is_grouped(*map, kind, name))
			return strchr(*map, '=') + 1;
	return NULL;
}

/* What the resources extra specs ask for, summed over their groups. */
static uint64_t resources(char *const *map, const char *name)
{
	uint64_t sum = 0;

	for (; map && *map; map++)
		if (is_grouped(*map, "resources", name))
			sum += strtoull(strchr(*map, '=') + 1, NULL, 10) & UINT32_MAX;
	return sum;
}

static int read_policy(const struct vh_want_text *from, const char **ret, struct vh_err *err)
{
	static const char *const names[] = { "dedicated", "shared", "mixed", NULL };
	struct vh_property p = vh_property_get(from, "cpu_policy");
	int r = check_choice(&p, names, "InvalidCPUAllocationPolicy", err);

	if (r < 0)
		return r;
	if ((is_word(p.flavor, "mixed") && is_word(p.image, "dedicated")) ||
	    (is_word(p.flavor, "shared") && p.image && !is_word(p.image, "shared")))
		return vh_nova_conflict(err, "ImageCPUPinningForbidden", &p);
	*ret = p.flavor ? p.flavor : p.image;
	return 0;
}

static int read_resources(const struct vh_want_text *from, unsigned vcpus, const char **policy, struct vh_err *err)
{
	uint64_t shared = resources(from->flavor, "VCPU"), own = resources(from->flavor, "PCPU");
	unsigned extra = is_word(vh_property_get(from, "emulator_threads_policy").flavor, "isolate");

	if (!shared && !own)
		return 0;
	if (*policy)
		return vh_nova_refuse(err, "InvalidRequest", "resources:VCPU and resources:PCPU do not go with a cpu_policy");
	if (shared && own)
		return vh_nova_refuse(err, "InvalidRequest", "resources:VCPU and resources:PCPU do not go together");
	if (own && own != vcpus + extra)
		return vh_nova_refuse(err, "InvalidRequest", "resources:PCPU: %llu of them for %u vCPUs%s",
				      (unsigned long long)own, vcpus, extra ? " and one for the emulator" : "");
	*policy = own ? "dedicated" : "shared";
	return 0;
}

static int read_threads(const struct vh_want_text *from, bool pinned, struct vh_want_text *text, struct vh_err *err)
{
	static const char *const names[] = { "prefer", "isolate", "require", NULL }, *const emulators[] = {
		"share", "isolate", NULL };
	struct vh_property p = vh_property_get(from, "cpu_thread_policy");
	struct vh_property e = vh_property_get(from, "emulator_threads_policy");
	const char *trait = grouped(from->flavor, "trait", "HW_CPU_HYPERTHREADING"), *policy;
	bool open = !p.flavor || is_word(p.flavor, "prefer");
	int r = check_choice(&p, names, "InvalidCPUThreadAllocationPolicy", err);

	e.image = NULL;
	if (r == 0)
		r = check_choice(&e, emulators, "InvalidEmulatorThreadsPolicy", err);
	if (r < 0)
		return r;
	if (!open && p.image && strcmp(p.image, p.flavor))
		return vh_nova_conflict(err, "ImageCPUThreadPolicyForbidden", &p);
	policy = p.flavor ? p.flavor : p.image;
	if (!trait)
		trait = grouped(from->image, "trait", "HW_CPU_HYPERTHREADING");
	if (policy && trait)
		return vh_nova_refuse(err, "InvalidRequest", "trait:HW_CPU_HYPERTHREADING does not go with a "
				      "cpu_thread_policy");
	if (trait)
		policy = is_word(trait, "forbidden") ? "isolate" : is_word(trait, "required") ? "require" : NULL;
	if (policy && !pinned)
		return vh_nova_refuse(err, "CPUThreadPolicyConfigurationInvalid", "a cpu_thread_policy goes with dedicated "
				      "vCPUs only");
	if (is_word(e.flavor, "isolate") && !pinned)
		return vh_nova_refuse(err, "BadRequirementEmulatorThreadsPolicy", "hw:emulator_threads_policy=isolate goes "
				      "with dedicated vCPUs only");
	r = set_unless_said(&text->threads, policy, err);
	return r < 0 ? r : set_unless_said(&text->emulator, e.flavor, err);
}

/* A mask of some vCPUs; *ret_n: how many. */
static int read_mask(const char *name, const char *mask, unsigned vcpus, const char *nova, bool *in, unsigned *ret_n,
		     struct vh_err *err)
{
	unsigned n = 0;

	if (vh_vcpus_parse(mask, ',', vcpus, in) < 0)
		return vh_nova_refuse(err, nova, "%s: '%.40s' is no set of the flavor's %u vCPUs", name, mask, vcpus);
	for (unsigned i = 0; i < vcpus; i++)
		n += in[i];
	if (!n)
		return vh_nova_refuse(err, nova, "%s: '%.40s' leaves no vCPU", name, mask);
	*ret_n = n;
	return 0;
}

/* The vCPUs that hw:cpu_realtime is for; n 0: it is not asked for. */
static int read_realtime(const struct vh_want_text *from, unsigned vcpus, bool *in, unsigned *ret_n, struct vh_err *err)
{
	static const char nova[] = "RealtimeMaskNotFoundOrInvalid";
	struct vh_property p = vh_property_get(from, "cpu_realtime_mask");
	const char *mask = p.image ? p.image : p.flavor;
	int r;

	*ret_n = 0;
	if (!says_true(vh_property_lookup(from->flavor, "hw:cpu_realtime")))
		return 0;
	*ret_n = vcpus;
	memset(in, 1, vcpus * sizeof(*in));
	r = mask ? read_mask("cpu_realtime_mask", mask, vcpus, nova, in, ret_n, err) : 0;
	if (r == 0 && *ret_n == vcpus && !vh_property_lookup(from->flavor, "hw:emulator_threads_policy"))
		return vh_nova_refuse(err, nova, "hw:cpu_realtime: all %u vCPUs are real-time, and no "
				      "hw:emulator_threads_policy says where QEMU's own threads run", vcpus);
	return r;
}

/* The mixed policy's dedicated vCPUs; and what is wrong with masks elsewhere. */
static int read_masks(const struct vh_want_text *from, unsigned vcpus, const char *policy, struct vh_want_text *text,
		      struct vh_err *err)
{
	const char *mask = vh_property_lookup(from->flavor, "hw:cpu_dedicated_mask");
	bool realtime[VH_VCPUS_MAX] = { false }, own[VH_VCPUS_MAX] = { false };
	unsigned n_realtime = 0, n_own = 0;
	vh_autofree char *list = NULL;
	int r = read_realtime(from, vcpus, realtime, &n_realtime, err);

	if (r == 0 && mask)
		r = read_mask("hw:cpu_dedicated_mask", mask, vcpus, "InvalidMixedInstanceDedicatedMask", own, &n_own, err);
	if (r < 0)
		return r;
	if (mask && n_own == vcpus)
		return vh_nova_refuse(err, "InvalidMixedInstanceDedicatedMask", "hw:cpu_dedicated_mask: '%.40s' leaves no "
				      "shared vCPU", mask);
	if (mask && !is_word(policy, "mixed"))
		return vh_nova_refuse(err, "RequiredMixedInstancePolicy", "hw:cpu_dedicated_mask goes with "
				      "hw:cpu_policy=mixed");
	if (n_realtime && (!policy || is_word(policy, "shared")))
		return vh_nova_refuse(err, "RealtimeConfigurationInvalid", "hw:cpu_realtime goes with dedicated vCPUs only");
	if (!is_word(policy, "mixed"))
		return set_unless_said(&text->cpu_policy, policy ? policy : "shared", err);
	if (!mask == !n_realtime)
		return vh_nova_refuse(err, "RequiredMixedOrRealtimeCPUMask", "hw:cpu_policy=mixed takes one of "
				      "hw:cpu_dedicated_mask and hw:cpu_realtime with its mask");
	list = vh_vcpus_format(mask ? own : realtime, ',');
	text->cpu_policy = list ? vh_strf("mixed:%s", list) : NULL;
	return text->cpu_policy ? 0 : vh_err_nomem(err);
}

/* --- pages */

/* Numbers are KiB there, and units have a B: "2MB". */
static int set_page(char **member, const char *value, struct vh_err *err)
{
	static const char *const words[] = { "any", "large", "small" };
	size_t digits = strspn(value, "0123456789"), len = strlen(value);
	vh_autofree char *text = NULL;

	for (size_t i = 0; i < vh_array_len(words); i++)
		if (!strcmp(value, words[i]))
			return set_unless_said(member, value, err);
	if (!digits || (digits < len && (!strchr("KMGT", value[digits]) || value[len - 1] != 'B' || len > digits + 3 ||
					 (len == digits + 3 && value[digits + 1] != 'i'))))
		return vh_nova_refuse(err, "MemoryPageSizeInvalid", "mem_page_size: '%.40s' is none", value);
	text = digits == len ? vh_strf("%sK", value) : vh_strf("%.*s%c", (int)digits, value, value[digits]);
	return text ? set_unless_said(member, text, err) : vh_err_nomem(err);
}

static int read_pages(const struct vh_want_text *from, struct vh_want_text *text, struct vh_err *err)
{
	struct vh_property p = vh_property_get(from, "mem_page_size");
	const char *value = p.image ? p.image : p.flavor;

	if (p.image && !is_word(p.flavor, "any") && !is_word(p.flavor, "large"))
		return vh_nova_conflict(err, "MemoryPageSizeForbidden", &p);
	return value ? set_page(&text->page_size, value, err) : 0;
}

/* --- devices: "gpu:2,hca-vf:1" with the one affinity of all */

static int read_devices(const struct vh_want_text *from, struct vh_want_text *text, struct vh_err *err)
{
	static const char *const names[] = { "required", "preferred", "legacy", "socket", NULL };
	struct vh_property p = vh_property_get(from, "pci_numa_affinity_policy");
	const char *alias = vh_property_lookup(from->flavor, "pci_passthrough:alias");
	const char *affinity = p.flavor ? p.flavor : p.image ? p.image : "legacy";
	vh_autofree char *copy = alias ? strdup(alias) : NULL;
	char *rest = copy, *one;
	int r = check_choice(&p, names, "InvalidPCINUMAAffinity", err);

	if (r < 0)
		return r;
	if (p.flavor && p.image && strcmp(p.flavor, p.image))
		return vh_nova_conflict(err, "ImagePCINUMAPolicyForbidden", &p);
	while (rest && (one = strsep(&rest, ","))) {
		one += strspn(one, " ");
		if (vh_strv_pushf(&text->devices, "%s:%s", one, affinity) < 0)
			return vh_err_nomem(err);
	}
	return 0;
}

/* --- the guest's sockets, cores and threads: only that they do not contradict each other */

static int read_count(const struct vh_want_text *from, const char *name, uint64_t *ret_flavor, uint64_t *ret_image,
		      struct vh_err *err)
{
	struct vh_property p = vh_property_get(from, name);
	vh_autoerr none = VH_ERR_NONE;

	*ret_flavor = *ret_image = 0;
	if ((p.flavor && vh_uint_parse(p.flavor, TOPOLOGY_MAX, ret_flavor, &none) < 0) ||
	    (p.image && vh_uint_parse(p.image, TOPOLOGY_MAX, ret_image, &none) < 0))
		return vh_nova_refuse(err, "InvalidRequest", "%s: no number", name);
	return 0;
}

static int check_topology(const struct vh_want_text *from, struct vh_err *err)
{
	static const char *const parts[] = { "sockets", "cores", "threads" };

	for (size_t i = 0; i < vh_array_len(parts); i++) {
		vh_autofree char *most = vh_strf("cpu_max_%s", parts[i]), *wish = vh_strf("cpu_%s", parts[i]);
		uint64_t flavor_most, image_most, flavor, image, limit;
		int r = most && wish ? read_count(from, most, &flavor_most, &image_most, err) : vh_err_nomem(err);

		if (r == 0)
			r = read_count(from, wish, &flavor, &image, err);
		if (r < 0)
			return r;
		limit = image_most ? image_most : flavor_most ? flavor_most : TOPOLOGY_MAX;
		if (flavor_most && image_most > flavor_most)
			return vh_nova_refuse(err, "ImageVCPULimitsRangeExceeded", "hw_%s=%llu: the flavor allows %llu", most,
					      (unsigned long long)image_most, (unsigned long long)flavor_most);
		if (image > limit)
			return vh_nova_refuse(err, "ImageVCPUTopologyRangeExceeded", "hw_%s=%llu: at most %llu are allowed",
					      wish, (unsigned long long)image, (unsigned long long)limit);
	}
	return 0;
}

/* --- the whole */

static int read_size(const struct vh_want_text *from, struct vh_want_text *text, unsigned *ret_vcpus, struct vh_err *err)
{
	const char *vcpus = vh_property_lookup(from->flavor, "vcpus"), *ram = vh_property_lookup(from->flavor, "ram");
	uint64_t n = 1;
	int r = set_unless_said(&text->vcpus, vcpus, err);

	vcpus = from->vcpus ? from->vcpus : vcpus;
	if (r == 0 && vcpus)
		r = vh_uint_parse(vcpus, VH_VCPUS_MAX, &n, err);
	if (r == 0 && vcpus && !n)
		r = vh_err_refuse(err, EINVAL, "a VM has 1 to %d vCPUs", VH_VCPUS_MAX);
	if (r < 0) {
		vh_err_as(err, VH_EXIT_REFUSED);
		return vh_err_within(err, "vcpus");
	}
	*ret_vcpus = (unsigned)n;
	if (ram)
		text->memory = vh_strf("%sM", ram);
	return ram && !text->memory ? vh_err_nomem(err) : 0;
}

int vh_want_read_flavor(const struct vh_want_text *from, struct vh_want_text *text, struct vh_err *err)
{
	const char *policy = NULL;
	unsigned vcpus = 1;
	bool pinned;
	int r;

	if (!from->flavor && !from->image)
		return 0;
	r = read_size(from, text, &vcpus, err);
	if (r == 0)
		r = read_policy(from, &policy, err);
	if (r == 0)
		r = read_resources(from, vcpus, &policy, err);
	if (r < 0)
		return r;
	pinned = policy && strcmp(policy, "shared");
	r = read_threads(from, pinned, text, err);
	if (r == 0)
		r = read_masks(from, vcpus, policy, text, err);
	if (r == 0)
		r = read_pages(from, text, err);
	if (r == 0)
		r = vh_flavor_numa(from, vcpus, pinned, text, err);
	if (r == 0)
		r = read_devices(from, text, err);
	return r < 0 ? r : check_topology(from, err);
}
