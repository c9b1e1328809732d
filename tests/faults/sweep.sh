# SPDX-License-Identifier: Apache-2.0
# Sourced by the tests that fail each allocation and each system call of a verb that writes, one in each run.
# Whatever fails, the verb ends by itself and says why, and what it changes is as it was, or as it was to
# be, or the same verb run again makes it so. A sample of each sweep is taken, with FAULTS=all the whole.
# The test has T, pass and fail; ALLOC, the library that fails allocations; and of each verb VERB_before,
# which brings about what was before, and VERB, which is run under $fault. snapshot prints what verbs change.
SAMPLE=${SAMPLE:-4}

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

# Of the tests that need it: does strace follow what the verb starts, and what clears what it could not.
follow() { echo -f; }
next_clears() { :; }

# ran FAULT...: the verb under it; its status, its words in $T/said.
ran() {
	fault="timeout -k 5 100 $*" status=0
	"$verb" >/dev/null 2>"$T/said" || status=$?
}

# judged: what is wrong after a run under a fault; nothing where all is well.
judged() {
	snapshot >"$T/now"
	case $status in
	0)
		! cmp -s "$T/now" "$T/after" || return 0
		next_clears
		snapshot >"$T/now"
		if ! cmp -s "$T/now" "$T/after"; then
			echo "done, it says, and is not: $(diff "$T/after" "$T/now" | grep '^[<>]' | head -n 3 | tr '\n' ' ')"
		fi
		return ;;
	12[468] | 1[3-9]? | 2*) echo "ended with status $status: $(tail -n 1 "$T/said" | cut -c1-200)"; return ;;
	esac
	[ -s "$T/said" ] || case $1 in *write*) ;; *) echo "says nothing"; return ;; esac
	! cmp -s "$T/now" "$T/after" || return 0
	cp "$T/said" "$T/why"
	ran
	snapshot >"$T/now"
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
alloc() { echo "env LD_PRELOAD=$ALLOC FAULT_PROGRAM=vhpc FAULT_COUNT=$count FAULT_AT=$1"; }
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

# sweep VERB...
sweep() {
	for verb in "$@"; do
		"${verb}_before" >"$T/before.out" 2>&1 && fault='' "$verb" >/dev/null 2>"$T/said" || { fail "$verb" "without a failure: $(cat "$T/before.out" "$T/said")"; continue; }
		snapshot >"$T/after"
		allocations
		system_calls
	done
	echo "$# verbs; failed one by one: $failed_allocations allocations, $failed_calls system calls"
}
