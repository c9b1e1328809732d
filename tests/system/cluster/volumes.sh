# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/cluster.sh: disks of its volumes, in the nodes and beside them. restart.sh has the nodes restarted,
# and last_of_volumes is called then; destroy_volumes at the end of the cluster.
for n in 1 2; do
	check "node $n has mounted its scratch disk" on $n 'findmnt -no FSTYPE,OPTIONS /scratch; lsblk -no SERIAL /dev/vdb'
	cp "$T/out" "$T/mounted"
	check "with ext4, and known by its serial number" sh -c "grep -q '^ext4 .*nosuid' '$T/mounted' && grep -qx scratch '$T/mounted'"
	check "it is of its size" sh -c 'test "$1" -gt 900000 && test "$1" -lt 1048576' - "$(on $n df --output=size /scratch | tail -n 1)"
	check "a user writes there" as ada 1 'echo of-ada >/scratch/ada; echo kept >/srv/results/kept'
	check "who mounts them has not failed" on $n systemctl is-active vhpc-mounts.service
done
exits 1 "and another cannot take it away" as bob 1 'rm -f /scratch/ada'
check "a disk that is made takes little room" sh -c 'test "$(du -k "$1" | cut -f1)" -lt 204800' - "$disks/two-node-2/scratch.qcow2"
check "and is for its QEMU alone" sh -c 'test "$(stat -c %a "$1")" = 600' - "$disks/two-node-2/scratch.qcow2"
for n in 1 2; do
	check "node $n has mounted the set of data" on $n 'findmnt -no FSTYPE,OPTIONS /data/genomes; cat /data/genomes/hg/chr1; blockdev --getro /dev/disk/by-id/virtio-genomes'
	cp "$T/out" "$T/mounted"
	check "it is only read" sh -c "grep -q '^squashfs .*ro,nosuid,nodev' '$T/mounted' && grep -qx ACGT '$T/mounted' && grep -qx 1 '$T/mounted'"
done
check "an image is mounted as what it is" on 2 'findmnt -no FSTYPE,OPTIONS /data/refs; cat /data/refs/hg/chr1; ! touch /data/refs/x' && says "ACGT" "with what is in it"
cp "$T/out" "$T/mounted"
check "and only read" grep -q '^ext4 .*ro,nosuid,nodev' "$T/mounted"
check "a user reads it" as ada 1 'cat /data/genomes/hg/chr1' && says "ACGT" "as it was"
check "nobody writes to it" on 1 '! touch /data/genomes/x && ! mount -o remount,rw /data/genomes && ! dd if=/dev/zero of=/dev/disk/by-id/virtio-genomes bs=4k count=1 conv=fsync'
user=$(ps -eo uid=,args= | awk '/[q]emu.*guest=two-node-1/ { print $1; exit }')
as_qemu() { setpriv --reuid "$1" --regid kvm --clear-groups sh -c "$2"; }
check "its QEMU may read it and nobody else" as_qemu "$user" "head -c 4 $disks/genomes.data" && says "hsqs" "as it is"
exits 2 "another cluster's QEMU does not read it" as_qemu 65500 ": <$disks/genomes.data"
exits 2 "nor does its own write it" as_qemu "$user" ": >>$disks/genomes.data"
exits 1 "nor take it" as_qemu "$user" "chmod 600 $disks/genomes.data"
echo TTTT >>"$T/genomes/hg/chr1"
check "plan says that the set has changed" vhpc cluster plan --detailed-exitcode "$example" && says "it has changed since it was packed: nodes keep" "and what happens"
check "and status, of a cluster that is up" vhpc cluster status "$example" && says "$T/genomes has changed since it was packed" "names it"
sed 's/mount: \/scratch/mount: \/tmp2/' "$example" >"$T/volumes.yaml"
exits 3 "apply with other volumes" vhpc cluster apply "$T/volumes.yaml" && says "exists with other volumes: scratch" "says which"

last_of_volumes() {
	check "what was written is there after a restart" on 1 'cat /scratch/ada' && says "of-ada" "as it was"
	mv "$disks/two-node-1/scratch.qcow2" "$T/away"
	exits 3 "apply without a disk that a node runs on" vhpc cluster apply "$example" && says "while the VM still runs on it" "says so"
	mv "$T/away" "$disks/two-node-1/scratch.qcow2"
}

# After destroy: what is kept, who may not have it, and who has it again.
destroy_volumes() {
	says "of it are left the volumes that it keeps, in $disks" "it says what is kept"
	if [ ! -e "$disks/two-node-1/scratch.qcow2" ] && [ -e "$disks/two-node-1/results.qcow2" ]; then
		pass "what is kept is there, and nothing else"
	else
		fail "what is kept is there, and nothing else" "$(find "$disks" | tr '\n' ' ')"
	fi
	check "and no snapshot of the cluster is left in it" sh -c "! qemu-img snapshot -l '$disks/two-node-1/results.qcow2' | grep vhpc"
	check "the set of data is gone with its cluster" test ! -e "$disks/genomes.data"
	sed 's/size: 64M/size: 65M/' "$example" >"$T/volumes.yaml"
	exits 3 "another size of what was kept" vhpc cluster apply "$T/volumes.yaml" && says "is of 64 MiB, the manifest says 65 MiB" "says both"
	sed 's/, keep: yes//' "$example" >"$T/volumes.yaml"
	exits 3 "what was kept, not to be kept" vhpc cluster plan "$T/volumes.yaml" && says "an earlier cluster has kept its disk" "says so"
	if whole; then
		check "a cluster of the name takes it again" vhpc cluster apply --timeout 1200 "$example"
		check "with what was written" on 1 'cat /srv/results/kept; ls /scratch' && says "kept" "as it was"
		cp "$T/out" "$T/mounted"
		check "and on a new scratch disk nothing" sh -c "! grep -q ada '$T/mounted'"
		check "destroy it as well" vhpc cluster destroy "$example"
	fi
	rm -r "$disks"
}
