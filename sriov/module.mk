# SPDX-License-Identifier: Apache-2.0
SRIOV_PKGS := libnl-route-3.0 libnl-3.0 jansson sqlite3 yaml-0.1

$(eval $(call library,sriov,$(addprefix sriov/,apply.c attr.c check.c config.c device.c doctor.c doctor_pair.c doctor_port.c \
    doctor_vf.c driver.c gpu.c ibverbs.c identity.c inuse.c journal.c kernel.c lease.c list.c \
    mounted.c netlink.c nvml.c observe.c owner.c pair.c rdma.c rdma_netlink.c restore.c show.c state.c umad.c \
    verbs.c wanted.c)))
$(eval $(call program,vhpc-sriov,sriov/main.c sriov/commands.c,sriov lib,$(SRIOV_PKGS)))
