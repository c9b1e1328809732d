#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# apply is killed at many points: the next apply completes it, or destroy removes it.
. "$(dirname "$0")/lib.sh"
manifest cut "nodes: 2" "vcpus: 1" "memory: 512M" "cpu_policy: shared"

# interrupted SIGNAL TEXT SECONDS [VERB]: ends an apply (or another verb) that long after it says TEXT.
says_so() { [ ! "$1" ] || grep -qF "$1" "$T/cut.out" || ! kill -0 "$pid" 2>/dev/null; }
interrupted() {
	# shellcheck disable=SC2086
	setsid vhpc cluster ${4:-apply} "$T/cut.yaml" >"$T/cut.out" 2>&1 & pid=$!
	eventually says_so "$2"
	sleep "$3"
	kill "-$1" $pid 2>/dev/null
	wait $pid 2>/dev/null
}

while read -r seconds text; do
	interrupted KILL "$text" "$seconds"
	check "destroy after kill -9 $seconds s after '$text'" vhpc cluster destroy "$T/cut.yaml"
	nothing_left "nothing is left after kill -9 $seconds s after '$text'"
done <<END
0
0.05
0 do files
0.1 do files
0 do region
0 do bridge
0 start 2 nodes
0.2 start 2 nodes
0.7 start 2 nodes
3 start 2 nodes
END
for text in "remove 2 nodes" "undo bridge" "undo files"; do
	interrupted KILL "start 2 nodes" 0.7
	interrupted KILL "$text" 0 destroy
	check "destroy after a destroy was killed at '$text'" vhpc cluster destroy cut
	nothing_left "nothing is left after a destroy was killed at '$text'"
done
interrupted INT "start 2 nodes" 0.7
says_it=$(grep -c "vhpc cluster destroy cut" "$T/cut.out")
check "Ctrl-C says what to do next" test "$says_it" = 1
check "destroy after Ctrl-C" vhpc cluster destroy cut
nothing_left "nothing is left after Ctrl-C"

# Killed again and again, then left to finish.
while read -r seconds text; do interrupted KILL "$text" "$seconds" "apply --json"; done <<END
0 "step":"files"
0 "step":"bridge"
0 "step":"start"
0.5 "step":"start"
3 "step":"start"
END
check "apply completes what was killed five times" vhpc cluster apply --timeout 1200 "$T/cut.yaml"
check "all nodes are up" vhpc cluster status cut
check "destroy" vhpc cluster destroy cut
nothing_left "nothing is left at the end"

# An apply that fails takes itself away: no node can answer within a second.
exits 1 "apply that fails" vhpc cluster apply --timeout 1 "$T/cut.yaml" && says "ssh" "apply that fails says what it waited for"
nothing_left "a failed apply leaves nothing"
. tests/system/interrupted/keys.sh
. tests/system/interrupted/lost.sh
finish
