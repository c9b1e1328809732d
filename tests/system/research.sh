#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A cluster that a researcher works on, with real VMs: homes that its nodes share, on a disk of the head's, which the others
# mount by their kernel alone; a Slurm of its own; and a day of a user's, who knows the head alone. Booting is what takes
# long: all of it is one cluster, of which a node is replaced while jobs run, and which is restarted as a whole and but for
# one node.
PREPARE="vhpc image build --quiet images/recipes/mpi-slurm.yaml"
MORE_IMAGES="head"
. "$(dirname "$0")/lib.sh"
example=$T/batch.yaml record=$VHPC_STATE/clusters/batch disks=$VHPC_STATE/volumes/batch
ssh-keygen -q -t ed25519 -N '' -C ada -f "$T/ada.key"
cat >"$example" <<'END'
name: batch
slurm: yes
defaults: {image: mpi-slurm, cpu_policy: shared, memory: 512M}
groups:
- {name: head, role: head, count: 1, image: head, vcpus: 1, memory: 768M}
- {name: work, count: 2, vcpus: 2}
users:
- {name: ada, uid: 2001, keys: [ada.key.pub]}
volumes:
- {name: home, mount: /home, kind: shared, size: 1G, keep: yes}
END
on() { node=$1; shift; vhpc cluster ssh --user root batch "$node" -- "$*"; }
ada() { timeout -k 10 1200 ssh -F "$record/ssh_config" -o "IdentityFile=$T/ada.key" -l ada batch-head-1 "$@"; }

sed 's/, image: head//' "$example" >"$T/none.yaml"
exits 3 "a head without an NFS server" vhpc cluster plan "$T/none.yaml" && says "has no nfs-kernel-server" "says so"
check "apply" vhpc cluster apply --timeout 1200 "$example" || finish
check "sinfo" ada 'sinfo -h -o "%D %T"' && says "2 idle" "both nodes are idle when apply is done"
check "applied again there is nothing to do" vhpc cluster plan --detailed-exitcode "$example"

# --- who serves what to whom
no_unit_failed='systemctl list-units --failed --no-legend | grep . && exit 1; true'
check "the head has the disk" on head-1 'findmnt -no FSTYPE /home' && says "ext4" "by itself"
check "no unit has failed there" on head-1 "systemctl is-active nfs-server vhpc-mounts slurmctld munge; $no_unit_failed"
for n in 1 2; do
	check "node $n has mounted it" on work-$n 'findmnt -no FSTYPE,SOURCE,OPTIONS /home' && says "nfs4" "by NFS" && says "vers=4.2" "of version 4"
	check "no unit has failed on it" on work-$n "systemctl is-active vhpc-mounts slurmd munge; $no_unit_failed"
done
check "one port serves" on head-1 'ss -Hltn' && says ":2049" "NFS's own"
cp "$T/out" "$T/ports"
check "and not rpcbind's" sh -c "! grep -q ':111 ' '$T/ports'"
check "to the cluster's network alone" on head-1 'exportfs -s' && says "root_squash" "without root"
cp "$T/out" "$T/exports"
check "that network" sh -c "grep -q '^/home *10\.[0-9.]*/24(' '$T/exports' && test \"\$(wc -l <'$T/exports')\" = 1"
check "the key is root's alone" test "$(stat -c %a%U "$record/munge.key")" = 600root
check "one key on all nodes" ada 'for n in 1 2; do munge -n | ssh batch-work-$n unmunge || exit; done' && says "Success (0)" "munge trusts it"

# --- the day: from the head
check "module avail" ada 'bash -lc "module avail"' && says "openmpi" "there is MPI"
check "a source of the user's" scp -q -F "$record/ssh_config" -o "IdentityFile=$T/ada.key" tests/bench/mpicheck.c ada@batch-head-1:
check "is compiled" ada 'mpicc -o mpicheck mpicheck.c'
check "mpirun over both nodes" ada 'mpirun -n 2 --map-by node --host batch-work-1,batch-work-2 --mca btl_ivshm_report 1 ./mpicheck --seconds 1' &&
	says "MiB, " "through the memory that they share"
check "srun by PMIx over both nodes" ada 'OMPI_MCA_btl_ivshm_report=1 srun -N 2 -n 2 --mpi=pmix ./mpicheck --seconds 1' &&
	says "MiB, " "over the region too"
