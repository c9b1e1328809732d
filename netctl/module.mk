# SPDX-License-Identifier: Apache-2.0
$(eval $(call library,netctl,netctl/cidr.c netctl/names.c netctl/link.c netctl/address.c \
    netctl/bridge.c netctl/tap.c netctl/list.c))
$(eval $(call program,vhpc-net,netctl/main.c,netctl lib,libnl-route-3.0 libnl-3.0 jansson sqlite3 yaml-0.1))
