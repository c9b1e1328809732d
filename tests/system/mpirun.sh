#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What mpirun-wrap does with a cluster's nodes, on 16 of them: jobs of Open MPI and MPICH,
# ranks where the plan puts them, a batch job's nodes, and what the checks before a job find.
# The nodes are network namespaces with an sshd each (tests/nodes).
WITHOUT_IMAGE=1
. "$(dirname "$0")/lib.sh"
. tests/nodes
release=$(mpirun --version | sed -n '1s/.*(Open MPI) //p')
nodes farm 16 openmpi "$release"
record=$VHPC_STATE/clusters/farm/cluster.json
export VHPC_CLUSTER=farm
wrap() { timeout -k 10 900 mpirun-wrap "$@"; }
set_record() { sed -i "$1" "$record"; }
same() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "'$2' instead of '$3'"; fi; }

# --- checks
check "16 nodes pass" wrap --check hostname && says "checks passed" "and it is said"
exits 3 "a program that is not there" wrap --check ./nowhere && says "./nowhere is not there" "is named"
exits 3 "a launch is refused for it" wrap -n 2 ./nowhere && says "mpirun-wrap --no-check" "with the way round"
printf 'text' >"$T/text"; chmod 644 "$T/text"
exits 3 "a program that cannot be run" wrap --check "$T/text" && says "is not executable" "is named too"
printf '#!/nowhere/sh\n' >"$T/script"; chmod 755 "$T/script"
exits 3 "an interpreter that is not there" wrap --check "$T/script" && says "wants an interpreter" "is said"

# --- jobs
where='echo "$(hostname) $(taskset -cp $$ | sed "s/.*: //")"'
check "a job on two nodes" wrap -n 4 sh -c "$where"
same "each rank on a CPU of its own" "$(sort "$T/out" | tr '\n' ' ')" "farm-1 0 farm-1 1 farm-2 0 farm-2 1 "
if [ -s "$VHPC_STATE/clusters/farm/preflight" ]; then pass "what was found right is kept"; else fail "what was found right is kept" "no file"; fi
check "a program of MPI" wrap -n 2 --map-by node "$B/bench/pingpong" --quick --max 1024 && says '"transport": "tcp"' "between nodes over TCP"
exits 0 "what the user sets wins" wrap -n 2 --map-by node --mca btl_tcp_if_include mpi0 hostname && says "btl_tcp_if_include is yours (mpi0)" "and is said"
exits 7 "the job's status comes back" wrap -n 1 sh -c 'exit 7'
check "variables of threads reach the ranks" env OMP_NUM_THREADS=2 mpirun-wrap -n 2 sh -c 'echo "$(hostname) $OMP_NUM_THREADS"'
same "with as many CPUs each" "$(sort "$T/out" | tr '\n' ' ')" "farm-1 2 farm-2 2 "
set_record 's/"slots": 2/"slots": 2, "cells": [{"cpus": "0"}, {"cpus": "1"}]/g'
check "a job by a list of ranks" wrap -n 3 sh -c "$where"
same "each rank where it stands there" "$(sort "$T/out" | tr '\n' ' ')" "farm-1 0 farm-1 1 farm-2 0 "
check "a batch job" env SLURM_JOB_ID=9 "SLURM_JOB_NODELIST=farm-[7,9]" SLURM_NTASKS=3 SLURM_TASKS_PER_NODE=2,1 mpirun-wrap hostname
same "on its nodes alone" "$(sort "$T/out" | uniq -c | tr -s ' \n' ' ')" " 2 farm-7 1 farm-9 "
check "which also tell the cluster" env -u VHPC_CLUSTER SLURM_JOB_ID=9 "SLURM_JOB_NODELIST=farm-[7,9]" mpirun-wrap --plan && says "farm-[7,9]" "by the state directory"

# --- other MPIs
set_record "s/\"version\": \"$release\"/\"version\": \"4.1.99\"/"
exits 3 "another release is refused" wrap -n 1 hostname && says "the nodes of farm have 4.1.99" "by name"
set_record 's/"openmpi", "version": "[^"]*"/"mpich", "version": "'"$(mpiexec.hydra --version | sed -n 's/.*Version: *\([0-9.]*\)$/\1/p')"'"/'
check "a job of MPICH" wrap -n 3 sh -c "$where"
same "its ranks on CPUs of their own" "$(sort "$T/out" | tr '\n' ' ')" "farm-1 0 farm-1 1 farm-2 0 "
mpicc.mpich -D_GNU_SOURCE -O1 -o "$T/pingpong" tests/bench/pingpong.c
check "a program of MPICH" wrap -n 2 -ppn 1 "$T/pingpong" --quick --max 1024 && says '"same_node": false' "between nodes"

# --- a node is lost
kill -KILL "$(cat "$T/farm-5.pid")"
# Its network ends a while after its processes; until then the kernel refuses connections, which is an answer.
while ip link show vt5 >/dev/null 2>&1; do sleep 0.1; done
exits 3 "a node that is down" wrap --check
cp "$T/out" "$T/table"
check "is named" grep -q "^farm-5 *ssh" "$T/table"
check "and missed by the others" grep -q "^farm-4 *reaches *farm-5 no answer" "$T/table"
finish
