# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/cluster.sh, after change.sh, whose words it uses: more places at which a change is killed, and what
# finishes it instead of taking it back.
for text in '"begin"' '"step":"files"' '"object":"two-node-3"'; do undone 0 "$text"; done
killed 3 '"step":"start","object":"two-node-3"' 0.5
check "the same after kill -9" vhpc cluster scale --timeout 1200 two-node 3
stay_as "finished"
check "all are up" vhpc cluster status two-node
for seconds in 0 0.1; do
	killed 2 '"undoing"' "$seconds"
	check "the same after a removal was killed $seconds s after it began" vhpc cluster scale --timeout 1200 two-node 2
	stay_as "removed"
	what_is_here >"$T/after"
	check "all of it" cmp "$T/of-two" "$T/after"
	check "a node more, for the next" vhpc cluster apply --timeout 1200 "$T/three.yaml"
done
killed 2 '"undoing"' 0
check "destroy has all of it; what comes next makes it anew" vhpc cluster destroy two-node
left=$(leftovers | grep -v "/volumes/two-node")
if [ -z "$left" ]; then pass "nothing else is left of a change that was killed"; else fail "nothing else is left of a change that was killed" "$left"; fi

# A node that is new says that it hangs, which it does not do here, and does not answer.
vhpc cluster apply --timeout 1200 "$example" >"$T/out" 2>"$T/hung" & pid=$!
tap_of() { sqlite3 "$VHPC_STATE/store.db" "select json_extract(n.value, '$.tap') from record, json_each(doc, '$.nodes') n where json_extract(n.value, '$.name') = '$1';"; }
eventually grep -q . "$record/two-node-2/console.log"
tap=$(tap_of two-node-2)
ip link set "$tap" down
started_anew() { echo "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:" >>"$record/two-node-2/console.log"; grep -q "two-node-2: its kernel says that it hangs" "$T/hung"; }
check "a node that hangs while it boots is started once more" patiently started_anew
ip link set "$tap" up
check "and comes up" wait $pid
check "once" test "$(grep -c hangs "$T/hung")" = 1
region=$(find /dev/shm -name 'vhpc-*')
