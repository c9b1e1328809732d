# SPDX-License-Identifier: Apache-2.0
$(eval $(call library,sriov,sriov/device.c sriov/list.c sriov/show.c))
$(eval $(call program,vhpc-sriov,sriov/main.c,sriov lib,jansson sqlite3 yaml-0.1))
