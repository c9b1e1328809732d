# SPDX-License-Identifier: Apache-2.0
VMM_PKGS := libvirt libxml-2.0 hwloc jansson sqlite3 yaml-0.1

$(eval $(call library,vmm,$(addprefix vmm/,accel.c child.c console.c daemon.c daemon_dir.c domain.c host.c \
	host_devices.c inventory.c lease.c life.c list.c memory.c numbers.c place.c place_json.c plan.c \
	plan_cpus.c plan_devices.c solve.c taken.c virt.c xml.c)))
$(eval $(call program,vhpc-vm,vmm/main.c,vmm sriov lib,$(VMM_PKGS) libnl-route-3.0 libnl-3.0))
