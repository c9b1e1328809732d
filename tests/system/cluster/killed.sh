# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/cluster.sh, after change.sh, whose words it uses: more places at which a change is killed, and what
# finishes it instead of taking it back.
for text in '"begin"' '"step":"files"' '"object":"two-node-3"'; do undone 0 "$text"; done
# On the way to go on without a node, which boots meanwhile.
without() {
	setsid vhpc cluster apply --json --timeout 1 "$T/two-of-three.yaml" >"$T/killed.out" 2>&1 & pid=$!
	eventually sh -c "grep -qF '$1' '$T/killed.out' || ! kill -0 $pid"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
}
for text in 'going on without' '"undoing"'; do
	without "$text"
	check "the manifest of before, after kill -9 after '$text'" vhpc cluster apply --timeout 1200 "$example"
	stay_as "the others stay"
	what_is_here >"$T/after"
	check "nothing of it is left" cmp "$T/of-two" "$T/after"
done
without 'going on without'
check "the same after kill -9" vhpc cluster apply --timeout 1200 "$T/two-of-three.yaml" && says "3 nodes answer over ssh" "finishes it"
stay_as "the others stay"
check "the manifest of before" vhpc cluster apply --timeout 1200 "$example"
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

# A new cluster, of which one node ends as it boots.
sed 's/^nodes: 2/&\nready: 1/' "$example" >"$T/one-of-two.yaml"
vhpc cluster apply --timeout 1200 "$T/one-of-two.yaml" >"$T/out" 2>"$T/lost" & pid=$!
eventually grep -q . "$record/two-node-2/console.log"
kill -9 "$(pgrep -f '[g]uest=two-node-2,')"
check "a new cluster goes on without a node that ends" wait $pid
check "and says so" grep -q "1 of 2 nodes answer over ssh; missing: two-node-2" "$T/lost"
check "launchers know the other alone" sh -c "! grep -q two-node-2 '$record/cluster.json'"
exits 2 "as it does itself" on 1 getent hosts two-node-2
check "its status" vhpc cluster status two-node && says "is missing: two-node-2: the VM is " "names what is missing, and why"
check "list counts it" vhpc cluster list && says "1 of 2 run" "as one that does not run"
check "destroy" vhpc cluster destroy two-node

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
