#!/bin/sh
# deps.sh PACKAGE... - install the Debian packages that are missing; says so when it cannot.
set -eu
missing=
for p in "$@"; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
	echo "deps: no apt-get here; please install:$missing" >&2
	exit 4
fi
sudo=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "deps: not root and no sudo; please run as root: apt-get install$missing" >&2
		exit 4
	fi
	sudo=sudo
fi
echo "deps: installing$missing"
log=$(mktemp)
if ! { $sudo apt-get update -q && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q \
	--no-install-recommends $missing; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "deps: could not install:$missing (full log: $log)" >&2
	exit 4
fi
rm -f "$log"
