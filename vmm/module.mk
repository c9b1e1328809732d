# SPDX-License-Identifier: Apache-2.0
VMM_PKGS := libvirt libxml-2.0 hwloc jansson sqlite3 yaml-0.1

$(eval $(call library,vmm,vmm/accel.c vmm/child.c vmm/console.c vmm/daemon.c vmm/domain.c vmm/host.c \
	vmm/lease.c vmm/life.c vmm/memory.c vmm/numbers.c vmm/place.c vmm/place_json.c vmm/taken.c vmm/virt.c vmm/xml.c))
$(eval $(call program,vhpc-vm,vmm/main.c,vmm lib,$(VMM_PKGS)))
