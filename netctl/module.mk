# SPDX-License-Identifier: Apache-2.0
$(eval $(call library,netctl,$(filter-out netctl/main.c,$(wildcard netctl/*.c)) $(call rooms,netctl,kinds)))
$(eval $(call program,vhpc-net,netctl/main.c,netctl lib,libnl-route-3.0 libnl-3.0 jansson sqlite3 yaml-0.1))
