# SPDX-License-Identifier: Apache-2.0
$(eval $(call library,lib,$(wildcard lib/*.c lib/*/*.c)))
