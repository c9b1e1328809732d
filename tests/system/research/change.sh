# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/research.sh: nodes come to a cluster with Slurm and leave it, while jobs on the others run on, also
# where a run fails or is killed; one that dies is started again.
sed 's/work, count: 2/work, count: 3/' "$example" >"$T/three.yaml"
sed '/role: head/d' "$example" >"$T/headless.yaml"
running() { ada "squeue -h -o '%j %T'" | grep -qx "$1 RUNNING"; }
takes_jobs() { ada 'sinfo -h -N -o "%N %T"' | grep -qx "$1 \(idle\|mixed\|allocated\)"; }
boots() { for n in 1 2; do ada "ssh batch-work-$n cat /proc/sys/kernel/random/boot_id"; done; ada cat /proc/sys/kernel/random/boot_id; }
booted=$(boots)
check "a job for long" ada 'sbatch -J stays -w batch-work-1 -n 1 --wrap "sleep 100000"'
check "runs" eventually running stays
check "apply with a node more" vhpc cluster apply --timeout 1200 "$T/three.yaml"
check "Slurm has three" ada 'sinfo -h -o %D' && says "3" "nodes"
check "the job runs on" running stays
check "one over all" ada 'srun -N 3 -n 3 hostname' && says "batch-work-3" "runs on the new one"
check "MPI from the new one" ada 'srun -N 2 -n 2 -w batch-work-[2-3] --mpi=pmix true'
check "nothing is left to do" vhpc cluster plan --detailed-exitcode "$T/three.yaml"
exits 3 "the controller cannot leave" vhpc cluster apply "$T/headless.yaml"
says "batch-head-1, and would be" "says why"

check "a job on the node that is to leave" ada 'sbatch --parsable -J leaves -w batch-work-3 --wrap "sleep 100000"'
check "runs there" eventually running leaves
exits 2 "plan with a node less" vhpc cluster plan --detailed-exitcode "$example" && says "jobs run there" "says what it waits for"
exits 1 "a job that does not end in time" vhpc cluster apply --timeout 1 "$example"
says "of ada" "is named" && says "taking the change back" "and the node stays"
check "it takes jobs again" takes_jobs batch-work-3
check "its job runs on" running leaves
# killed MANIFEST TEXT: an apply ends by kill -9 when it has said so.
killed() {
	setsid vhpc cluster apply --json --timeout 1200 "$1" >"$T/killed.out" 2>&1 & pid=$!
	eventually sh -c "grep -qF '$2' '$T/killed.out' || ! kill -0 $pid"
	sleep 2
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
}
killed "$example" '"step":"vacate"'
check "a run is killed while it waits for the job" grep -qF '"step":"vacate"' "$T/killed.out"
check "the manifest of before" vhpc cluster apply --timeout 1200 "$T/three.yaml"
check "has the node take jobs again" takes_jobs batch-work-3
check "and its job runs on still" running leaves
ada 'scancel -n leaves; until ! squeue -h -o %j | grep -qx leaves; do sleep 1; done'
last=$(ada 'sbatch --parsable -J leaves -w batch-work-3 --wrap "sleep 20"')
check "apply with a node less" vhpc cluster apply --timeout 1200 "$example" && says "removed batch-work-3" "removes it"
check "its last job" ada "scontrol show job $last" && says "JobState=COMPLETED" "came to its end"
check "Slurm has two" ada 'sinfo -h -o %D' && says "2" "nodes again"
check "the other job runs on" running stays
check "a new one runs" ada 'srun -N 2 -n 2 hostname'
check "no node restarted" test "$(boots)" = "$booted"
check "and nothing is left to do" vhpc cluster plan --detailed-exitcode "$example"

# A node ends, and is started again: its job is not waited for.
sed 's/vcpus: 2}/vcpus: 2, restart: on-failure}/' "$example" >"$T/watched.yaml"
check "apply of another policy" vhpc cluster apply --timeout 1200 "$T/watched.yaml"
lost=$(ada 'sbatch --parsable -J lost -w batch-work-2 --wrap "sleep 100000"')
check "a job on a node" eventually running lost
kill -9 "$(pgrep -f "guest=batch-work-2,")"
check "whose QEMU ends: watch" vhpc cluster watch --once --timeout 1200 batch && says "started again" "starts it again"
check "its job" ada "scontrol show job $lost" && says "Restarts=1" "is queued again"
check "Slurm has the node again" eventually there
check "the job on another runs on" running stays
