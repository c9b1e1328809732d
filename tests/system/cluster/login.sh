# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/cluster.sh: what is told of the cluster, who gets in, and with which key.
check "plan of what is there" vhpc cluster plan --detailed-exitcode "$example" && says "Nothing to do" "it has nothing to do"
check "second apply" vhpc cluster apply "$example" && says "nothing to do" "second apply changes nothing and says so"
check "and nothing else" test "$(cat "$T/out" "$T/err" | wc -l)" = 1
sed 's/^nodes: 2/nodes: 1/' "$example" >"$T/shape.yaml"
sed 's/^nodes:/iothreads: 2\n&/' "$example" >"$T/other.yaml"
exits 3 "apply with another shape" vhpc cluster apply "$T/other.yaml" && says "iothreads is 0, the manifest says 2" "another shape: says which"
sed 's/^memory: 1G/memory: 1200M/' "$example" >"$T/larger.yaml"
exits 2 "plan with more memory" vhpc cluster plan --detailed-exitcode "$T/larger.yaml" && says "a restart" "says what it costs"

check "status" vhpc cluster status --json two-node
check "both nodes run and answer" test "$(grep -c '"ssh": true' "$T/out")" = 2
exits 0 "drift of the manifest is borne" vhpc cluster status "$T/shape.yaml" && says "nodes is 2, the manifest says 1" "and told"
check "vm list" vhpc vm list && says "two-node-1" "vm list shows the node"
check "net list" vhpc net list && says "cluster/two-node" "net list shows the owner"
check "ssh" vhpc cluster ssh two-node 2 hostname && says "two-node-2" "ssh reaches the node that was named"
check "ssh by the manifest's name" vhpc cluster ssh "$example" -- true
exits 7 "ssh returns the command's status" vhpc cluster ssh two-node 1 exit 7
check "ssh as root" vhpc cluster ssh --user root two-node 1 id -u

key=$record/key
check "the key is for its owner alone" sh -c '[ "$(stat -c %a%u '"$key"')" = 6000 ]'
secret=$(sed -n 4p "$key")
ps -eo args >"$T/args"
found=$(grep -lF "$secret" "$T/args"; grep -rlF "$secret" "$VHPC_STATE" | grep -vx "$key")
if [ -z "$found" ]; then pass "the key stands in its file alone"; else fail "the key stands in its file alone" "$found"; fi
