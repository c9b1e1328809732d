# SPDX-License-Identifier: Apache-2.0
# What tests/headers-check and tests/rooms-check have in common: the table in tests/rooms.

function folder(path) { return sub(/\/[^\/]*$/, "", path) ? path : "" }
function name(path) { sub(/.*\//, "", path); return path }
function under(path, dir) { return path == dir || index(path, dir "/") == 1 }
function fail(where, why) { print where ": " why | "cat >&2"; bad = 1 }

# The room that a folder is in: the nearest with a line; "" for none.
function room(path) { while (path != "" && !(path in uses)) path = folder(path); return path }

# May this room use that one?
function may(from, to,    i, n, word) {
	n = split(uses[from], word, " ")
	for (i = 1; i <= n; i++)
		if (word[i] == to || (sub(/\/\*$/, "", word[i]) && under(to, word[i])))
			return 1
	return from == to
}

# Fills uses[]: by room those that it uses.
function read_rooms(    line, where, at, from, i, n, word) {
	while ((getline line <"tests/rooms") > 0) {
		where = "tests/rooms:" ++n_lines
		if (line == "" || line ~ /^#/)
			continue
		at = index(line, ":")
		from = substr(line, 1, at - 1)
		if (from in uses)
			fail(where, from " has two lines")
		n = split(substr(line, at + 1), word, " ")
		for (i = 1; i <= n; i++)
			if (word[i] !~ /\/\*$/ && !(word[i] in uses))
				fail(where, from " uses " word[i] ", which no line above it is about")
		uses[from] = substr(line, at + 1)
	}
}
