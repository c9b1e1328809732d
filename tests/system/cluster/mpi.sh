# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/cluster.sh: jobs by mpirun-wrap, the checks before them, and what is measured.
check "mpirun-wrap over both nodes" run -n 2 --map-by node hostname
check "a rank on each node" test "$(sort "$T/out" | tr '\n' ' ')" = "two-node-1 two-node-2 "
exits 5 "mpirun-wrap returns mpirun's status" run -n 1 sh -c 'exit 5'
echo "one two three" | timeout 900 mpirun-wrap --cluster "$example" -n 1 cat >"$T/stdin" 2>"$T/err"
check "standard input reaches rank 0" grep -qx "one two three" "$T/stdin"
check "from a node" vhpc cluster ssh two-node 2 -- mpirun-wrap -n 2 --map-by node hostname
check "a rank on each node as well" test "$(sort "$T/out" | tr '\n' ' ')" = "two-node-1 two-node-2 "
check "by mpirun alone" vhpc cluster ssh two-node 1 -- mpirun -n 2 --map-by node --mca btl_ivshm_report 1 ./pingpong --quick && says "MiB, " "over the region too"
check "the nodes' key is their user's alone" vhpc cluster ssh --user root two-node 1 -- '! ls /root/.ssh/id_* && [ "$(stat -c %a%U /home/hpc/.ssh/id_ed25519)" = 600hpc ]'
check "ping-pong inside one VM" run -n 2 --host two-node-1:2 ./pingpong --quick
check "the nodes pass the checks before a job" mpirun-wrap --cluster two-node --check ./pingpong && says "checks passed" "and it is said"
mpirun-wrap --cluster two-node --check --json hostname >"$T/checks" 2>"$T/err"
check "their region is found" grep -q '"found": "[0-9]* [a-z-]* resource2' "$T/checks"
check "every transport is measured" run --bench --rounds 1 --seconds 1 --svg "$T/bench.svg" && says "ivshm" "shared memory too"
check "and drawn" xmllint --noout "$T/bench.svg"
check "validate" timeout 1200 vhpc validate run --quick --json --cluster two-node
says '"accel": "tcg"' "validate states the conditions"
