#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What mpirun-wrap does with a cluster's nodes, on 16 of them: jobs of Open MPI and MPICH, from outside and from
# inside, ranks where the plan puts them, a batch job's nodes, what the checks before a job find, and how far a rank
# gets that asks its launcher for more than it is due.
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
node() { n=$1; shift; timeout -k 10 900 ssh -F "${record%/*}/ssh_config" "farm-$n" "$@"; }
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

# --- the head of a job is a node's
check "a job asks who it is" wrap -n 2 --map-by node sh -c 'echo "$(id -un) $(pwd) $(cat /proc/$PPID/comm)"'
case $release in 4.*) heads="mpirun orted" ;; *) heads="prted prterun" ;; esac
same "the nodes' user, where the caller was" "$(sort "$T/out" | tr '\n' ' ')" "$(printf "hpc $PWD %s " $heads)"
# Open MPI 5.0 sends anew what a rank that is slow to read took of a part (docs/mpi.md): there, no more than a pipe holds.
case $release in 4.*) lines=300000 ;; *) lines=10000 ;; esac
seq 1 $lines >"$T/typed"
wrap -n 1 cat <"$T/typed" >"$T/came" 2>"$T/err"
check "what is typed comes through whole" cmp "$T/typed" "$T/came"
printf 'farm-2 slots=1\nfarm-3 slots=1\n' >"$T/hosts"
chmod 600 "$T/hosts"
check "a list of hosts that is the caller's alone" wrap --hostfile "$T/hosts" -n 2 hostname
same "is kept to" "$(sort "$T/out" | tr '\n' ' ')" "farm-2 farm-3 "
check "a variable that is asked for" env ASKED=1 OTHER=2 mpirun-wrap -x ASKED -n 1 sh -c 'echo "$ASKED$OTHER"'
same "comes along, another does not" "$(cat "$T/out")" 1
mpirun-wrap -n 2 --map-by node sh -c 'trap "" TERM; echo $$ >"/tmp/job.$(hostname)"; sleep 300; sleep 300' >"$T/job" 2>&1 &
eventually node 1 test -s /tmp/job.farm-1 && eventually node 2 test -s /tmp/job.farm-2
kill -TERM $!
wait $!
gone() { ! node "$1" "kill -0 \$(cat /tmp/job.farm-$1)"; }
check "a job that is ended leaves nothing on its head" eventually gone 1
check "and nothing on the others" eventually gone 2
for n in 1 2; do node $n rm -f /tmp/job.farm-$n; done
mpirun-wrap -n 2 --map-by node sh -c 'echo $$ >"/tmp/job.$(hostname)"; exec sleep 300' >"$T/job" 2>&1 &
eventually node 1 test -s /tmp/job.farm-1 && eventually node 2 test -s /tmp/job.farm-2
kill -KILL $!
check "a caller that is killed ends its job" eventually gone 1
check "on all nodes" eventually gone 2
for n in 1 2; do node $n rm -f /tmp/job.farm-$n; done

mpirun-wrap -n 2 --map-by node sh -c 'echo $$ >"/tmp/job.$(hostname)"; exec sleep 300' >"$T/job" 2>&1 &
eventually node 1 test -s /tmp/job.farm-1 && eventually node 2 test -s /tmp/job.farm-2
state() { node "$2" "grep -q \"^State:.$1\" /proc/\$(cat /tmp/job.farm-$2)/status"; }
kill -TSTP $!
check "a caller that is stopped" eventually state T 1 && check "stops its ranks" eventually state T 2
kill -CONT $!
check "and has them go on" eventually state S 2
kill -TERM $!
wait $!

mkdir "$T/none" && printf '#!/bin/sh\ntouch %s/called\nexit 99\n' "$T" >"$T/none/mpirun" && chmod +x "$T/none/mpirun"
check "a job where this machine has no MPI" env PATH="$T/none:$PATH" mpirun-wrap -n 1 hostname && check "asks for none" test ! -e "$T/called"

# --- another user of this machine
echo 'other:x:61001:61001::/home/other:/bin/sh' >>/etc/passwd
mkdir -p /home/other/.ssh && ssh-keygen -q -t ed25519 -N '' -f /home/other/.ssh/id_ed25519 && chmod 700 /home/other/.ssh && chown -R 61001:61001 /home/other
other() { setpriv --reuid 61001 --regid 61001 --clear-groups env HOME=/home/other timeout -k 10 900 mpirun-wrap --cluster "$record" "$@"; }
exits 3 "a user whom the nodes do not know" other -n 1 id -un && says "Permission denied" "is told so"
cat /home/other/.ssh/id_ed25519.pub >>/home/hpc/.ssh/authorized_keys
check "a user by his own key" other -n 1 id -un
same "is the nodes' user there" "$(cat "$T/out")" hpc

