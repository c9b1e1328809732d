# SPDX-License-Identifier: Apache-2.0
SRIOV_PKGS := libnl-route-3.0 libnl-3.0 jansson sqlite3 yaml-0.1

$(eval $(call library,sriov,$(wildcard sriov/*.c) $(call rooms,sriov,pci function use inventory change lease doctor)))
$(eval $(call program,vhpc-sriov,$(call rooms,sriov,cli),sriov lib,$(SRIOV_PKGS)))
