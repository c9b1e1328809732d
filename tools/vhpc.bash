# SPDX-License-Identifier: Apache-2.0
# Bash completion of vhpc, vhpc-TOOL and mpirun-wrap. Tools, verbs, options and arguments are read
# from the programs' own --help; names of clusters, nodes and images from the state directory.

# The first words of a section of a help text, as "  build RECIPE   help" has them
_vhpc_section() {
	awk -v section="$1:" '$0 == section { on = 1; next } /^[^ ]/ || /^$/ { on = 0 } on { print $1 }'
}

# Options of a help text, one a line: "--state DIR", "-q", "--quiet"
_vhpc_options() {
	awk '$0 == "Options:" { on = 1; next } /^$/ { on = 0 }
	     on { sub(/^ +/, ""); sub(/  .*/, ""); n = split($0, part, ", ")
	          split(part[n], last, " ")
	          for (i = 1; i <= n; i++) { split(part[i], w, " "); print w[1] (last[2] ? " " last[2] : "") } }'
}

# The argument that an option takes, or nothing
_vhpc_wants() {
	awk -v option="$1" '$1 == option { print $2 }'
}

_vhpc_state() {
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == --state ]] || continue
		[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
		echo "${COMP_WORDS[i + 1]}"
		return
	done
	if [[ $VHPC_STATE ]]; then
		echo "$VHPC_STATE"
	elif [[ $EUID == 0 ]]; then
		echo /var/lib/vhpc
	else
		echo "${XDG_STATE_HOME:-$HOME/.local/state}/vhpc"
	fi
}

# The names of directories that a pattern in the state directory matches
_vhpc_names() {
	local path
	for path in "$(_vhpc_state)"/$1; do
		[[ -d $path ]] && echo "${path##*/}"
	done
}

# The names of snapshots, of all clusters
_vhpc_snapshots() {
	local path
	for path in "$(_vhpc_state)"/clusters/*/snapshot-*.json; do
		path=${path##*/snapshot-}
		[[ $path == \*.json ]] || echo "${path%.json}"
	done
}

# Completes an argument by the name that the help has for it: $1 placeholder, $2 tool, $3 current word
_vhpc_argument() {
	local words=
	case $1 in
	*PROGRAM* | *COMMAND* | *ARGUMENTS*) mapfile -t COMPREPLY < <(compgen -c -f -- "$3"); return ;;
	*DIR*) mapfile -t COMPREPLY < <(compgen -d -- "$3"); compopt -o filenames; return ;;
	*NODE*) words=$(_vhpc_names 'clusters/*/*') ;;
	*SNAPSHOT*) words=$(_vhpc_snapshots) ;;
	*SOURCE* | *TARGET*) words="all: $(_vhpc_names 'clusters/*/*' | sed 's/$/:/')"; compopt -o nospace ;;
	*CLUSTER*) words=$(_vhpc_names 'clusters/*') ;;
	*IMAGE*) words=$(_vhpc_names 'images/*') ;;
	*NAME*)
		case $2 in
		image) words=$(_vhpc_names 'images/*') ;;
		vm) words="$(_vhpc_names 'vms/*') $(_vhpc_names 'clusters/*/*')" ;;
		*) words=$(_vhpc_names 'clusters/*') ;;
		esac ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$3")
	case $1 in
	*FILE* | *RECIPE* | *MANIFEST* | *SOURCE* | *TARGET*)
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$3")
		compopt -o filenames ;;
	esac
}

_vhpc() {
	local program=${COMP_WORDS[0]} tool cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local -a command=("$program")
	local first=1 help verbs options placeholders wants i n=0
	COMPREPLY=()
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case ${program##*/} in
	vhpc)
		help=$("$program" --help 2>/dev/null) || return
		if ((COMP_CWORD == 1)); then
			mapfile -t COMPREPLY < <(compgen -W "$(_vhpc_section Tools <<<"$help") --help --version" -- "$cur")
			return
		fi
		tool=${COMP_WORDS[1]}
		command+=("$tool")
		first=2 ;;
	*) tool=${program##*/vhpc-} ;;
	esac
	help=$("${command[@]}" --help 2>/dev/null) || return
	verbs=$(_vhpc_section Verbs <<<"$help")
	if [[ $verbs ]]; then
		if ((COMP_CWORD == first)); then
			mapfile -t COMPREPLY < <(compgen -W "$verbs --help --version" -- "$cur")
			return
		fi
		command+=("${COMP_WORDS[first++]}")
		help=$("${command[@]}" --help 2>/dev/null) || return
	fi
	options=$(_vhpc_options <<<"$help")
	wants=$(_vhpc_wants "$prev" <<<"$options")
	if [[ $wants ]]; then
		_vhpc_argument "$wants" "$tool" "$cur"
		return
	fi
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(cut -d' ' -f1 <<<"$options")" -- "$cur")
		return
	fi
	# Which argument this is: words before it that are neither options nor their arguments
	for ((i = first; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-*) [[ $(_vhpc_wants "${COMP_WORDS[i]}" <<<"$options") ]] || continue
			[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
			((i++)) ;;
		*) ((n++)) ;;
		esac
	done
	read -ra placeholders < <(sed -n '1{s/.*\[OPTIONS\]//; s/\[[A-Z]* [A-Z]*\]//g; p}' <<<"$help")
	((n < ${#placeholders[@]})) || n=$((${#placeholders[@]} - 1))
	((n >= 0)) && _vhpc_argument "${placeholders[n]}" "$tool" "$cur"
}

complete -F _vhpc vhpc vhpc-cluster vhpc-hook vhpc-image vhpc-net vhpc-probe vhpc-sriov vhpc-validate vhpc-vm mpirun-wrap