# --- the same from inside
check "a job from a node" node 3 mpirun-wrap -n 4 hostname
same "fills that node first" "$(sort "$T/out" | uniq -c | tr -s ' \n' ' ')" " 2 farm-1 2 farm-3 "
check "checks from a node" node 3 mpirun-wrap --check hostname && says "checks passed" "find the same"
exits 9 "its status" node 3 "mpirun-wrap -n 1 sh -c 'exit 9'"
check "node to node" node 2 ssh farm-4 hostname
exits 255 "not as root" ssh -F "${record%/*}/ssh_config" -o BatchMode=yes -i /home/hpc/.ssh/id_ed25519 -o IdentitiesOnly=yes -o IdentityFile=none root@farm-2 true
mount --bind "$T/vhpc" /etc/vhpc && cp /etc/openmpi/openmpi-mca-params.conf "$T/params"
check "what mpirun itself is told in a node" /usr/lib/vhpc/mpirun-wrap --defaults
check "mpirun itself in a node" node 3 mpirun -n 4 hostname
same "goes the same way" "$(sort "$T/out" | uniq -c | tr -s ' \n' ' ')" " 2 farm-1 2 farm-3 "
check "a program of MPI by it" node 3 mpirun -n 2 --map-by node "$B/bench/pingpong" --quick --max 1024 && says '"transport": "tcp"' "between nodes"
cp "$T/params" /etc/openmpi/openmpi-mca-params.conf
umount /etc/vhpc

# --- what ranks ask of their launcher: it is answered in the node, as its user
# Whom a job of its own kind leaves waiting is not waited for.
ask() { timeout -k 5 60 mpirun-wrap -n 1 "$@" >"$T/out" 2>"$T/err"; }
asked() { echo "echo \$(id -un) \$(hostname) >>$T/asked/$1"; }
mkdir -m 1777 "$T/asked"
echo "of this machine's administrator" >"$T/secret"
chmod 600 "$T/secret"
ranks=tests/system/ranks pmix=/usr/lib/x86_64-linux-gnu/pmix2
check "a rank that asks" cc -O1 -I$pmix/include -o "$T/pmix" $ranks/pmix.c -L$pmix/lib -l:libpmix.so.2 && cc -O1 -o "$T/pmi" $ranks/pmi.c
ask --map-by node "$T/pmix" "$(asked spawn)"
check "a process of a rank's" grep -qx "hpc farm-[12]" "$T/asked/spawn"
ask --map-by node "$T/pmix" "find /tmp -name secret -exec cat {} + >$T/asked/file 2>&1" pmix.preloadfiles="$T/secret"
if grep -q administrator "$T/asked/file" 2>/dev/null; then fail "a file of this machine" "was sent to the node"; else pass "no file of this machine comes to a rank"; fi
ask --map-by node "$T/pmix" true add-host="-oProxyCommand=$(asked option)"
if [ ! -e "$T/asked/option" ] || grep -qx "hpc farm-1" "$T/asked/option"; then pass "a host that is an option of ssh's reaches no more than the node"; else fail "a host that is an option" "$(cat "$T/asked/option")"; fi

# --- other MPIs
set_record "s/\"version\": \"$release\"/\"version\": \"4.1.99\"/"
exits 3 "nodes of another release than the record's" wrap -n 1 hostname && says "4.1.99" "are named"
set_record 's/"openmpi", "version": "[^"]*"/"mpich", "version": "'"$(mpiexec.hydra --version | sed -n 's/.*Version: *\([0-9.]*\)$/\1/p')"'"/'
check "a job of MPICH" wrap -n 3 sh -c "$where"
same "its ranks on CPUs of their own" "$(sort "$T/out" | tr '\n' ' ')" "farm-1 0 farm-1 1 farm-2 0 "
mpicc.mpich -D_GNU_SOURCE -O1 -o "$T/pingpong" tests/bench/pingpong.c
for where in localhost farm-1; do
	ask "$T/pmi" "$(asked $where)" host=$where
	check "a process that a rank of MPICH wants on $where" grep -qx "hpc farm-1" "$T/asked/$where"
done
node_record && mount --bind "$T/vhpc" /etc/vhpc && /usr/lib/vhpc/mpirun-wrap --defaults
login=$(sed -n 's/^SetEnv//p' /etc/ssh/sshd_config.d/10-vhpc-mpi.conf)
check "MPICH's mpirun itself in a node" node 3 "env $login mpiexec.hydra -n 3 hostname"
same "goes the same way too" "$(sort "$T/out" | uniq -c | tr -s ' \n' ' ')" " 2 farm-1 1 farm-2 "
umount /etc/vhpc
check "a program of MPICH" wrap -n 2 -ppn 1 "$T/pingpong" --quick --max 1024 && says '"same_node": false' "between nodes"

# --- a node is lost
kill -KILL "$(cat "$T/farm-5.pid")"
# Its network ends a while after its processes; until then the kernel refuses connections, which is an answer.
while ip link show vt5 >/dev/null 2>&1; do sleep 0.1; done
exits 3 "a node that is down" wrap --check
cp "$T/out" "$T/table"
check "is named" grep -q "^farm-5 *ssh" "$T/table"
check "and missed by the others" grep -q "^farm-4 *reaches *wrong *farm-5 no answer" "$T/table"
finish
