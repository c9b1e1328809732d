#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every failure once: each allocation and each system call of a verb that writes is failed, one in each run.
# Whatever fails, the verb ends by itself and says why, and what it changes is as it was, or as it was to
# be, or the same verb run again makes it so. A run of this test takes a sample of each sweep, FAULTS=all takes
# them whole; VERBS names the ones to sweep.
. "$(dirname "$0")/lib.sh"
SAMPLE=${SAMPLE:-4}
S=$T/state W=$T/work	# the state directory of what needs no VM, and what else a verb may use
mkdir -p "$S" "$W"

# The calls, and what each fails with. One that is not here is not failed: close() closes even where it fails.
calls() {
	cat <<-END
	ENOMEM mmap mremap
	EMFILE openat socket pipe2 eventfd2 epoll_create1 dup
	ENOSPC write pwrite64 writev mkdir mkdirat symlink symlinkat link linkat ftruncate fallocate copy_file_range
	EIO read pread64 fsync fdatasync getdents64 unlink unlinkat rmdir rename renameat renameat2 flock ioctl
	ENOLCK fcntl
	EACCES newfstatat statx access faccessat2 readlink readlinkat chmod fchmod fchmodat fchown fchownat chdir
	EAGAIN clone clone3 vfork
	ENOENT execve
	ECONNREFUSED connect
	ENOBUFS sendto sendmsg
	ECONNRESET recvfrom recvmsg
	END
}

# --- the verbs: VERB_before brings about what was before, VERB is run under $fault.

fresh() { rm -rf "$S" "$W" && mkdir -p "$S" "$W"; }
lease_xml() { printf "<domain><name>a</name><metadata><l:lease xmlns:l='https://vhpc.dev/xmlns/domain/1' holder='vm/a' cpus='0'><l:memory node='0' bytes='4096'/></l:lease></metadata></domain>"; }
lease_xml >"$T/a.xml"

hook_prepare_before() { fresh && vhpc sriov identity --state "$S" c c-1; }
hook_prepare() { $fault vhpc-hook qemu --state "$S" a prepare begin - <"$T/a.xml"; }

hook_release_before() { hook_prepare_before && fault='' hook_prepare; }
hook_release() { $fault vhpc-hook qemu --state "$S" a release end - <"$T/a.xml"; }

identity_before() { hook_prepare_before; }
identity() { $fault vhpc-sriov identity --state "$S" c c-2; }

capture_before() { fresh; }
capture() { $fault vhpc-probe --state "$S" --capture "$W/host"; }

image_build_before() { fresh; }
image_build() { $fault vhpc-image build --quiet --state "$S" images/recipes/mpi.yaml; }

image_rm_before() { fresh && fault='' image_build; }
image_rm() { $fault vhpc-image rm --state "$S" mpi; }

image_publish_before() { image_rm_before; }
image_publish() { $fault vhpc-image publish --quiet --state "$S" mpi "$W/out"; }

image_import_before() { fresh && mkdir "$W/out" && cp -al "$T/published/mpi/." "$W/out/"; }
image_import() { $fault vhpc-image import --quiet --state "$S" "$W/out"; }

image_export_before() { image_rm_before; }
image_export() { $fault vhpc-image export --quiet --state "$S" --format raw mpi "$W/disk"; }

# Those of VMs share the private daemon, which the VM "near" keeps.
gone() { vhpc vm destroy --quiet far; vhpc vm undefine --quiet far || [ ! -e "$VHPC_STATE/vms/far" ]; }
vm_define_before() { gone; }
vm_define() { $fault vhpc-vm define --quiet --name far --vcpus 1 --memory 64M --kernel "$T/kernel"; }

vm_undefine_before() { gone; fault='' vm_define; }
vm_undefine() { $fault vhpc-vm undefine --quiet far; }

vm_start_before() { vm_undefine_before; }
vm_start() { $fault vhpc-vm start --quiet far; }

vm_destroy_before() { vm_undefine_before && fault='' vm_start; }
vm_destroy() { $fault vhpc-vm destroy --quiet far; }

