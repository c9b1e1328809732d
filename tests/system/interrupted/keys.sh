# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/interrupted.sh: keys, disks and the directory of a cluster are lost. Nobody waits for what
# cannot answer, and nothing is made empty in silence.
exits 4 "apply --keep leaves what does not answer in time" vhpc cluster apply --keep --timeout 1 "$T/cut.yaml"
dir=$VHPC_STATE/clusters/cut
qemu=$(pgrep -f guest=cut-1,)
rm "$dir/key"
exits 3 "ssh without the key" vhpc cluster ssh cut && says "its key $dir/key is gone" "says so"
exits 4 "status without the key" vhpc cluster status cut && says "has lost keys or identities" "says why"
exits 4 "apply makes keys and identities anew" vhpc cluster apply --timeout 1 "$T/cut.yaml" && says "keys or identities are gone" "says so"
check "the key is there" test -s "$dir/key"
check "identities are of that key" grep -qF "$(cut -d' ' -f2 "$dir/key.pub")" "$dir/cut-2/identity"
check "the node was restarted" sh -c "! kill -0 $qemu && pgrep -f '[g]uest=cut-1,'"
rm "$dir/cut-2/disk.qcow2"
exits 3 "apply with a disk that is gone under a VM" vhpc cluster apply --timeout 1 "$T/cut.yaml" && says "vhpc vm destroy cut-2" "says what helps"
check "no empty one is made" test ! -e "$dir/cut-2/disk.qcow2"
check "destroy the VM" vhpc vm destroy cut-2
exits 4 "apply makes it a new disk" vhpc cluster apply --timeout 1 "$T/cut.yaml" && says "cut-2: its disk is gone: it gets a new one" "says so"
mv "$dir" "$dir.away"
exits 3 "apply without the directory" vhpc cluster apply --timeout 1 "$T/cut.yaml" && says "vhpc cluster destroy cut and apply it anew" "says what helps"
mv "$dir.away" "$dir"
