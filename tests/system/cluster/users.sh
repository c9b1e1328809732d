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

# Users come, change and go while nodes run.
by() { whose=$1 user=$2 n=$3; shift 3; ssh -F "$record/ssh_config" -o "IdentityFile=$T/$whose.key" -l "$user" "two-node-$n" "$@"; }
boots() { for n in 1 2; do on $n cat /proc/sys/kernel/random/boot_id; done; }
booted=$(boots)
sed 's/uid: 2002/uid: 2003/' "$example" >"$T/users.yaml"
exits 3 "a user with another number" vhpc cluster apply "$T/users.yaml" && says "user bob has uid 2002, the manifest says 2003" "says whose"
sed 's/^- {name: bob.*/- {name: bob, uid: 2002, groups: [video], keys: [new.key.pub]}\n- {name: carol, uid: 2003, groups: [lab], keys: [carol.key.pub]}/' \
	"$example" >"$T/more.yaml"
exits 2 "plan with another user and another key" vhpc cluster plan --detailed-exitcode "$T/more.yaml"
says "carol comes, bob changes; nodes are told while they run" "names them, and says what it costs"
exits 0 "status bears it" vhpc cluster status "$T/more.yaml" && says "other users: bob is not as the manifest says" "and tells"
check "apply" vhpc cluster apply --json "$T/more.yaml"
says '"users":{"come":["carol"],"change":["bob"],"go":[]}' "tells of them"
for n in 1 2; do
	check "a new user logs in on node $n" by carol carol $n "ssh two-node-$((3 - n)) id" && says "uid=2003(carol)" "and goes on without a password"
	check "a new key lets in on node $n" by new bob $n id -nG
	check "groups are as the manifest has them" test "$(tr ' ' '\n' <"$T/out" | grep -x 'video\|lab')" = video
	exits 255 "the key of before does not on node $n" by bob bob $n true
done
check "plan of what is there" vhpc cluster plan --detailed-exitcode "$T/more.yaml" && says "Nothing to do" "it has nothing to do"

# One who leaves, and a run that is killed on its way.
sed '/name: ada/d' "$T/more.yaml" >"$T/fewer.yaml"
works="grep -qs '^Uid:[[:space:]]*2001' /proc/[0-9]*/status"
as ada 2 'echo mine >kept; sleep 9999' >/dev/null 2>&1 & session=$!
check "a user works" patiently on 2 "$works"
exits 2 "plan without him" vhpc cluster plan --detailed-exitcode "$T/fewer.yaml" && says "ada goes" "says so" &&
	says "what users who go run there ends" "and what is lost"
setsid vhpc cluster apply --json "$T/fewer.yaml" >"$T/killed.out" 2>&1 & pid=$!
eventually sh -c "grep -q '\"step\":\"files\".*\"state\":\"changed\"' '$T/killed.out' || ! kill -0 $pid"
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
check "apply without him, after kill -9" vhpc cluster apply "$T/fewer.yaml"
for n in 1 2; do
	exits 255 "he is refused on node $n" as ada $n true
	exits 2 "nobody knows him there" on $n getent passwd ada
	check "nothing lets him in" on $n '[ ! -e /etc/ssh/authorized_keys.d/ada ] && [ ! -e /etc/vhpc/keys/ada ]'
	check "his files stay his" on $n '[ "$(stat -c %u /home/ada)" = 2001 ]'
done
exits 1 "what he ran has ended" on 2 "$works || exit 1"
wait $session
check "no node restarted" test "$(boots)" = "$booted"
sed 's/uid: 2003/uid: 2001/; s/carol/dan/' "$T/fewer.yaml" >"$T/users.yaml"
exits 3 "another with his number" vhpc cluster apply "$T/users.yaml" && says "which is that of one who left, ada" "says whose it was"
on 2 systemctl reboot >/dev/null 2>&1
rebooted() { id=$(on 2 cat /proc/sys/kernel/random/boot_id) && ! echo "$booted" | grep -q "$id"; }
check "a node boots anew from inside" patiently rebooted
check "it knows who came since" patiently by carol carol 2 true
exits 255 "and not him again" as ada 2 true
check "the manifest of before" vhpc cluster apply "$example" && says "ada comes, bob changes, carol goes" "says who comes back, and goes"
check "he has what he had" as ada 2 'cat kept' && says "mine" "and it is his"
exits 255 "who came goes" by carol carol 1 true
check "his way to the other nodes is new" as ada 1 ssh two-node-2 id -un
