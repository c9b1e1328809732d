// SPDX-License-Identifier: Apache-2.0
/* Whether an image keeps in a running machine what its image.json says. What is asked of the
 * guest and how its answer is judged is pure; vh_verify_boot does it. */
#ifndef VH_VERIFY_H
#define VH_VERIFY_H

#include <jansson.h>
#include <stdbool.h>
#include "images/images.h"
#include "images/node/node.h"

/* The script that reads everything back, for a root shell; malloc'd, NULL without memory. */
char *vh_verify_script(const json_t *image);

/* Seconds; a phase that is not known is below 0. */
struct vh_verify_phases {
	double firmware;	/* from the machine's start to the kernel's: firmware, boot loader */
	double kernel;		/* to the initrd's program */
	double initrd;		/* to systemd */
	double userspace;	/* to where sshd listens */
	double mpi;		/* of a first MPI job of two ranks, with its login */
};

struct vh_verify {
	enum vh_boot boot;
	char accel[8];		/* "kvm", "tcg" */
	double uptime;		/* of the guest, when the script began */
	uint64_t memory_used;	/* bytes: what is neither free nor given back on demand (docs/formats/image.md) */
	struct vh_verify_phases phases;
	struct vh_findings findings;
};
void vh_verify_clear(struct vh_verify *v);
#define vh_autoverify vh_cleanup(vh_verify_clear) struct vh_verify

/* Fills the rest of ret, whose boot says how it was booted, from what the script printed; text is untrusted. */
int vh_verify_judge(const json_t *image, const char *text, struct vh_verify *ret, struct vh_err *err);
bool vh_verify_holds(const struct vh_verify *v);
/* {"boot", "accel", "memory_used", "phases": {...}, "findings": [...]}; NULL without memory. */
json_t *vh_verify_json(const struct vh_verify *v);

struct vh_verify_run {
	const struct vh_image *image;
	const json_t *doc;	/* its image.json */
	const char *bin;	/* directory of vhpc's programs */
	const char *state, *store, *connect;	/* connect: or NULL */
};
/* The cluster of one node that verifies an image: "verify-NAME"; malloc'd. */
char *vh_verify_cluster(const char *image);
/* Boots it, asks, runs MPI. The cluster stays, whatever comes out; vh_verify_end takes it away. */
int vh_verify_boot(const struct vh_verify_run *run, enum vh_boot boot, struct vh_verify *ret, struct vh_err *err);
int vh_verify_end(const struct vh_verify_run *run, struct vh_err *err);

#endif
