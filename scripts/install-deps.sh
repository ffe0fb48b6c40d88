#!/usr/bin/env bash
# Installs what building and testing Stentor needs beyond Go:
#
#   scripts/install-deps.sh build   C compiler, pkg-config, libopus, libopusfile
#   scripts/install-deps.sh test    the same, and Node, npm and Chromium for the browser client's tests
#
# It looks before it acts: when all is there it says nothing and is done in a
# few milliseconds. Where apt-get works (root, or sudo without a password) it
# installs what is missing; elsewhere it says in one line what to install.
set -euo pipefail

want=${1:-build}
case $want in
build | test) ;;
*)
	echo "usage: $0 [build|test]" >&2
	exit 2
	;;
esac

root=$(cd "$(dirname "$0")/.." && pwd)
export PATH="$PATH:/usr/local/go/bin"

say() { echo "stentor: $*" >&2; }

have_library() { pkg-config --exists "$1" 2>/dev/null; }

# The files that Go looks for, too.
have_roots() {
	local file
	[ "$(uname -s)" = Linux ] || return 0
	for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem \
		/etc/pki/tls/cacert.pem /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem /etc/ssl/cert.pem; do
		[ ! -e "$file" ] || return 0
	done
	return 1
}

have_chromium() {
	local name
	for name in chromium chromium-browser google-chrome google-chrome-stable; do
		command -v "$name" >/dev/null 2>&1 && return 0
	done
	return 1
}

# Node's test runner does what the tests ask of it from 18.19 on.
have_node() {
	command -v npm >/dev/null 2>&1 &&
		node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 18 || (a === 18 && b >= 19) ? 0 : 1)' 2>/dev/null
}

# missing prints the Debian packages that stand for what was not found.
missing() {
	have_roots || echo ca-certificates # go fetches modules over HTTPS
	command -v make >/dev/null 2>&1 || echo make
	command -v gcc >/dev/null 2>&1 || echo gcc
	[ -e /usr/include/stdlib.h ] || [ "$(uname -s)" != Linux ] || echo libc6-dev
	command -v pkg-config >/dev/null 2>&1 || echo pkg-config
	have_library opus || echo libopus-dev
	have_library opusfile || echo libopusfile-dev
	[ "$want" = build ] && return
	have_node || printf '%s\n' nodejs npm
	have_chromium || echo chromium
}

# as_root runs a command as root, or fails without asking for a password.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
		sudo -n "$@"
	else
		return 1
	fi
}

apt_install() {
	command -v apt-get >/dev/null 2>&1 || return 1
	as_root true || return 1
	say "installing $*"
	local log
	log=$(mktemp)
	# The package lists of a fresh machine are empty, those of an old one stale.
	if as_root env DEBIAN_FRONTEND=noninteractive sh -c \
		'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"' apt "$@" \
		</dev/null >"$log" 2>&1; then
		rm -f "$log"
		return 0
	fi
	tail -n 20 "$log" >&2
	rm -f "$log"
	return 1
}

# The go command reads go.mod and fetches the toolchain named there by itself
# (unless GOTOOLCHAIN=local), so it only has to be able to name its version.
check_go() {
	local needs has
	needs=$(awk '$1 == "go" { print $2; exit }' "$root/go.mod")
	if ! command -v go >/dev/null 2>&1; then
		say "Go is missing: install Go $needs from https://go.dev/dl/ (Debian's own package is too old)"
		return 1
	fi
	if ! has=$(cd "$root" && go env GOVERSION 2>&1 </dev/null); then
		say "Go is too old or cannot fetch Go $needs: install it from https://go.dev/dl/, or unset GOTOOLCHAIN if it says \"local\" (go says: ${has##*$'\n'})"
		return 1
	fi
}

check_go

packages=$(missing)
[ -n "$packages" ] || exit 0

# shellcheck disable=SC2086 # a list of package names, one word each
if apt_install $packages; then
	packages=$(missing)
	[ -n "$packages" ] || exit 0
fi

# Only the browser is wanted, not needed: its tests skip themselves without one.
if [ "$packages" = chromium ]; then
	say "no Chromium here, so the browser tests will be skipped; install chromium to run them"
	exit 0
fi
say "please install: ${packages//$'\n'/ } (Debian names; libopus and libopusfile with headers and pkg-config files)"
exit 1