# A cluster of one node, which answers: minutes for each hundred failures.
cluster_apply_before() { vhpc cluster destroy --quiet one || [ ! -e "$VHPC_STATE/clusters/one" ]; }
cluster_apply() { $fault vhpc-cluster apply --quiet --timeout 1200 "$T/one.yaml"; }

cluster_destroy_before() { fault='' cluster_apply; }
cluster_destroy() { $fault vhpc-cluster destroy --quiet one; }

# --- what is looked at

state_of() {
	find "$1" \( -path "$VHPC_STATE/libvirt" -o -path "$VHPC_STATE/images" -o -path "$VHPC_STATE/lock" -o -path "$T" -o -name '*.db*' -o -name '*.log' \) -prune \
		-o -type f -printf '%m %s %P\n' -o -printf '%m %y %P %l\n'
	sqlite3 "$1/store.db" "select * from lease; select class, name from record; select what, object from journal" 2>&1
}
state() {
	case $verb in
	vm_* | cluster_*) state_of "$VHPC_STATE"; vhpc vm list; ip -br link | cut -d' ' -f1; ls /dev/shm ;;
	*) state_of "$S"; find "$W" -type f -printf '%m %s %P\n' -o -printf '%m %y %P\n' ;;
	esac | sort
}

# Readers of foreign data are other people's programs, and some hang where a call of theirs fails.
follow() {
	case $verb in image_import | image_publish | image_export) ;; *) echo -f ;; esac
}

# ran FAULT...: the verb under it; its status, its words in $T/said.
ran() {
	fault="timeout -k 5 100 $*" status=0
	"$verb" >/dev/null 2>"$T/said" || status=$?
}

# A directory that could not be cleared away is what the next that makes one clears.
next_clears() {
	case $verb in
	image_rm) fault='' image_build && fault='' image_rm ;;
	image_import | image_publish) "${verb}_before" && fault='' "$verb" ;;
	image_build) fault='' image_build ;;
	esac >/dev/null 2>&1
}

# judged: what is wrong after a run under a fault; nothing where all is well.
judged() {
	state >"$T/now"
	case $status in
	0)
		if ! cmp -s "$T/now" "$T/after" && next_clears && state >"$T/now" && ! cmp -s "$T/now" "$T/after"; then
			echo "done, it says, and is not: $(diff "$T/after" "$T/now" | grep '^[<>]' | head -n 3 | tr '\n' ' ')"
		fi
		return ;;
	12[468] | 1[3-9]? | 2*) echo "ended with status $status: $(tail -n 1 "$T/said" | cut -c1-200)"; return ;;
	esac
	[ -s "$T/said" ] || case $1 in *write*) ;; *) echo "says nothing"; return ;; esac
	! cmp -s "$T/now" "$T/after" || return 0
	cp "$T/said" "$T/why"
	ran
	state >"$T/now"
	if [ $status != 0 ]; then
		echo "after '$(tail -n 1 "$T/why" | cut -c1-200)' again: $(tail -n 1 "$T/said" | cut -c1-200)"
	elif ! cmp -s "$T/now" "$T/after"; then
		echo "after '$(tail -n 1 "$T/why" | cut -c1-200)' again: $(diff "$T/after" "$T/now" | grep '^[<>]' | head -n 3 | tr '\n' ' ')"
	fi
}

# chosen MOST: the numbers of those to fail, of so many.
chosen() {
	if [ "${FAULTS:-}" = all ] || [ "$1" -le "$SAMPLE" ]; then seq "$1"; else
		awk -v most="$1" -v n="$SAMPLE" 'BEGIN { for (i = 0; i < n; i++) print 1 + int(i * (most - 1) / (n - 1)) }'
	fi
}

failed_allocations=0 failed_calls=0
count=$T/count
# Not through timeout's own allocations: by the name of the program.
alloc() { echo "env LD_PRELOAD=$B/faults/alloc.so FAULT_PROGRAM=vhpc FAULT_COUNT=$count FAULT_AT=$1"; }
zero() { printf '\0\0\0\0\0\0\0\0' >"$count"; }

