# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/cluster.sh: a node is stopped, one loses its network, and the key is lost: the next apply mends
# it. Leases go back when a node stops and are taken again when it starts. While all are off a snapshot is taken, which
# costs no boot; to go back to it costs one.
leases() { sqlite3 "$VHPC_STATE/store.db" "select count(*) from lease where holder = 'vm/two-node-2' and kind in ('cpu', 'memory');"; }
held=$(leases)
check "vm stop" vhpc vm stop --timeout 300 two-node-2
if [ "$held" -gt 0 ] && [ "$(leases)" = 0 ]; then pass "stopping gives the leases back"; else fail "stopping gives the leases back" "$held before, $(leases) after"; fi
exits 4 "status of a cluster with a node down" vhpc cluster status two-node && says "shut off" "status shows the node that is down"
says "is off" "and why"
check "list says so" vhpc cluster list && says "1 of 2 run" "of all nodes"
exits 2 "plan says so too" vhpc cluster plan --detailed-exitcode "$example" && says "is off" "and why"
check "apply starts it again" vhpc cluster apply --json --timeout 1200 "$example"
cp "$T/out" "$T/events"
says "start two-node-2" "and says so"
check "events tell of it" test "$(sed -n 's/.*"step":"\([a-z]*\)".*"node":"two-node-2","state":"changed".*/\1/p' "$T/events" | tr '\n' ' ')" = "start ready "
check "and of the end" sh -c "tail -n 1 '$T/events' | grep -q '\"event\":\"end\".*\"state\":\"up\"'"
if [ "$(leases)" = "$held" ]; then pass "starting takes the leases again"; else fail "starting takes the leases again" "$(leases) instead of $held"; fi
vhpc cluster status --watch=3600 --json two-node >"$T/seen" 2>&1 & seeing=$!
check "status --watch tells how it is" eventually grep -q '"findings":' "$T/seen"
check "suspend" vhpc cluster suspend two-node 2
check "libvirt's events have it look again" eventually grep -q 'is paused' "$T/seen"
kill -INT $seeing
if wait $seeing && ! grep -qv '^{"schema":.*}$' "$T/seen"; then pass "it ends well, and its lines are whole"; else fail "it ends well, and its lines are whole" "$(cat "$T/seen")"; fi
exits 4 "status of a paused node" vhpc cluster status two-node && says "is paused" "says so"
if [ "$(leases)" = "$held" ]; then pass "a paused node keeps its leases"; else fail "a paused node keeps its leases" "$(leases) instead of $held"; fi
check "resume" vhpc cluster resume --timeout 1200 two-node 2
exits 3 "a snapshot of nodes that run" vhpc cluster snapshot two-node rest && says "two-node-1 is running" "says so"
for n in 1 2; do check "node $n writes, before" on $n 'echo before >/root/rest; echo before >/scratch/rest; sync'; done
check "stop of all" vhpc cluster stop --force two-node
if [ "$(leases)" = 0 ] && [ ! -e "$record/cluster.json" ]; then pass "gives leases back, and launchers are told"; else fail "gives leases back, and launchers are told" "$(leases) leases"; fi
exits 3 "nothing to resume" vhpc cluster resume two-node
check "a snapshot of nodes that are off" vhpc cluster snapshot two-node rest && says "snapshot rest of 6 disks is taken" "of root disks and volumes"
exits 3 "another of that name" vhpc cluster snapshot two-node rest
check "what it would cost to go back" vhpc cluster revert --dry-run two-node rest && says "what was written since" "is said"
check "start of all" vhpc cluster start --timeout 1200 two-node
if [ "$(leases)" = "$held" ] && [ -e "$record/cluster.json" ]; then pass "takes them again"; else fail "takes them again" "$(leases) leases"; fi
exits 3 "nobody goes back under nodes that run" vhpc cluster revert two-node rest
check "a snapshot is listed while they run" vhpc cluster snapshot two-node --json && says '"usable": true' "as one to go back to"
check "and status names it" vhpc cluster status two-node && says "snapshots: rest" "too"
for n in 1 2; do check "node $n writes, after" on $n 'echo after >/root/rest; echo after >/scratch/rest; sync'; done
if whole; then
	check "stop of all once more" vhpc cluster stop --force two-node
	vhpc cluster revert two-node rest >/dev/null 2>&1 & reverting=$!
	sleep 0.2
	kill -9 $reverting
	wait $reverting
	check "start of all finishes what a killed revert began, or leaves it" vhpc cluster start --timeout 1200 two-node
	on 1 cat /root/rest >"$T/rest" 2>/dev/null
	for n in 1 2; do check "node $n is as node 1" on $n 'cat /root/rest /scratch/rest' && says "$(cat "$T/rest")" "all disks or none"; done
	check "stop of all, for one that nobody kills" vhpc cluster stop --force two-node
	check "revert" vhpc cluster revert two-node rest
	check "start of all as it was" vhpc cluster start --timeout 1200 two-node
	for n in 1 2; do
		check "node $n has what it had" on $n 'cat /root/rest /scratch/rest' && says "before" "from before"
		cp "$T/out" "$T/rest"
		check "and nothing of later" sh -c "! grep -q after '$T/rest'"
	done
	check "stop of all, to remove it" vhpc cluster stop --force two-node
	check "a snapshot is removed" vhpc cluster snapshot --remove two-node rest
	check "and taken again" vhpc cluster snapshot two-node again
	check "and all start" vhpc cluster start --timeout 1200 two-node
fi
ip link delete "$(ip -br link | awk '/^vt/ { sub(/@.*/, "", $1); print $1; exit }')"
exits 4 "status names what is gone" vhpc cluster status two-node && says "is gone" "an interface"
check "plan tells what that costs" vhpc cluster plan "$example" && says "a restart of the node" "a restart"
rm "$record/key"
check "apply mends a node whose tap was lost, and keys" vhpc cluster apply --timeout 1200 "$example" && says "keys or identities are gone" "says so"
check "who has the new key gets in" vhpc cluster ssh two-node 2 true
check "and nodes know each other by theirs" vhpc cluster ssh two-node 1 ssh two-node-2 hostname && says "two-node-2" "as before"
if command -v last_of_volumes >/dev/null; then last_of_volumes; fi
