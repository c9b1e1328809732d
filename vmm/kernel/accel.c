// SPDX-License-Identifier: Apache-2.0
/* Whether KVM runs guests here: what the processor says, and a trial guest of three instructions. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "lib/child.h"
#include "lib/sysroot.h"
#include "vmm/kernel/kernel.h"

enum { GUEST_MS = 2000, GUEST_PORT = 0x10 };

/* What the trial guest's process exits with. */
enum trial { TRIAL_RAN, TRIAL_NO_VM, TRIAL_NO_RUN, TRIAL_WRONG };

static const char *const trial_why[] = {
	[TRIAL_NO_VM] = "KVM makes no virtual machine",
	[TRIAL_NO_RUN] = "KVM does not run a trial guest",
	[TRIAL_WRONG] = "a trial guest of three instructions went astray in KVM",
};

static int map_memory(int vm, const void *code, size_t len)
{
	struct kvm_userspace_memory_region region = { .guest_phys_addr = 0x1000, .memory_size = 0x1000 };
	void *mem = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		return -1;
	memcpy(mem, code, len);
	region.userspace_addr = (uintptr_t)mem;
	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

static int set_start(int vcpu)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = 0x1000, .rax = 40, .rbx = 2, .rflags = 2 };

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
		return -1;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	return ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0 ? -1 : ioctl(vcpu, KVM_SET_REGS, &regs);
}

/* Runs "add %bl,%al; out %al,$0x10; hlt" in real mode. */
static enum trial run_trial(int kvm)
{
	static const unsigned char code[] = { 0x00, 0xd8, 0xe6, GUEST_PORT, 0xf4 };
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);
	int vcpu = vm < 0 ? -1 : ioctl(vm, KVM_CREATE_VCPU, 0);
	struct kvm_run *run;

	if (size <= 0 || vcpu < 0 || map_memory(vm, code, sizeof(code)) < 0)
		return TRIAL_NO_VM;
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED || set_start(vcpu) < 0)
		return TRIAL_NO_VM;
	if (ioctl(vcpu, KVM_RUN, 0) < 0)
		return TRIAL_NO_RUN;
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != GUEST_PORT ||
	    *((unsigned char *)run + run->io.data_offset) != 42)
		return TRIAL_WRONG;
	if (ioctl(vcpu, KVM_RUN, 0) < 0)
		return TRIAL_NO_RUN;
	return run->exit_reason == KVM_EXIT_HLT ? TRIAL_RAN : TRIAL_WRONG;
}

/* In a process of its own, which can be killed when KVM never comes back. */
static const char *try_guest(int kvm)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return "no process for a trial guest";
	if (pid == 0)
		_exit(run_trial(kvm));
	status = vh_child_wait(pid, GUEST_MS);
	if (status < 0 || !WIFEXITED(status))
		return "a trial guest of three instructions never ended in KVM";
	if (WEXITSTATUS(status) >= (int)vh_array_len(trial_why))
		return trial_why[TRIAL_WRONG];
	return trial_why[WEXITSTATUS(status)];
}

static bool has_flag(const char *line, size_t len, const char *flag)
{
	size_t n = strlen(flag);

	for (const char *p = line; (p = memmem(p, len - (size_t)(p - line), flag, n)); p += n)
		if ((p == line || p[-1] == ' ' || p[-1] == '\t') &&
		    (p + n == line + len || p[n] == ' '))
			return true;
	return false;
}

/* "vmx", "svm", or NULL; and whether AMD's leaf of cores and threads is there. */
static const char *virt_flag(const struct vh_root *root, bool *ret_topoext)
{
	vh_autofree char *text = NULL;
	const char *line, *flag = NULL;

	if (vh_root_read(root, &text, "proc/cpuinfo") < 0)
		return NULL;
	line = strstr(text, "\nflags");
	if (line) {
		size_t len = strcspn(line + 1, "\n");

		flag = has_flag(line + 1, len, "vmx") ? "vmx" : has_flag(line + 1, len, "svm") ? "svm" : NULL;
		*ret_topoext = has_flag(line + 1, len, "topoext");
	}
	return flag;
}

bool vh_accel_topoext(const struct vh_root *root)
{
	bool topoext = false;

	virt_flag(root, &topoext);
	return topoext;
}

static void no_kvm(struct vh_accel *ret, const char *why)
{
	ret->kvm = false;
	snprintf(ret->why, sizeof(ret->why), "%s", why);
}

void vh_accel_detect(const struct vh_root *root, struct vh_accel *ret)
{
	bool there = vh_root_exists(root, "dev/kvm");
	const char *flag, *wrong;
	vh_autoclose int kvm = -1;

	*ret = (struct vh_accel){ 0 };
	flag = virt_flag(root, &ret->topoext);
	if (!flag) {
		no_kvm(ret, there ? "the processor offers neither vmx nor svm, although /dev/kvm is there"
				  : "the processor offers neither vmx nor svm");
		return;
	}
	if (!vh_root_is_live(root)) {
		ret->kvm = there;
		snprintf(ret->why, sizeof(ret->why), "the processor offers %s%s", flag,
			 there ? " and /dev/kvm was there; not tried on a captured host"
			       : ", but there was no /dev/kvm");
		return;
	}
	kvm = vh_root_openf(root, O_RDWR, "dev/kvm");
	if (kvm < 0) {
		snprintf(ret->why, sizeof(ret->why), "the processor offers %s, but /dev/kvm: %s", flag,
			 strerror(-kvm));
		kvm = -1;
		return;
	}
	wrong = try_guest(kvm);
	if (wrong) {
		no_kvm(ret, wrong);
		return;
	}
	ret->kvm = true;
	snprintf(ret->why, sizeof(ret->why), "the processor offers %s and a trial guest ran", flag);
}
