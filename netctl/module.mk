# SPDX-License-Identifier: Apache-2.0
$(eval $(call library,netctl,$(sort $(wildcard netctl/*.c)) $(call rooms,netctl,kinds isolate) netctl/cli/list.c))
$(eval $(call program,vhpc-net,netctl/cli/main.c,netctl lib,libnl-route-3.0 libnl-3.0 jansson sqlite3 yaml-0.1))
