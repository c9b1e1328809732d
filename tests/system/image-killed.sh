#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A build is killed before each single step by which it changes the store, where an image of that name
# stands: the store has the old image or the new one, whole; the next build works and clears away.
. "$(dirname "$0")/lib.sh"
store=$T/store cache=${VHPC_CACHE:-/var/cache/vhpc}
# Nobody can look for leaks under ptrace.
export ASAN_OPTIONS="detect_leaks=0:${ASAN_OPTIONS:-}"
printf 'include: [mpi]\nname: mpi\nsysctl: {vm.stat_interval: 60}\n' >"$T/second.yaml"
digest() { sed -n 's/^ "digest": "\(.*\)",/\1/p' "$store/mpi/image.json"; }
# The one that is not in the store.
recipe() { if [ "$(digest)" = "$first" ]; then echo "$T/second.yaml"; else echo images/recipes/mpi.yaml; fi; }
build() { vhpc image build --quiet --store "$store" "$(recipe)"; }

check "an image" vhpc image build --quiet --store "$store" images/recipes/mpi.yaml || finish
first=$(digest)
check "another takes its place" build
second=$(digest)
check "they are two" test "$first" != "$second"
cached() { find "$cache/images/$first" "$cache/images/$second" -type f -printf '%f %i %s %T@\n' | sort; }
before=$(cached)

# whole: what is listed is one of the two, by the files that the cache has of it.
whole() {
	[ "$(vhpc image list --json --store "$store" | grep -c '"name":')" = 1 ] || return 1
	now=$(digest)
	for file in "$cache/images/$now"/*; do [ "$file" -ef "$store/mpi/${file##*/}" ] || return 1; done
}

# traced CALLS [OPTION...]: a build; its calls in $T/trace.
traced() {
	calls=$1; shift
	exec strace -f -y -qq -o "$T/trace" -e "trace=$calls" "$@" vhpc-image build --quiet --store "$store" "$(recipe)"
}

# Each step that changes something there: the system call, and the how manieth of them it is.
(traced mkdir,link,linkat,rename,renameat2,unlink,unlinkat,rmdir)
awk -v "store=$store/" '{ call = $2; sub(/\(.*/, "", call); n[call]++ } index($0, store) && / = 0$/ { print call, n[call] }' "$T/trace" >"$T/steps"
check "a build links, exchanges and removes" test "$(grep -c renameat2 "$T/steps")" = 1 -a "$(wc -l <"$T/steps")" -ge 12

# killed worker|all CALL NUMBER: the worker dies there, or stops there until its parent is killed.
killed() {
	signal=KILL parent=
	[ "$1" = worker ] || signal=STOP
	(traced "$2" -e "inject=$2:signal=$signal:when=$3") 2>"$T/err" &
	tracer=$!
	if [ "$1" = all ]; then
		eventually grep -q 'stopped by SIGSTOP' "$T/trace"
		parent=$(pgrep -P "$tracer" vhpc-image) && kill -KILL "$parent"
	fi
	status=0
	wait "$tracer" 2>/dev/null || status=$?
	[ $status != 0 ] && whole
}
left() { test "$(ls -A "$store")" != mpi; }

for how in worker all; do
	bad=
	while read -r call n; do
		rm -f "$T/trace"
		killed $how "$call" "$n" || bad="$bad $call:$n"
		# A parent that lives clears away; what one leaves that was killed too (it makes the same calls)
		# lies behind a dot, and goes with the next build.
		[ $status != 1 ] || ! left || bad="$bad $call:$n:left"
		build || bad="$bad $call:$n:next"
		! left || bad="$bad $call:$n:stays"
	done <"$T/steps"
	if [ ! "$bad" ]; then pass "killed before each step ($how)"; else fail "killed before each step ($how)" "$bad"; fi
done
after=$(cached)
check "the cache is as it was" test "$before" = "$after"
finish
