# SPDX-License-Identifier: Apache-2.0
VMM_PKGS := libvirt libxml-2.0 hwloc jansson sqlite3 yaml-0.1

$(eval $(call library,vmm,$(addprefix vmm/,accel.c capture.c check.c child.c console.c daemon.c daemon_dir.c \
	disk.c domain.c domain_cpu.c domain_devices.c explain.c explain_others.c explain_want.c flavor.c \
	flavor_numa.c fleet.c floating.c guest_compare.c guest_hwloc.c guest_nccl.c guest_pci.c host.c host_devices.c \
	host_json.c inventory.c layout.c layout_json.c layout_plan.c lease.c life.c list.c memory.c \
	numbers.c place.c plan.c plan_cpus.c plan_devices.c plan_json.c process.c remote.c running.c solve.c \
	solve_plan.c solve_shares.c taken.c virt.c vm_define.c vm_domain.c vm_files.c vm_start.c want.c want_sets.c xml.c)))
VM_SRC := $(addprefix vmm/,main.c plan_host.c plan_hosts.c plan_picture.c plan_svg.c plan_svg_devices.c \
	verb_check.c verb_define.c verb_host.c verb_life.c verb_plan.c want_opts.c)
$(eval $(call program,vhpc-vm,$(VM_SRC),vmm sriov lib,$(VMM_PKGS) libnl-route-3.0 libnl-3.0))
