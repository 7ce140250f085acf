#!/bin/bash
# capture.sh - make the captures of the runner's screens again: both screens for terminals, at two
# sizes, with 4, 16 and 64 simulated boards on paced lines, some of them faulty; in the middle of the
# run and at its end. Plain text, one file each: KIND-SIZE-BOARDS[-end].txt. Look at what changed:
#   tests/screens/capture.sh && git diff --stat tests/screens
# Options: the cases to make, e.g. `capture.sh live-80x24-16`. Needs tmux.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../e2e/lib.sh"
. "$here/../e2e/runner-lib.sh"
SOCKET=$T/tmux
tm() { tmux -S "$SOCKET" -f /dev/null "$@"; }
trap 'tm kill-server 2>/dev/null; cleanup' EXIT

oem_workspace "$T/oem"
oem_package "$T/oem" "$T/blinky.mfgpkg"
wanted=("$@")

# save NAME: the screen as text, without what differs between machines.
save() {
	tm capture-pane -p -t run | sed -e "s#$T#.#g" -e 's/[[:space:]]*$//' >"$here/$1.txt"
	echo "$1.txt"
}

# one KIND COLUMNS ROWS BOARDS
one() {
	local name=$1-$2x$3-$4 s=$T/state-$1-$2-$4 id=ORDER-4711 faults=() slots=() i until
	[ ${#wanted[@]} = 0 ] || [[ " ${wanted[*]} " == *" $name "* ]] || return 0
	faults=(--fault '1:abort=10101@sb=1/1' --fault '3:silence')
	[ "$4" -lt 16 ] || faults+=(--fault '5:wrong-family=mcxn946' --fault '9:nak=9@receive-sb-file/2+1024'
		--fault '12:wrong-lifecycle=in-field')
	sim_start fab --count "$4" --seed "$4" --baud-pacing --flash-timing "${faults[@]}"
	for ((i = 0; i < $4; i++)); do
		slots+=("$(printf '\\x%x' $((65 + i / 8)))$((i % 8 + 1))=$T/fab/ttyMCX$i")
	done
	mapfile -t slots < <(printf '%b\n' "${slots[@]}")
	station "$s" line3 "$T/oem" >/dev/null
	rm -f "$T/$id" "$T/$id".*
	make_order "$s" $id blinky.mfgpkg "$4"
	runner import --state "$s" "$T/blinky.mfgpkg" "$T/$id" -q
	runner station slots --state "$s" "${slots[@]}" -q
	tm new-session -d -s run -x "$2" -y "$3" "runner start --state '$s' --order $id --baud 57600 --jobs $((3 * $4 / 4)) --ui $1; read -r _"
	tm set-option -t run status off
	# In the middle: some boards have passed, or time enough has gone by.
	until=$(($(date +%s) + 8))
	until tm capture-pane -p -t run | grep -Eq "PASS [1-9]" || [ "$(date +%s)" -ge $until ]; do sleep 0.1; done
	save "$name"
	until=$(($(date +%s) + 60))
	until ! pgrep -g "$(tm display-message -p -t run '#{pane_pid}')" -x runner >/dev/null ||
		[ "$(date +%s)" -ge $until ]; do sleep 0.2; done
	save "$name-end"
	tm kill-session -t run
	sim_stop fab
}

for kind in live full; do
	for boards in 4 16 64; do
		one $kind 80 24 $boards
		one $kind 200 60 $boards
	done
done
