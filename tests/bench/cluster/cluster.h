// SPDX-License-Identifier: Apache-2.0
/* What the benchmark of clusters is made of. */
#ifndef BENCH_CLUSTER_H
#define BENCH_CLUSTER_H

#include <stdbool.h>

#include "lib/err.h"

/* Before steps are walked: none waits for a guest from now on, and on the test driver, whose nodes have neither network
 * nor disks nor memory, none makes these. */
void steps_settle(bool test_driver);

/* Seconds that something of all nodes took. */
struct took { double up, down; };

/* The XML of the domains of these names as they are defined there, a strv, after which they are gone. */
int plain_take(const char *uri, char *const *names, char ***ret, struct vh_err *err);
/* Defines and starts domains of that XML, then destroys and undefines them: the calls alone, in as many threads as
 * vhpc cluster has. */
int plain_run(const char *uri, char *const *xml, struct took *ret, struct vh_err *err);

#endif
