# runner-lib.sh - what the runner's scenarios share, on top of lib.sh.

# make_order STATE ID PKG QUANTITY: a signed order for that station in $T/ID.
make_order() {
	runner station show --state "$1" --json >"$T/$2-station.json"
	cat >"$T/$2.yaml" <<-END
		order: $2
		customer: PO 4711
		oem: acme.example
		package: $3
		quantity: $4
		valid_days: 30
		station: $2-station.json
	END
	mfgpkg order create -c "$T/$2.yaml" -s "$T/oem/keys/package.key" -o "$T/$2" -q
}

# control NAME COMMAND: a word to the simulator that was started with --control $T/NAME.ctl
control() {
	python3 - "$T/$1.ctl" "$2" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
		s.sendall((sys.argv[2] + "\n").encode())
		answer = s.recv(300).decode().strip()
		sys.exit(0 if answer.startswith("ok") else answer)
	END
}

# wait_for SECONDS FILE PATTERN: until the file has a line that matches.
wait_for() {
	local until=$(($(date +%s%N) / 1000000 + $1 * 1000))
	until grep -qE -- "$3" "$2" 2>/dev/null; do
		[ $(($(date +%s%N) / 1000000)) -lt "$until" ] || { cat "$2" >&2; fail "no '$3' in $2 after $1 s"; }
		sleep 0.05
	done
}

# summary FILE KEY: a member of the last event of a JSON run.
summary() { tail -n 1 "$1" | jq -r "select(.event == \"summary\") | .$2"; }
