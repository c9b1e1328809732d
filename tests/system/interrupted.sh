#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# apply is killed at many points: the next apply completes it, or destroy removes it.
. "$(dirname "$0")/lib.sh"
manifest cut "nodes: 2" "vcpus: 1" "memory: 512M" "cpu_policy: shared"

# interrupted SIGNAL SECONDS [VERB]: ends an apply (or another verb) that long after its start.
interrupted() {
	setsid vhpc cluster "${3:-apply}" "$T/cut.yaml" >"$T/cut.out" 2>&1 & pid=$!
	sleep "$2"
	kill "-$1" $pid 2>/dev/null
	wait $pid 2>/dev/null
}

for seconds in 0.02 0.05 0.1 0.2 0.3 0.5 0.8 1.2 2 4; do
	interrupted KILL $seconds
	check "destroy after kill -9 at $seconds s" vhpc cluster destroy "$T/cut.yaml"
	nothing_left "nothing is left after kill -9 at $seconds s"
done
for seconds in 0.05 0.15 0.3; do
	interrupted KILL 1.2
	interrupted KILL $seconds destroy
	check "destroy after a destroy was killed at $seconds s" vhpc cluster destroy cut
	nothing_left "nothing is left after a destroy was killed at $seconds s"
done
interrupted INT 1.5
says_it=$(grep -c "vhpc cluster destroy cut" "$T/cut.out")
check "Ctrl-C says what to do next" test "$says_it" = 1
check "destroy after Ctrl-C" vhpc cluster destroy cut
nothing_left "nothing is left after Ctrl-C"

# Killed again and again, then left to finish.
for seconds in 0.1 0.4 0.8 1.5 3; do interrupted KILL $seconds; done
check "apply completes what was killed five times" vhpc cluster apply "$T/cut.yaml"
check "all nodes are up" vhpc cluster status cut
check "destroy" vhpc cluster destroy cut
nothing_left "nothing is left at the end"

# An apply that fails takes itself away: no node can answer within a second.
exits 1 "apply that fails" vhpc cluster apply --timeout 1 "$T/cut.yaml" && says "ssh" "apply that fails says what it waited for"
nothing_left "a failed apply leaves nothing"
finish
