# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/cluster.sh: a node whose QEMU is killed is started again, once for each time and as often as it
# may; one that somebody stopped stays so, and libvirt may come and go.
sed 's/^image: .*/&\nrestart: on-failure\nrestart_limit: 2/' "$example" >"$T/watched.yaml"
exits 2 "plan of another policy" vhpc cluster plan --detailed-exitcode "$T/watched.yaml" && says "was told otherwise" "tells it"
check "apply of it" vhpc cluster apply --timeout 1200 "$T/watched.yaml"
check "changes the policy and no more" test "$(grep -c . "$T/out" "$T/err" | awk -F: '{ n += $2 } END { print n }')" -le 2
check "and there is nothing to do" vhpc cluster plan --detailed-exitcode "$T/watched.yaml"
kill_qemu() { kill -9 "$(pgrep -f "guest=two-node-$1,")"; }
# told EVENT NODE TIMES
told() { [ "$(grep -c "\"event\":\"$1\".*\"node\":\"two-node-$2\"" "$T/watched")" = "$3" ]; }

vhpc cluster watch --json --timeout 1200 two-node >"$T/watched" 2>"$T/watched.err" &
watcher=$!
kill_qemu 2
check "a node whose QEMU was killed is started again" patiently told started 2 1
check "once" told starts 2 1
check "it answers" vhpc cluster ssh two-node 2 true
kill -9 "$(pgrep -x libvirtd)"
check "libvirt comes back" eventually vhpc vm list
kill_qemu 2
check "also after libvirt was away" patiently told started 2 2
kill_qemu 2
check "it is said that it may not be started again" eventually told limit 2 1
exits 4 "and it is off" vhpc cluster status two-node && says "is off" "as status says"
check "whoever starts it may" vhpc cluster start --timeout 1200 two-node 2
check "stop" vhpc cluster stop --force two-node 1
check "start of what was stopped" vhpc cluster start --timeout 1200 two-node 1
check "a node is switched off" vhpc vm destroy two-node-1
check "which is seen" eventually told left 1 1
check "what somebody stopped is not started" told starts 1 0
kill $watcher
check "the watch ends when it is told to" wait $watcher
check "a look" vhpc cluster watch --once two-node
check "starts nothing that is to be off" test -z "$(cat "$T/out")"
check "start of all" vhpc cluster start --timeout 1200 two-node
