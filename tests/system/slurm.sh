#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Slurm of a cluster, with real VMs: from its head a user runs MPI over both compute nodes and through the memory that
# they share, submits a job and an array, and has them told; a node comes back to it after a restart; another comes, and
# leaves again once its job has ended, while a job on the others runs on; one that dies is started again.
PREPARE="vhpc image build --quiet images/recipes/mpi-slurm.yaml"
. "$(dirname "$0")/lib.sh"
example=$T/batch.yaml record=$VHPC_STATE/clusters/batch
ssh-keygen -q -t ed25519 -N '' -C ada -f "$T/ada.key"
cat >"$example" <<'END'
name: batch
slurm: yes
defaults: {image: mpi-slurm, cpu_policy: shared, memory: 512M}
groups:
- {name: head, role: head, count: 1, vcpus: 1}
- {name: work, count: 2, vcpus: 2, restart: on-failure}
users:
- {name: ada, uid: 2001, keys: [ada.key.pub]}
END
as() { timeout -k 10 1200 ssh -F "$record/ssh_config" -o "IdentityFile=$T/ada.key" -l ada batch-head-1 "$@"; }

check "apply" vhpc cluster apply --timeout 1200 "$example" || finish
check "sinfo" as 'sinfo -h -o "%D %T"' && says "2 idle" "both nodes are idle when apply is done"
check "applied again there is nothing to do" vhpc cluster plan --detailed-exitcode "$example"
check "the key is root's alone" test "$(stat -c %a%U "$record/munge.key")" = 600root
check "one key on all nodes" as 'for n in 1 2; do munge -n | ssh batch-work-$n unmunge; done' && says "Success (0)" "munge trusts it"
for n in 1 2; do
	check "copy a program to node $n" scp -q -F "$record/ssh_config" -o "IdentityFile=$T/ada.key" "$B/bench/mpicheck" "ada@batch-work-$n:"
done

check "srun by PMIx over both nodes" \
	as 'srun -N 2 -n 2 --mpi=pmix sh -c "OMPI_MCA_btl_ivshm_report=1 exec ./mpicheck --seconds 1"' && says "MiB, " "over the region too"
as 'cat >job.sh' <<'END'
#!/bin/sh
#SBATCH --nodes 2 --ntasks-per-node 1 --output job.out
mpirun --mca btl_ivshm_report 1 ./mpicheck --seconds 1
END
check "a job with mpirun in it" as 'sbatch --wait job.sh'
check "leaves its output where it ran" as 'ssh batch-work-1 cat job.out' && says "MiB, " "and went over the region"
check "a held job" as 'sbatch --hold --job-name held --wrap true && squeue -h -o "%j %T"' && says "held PENDING" "squeue has it"
check "scancel" as 'scancel --name held; until [ -z "$(squeue -h)" ]; do sleep 1; done'
check "an array of 100" as 'sbatch --wait --array 1-100 --output array.%a --wrap hostname'
as 'for n in 1 2; do ssh batch-work-$n "cat array.*"; done' | sort | uniq -c >"$T/array"
check "all of it ran, on both nodes" test "$(awk '{ sum += $1 } END { print NR, sum }' "$T/array")" = "2 100"
check "a job keeps to its memory" as '! srun -n 1 --mem=50M sh -c "head -c 200000000 /dev/zero | tail >/dev/null"'
check "more than there is" as '! sbatch --nodes 3 --wrap true' && says "Node count specification invalid" "sbatch says so"

check "a node stops" vhpc cluster stop batch batch-work-2
check "and starts" vhpc cluster start --timeout 1200 batch batch-work-2
there() { as 'sinfo -h -N -o "%N %T"' | grep -qx 'batch-work-2 idle'; }
check "Slurm has it again" eventually there
check "jobs run on it" as 'srun -w batch-work-2 hostname' && says "batch-work-2" "by its name"

# Nodes come and leave.
sed 's/work, count: 2/work, count: 3/' "$example" >"$T/three.yaml"
sed '/role: head/d' "$example" >"$T/headless.yaml"
running() { as "squeue -h -o '%j %T'" | grep -qx "$1 RUNNING"; }
takes_jobs() { as 'sinfo -h -N -o "%N %T"' | grep -qx "$1 \(idle\|mixed\|allocated\)"; }
boots() { for n in 1 2; do as "ssh batch-work-$n cat /proc/sys/kernel/random/boot_id"; done; as cat /proc/sys/kernel/random/boot_id; }
booted=$(boots)
check "a job for long" as 'sbatch -J stays -w batch-work-1 -n 1 --wrap "sleep 100000"'
check "runs" eventually running stays
check "apply with a node more" vhpc cluster apply --timeout 1200 "$T/three.yaml"
check "Slurm has three" as 'sinfo -h -o %D' && says "3" "nodes"
check "the job runs on" running stays
check "one over all" as 'srun -N 3 -n 3 hostname' && says "batch-work-3" "runs on the new one"
check "MPI from the new one" as 'srun -N 2 -n 2 -w batch-work-[2-3] --mpi=pmix true'
check "nothing is left to do" vhpc cluster plan --detailed-exitcode "$T/three.yaml"
exits 3 "the controller cannot leave" vhpc cluster apply "$T/headless.yaml"
says "is controlled by batch-head-1, and would be by batch-work-1" "says why"

check "a job on the node that is to leave" as 'sbatch --parsable -J leaves -w batch-work-3 --wrap "sleep 100000"'
check "runs there" eventually running leaves
exits 2 "plan with a node less" vhpc cluster plan --detailed-exitcode "$example" && says "jobs run there" "says what it waits for"
exits 1 "a job that does not end in time" vhpc cluster apply --timeout 1 "$example"
says "of ada" "is named" && says "taking the change back" "and the node stays"
check "it takes jobs again" takes_jobs batch-work-3
check "its job runs on" running leaves
as 'scancel -n leaves; until ! squeue -h -o %j | grep -qx leaves; do sleep 1; done'
last=$(as 'sbatch --parsable -J leaves -w batch-work-3 --wrap "sleep 20"')
check "apply with a node less" vhpc cluster apply --timeout 1200 "$example" && says "removed batch-work-3" "removes it"
check "its last job" as "scontrol show job $last" && says "JobState=COMPLETED" "came to its end"
check "Slurm has two" as 'sinfo -h -o %D' && says "2" "nodes again"
check "the other job runs on" running stays
check "a new one runs" as 'srun -N 2 -n 2 hostname'
check "no node restarted" test "$(boots)" = "$booted"
check "and nothing is left to do" vhpc cluster plan --detailed-exitcode "$example"

# A node ends, and is started again: its job is not waited for.
lost=$(as 'sbatch --parsable -J lost -w batch-work-2 --wrap "sleep 100000"')
check "a job on a node" eventually running lost
kill -9 "$(pgrep -f "guest=batch-work-2,")"
check "whose QEMU ends: watch" vhpc cluster watch --once --timeout 1200 batch && says "started again" "starts it again"
check "its job" as "scontrol show job $lost" && says "Restarts=1" "is queued again"
check "Slurm has the node again" eventually there
check "the job on another runs on" running stays

key=$(base64 -w 0 <"$record/munge.key")
exits 1 "no console shows the key" grep -qF "$key" "$record"/*/console.log

check "destroy" vhpc cluster destroy "$example"
nothing_left "destroy leaves nothing"
finish
