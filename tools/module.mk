# SPDX-License-Identifier: Apache-2.0
$(eval $(call program,vhpc,tools/vhpc.c,lib,jansson))
$(eval $(call library,cluster,$(call rooms,tools/cluster,volume snapshot slurm manifest plan engine console ssh steps compare copy watch roll) $(filter-out %/main.c,$(call rooms,tools/cluster,cli cli/verbs))))
$(eval $(call program,vhpc-cluster,tools/cluster/cli/verbs/main.c,cluster vmm netctl sriov images lib,\
    libvirt libvirt-qemu libxml-2.0 hwloc libnl-route-3.0 libnl-3.0 libnftables libarchive libmd jansson sqlite3 yaml-0.1,-pthread -lresolv))
$(eval $(call program,vhpc-probe,tools/probe.c,vmm sriov lib,\
    libvirt libxml-2.0 hwloc libnl-route-3.0 libnl-3.0 jansson sqlite3 yaml-0.1,-pthread))
$(eval $(call program,vhpc-hook,$(wildcard tools/hooks/*.c),vmm lib,libxml-2.0 jansson sqlite3 yaml-0.1))
$(eval $(call library,validate,$(filter-out %/main.c %/kernels.c,$(call rooms,tools,validate))))
$(eval $(call program,vhpc-validate,tools/validate/main.c,validate lib,jansson sqlite3 yaml-0.1))
$(eval $(call guest,vhpc-kernels,tools/validate/kernels.c))
# The hook's unit tests run it.
$(B)/tests/units-tools: | $(B)/bin/vhpc-hook
