// SPDX-License-Identifier: Apache-2.0
/* The linker gives the table of steps these for its own (--wrap in tests/module.mk). */
#include <errno.h>
#include <libvirt/libvirt.h>

#include "tools/cluster/steps/steps.h"
#include "tests/bench/cluster/cluster.h"
#include "vmm/kernel/kernel.h"

extern const struct step __real_step_region, __real_step_tap, __real_step_disk, __real_step_ready;
struct step __wrap_step_region, __wrap_step_tap, __wrap_step_disk, __wrap_step_ready;
static bool bare;

static int do_nothing(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	(void)ctx;
	(void)at;
	(void)err;
	*ret_changed = false;
	return 0;
}

static int undo_nothing(const struct context *ctx, const struct spot *at, struct vh_err *err)
{
	bool changed;

	return do_nothing(ctx, at, &changed, err);
}

static void take(struct step *step, const struct step *real, bool nothing)
{
	*step = *real;
	if (!nothing)
		return;
	step->apply = do_nothing;
	step->undo = undo_nothing;
}

/* Leases are held against the memory that this host has; what the test driver's domains have is none of it. */
int __real_vh_node_memory(const struct vh_root *root, unsigned node, uint64_t *ret_total, uint64_t *ret_free);
int __wrap_vh_node_memory(const struct vh_root *root, unsigned node, uint64_t *ret_total, uint64_t *ret_free);
int __wrap_vh_node_memory(const struct vh_root *root, unsigned node, uint64_t *ret_total, uint64_t *ret_free)
{
	return bare ? -ENODATA : __real_vh_node_memory(root, node, ret_total, ret_free);
}

/* The test driver knows of none of these flags. */
int __real_virDomainUndefineFlags(virDomainPtr domain, unsigned int flags);
int __wrap_virDomainUndefineFlags(virDomainPtr domain, unsigned int flags);
int __wrap_virDomainUndefineFlags(virDomainPtr domain, unsigned int flags)
{
	return __real_virDomainUndefineFlags(domain, bare ? 0 : flags);
}

void steps_settle(bool test_driver)
{
	bare = test_driver;
	take(&__wrap_step_region, &__real_step_region, test_driver);
	take(&__wrap_step_tap, &__real_step_tap, test_driver);
	take(&__wrap_step_disk, &__real_step_disk, test_driver);
	take(&__wrap_step_ready, &__real_step_ready, true);
}
