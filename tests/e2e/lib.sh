# lib.sh - what the end-to-end scenarios share. Source it first:  . "$(dirname "$0")/lib.sh"
# Gives a throw-away folder $T, the programs in PATH, simulators that always get stopped, an OEM
# workspace from samples/mcxn947-blinky, a factory station, and assertions that say what they saw.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export PATH="$PWD/${B:-build}/bin:$PATH" NO_COLOR=1
T=$(mktemp -d "${TMPDIR:-/tmp}/mfgpkg-e2e.XXXXXX")
SIM_PIDS=()

cleanup() {
	local rc=$?
	for p in "${SIM_PIDS[@]:-}"; do [ -z "$p" ] || kill "$p" 2>/dev/null || true; done
	wait 2>/dev/null || true
	[ -n "${KEEP:-}" ] || rm -rf "$T"
	return $rc
}
trap cleanup EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }
step() { echo "-- $*"; }

# expect RC PATTERN COMMAND...: exit code and (extended regular expression in) its output.
expect() {
	local want=$1 pattern=$2 rc=0; shift 2
	"$@" >"$T/out" 2>&1 || rc=$?
	if [ "$rc" != "$want" ]; then cat "$T/out" >&2; fail "exit $rc, $want wanted: $*"; fi
	if [ -n "$pattern" ] && ! grep -qE -- "$pattern" "$T/out"; then
		cat "$T/out" >&2; fail "output does not match '$pattern': $*"
	fi
}

# sim_start NAME ARGS...: ports in $T/NAME/ttyMCX0..., report in $T/NAME.json after sim_stop.
sim_start() {
	local name=$1; shift
	mkdir -p "$T/$name"
	mcxsim --family mcxn947 --dir "$T/$name" --report "$T/$name.json" "$@" >"$T/$name.ready" 2>"$T/$name.err" &
	SIM_PIDS+=($!)
	eval "SIM_$name=$!"
	for _ in $(seq 200); do
		grep -q '^ready' "$T/$name.ready" 2>/dev/null && return 0
		kill -0 "$!" 2>/dev/null || { cat "$T/$name.err" >&2; fail "mcxsim $name did not start"; }
		sleep 0.05
	done
	fail "mcxsim $name not ready after 10 s"
}

sim_stop() {
	local v="SIM_$1"
	kill "${!v}" 2>/dev/null || true
	wait "${!v}" 2>/dev/null || true
	[ -s "$T/$1.json" ] || fail "mcxsim $1 left no report"
}

# oem_workspace DIR: the sample with fresh keys.
oem_workspace() {
	cp -r samples/mcxn947-blinky "$1"
	mkdir -p "$1/keys"
	mfgpkg keys generate --type rot --curve p256 --count 4 -o "$1/keys" --no-passphrase -q
	mfgpkg keys generate --type cust-mk-sk -o "$1/keys/cust_mk_sk.key" --no-passphrase -q
	mfgpkg keys generate --type oem-seed -o "$1/keys/oem_seed.key" --no-passphrase -q
	mfgpkg keys generate --type package -o "$1/keys/package.key" --no-passphrase -q
}

# oem_package DIR PKG: builds PKG with a simulated device as device HSM.
oem_package() {
	sim_start desk --count 1 --seed 1
	mfgpkg create -c "$1/release.yaml" -p "$T/desk/ttyMCX0" -o "$2" >"$T/create.out" 2>&1 ||
		{ cat "$T/create.out" >&2; fail "mfgpkg create"; }
	sim_stop desk
}

# station STATE NAME OEM_DIR: a factory station that trusts the OEM's package key.
station() {
	runner station init --state "$1" --name "$2"
	runner trust add --state "$1" "$3/keys/package.pub"
	runner station show --state "$1" --json >"$T/station.json"
}
