#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The whole chain with real VMs: plan, apply, log in, run MPI, validate, take away.
. "$(dirname "$0")/lib.sh"
example=docs/examples/two-node.yaml

check "plan" vhpc cluster plan "$example"
says "two-node-2" "plan names the nodes"
nothing_left "planning changes nothing"

check "apply" vhpc cluster apply "$example" || finish
check "second apply" vhpc cluster apply "$example" && says "nothing to do" "second apply changes nothing and says so"
sed 's/^nodes: 2/nodes: 1/' "$example" >"$T/shape.yaml"
exits 3 "apply with another shape" vhpc cluster apply "$T/shape.yaml" && says "nodes is 2, the manifest says 1" "another shape: says which"

check "status" vhpc cluster status --json two-node
check "both nodes run and answer" test "$(grep -c '"ssh": true' "$T/out")" = 2
check "vm list" vhpc vm list && says "two-node-1" "vm list shows the node"
check "net list" vhpc net list && says "cluster/two-node" "net list shows the owner"
check "ssh" vhpc cluster ssh two-node 2 hostname && says "two-node-2" "ssh reaches the node that was named"
check "ssh by the manifest's name" vhpc cluster ssh "$example" -- true
exits 7 "ssh returns the command's status" vhpc cluster ssh two-node 1 exit 7
check "ssh as root" vhpc cluster ssh --user root two-node 1 id -u

key=$VHPC_STATE/clusters/two-node/key
check "the key is for its owner alone" sh -c '[ "$(stat -c %a%u '"$key"')" = 6000 ]'
secret=$(sed -n 4p "$key")
ps -eo args >"$T/args"
found=$(grep -lF "$secret" "$T/args"; grep -rlF "$secret" "$VHPC_STATE" | grep -vx "$key")
if [ -z "$found" ]; then pass "the key stands in its file alone"; else fail "the key stands in its file alone" "$found"; fi

# --- MPI
check "mpirun-wrap over both nodes" timeout 120 mpirun-wrap --cluster two-node -n 2 --map-by node hostname
check "a rank on each node" test "$(sort "$T/out" | tr '\n' ' ')" = "two-node-1 two-node-2 "
exits 5 "mpirun-wrap returns mpirun's status" timeout 120 mpirun-wrap --cluster two-node -n 1 sh -c 'exit 5'
echo "one two three" | timeout 120 mpirun-wrap --cluster "$example" -n 1 cat >"$T/stdin" 2>"$T/err"
check "standard input reaches rank 0" grep -qx "one two three" "$T/stdin"
ssh_config=$VHPC_STATE/clusters/two-node/ssh_config
for n in 1 2; do check "copy the ping-pong to node $n" scp -q -F "$ssh_config" "$B/bench/pingpong" "two-node-$n:"; done
check "ping-pong inside one VM" timeout 300 mpirun-wrap --cluster two-node -n 2 --host two-node-1:2 ./pingpong --quick
check "ping-pong between the VMs" timeout 300 mpirun-wrap --cluster two-node -n 2 --map-by node ./pingpong --quick
check "the nodes pass the checks before a job" mpirun-wrap --cluster two-node --check ./pingpong && says "checks passed" "and it is said"
mpirun-wrap --cluster two-node --check --json hostname >"$T/checks" 2>"$T/err"
check "their region is found" grep -q '"found": "[0-9]* [a-z-]* resource2' "$T/checks"
check "every transport is measured" timeout 400 mpirun-wrap --cluster two-node --bench --rounds 1 --seconds 1 --svg "$T/bench.svg" && says "ivshm" "shared memory too"
check "and drawn" xmllint --noout "$T/bench.svg"
check "validate" timeout 600 vhpc validate run --quick --json --cluster two-node
says '"accel": "tcg"' "validate states the conditions"

# --- stop, start; leases go back on release and come again on prepare
leases() { sqlite3 "$VHPC_STATE/store.db" "select count(*) from lease where holder = 'vm/two-node-2' and kind in ('cpu', 'memory');"; }
held=$(leases)
check "vm stop" vhpc vm stop two-node-2
if [ "$held" -gt 0 ] && [ "$(leases)" = 0 ]; then pass "stopping gives the leases back"; else fail "stopping gives the leases back" "$held before, $(leases) after"; fi
exits 4 "status of a cluster with a node down" vhpc cluster status two-node && says "shut off" "status shows the node that is down"
check "apply starts it again" vhpc cluster apply "$example"
if [ "$(leases)" = "$held" ]; then pass "starting takes the leases again"; else fail "starting takes the leases again" "$(leases) instead of $held"; fi
ip link delete "$(ip -br link | awk '/^vt/ { sub(/@.*/, "", $1); print $1; exit }')"
check "apply mends a node whose tap was lost" vhpc cluster apply "$example"

check "destroy" vhpc cluster destroy "$example"
nothing_left "destroy leaves nothing"
check "second destroy" vhpc cluster destroy two-node
finish
