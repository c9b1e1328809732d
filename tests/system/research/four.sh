# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/research.sh: a cluster with Slurm grows to four nodes that run jobs, goes on without one that fails, and
# takes it when it has come; an array of 100 jobs over all four.
sed -e 's/^slurm: yes/&\nready: 4/' -e 's/work, count: 2/work, count: 4/' "$example" >"$T/four.yaml"
down() { ada 'sinfo -h -N -o "%N %T %E"' | grep -qx 'batch-work-4 down\** vhpc: not started'; }
ada "scancel -u ada; $idle"
vhpc cluster apply --timeout 1200 "$T/four.yaml" >"$T/out" 2>"$T/lost" & pid=$!
eventually grep -q . "$record/batch-work-4/console.log"
kill -9 "$(pgrep -f '[g]uest=batch-work-4,')"
check "apply goes on without a node that ends as it boots" wait $pid
check "and says so" grep -q "4 of 5 nodes answer over ssh; missing: batch-work-4" "$T/lost"
check "Slurm has it as down" down
check "and the other that is new" ada 'srun -N 3 -n 3 hostname' && says "batch-work-3" "runs jobs there"
check "a job for four nodes" ada 'sbatch -J four -N 4 -o four.out --wrap "srun hostname" && squeue -h -n four -o %T' && says "PENDING" "waits"
check "status bears it" vhpc cluster status batch && says "is missing: batch-work-4: the VM is " "and names it, with the reason"
exits 2 "plan tries it again" vhpc cluster plan --detailed-exitcode "$T/four.yaml"
check "the same again" vhpc cluster apply --timeout 1200 "$T/four.yaml" && says "batch-work-4" "brings it up"
check "nothing is left to do" vhpc cluster plan --detailed-exitcode "$T/four.yaml"
check "it has no reason any more" ada '! sinfo -h -R | grep .'
check "the job that waited" ada "$idle; cat four.out" && says "batch-work-4" "runs on it"

check "an array of 100 over four nodes" ada "mkdir four && sbatch --array 1-100 --output four/%a --wrap 'hostname; sleep 2'; $idle"
check "the queue is empty" ada '! squeue -h | grep .'
check "its results" ada 'cd four && for i in $(seq 100); do grep -v "^slurmstepd-.*cgroup\.events to become empty" $i | tr "\n" " "; echo; done'
cp "$T/out" "$T/of-four"
check "are a line each, of all four" test "$(sort "$T/of-four" | uniq -c | awk '{ sum += $1; $1 = ""; all = all $0 } END { print sum all }')" = \
	"100 batch-work-1 batch-work-2 batch-work-3 batch-work-4"
