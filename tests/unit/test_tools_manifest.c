// SPDX-License-Identifier: Apache-2.0
/* The table in docs/formats/manifest.md is the one that manifests are read by. */
#include "tests/unit/unit.h"
#include "tools/cluster/manifest/manifest.h"

START_TEST(page_has_the_table)
{
	unit_check_page("docs/formats/manifest.md", manifest_keys);
}
END_TEST

UNIT_SUITE(tools_manifest, page_has_the_table)
