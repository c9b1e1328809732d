// SPDX-License-Identifier: Apache-2.0
/* Every suite, one a line: SUITE(DIR, WHAT) is the function DIR_WHAT_suite() in
 * tests/unit/test_DIR_WHAT.c. tests/module.mk reads this list too: the suites of a
 * directory are linked into one runner, tests/units-DIR. */
SUITE(lib, err)
SUITE(lib, strv)
SUITE(lib, values)
SUITE(lib, sysroot)
SUITE(lib, spawn)
SUITE(lib, cli)
SUITE(lib, files)
SUITE(lib, table)
SUITE(lib, progress)
SUITE(lib, doc)
SUITE(lib, store)
SUITE(netctl, cidr)
SUITE(netctl, names)
SUITE(netctl, kernel)
SUITE(tools, cluster)
SUITE(sriov, devices)
SUITE(mpirun, cluster)
SUITE(mpirun, plan)
SUITE(tools, validate)
