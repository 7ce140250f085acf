#!/bin/sh
# run.sh [CASE-PATTERN] - interoperability with NXP's SPSDK. Installs it into build/venv when it is
# not there; says so and ends well when that cannot be done (no network, no python3-venv).
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
venv=build/venv
# The newest release that pip gives; SPSDK=3.10.0 in the environment asks for a certain one.
want=spsdk${SPSDK:+==$SPSDK}
if ! "$venv/bin/python" -c 'import spsdk' 2>/dev/null ||
	{ [ -n "${SPSDK:-}" ] && [ "$("$venv/bin/pip" show spsdk | sed -n 's/^Version: //p')" != "$SPSDK" ]; }; then
	echo "interop: installing $want into $venv"
	mkdir -p build
	if ! { python3 -m venv "$venv" && "$venv/bin/pip" install -q --upgrade "$want"; } \
		>build/interop-install.log 2>&1; then
		tail -n 3 build/interop-install.log
		echo "interop: SKIPPED: SPSDK cannot be installed here (build/interop-install.log)"
		exit 0
	fi
fi
exec "$venv/bin/python" tests/interop/interop.py "$B/bin" "$venv/bin" "$@"
