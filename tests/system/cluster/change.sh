# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/cluster.sh: the cluster gets a node and loses it again, also where runs are killed on the way. The
# nodes that stay run on, with all that they have, and know who is there.
sed 's/^nodes: 2/nodes: 3/' "$example" >"$T/three.yaml"
boots() { for n in 1 2; do on $n cat /proc/sys/kernel/random/boot_id; done; }
# What the nodes that stay have of the host.
held() {
	sqlite3 "$VHPC_STATE/store.db" "select json_extract(n.value, '$.name', '$.address', '$.mac', '$.tap', '$.uuid') from record, json_each(doc, '$.nodes') n
		where json_extract(n.value, '$.name') in ('two-node-1', 'two-node-2');
		select kind, key, holder, amount from lease where holder in ('vm/two-node-1', 'vm/two-node-2') or kind in ('subnet', 'uid');"
}
stay_as() { if [ "$(boots)" = "$booted" ] && [ "$(held)" = "$had" ]; then pass "$1"; else fail "$1" "$(boots; held)"; fi; }
count() { if [ "$(eval "$2" | wc -l)" = "$3" ]; then pass "$1"; else fail "$1" "$(eval "$2")"; fi; }
# But for what a volume keeps of a node that left, and what a launcher has found right.
what_is_here() { leftovers | grep -v '^process\|/preflight$\|/volumes/two-node/two-node-3\(/results.qcow2\)*$' | sort; }
booted=$(boots) had=$(held)
what_is_here >"$T/of-two"

exits 2 "plan with another node" vhpc cluster plan --detailed-exitcode --out "$T/saved" "$T/three.yaml"
says "two-node-3" "names it" && says "knows other nodes" "and who is told of it"
stay_as "planning changes nothing"
check "apply of that plan" vhpc cluster apply --timeout 1200 --plan "$T/saved"
stay_as "no other node restarts, and each keeps what it has"
check "plan of what is there now" vhpc cluster plan --detailed-exitcode "$T/three.yaml" && says "Nothing to do" "it has nothing to do"
check "a node that was there knows the new one" vhpc cluster ssh two-node 1 ssh two-node-3 hostname && says "two-node-3" "by name and host key"
check "and it knows them" vhpc cluster ssh two-node 3 ssh two-node-2 hostname && says "two-node-2" "too"
count "launchers are told" "grep -o '\"name\": \"two-node-[123]\"' $record/cluster.json" 3
count "on the nodes as well" "on 2 cat /etc/vhpc/cluster.json | tr , '\n' | grep -o '\"name\":\"two-node-[123]\"'" 3
check "copy a program to it" scp -q -F "$record/ssh_config" "$B/bench/mpicheck" "two-node-3:"
check "MPI over three nodes" run -n 3 --map-by node ./mpicheck --seconds 1
check "and by mpirun alone, on a node that was there" vhpc cluster ssh two-node 1 -- mpirun -n 3 --map-by node hostname && says "two-node-3" "it is on all three"
check "its users log in" ssh -F "$record/ssh_config" -o "IdentityFile=$T/ada.key" -l ada two-node-3 ssh two-node-1 id -un && says "ada" "and go on from there"

exits 2 "plan with a node less" vhpc cluster plan --detailed-exitcode "$example" && says "remove" "says what goes" && says "what was written on it" "and what is lost"
check "status shows the drift" vhpc cluster status "$example" && says "nodes is 3, the manifest says 2" "says so"
exits 3 "a scale of a group that is not there" vhpc cluster scale two-node work=2 && says "no groups, so no 'work'" "says what there is"
check "scale to a node less" vhpc cluster scale --timeout 1200 "$T/three.yaml" 2 && says "3 nodes become 2: two-node-3 is removed" "says what goes" &&
	says "removed two-node-3" "and that it went" && says "three.yaml says 'nodes: 3'; let it say 'nodes: 2'" "and how the manifest is to read"
check "plan by the manifest of before" vhpc cluster plan --detailed-exitcode "$example" && says "Nothing to do" "finds it so"
stay_as "the others stay as they were"
what_is_here >"$T/after"
check "nothing of it is left" cmp "$T/of-two" "$T/after"
exits 2 "it is known no more" on 1 getent hosts two-node-3

# A change that fails is taken back: no node can answer within a second.
exits 1 "a change that fails" vhpc cluster scale --timeout 1 two-node 3 && says "taking the change back" "says so"
stay_as "a change that failed leaves the others as they were"
what_is_here >"$T/after"
check "and nothing else" cmp "$T/of-two" "$T/after"

# With fewer nodes that have to come up it goes on: those that were there answer in that second.
sed 's/^nodes: 2/nodes: 3\nready: 2/' "$example" >"$T/two-of-three.yaml"
check "a change that can do without the new node" vhpc cluster apply --timeout 1 "$T/two-of-three.yaml" && says "going on without two-node-3" "says why" &&
	says "2 of 3 nodes answer over ssh; missing: two-node-3" "and what is there"
stay_as "the others stay as they are"
what_is_here >"$T/after"
check "nothing is left of the node" cmp "$T/of-two" "$T/after"
exits 2 "nobody knows it" on 1 getent hosts two-node-3
check "status bears it" vhpc cluster status two-node && says "is missing: two-node-3: does not answer over ssh after 1 s" "and names it, with the reason"
exits 2 "plan tries it again" vhpc cluster plan --detailed-exitcode "$T/two-of-three.yaml" && says "two-node-3/disk.qcow2" "says so"
check "the manifest of before" vhpc cluster apply "$example"
check "status of the two" sh -c '! vhpc cluster status two-node | grep two-node-3'

# killed N TEXT SECONDS: a scale to N nodes ends by kill -9 so long after it says TEXT.
killed() {
	setsid vhpc cluster scale --json --timeout 1200 two-node "$1" >"$T/killed.out" 2>&1 & pid=$!
	eventually sh -c "grep -qF '$2' '$T/killed.out' || ! kill -0 $pid"
	sleep "$3"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
}
undone() {
	killed 3 "$2" "$1"
	check "the manifest of before, after kill -9 $1 s after '$2'" vhpc cluster apply --timeout 1200 "$example"
	stay_as "undone"
	what_is_here >"$T/after"
	check "whole" cmp "$T/of-two" "$T/after"
}
undone 0.5 '"step":"start","object":"two-node-3"'
