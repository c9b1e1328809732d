# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/cluster.sh: a node is made anew in its place of a newer build of its image, and goes back where it does not
# come up, also where runs are killed on the way. The other one runs on.
built=$VHPC_STATE/images/mpi/image.json
digest() { sed -n 's/.*"digest": "\(............\).*/\1/p' "$built"; }
boot_of() { on "$1" cat /proc/sys/kernel/random/boot_id; }
# What a node is to the others, and what the host has for it.
identity_of() {
	sqlite3 "$VHPC_STATE/store.db" "select json_extract(n.value, '$.name', '$.address', '$.mac', '$.tap', '$.uuid') from record, json_each(doc, '$.nodes') n;
		select kind, key, holder, amount from lease;"
	cat "$record/known_hosts"
}
alike() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "$2 and $3"; fi; }
unlike() { if [ "$2" != "$3" ]; then pass "$1"; else fail "$1" "$2"; fi; }
what_lies_there() { leftovers | grep -v '^process\|/preflight$' | sort; }

# A file of its own: it is a link to the cache's, which other tests use.
cp "$built" "$T/image.json" && rm "$built" && cp "$T/image.json" "$built"
sed 's/^memory: 1G/memory: 1200M/' "$example" >"$T/larger.yaml"
was=$(digest) had=$(identity_of) first=$(boot_of 1) second=$(boot_of 2)
check "write on its own disk and on its volumes" on 2 "touch /root/mine && echo kept >/scratch/kept"
what_lies_there >"$T/of-before"

# Another build, as far as a cluster looks at it.
sed 's/"digest": "............/"digest": "0123456789ab/' "$T/image.json" >"$built"
check "status knows of it" vhpc cluster status two-node && says "0123456789ab, built since" "the newer build" && says "vhpc cluster replace two-node" "and what helps"
check "replace --dry-run" vhpc cluster replace --dry-run two-node 2 && says "$was" "from the build" && says "0123456789ab" "to the newer one"
check "that replaces none" test "$(boot_of 2)" = "$second"
exits 3 "replace of what is no node" vhpc cluster replace two-node 7

# A new node that does not come up goes back: none can answer within a second.
exits 1 "replace that fails" vhpc cluster replace --timeout 1 two-node 2 && says "two-node-2 is as it was" "goes back"
check "with all that was on its disk" on 2 "cat /root/mine /scratch/kept"
alike "the others and the host find it as it was" "$had" "$(identity_of)"
what_lies_there >"$T/after"
check "nothing is left of it" cmp "$T/of-before" "$T/after"
second=$(boot_of 2)

check "replace of a node" vhpc cluster replace --timeout 1200 two-node 2 && says "replaced two-node-2" "says so"
unlike "it is another one" "$second" "$(boot_of 2)"
exits 1 "without what was on its disk" on 2 test -e /root/mine
check "with its volumes" on 2 "grep kept /scratch/kept"
alike "the others and the host find it by what they know" "$had" "$(identity_of)"
alike "the other node runs on" "$first" "$(boot_of 1)"
check "they know each other" vhpc cluster ssh two-node 1 ssh two-node-2 hostname && says "two-node-2" "by name and host key"
check "plan of what is there now" vhpc cluster plan --detailed-exitcode "$example" && says "Nothing to do" "it has nothing to do"
check "one is still of what was" vhpc cluster status two-node && says "nodes run $was" "status says so"
check "copy programs to it" scp -q -F "$record/ssh_config" "$B/bench/pingpong" "$B/bench/mpicheck" "$B/bench/scribble" "two-node-2:"
check "MPI over both" run -n 2 --map-by node ./mpicheck --seconds 1

# killed TEXT SECONDS: a replacement ends by kill -9 so long after it says TEXT; apply settles it.
killed() {
	setsid vhpc cluster replace --json --timeout 1200 two-node 1 >"$T/killed.out" 2>&1 & pid=$!
	eventually sh -c "grep -qF '$1' '$T/killed.out' || ! kill -0 $pid"
	sleep "$2"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	check "apply after kill -9 $2 s after '$1'" vhpc cluster apply --timeout 1200 "$example"
	check "whole" on 1 test -e /root/mine
	alike "as it was to the others" "$had" "$(identity_of)"
	check "nothing half done is left" sh -c '! find "$0" -name "disk.former*" | grep .' "$record"
}
if whole; then
	check "apply with more memory" vhpc cluster apply --timeout 1200 "$T/larger.yaml" && says "changed two-node-2" "says so"
	check "it has that" on 2 "awk '/MemTotal/ { exit !(\$2 > 1050000) }' /proc/meminfo"
	check "and its disk" on 1 "touch /root/stays"
	check "nothing to do then" vhpc cluster plan --detailed-exitcode "$T/larger.yaml"
	exits 1 "a change that fails" vhpc cluster apply --timeout 1 "$example" && says "two-node-2 is as it was" "goes back"
	check "as it was planned" vhpc cluster plan --detailed-exitcode "$T/larger.yaml"
	check "apply with the memory of before" vhpc cluster apply --timeout 1200 "$example"
	check "its disk is as it was" on 1 "rm /root/stays"
	check "write on the other one's" on 1 touch /root/mine
	killed '"state":"begins"' 0.2
	killed '"step":"disk"' 0
	killed '"step":"start"' 0.5
	killed '"step":"ready"' 3
	# All of them, at once; with this the build of before is gone.
	check "replace of all" vhpc cluster replace --at-once 2 --timeout 1200 two-node && says "2 of 2 nodes replaced" "says so"
	exits 1 "nobody is of what was" vhpc cluster ssh --user root two-node 1 test -e /root/mine
	check "copy programs to them" sh -c 'for n in 1 2; do scp -q -F "$0/ssh_config" "$B/bench/pingpong" "$B/bench/mpicheck" "$B/bench/scribble" "two-node-$n:" || exit; done' "$record"
fi
cp "$T/image.json" "$built"