one() {	# WHAT FAULT...
	what=$1; shift
	"${verb}_before" >"$T/before.out" 2>&1 || { bad="$bad; $what: before: $(tail -n 1 "$T/before.out")"; return; }
	ran "$@"
	why=$(judged "$what")
	[ ! "$why" ] || { bad="$bad; $what: $why"; echo "    $verb: $what: $why"; }
}

allocations() {
	zero
	"${verb}_before" >/dev/null 2>&1
	ran "$(alloc 0)"
	most=$(od -An -tu8 "$count" | tr -d ' ')
	bad=
	for n in $(chosen "$most"); do
		zero
		one "allocation $n" "$(alloc "$n")"
		failed_allocations=$((failed_allocations + 1))
	done
	if [ "$bad" ]; then fail "$verb: allocations that fail" "$(echo "$bad" | cut -c3-900)"; else pass "$verb: allocations that fail, of $most"; fi
}

system_calls() {
	"${verb}_before" >/dev/null 2>&1
	ran "strace $(follow) -qq -o $T/trace"
	bad=
	# The most that one process makes of each: strace counts them apart.
	awk '{ at = $1 ~ /^[0-9]+$/ ? 2 : 1; call = $at; sub(/\(.*/, "", call); n[(at == 2 ? $1 : 0) " " call]++ } END { for (k in n) { split(k, p, " "); if (n[k] > most[p[2]]) most[p[2]] = n[k] } for (c in most) print c, most[c] }' \
		"$T/trace" | sort >"$T/most"
	calls | while read -r error list; do for call in $list; do
		most=$(sed -n "s/^$call //p" "$T/most")
		[ "$most" ] || continue
		for n in $(chosen "$most"); do echo "$call $error $n"; done
	done; done | grep -v '^mmap ENOMEM 1$' >"$T/plan"	# the loader's own, which it does not bear
	[ "${FAULTS:-}" = all ] || { shuf -n $((SAMPLE * 3)) --random-source=/bin/sh "$T/plan" >"$T/some"; mv "$T/some" "$T/plan"; }
	while read -r call error n <&3; do
		one "$call $n ($error)" "strace $(follow) -qq -o $T/trace -e inject=$call:error=$error:when=$n"
		failed_calls=$((failed_calls + 1))
	done 3<"$T/plan"
	if [ "$bad" ]; then fail "$verb: system calls that fail" "$(echo "$bad" | cut -c3-900)"; else pass "$verb: system calls that fail, $(wc -l <"$T/plan")"; fi
}

# A multiboot kernel that halts.
printf '\002\260\255\033\000\000\001\000\376\117\121\344\000\000\020\000\000\000\020\000\000\000\000\000\000\000\000\000\040\000\020\000\364\353\375' >"$T/kernel"
vhpc image publish --quiet mpi "$T/published"
vhpc vm define --quiet --name near --vcpus 1 --memory 64M --kernel "$T/kernel"
manifest one "nodes: 1" "vcpus: 1" "memory: 512M" "cpu_policy: shared"
quick="hook_prepare hook_release identity capture image_build image_rm vm_define vm_undefine vm_start vm_destroy"
slow="image_import image_publish image_export cluster_apply cluster_destroy"
verbs=${VERBS:-$quick}
[ "${FAULTS:-}" != all ] || verbs=${VERBS:-$quick $slow}
for verb in $verbs; do
	"${verb}_before" >"$T/before.out" 2>&1 && fault='' "$verb" >/dev/null 2>"$T/said" || { fail "$verb" "without a failure: $(cat "$T/before.out" "$T/said")"; continue; }
	state >"$T/after"
	allocations
	system_calls
done
echo "$(echo "$verbs" | wc -w) verbs; failed one by one: $failed_allocations allocations, $failed_calls system calls"
gone 2>/dev/null
vhpc vm undefine --quiet near
nothing_left "nothing is left"
finish
