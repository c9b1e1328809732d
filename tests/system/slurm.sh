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
- {name: work, count: 2, vcpus: 2}
users:
- {name: ada, uid: 2001, keys: [ada.key.pub]}
END
ada() { timeout -k 10 1200 ssh -F "$record/ssh_config" -o "IdentityFile=$T/ada.key" -l ada batch-head-1 "$@"; }

check "apply" vhpc cluster apply --timeout 1200 "$example" || finish
check "sinfo" ada 'sinfo -h -o "%D %T"' && says "2 idle" "both nodes are idle when apply is done"
check "applied again there is nothing to do" vhpc cluster plan --detailed-exitcode "$example"
check "the key is root's alone" test "$(stat -c %a%U "$record/munge.key")" = 600root
check "one key on all nodes" ada 'for n in 1 2; do munge -n | ssh batch-work-$n unmunge; done' && says "Success (0)" "munge trusts it"
for n in 1 2; do
	check "copy a program to node $n" scp -q -F "$record/ssh_config" -o "IdentityFile=$T/ada.key" "$B/bench/mpicheck" "ada@batch-work-$n:"
done

check "srun by PMIx over both nodes" \
	ada 'srun -N 2 -n 2 --mpi=pmix sh -c "OMPI_MCA_btl_ivshm_report=1 exec ./mpicheck --seconds 1"' && says "MiB, " "over the region too"
ada 'cat >job.sh' <<'END'
#!/bin/sh
#SBATCH --nodes 2 --ntasks-per-node 1 --output job.out
mpirun --mca btl_ivshm_report 1 ./mpicheck --seconds 1
END
check "a job with mpirun in it" ada 'sbatch --wait job.sh'
check "leaves its output where it ran" ada 'ssh batch-work-1 cat job.out' && says "MiB, " "and went over the region"
check "a held job" ada 'sbatch --hold --job-name held --wrap true && squeue -h -o "%j %T"' && says "held PENDING" "squeue has it"
check "scancel" ada 'scancel --name held; until [ -z "$(squeue -h)" ]; do sleep 1; done'
check "an array of 100" ada 'sbatch --wait --array 1-100 --output array.%a --wrap hostname'
ada 'for n in 1 2; do ssh batch-work-$n "cat array.*"; done' | sort | uniq -c >"$T/array"
check "all of it ran, on both nodes" test "$(awk '{ sum += $1 } END { print NR, sum }' "$T/array")" = "2 100"
check "a job keeps to its memory" ada '! srun -n 1 --mem=50M sh -c "head -c 200000000 /dev/zero | tail >/dev/null"'
check "more than there is" ada '! sbatch --nodes 3 --wrap true' && says "Node count specification invalid" "sbatch says so"

check "a node stops" vhpc cluster stop batch batch-work-2
check "and starts" vhpc cluster start --timeout 1200 batch batch-work-2
there() { ada 'sinfo -h -N -o "%N %T"' | grep -qx 'batch-work-2 idle'; }
check "Slurm has it again" eventually there
check "jobs run on it" ada 'srun -w batch-work-2 hostname' && says "batch-work-2" "by its name"
. tests/system/research/change.sh
key=$(base64 -w 0 <"$record/munge.key")
exits 1 "no console shows the key" grep -qF "$key" "$record"/*/console.log

check "destroy" vhpc cluster destroy "$example"
nothing_left "destroy leaves nothing"
finish
