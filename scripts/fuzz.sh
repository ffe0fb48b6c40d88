#!/usr/bin/env bash
# Runs every fuzz target of every package (or of those named as arguments) for
# $FUZZTIME each, one after the other: go test fuzzes one target at a time.
# It goes on after a failure, and names what failed at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

fuzztime=${FUZZTIME:-1m}
[ $# -gt 0 ] || set -- ./...

# `go test -list` prints a package's targets, then the line "ok PACKAGE".
list=$(go test -list '^Fuzz' "$@") || {
	echo "$list" >&2
	exit 1
}
targets=$(awk '/^Fuzz/ { names[n++] = $1 }
	/^ok/ { for (i = 0; i < n; i++) print $2, names[i]; n = 0 }' <<<"$list")
if [ -z "$targets" ]; then
	echo "no fuzz targets in $*"
	exit 0
fi

total=$(wc -l <<<"$targets")
count=0
failed=()
while read -r package name; do
	count=$((count + 1))
	echo "[$count/$total] $name for $fuzztime ($package)"
	go test -run '^$' -fuzz "^$name\$" -fuzztime "$fuzztime" "$package" </dev/null || failed+=("$name ($package)")
done <<<"$targets"

if [ ${#failed[@]} -gt 0 ]; then
	echo "failed:" >&2
	printf '  %s\n' "${failed[@]}" >&2
	exit 1
fi
echo "$total fuzz targets, nothing found"
