#!/usr/bin/env bash
# Fails and names the files that gofmt would change.
set -euo pipefail
cd "$(dirname "$0")/.."

unformatted=$(find . \( -name .git -o -name node_modules \) -prune -o -name '*.go' -exec gofmt -l {} +)
[ -z "$unformatted" ] && exit 0
echo "not formatted, run gofmt -w on:" >&2
echo "$unformatted" >&2
exit 1