ada 'cat >job.sh' <<'END'
#!/bin/bash
#SBATCH --nodes 2 --ntasks-per-node 1 --output job.out
module load openmpi && echo "MPI is in $MPI_HOME"
mpirun --mca btl_ivshm_report 1 ./mpicheck --seconds 1
END
idle='until [ -z "$(squeue -h)" ]; do sleep 1; done'	# sbatch --wait looks again after 2, 8 and 32 s
check "a job with mpirun in it" ada "bash -lc 'sbatch job.sh'; $idle; grep 'ok random sizes' job.out"
check "its output is read on another node" ada 'ssh batch-work-2 cat job.out' && says "MiB, " "and went over the region" && says "MPI is in /" "modules are loaded in jobs"
check "a held job" ada 'sbatch --hold --job-name held --wrap true && squeue -h -o "%j %T"' && says "held PENDING" "squeue has it"
check "scancel" ada "scancel --name held; $idle"
check "an array of 100" ada 'mkdir results && sbatch --array 1-100 --output results/%a --wrap hostname && squeue -h -r -o "%K %T"' && says "100 PENDING" "squeue has it"
check "a node is replaced under the queue" vhpc cluster replace --timeout 1200 batch work-2 && says "replaced batch-work-2" "says so"
check "all of it ends" ada "$idle"
check "its results are read on the new node" ada 'ssh batch-work-2 "cd results && cat $(seq -s " " 100)"'
cp "$T/out" "$T/read"
check "and copied out" vhpc cluster cp --user root batch head-1:/home/ada/results "$T"
check "the same" sh -c "cat '$T'/results/* | sort >'$T/copied'; sort '$T/read' | cmp - '$T/copied'"
# Slurm 22.05 on a slow node writes into a job's output that its cgroup took its time to become empty.
check "all of it ran, on both nodes" test "$(grep -v '^slurmstepd-.*cgroup\.events to become empty' "$T/copied" | uniq -c | awk '{ sum += $1; $1 = ""; all = all $0 } END { print sum all }')" = "100 batch-work-1 batch-work-2"
check "srun over both nodes again" ada 'OMPI_MCA_btl_ivshm_report=1 srun -N 2 -n 2 --mpi=pmix ./mpicheck --seconds 1' && says "MiB, " "over the region"
check "a job keeps to its memory" ada '! srun -n 1 --mem=50M sh -c "head -c 200000000 /dev/zero | tail >/dev/null"'
check "more than there is" ada '! sbatch --nodes 3 --wrap true' && says "Node count specification invalid" "sbatch says so"

# --- homes
check "a user writes into his home" ada 'ssh batch-work-1 "echo secret >secret; chmod 600 secret; id -u; pwd"' && says "/home/ada" "as it is called everywhere"
check "and reads it on the head" ada 'cat secret; stat -c "%U %a" . secret' && says "secret" "what was written"
says "ada 600" "with its owner and mode"
exits 1 "root of another node reads no home" on work-1 'cat /home/ada/secret'
exits 1 "and makes nothing there" on work-1 'touch /home/mine'
check "from node to node without a password" ada 'ssh batch-work-1 ssh batch-work-2 cat secret' && says "secret" "with the same home"
check "the image's user has his home there, too" vhpc cluster ssh batch work-1 'pwd; touch there; stat -c %U there'
# A lock of POSIX: of flock(2) the kernel's NFS server knows nothing.
cat >"$T/lock.pl" <<'END'
use Fcntl;
my $lock = pack("s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0);
open(F, ">>", "f") && fcntl(F, F_SETLKW, $lock) or die "$!";
if ($ARGV[0] eq "a") { open(H, ">", "held"); sleep 2; }
syswrite(F, "$ARGV[0]\n");
END
check "a program of the user's" ada 'cat >lock.pl' <"$T/lock.pl"
check "two write one file at once, with locks" ada 'ssh batch-work-1 perl lock.pl a &
	for i in $(seq 300); do [ ! -e held ] || break; sleep 0.2; done
	perl lock.pl b; wait; cat f'
check "one after the other" test "$(tr '\n' ' ' <"$T/out")" = "a b "

# --- restarts
there() { ada 'sinfo -h -N -o "%N %T"' | grep -qx 'batch-work-2 idle'; }
check "stop of all" vhpc cluster stop --timeout 300 batch
check "start of all" vhpc cluster start --timeout 1200 batch
check "homes are there again" ada 'ssh batch-work-1 cat secret' && says "secret" "as they were"
check "a node stops" vhpc cluster stop --timeout 300 batch work-2
check "and the head" vhpc cluster stop --timeout 300 batch head-1
check "start of both" vhpc cluster start --timeout 1200 batch
check "the other node goes on" ada 'ssh batch-work-1 "cat secret; echo more >>secret"' && says "secret" "with what it had"
check "Slurm has the node again" eventually there
check "jobs run on it" ada 'srun -w batch-work-2 hostname' && says "batch-work-2" "by its name"
if [ "${CLUSTERS:-}" = all ]; then
	. tests/system/research/change.sh
	. tests/system/research/four.sh
fi
key=$(base64 -w 0 <"$record/munge.key")
exits 1 "no console shows the key" grep -qF "$key" "$record"/*/console.log

check "destroy" vhpc cluster destroy "$example" && says "the volumes that it keeps" "keeps the homes"
check "one disk" test "$(find "$disks" -type f | wc -l)" = 1
rm -r "$disks"
nothing_left "nothing else is left"
finish
