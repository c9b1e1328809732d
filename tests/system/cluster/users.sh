# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/cluster.sh: the cluster's own users, as themselves and from its first node.
as() { user=$1 n=$2; shift 2; ssh -F "$record/ssh_config" -o "IdentityFile=$T/$user.key" -l "$user" "two-node-$n" "$@"; }
for user in ada bob; do
	check "$user logs in" as $user 1 'id; ssh two-node-2 id; grep -c two-node- /etc/hosts'
	check "$user is the same on both nodes, and goes there without a password" \
		test "$(grep -c "^uid=200.($user) .*(lab)" "$T/out") $(sort -u "$T/out" | wc -l)" = "2 2"
done
exits 1 "a user's key is his alone" as bob 1 'cat /etc/vhpc/keys/ada'
for n in 1 2; do
	check "a user copies a program to node $n" scp -q -F "$record/ssh_config" -o "IdentityFile=$T/ada.key" "$B/bench/pingpong" "ada@two-node-$n:"
done
check "a user's mpirun" as ada 1 'mpirun -n 2 --map-by node --mca btl_ivshm_report 1 ./pingpong --quick' && says "MiB, " "over the region too"
check "a user's mpirun-wrap" as ada 1 'mpirun-wrap -n 2 --map-by node sh -c "hostname; id -un"'
check "a rank on each node, as the user" test "$(sort "$T/out" | tr '\n' ' ')" = "ada ada two-node-1 two-node-2 "
sed 's/uid: 2002/uid: 2003/' "$example" >"$T/users.yaml"
exits 3 "apply with other users" vhpc cluster apply "$T/users.yaml" && says "bob is not as the manifest says" "other users: says who"
