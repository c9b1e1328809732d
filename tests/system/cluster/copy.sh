# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/cluster.sh: files go to nodes and come back, whole or not at all.
mkdir -p "$T/job/sub dir" "$T/back"
head -c 20000000 /dev/urandom >"$T/job/sub dir/large"
echo "it's" >"$T/job/-n \$(id)"
ln -s "sub dir/large" "$T/job/link"
check "cp to all nodes" vhpc cluster cp two-node "$T/job" all: && says "checksums are right" "says so"
for n in 1 2; do
	check "node $n has it" sh -c "vhpc cluster ssh two-node $n -- sha256sum 'job/sub*/large' | grep -q '^$(sha256sum <"$T/job/sub dir/large" | cut -d' ' -f1)'"
done
check "cp back" vhpc cluster cp two-node 2:job "$T/back"
check "the same came back" diff -r --no-dereference "$T/job" "$T/back/job"
exits 1 "a directory is not replaced" vhpc cluster cp two-node "$T/job" 1: && says "is there already" "and it is said"
check "cp of all nodes' files" vhpc cluster cp two-node all:/etc/hostname "$T/back"
check "each in a directory of its own" test "$(cat "$T"/back/two-node-?/hostname | tr '\n' ' ')" = "two-node-1 two-node-2 "
check "cp as root, under a new name" vhpc cluster cp --user root two-node "$T/job/link" 1:/root/named
check "is root's" on 1 'test -L /root/named && test "$(stat -c %U /root/named)" = root'
exits 1 "cp of what is not there" vhpc cluster cp two-node 1:none "$T/back" && says "no such file" "says so"
exits 3 "cp to a node that is none" vhpc cluster cp two-node "$T/job" 3: && says "has no node 3" "says so"
on 2 'mkdir -m 777 /mnt/small && mount -t tmpfs -o size=4M,mode=777 tmpfs /mnt/small'
exits 1 "cp to where it has no room" vhpc cluster cp two-node "$T/job" 2:/mnt/small && says "sub dir/large: " "says of which file"
check "leaves nothing there" on 2 'test -z "$(ls -A /mnt/small)" && umount /mnt/small && rmdir /mnt/small'
