# SPDX-License-Identifier: Apache-2.0
# Sourced by the system tests. A test prints "ok NAME", "not ok NAME: why" or
# "skip NAME: why" lines. It runs in namespaces of its own (tests/netns-run), on a state
# directory of its own, with an image built before it enters them: only that needs a network.
# SUITE, set before: the release of Debian that the image is made of, if not the host's. MORE_IMAGES: further shipped recipes.

cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
case $B in /*) ;; *) B=$PWD/$B ;; esac
PATH=$B/bin:$PATH
export B PATH LC_ALL=C

if [ -z "${VHPC_STATE_OF_TEST:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "skip $(basename "$0"): needs root, for a network namespace"; exit 0; }
	why=$(unshare --net --mount true 2>&1) || { echo "skip $(basename "$0"): needs namespaces of its own: $why"; exit 0; }
	VHPC_STATE=$(mktemp -d /var/tmp/vhpc-test.XXXXXX)
	chmod 711 "$VHPC_STATE"
	export VHPC_STATE VHPC_STATE_OF_TEST="$VHPC_STATE"
	trap 'rm -rf "$VHPC_STATE"' EXIT
	trap 'exit 130' INT TERM HUP
	if [ -z "${WITHOUT_IMAGE:-}" ]; then
		recipe=images/recipes/mpi.yaml
		if [ "${SUITE:-}" ]; then
			sed "s/^name: mpi$/&\nsuite: $SUITE/" "$recipe" >"$VHPC_STATE/mpi.yaml"
			recipe=$VHPC_STATE/mpi.yaml
		fi
		${PREPARE:-vhpc image build --quiet "$recipe"} || { echo "not ok $(basename "$0"): no image to test with"; exit 1; }
		for name in ${MORE_IMAGES:-}; do
			vhpc image build --quiet "images/recipes/$name.yaml" || { echo "not ok $(basename "$0"): no image $name to test with"; exit 1; }
		done
	fi
	# Shipped recipes to choose packages for, where there is a network.
	for name in ${LOCK_BEFORE:-}; do
		vhpc image lock --quiet "images/recipes/$name.yaml" >"$VHPC_STATE/$name.lock" ||
			{ echo "not ok $(basename "$0"): no packages can be chosen for $name"; exit 1; }
	done
	# Waited for, so that a signal, which does not reach the group of this timeout, ends it at once.
	timeout -k 10 "${DEADLINE:-4800}" tests/netns-run "$0" "$@" &
	trap 'kill $!; wait $!; exit 130' INT TERM HUP
	wait $!
	exit $?
fi

T=$VHPC_STATE/test	# what a test writes for itself
mkdir -p "$T"
failures=0

pass() { echo "ok $1"; }
fail() { echo "not ok $1: $2"; failures=$((failures + 1)); }
finish() { [ "$failures" = 0 ]; exit; }

# check NAME COMMAND...: the command ends well.
check() {
	name=$1; shift
	if "$@" >"$T/out" 2>"$T/err"; then
		pass "$name"
	else
		fail "$name" "exit $? of $*: $(tail -n 3 "$T/err" "$T/out" | tr '\n' ' ' | cut -c1-600)"
		return 1
	fi
}

# exits CODE NAME COMMAND...: the command exits with CODE.
exits() {
	want=$1 name=$2; shift 2
	status=0
	"$@" >"$T/out" 2>"$T/err" || status=$?
	if [ $status = "$want" ]; then
		pass "$name"
	else
		fail "$name" "exit $status instead of $want of $*: $(tail -n 3 "$T/err" | tr '\n' ' ' | cut -c1-600)"
		return 1
	fi
}

# says TEXT NAME: the last command's messages or output hold TEXT.
says() {
	if grep -qF -- "$1" "$T/err" "$T/out"; then
		pass "$2"
	else
		fail "$2" "'$1' is not in: $(cat "$T/err" "$T/out" | tr '\n' ' ' | cut -c1-600)"
	fi
}

# eventually COMMAND...: waits until it ends well; five minutes, for on a busy machine all is slow.
eventually() {
	until_s=$(($(date +%s) + 300))
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$until_s" ] || return 1
		sleep 0.1
	done
}

# manifest NAME [KEY: VALUE]...: writes $T/NAME.yaml, a small cluster of one node.
manifest() {
	file=$T/$1.yaml
	printf 'name: %s\nimage: mpi\n' "$1" >"$file"
	shift
	printf '%s\n' "$@" >>"$file"
}

# What a cluster, or anything that served it, could leave behind; nothing printed: nothing left.
leftovers() {
	ip -br link | awk '$1 ~ /^v[bt][0-9a-f]/ { print "interface " $1 }'
	nft list tables | sed -n 's/^table inet vhpc-/table vhpc-/p'
	ps -eo pid=,comm= | awk '$2 ~ /^(qemu|libvirtd|virtlogd|ssh)/ { print "process " $0 }'
	find "$VHPC_STATE/clusters" "$VHPC_STATE/volumes" -mindepth 1 2>/dev/null | sed 's/^/file /'
	[ ! -e "$VHPC_STATE/store.db" ] || sqlite3 "$VHPC_STATE/store.db" \
		"select 'lease ' || kind || ' ' || key || ' of ' || holder from lease;
		 select 'record ' || class || ' ' || name from record;
		 select 'journal ' || run || ' ' || what || ' ' || object from journal;"
	find /dev/shm -name 'vhpc-*' | sed 's/^/shared memory /'
	find "$VHPC_STATE/libvirt/etc/qemu" -name '*.xml' 2>/dev/null | sed 's/^/domain /'
}

nothing_left() {
	left=$(leftovers)
	if [ -z "$left" ]; then pass "$1"; else fail "$1" "$(echo "$left" | tr '\n' ';')"; fi
}
