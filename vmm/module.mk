# SPDX-License-Identifier: Apache-2.0
VMM_PKGS := libvirt libxml-2.0 hwloc jansson sqlite3 yaml-0.1

$(eval $(call library,vmm,$(call rooms,vmm,kernel life host want layout guest place domain virt hosts vm draw)))
$(eval $(call program,vhpc-vm,$(call rooms,vmm,cli),vmm sriov lib,$(VMM_PKGS) libnl-route-3.0 libnl-3.0))
