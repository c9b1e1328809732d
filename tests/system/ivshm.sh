#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Messages through memory that the VMs of a host share: right bytes, a way round where it
# is not to be had, a rank that is killed, and nothing left.
case $(mpirun --version) in
*" 4.1."*) ;;
*) echo "skip ivshm: mpirun-wrap uses the transport with Open MPI 4.1 alone"; exit 0 ;;
esac
. "$(dirname "$0")/lib.sh"
manifest pair "nodes: 2" "vcpus: 2" "memory: 1G" "cpu_policy: shared"
check "apply" vhpc cluster apply "$T/pair.yaml" || finish
record=$VHPC_STATE/clusters/pair
region=/dev/shm/vhpc-$(vhpc vm list --json | sed -n 's/.*"uuid": "\([^"]*\)".*/\1/p' | while read -r id; do [ -e "/dev/shm/vhpc-$id" ] && echo "$id"; done)
if [ "$(stat -c %a "$region")" = 600 ]; then pass "the region is for QEMU's user alone"; else fail "the region is for QEMU's user alone" "$(ls -l "$region")"; fi
check "the record names the region" grep -q '"region"' "$record/cluster.json"
for n in 1 2; do check "copy programs to node $n" scp -q -F "$record/ssh_config" "$B/bench/pingpong" "$B/bench/mpicheck" "pair-$n:"; done

run() { timeout -k 10 200 mpirun-wrap --cluster pair "$@"; }
check "ranks map the region" run -n 2 --map-by node --mca btl_ivshm_report 1 ./pingpong --quick && says "MiB, " "it is said how"
says '"transport": "no TCP socket"' "messages between VMs pass no socket"
check "right bytes between four ranks" run -n 4 ./mpicheck --seconds "${MPICHECK_SECONDS:-5}" && says "ok random sizes" "to the end"
check "right bytes through the region alone" run -n 4 --mca btl self,ivshm --mca btl_ivshm_local 1 ./mpicheck --seconds 2

# A rank dies in the middle of its transfers.
(run -n 4 ./mpicheck --seconds 100; date +%s >"$T/ended") >"$T/killed" 2>&1 &
pid=$!
i=0
until grep -q "ok collectives" "$T/killed" || [ $i = 120 ]; do sleep 0.5; i=$((i + 1)); done
sleep 1
vhpc cluster ssh pair 2 -- pkill -9 -o mpicheck
killed=$(date +%s)
wait $pid
took=$(($(cat "$T/ended") - killed))
if [ $took -le 10 ]; then pass "a killed rank ends the job"; else fail "a killed rank ends the job" "after $took s"; fi
if grep -q "rank [0-9]* with PID [0-9]* on node pair-2 exited on signal 9" "$T/killed"; then pass "and is named"; else fail "and is named" "$(tail -n 5 "$T/killed" | tr '\n' ' ')"; fi
check "the next job works" run -n 4 --mca btl_ivshm_report 1 ./mpicheck --seconds 1

# One side has no region: TCP carries the messages.
vhpc cluster ssh --user root pair 2 -- 'chmod 0600 /sys/bus/pci/devices/*/resource2*'
check "one side without the region" run -n 2 --map-by node ./pingpong --quick --max 8192 && says '"transport": "tcp"' "goes over TCP"
check "right bytes over TCP" run -n 4 ./mpicheck --seconds 1

check "destroy" vhpc cluster destroy pair
if [ -e "$region" ]; then fail "the region is gone" "$region"; else pass "the region is gone"; fi
nothing_left "destroy leaves nothing"
finish
