# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/cluster.sh: messages through memory that the VMs of a host share. Right bytes, several
# jobs at once, a rank that is killed, a way round where the memory is not to be had, and nothing left in it.
if [ "$(stat -c %a "$region")" = 600 ]; then pass "the region is for QEMU's user alone"; else fail "the region is for QEMU's user alone" "$(ls -l "$region")"; fi
check "the record names the region" grep -q '"region"' "$record/cluster.json"

# A job that has no time for more than to show its way.
pings() { run -n 2 --map-by node --mca btl_ivshm_report 1 "$@" ./pingpong --quick --max 8192 --seconds 0.2; }
# under_way FILE: the job that prints into it is at its transfers.
under_way() { eventually grep -q "ok collectives" "$T/$1"; }
all_free() { on 1 /usr/lib/vhpc/ivshm >"$T/region"; sed 's/.*"slots_used": 0, "chunks": \([0-9]*\), "chunks_free": \([0-9]*\).*/\1 \2/' "$T/region" | awk 'NF != 2 || $1 != $2 { exit 1 }'; }
is_free() { if all_free; then pass "$1"; else fail "$1" "$(cat "$T/region")"; fi; }

check "a node tells how it has the region" on 1 /usr/lib/vhpc/ivshm && says '"write_back": ' "and of which memory type"
check "ranks map the region" run -n 2 --map-by node --mca btl_ivshm_report 1 ./pingpong --quick && says "MiB, " "it is said how"
says '"transport": "no TCP socket"' "messages between VMs pass no socket"
check "right bytes between four ranks" run -n 4 ./mpicheck --seconds "${MPICHECK_SECONDS:-3}" && says "ok random sizes" "to the end"
check "right bytes through the region alone" run -n 3 --mca btl self,ivshm --mca btl_ivshm_local 1 ./mpicheck --seconds 1
check "ready for threads" run -n 2 --map-by node -x OMPI_MPI_THREAD_LEVEL=3 ./pingpong --quick && says '"transport": "no TCP socket"' "as well"
check "right bytes between sixteen ranks" run -n 16 --oversubscribe ./mpicheck --largest 65536 --seconds 1
is_free "a job leaves nothing in the region"

# Two jobs at once; a rank of one dies in the middle of its transfers, long before its job would end.
(run -n 2 --map-by node ./mpicheck --seconds 800; date +%s >"$T/ended") >"$T/killed" 2>&1 &
pid=$!
under_way killed
run -n 2 --map-by node ./mpicheck --seconds 8 >"$T/other" 2>&1 &
other=$!
under_way other
eventually vhpc cluster ssh two-node 2 -- pkill -9 -o mpicheck
killed=$(date +%s)
wait $pid
took=$(($(cat "$T/ended") - killed))
if [ $took -le 120 ]; then pass "a killed rank ends the job"; else fail "a killed rank ends the job" "after $took s"; fi
# Open MPI 5.0 breaks this line.
if tr '\n' ' ' <"$T/killed" | grep -q "rank [0-9]* with PID [0-9]* on node two-node-2 exited on signal 9"; then pass "and is named"; else fail "and is named" "$(tail -n 5 "$T/killed" | tr '\n' ' ')"; fi
if wait $other && grep -q "ok random sizes" "$T/other"; then pass "the job beside it has its bytes right"; else fail "the job beside it has its bytes right" "$(tail -n 5 "$T/other" | tr '\n' ' ')"; fi
check "the next job works" run -n 4 --mca btl_ivshm_report 1 ./mpicheck --seconds 1
says "MiB, " "over the same region"
is_free "what the killed one held is free again"

# Memory of the same size that is not shared, and memory of which there is too little.
for n in 1 2; do on $n "truncate -s 16M /dev/shm/own; truncate -s 64K /dev/shm/small; truncate -s 1M /dev/shm/tight; chmod 666 /dev/shm/own /dev/shm/small /dev/shm/tight"; done
check "another region on each side" pings --mca btl_ivshm_path /dev/shm/own && says '"transport": "tcp"' "goes over TCP"
says "/dev/shm/own by file" "although there was one"
check "a region that is too small" pings --mca btl_ivshm_path /dev/shm/small && says '"transport": "tcp"' "goes over TCP"
check "a region that holds some of the channels" run -n 6 --oversubscribe --host two-node-1:6 --mca btl self,ivshm,tcp --mca btl_ivshm_local 1 --mca btl_ivshm_path /dev/shm/tight ./mpicheck --largest 65536 --seconds 1
on 2 "mv /dev/shm/own /dev/shm/other"
check "another region on one side" pings --mca btl_ivshm_path /dev/shm/own && says '"transport": "tcp"' "goes over TCP"

# A neighbour that writes random words everywhere: the job ends, and the next one goes round.
(run -n 4 ./mpicheck --seconds 800; echo "exit $?"; date +%s >"$T/ended") >"$T/spoilt" 2>&1 &
pid=$!
under_way spoilt
began=$(date +%s)
check "a hostile neighbour" vhpc cluster ssh two-node 2 -- ./scribble 2
wait $pid
took=$(($(cat "$T/ended") - began))
if [ $took -le 300 ] && ! grep -q "exit 0" "$T/spoilt"; then pass "ends a job"; else fail "ends a job" "after $took s: $(tail -n 5 "$T/spoilt" | tr '\n' ' ')"; fi
if grep -q "btl ivshm: rank [0-9]* (slot [0-9]* of the shared region)" "$T/spoilt"; then pass "with a message"; else fail "with a message" "$(tail -n 5 "$T/spoilt" | tr '\n' ' ')"; fi
check "and the next one works" run -n 4 ./mpicheck --largest 65536 --seconds 1

# The one side, the other, and neither has the region.
for n in 2 1; do
	on $n "chmod 0600 /sys/bus/pci/devices/*/resource2*"
	check "no region on node $n, where a rank cannot open it" pings && says '"transport": "tcp"' "goes over TCP"
	says "Permission denied" "and says why"
	[ $n = 1 ] || on $n "chmod 0660 /sys/bus/pci/devices/*/resource2*"
done
on 2 "chmod 0600 /sys/bus/pci/devices/*/resource2*"
check "no region at all" run -n 4 ./mpicheck --largest 65536 --seconds 1
for n in 1 2; do on $n "chmod 0660 /sys/bus/pci/devices/*/resource2*"; done
