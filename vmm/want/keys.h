// SPDX-License-Identifier: Apache-2.0
/* What a request can say, a row a key: request files, options, JSON and the reference page
 * (docs/formats/request.md) come from it, and a new key is a row here and a member of struct vh_want. */
#ifndef VH_VMM_WANT_KEYS_H
#define VH_VMM_WANT_KEYS_H

/* KEY(member, kind, read, write, option, its argument, its help, help of the page); PLAN for options
 * of plans alone, FILE(member, kind, help of the page) for what only files say. x is passed on. A key
 * is called as its member; kind is that of an option, STR or STRV, or of a document, STRMAP. */
#define VH_WANT_KEYS(KEY, PLAN, FILE, x) \
	KEY(name, STR, read_name, write_name, "name", "NAME", "the VM's name (default vm)", \
	    "Name of the VM, a host name; `vm` when absent. Of several VMs they are NAME-1, NAME-2, ...", x) \
	VH_WANT_VM_KEYS(KEY, x) \
	PLAN(vms, STR, read_vms, write_vms, "vms", "N", "so many VMs", \
	     "So many VMs; 1 when absent.", x) \
	VH_WANT_PLACE_KEY(PLAN, x) \
	FILE(flavor, STRMAP, "Nova's extra specs, with `vcpus` and `ram`.", x) \
	FILE(image, STRMAP, "Glance's properties.", x)

/* What one VM asks of a host. */
#define VH_WANT_VM_KEYS(KEY, x) \
	KEY(vcpus, STR, read_vcpus, write_vcpus, "vcpus", "N", "virtual CPUs (default 1)", \
	    "1 to 4096; when absent those of the guest nodes, or 1.", x) \
	KEY(memory, STR, read_memory, write_memory, "memory", "SIZE", "memory (default 1G)", \
	    "A size; when absent that of the guest nodes, or `1G`.", x) \
	KEY(page_size, STR, read_page_size, write_page_size, "page-size", "SIZE", \
	    "4K, 2M, 1G, small, large (any huge one) or any", \
	    "`4K`, `2M`, `1G`, ...; `small` (default), `large`: the largest huge one that fits, " \
	    "`any`: the largest of all.", x) \
	KEY(cpu_policy, STR, read_cpu_policy, write_cpu_policy, "cpu-policy", "POLICY", \
	    "dedicated, shared, or mixed:N dedicated", \
	    "`dedicated` (default): a CPU each. `shared`: all run on all free CPUs of their nodes. " \
	    "`mixed:N`: the first N have a CPU each; `mixed:0-1,4` or `mixed:^0`: these, or all but these.", x) \
	KEY(threads, STR, read_threads, write_threads, "threads", "POLICY", \
	    "hardware threads: prefer, isolate or require siblings", \
	    "`prefer` (default): hardware threads are CPUs. `isolate`: one vCPU a core, its other threads idle. " \
	    "`require`: whole cores of two threads or more.", x) \
	KEY(emulator, STR, read_emulator, write_emulator, "emulator", "POLICY", \
	    "QEMU's own threads: share, or isolate on a CPU of their own", \
	    "`share` (default), or `isolate`: one CPU more for QEMU's own threads.", x) \
	KEY(iothreads, STR, read_iothreads, write_iothreads, "iothreads", "N", "I/O threads", \
	    "Number of I/O threads; 0 when absent.", x) \
	KEY(numa, STR, vh_want_read_numa, write_numa, "numa", "NODES", \
	    "guest NUMA nodes: auto, their number, or VCPUS:MEMORY,...", \
	    "`auto` (default): as few guest nodes as fit. A number: so many of even size. `4:8G,2:4G`: vCPUs and " \
	    "memory of each; `0-2+6:8G,3-5:4G`: which vCPUs. Each guest node is on a host node of its own.", x) \
	KEY(devices, STRV, read_device, write_devices, "device", "KIND[:N][:AFFINITY]", \
	    "hca, nic, gpu, nvme, or their VFs as hca-vf; preferred, required, socket, none", \
	    "`KIND[:N][:AFFINITY]` each, kind `hca`, `nic`, `gpu`, `nvme`, or VFs as `hca-vf`. `required`: on one of " \
	    "the VM's nodes. `socket`: in one of its packages. `preferred` (default): the nearest. `none`. " \
	    "`legacy`: required where the device's node is known.", x) \
	KEY(pairs, STR, read_pairs, write_pairs, "pairs", "N", \
	    "so many of its GPUs each share a switch with an HCA", \
	    "So many of the GPUs each share a switch with an HCA of their own.", x)

/* Where it goes of many hosts. */
#define VH_WANT_PLACE_KEY(KEY, x) \
	KEY(place, STR, read_place, write_place, "place", "HOW", "over hosts: pack, or spread", \
	    "Over hosts `pack` (default) or `spread`.", x)

/* Members of the request as text. */
#define VH_WANT_STR(member) char *member;
#define VH_WANT_STRV(member) char **member;
#define VH_WANT_STRMAP(member) char **member;
#define VH_WANT_MEMBER(member, kind, ...) VH_WANT_##kind(member)

/* Rows of options, for VH_WANT_KEYS with what the member of type struct vh_want_text is: its offset. */
#define VH_WANT_OPTION(member, kind, read, write, option, arg, help, more, at) \
	{ option, 0, VH_OPT_##kind, (at) + offsetof(struct vh_want_text, member), arg, help },
#define VH_WANT_NO_OPTION(...)

#endif
