#!/bin/bash
# 30-second-verifier.sh - two verifiers that share no code agree: mfgpkg audit verify and
# tests/audit_verify.py, on the example log, on logs of a simulated run, and on forged copies.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/runner-lib.sh"
PY=/usr/bin/python3 # Debian's, which has python3-nacl
"$PY" -c 'import nacl.signing' 2>/dev/null || PY=python3
EXAMPLE=tests/vectors/evidence/example-log/log.db
ALICE=tests/vectors/evidence/minisign/keys/alice.pub
agreed=0

# both WANT LOG [-P PUB]: the same verdict word and exit code from both, and WANT.
both() {
	local want=$1 log=$2 a b ra=0 rb=0; shift 2
	a=$(mfgpkg audit verify "$log" "$@" 2>"$T/err-a") || ra=$?
	b=$("$PY" tests/audit_verify.py "$log" "$@" 2>"$T/err-b") || rb=$?
	if [ "${a%% *}" != "$want" ] || [ "${b%%$'\n'*}" != "$want" ] || [ $ra != $rb ]; then
		printf '%s\n' "mfgpkg ($ra):" "$a" "$(cat "$T/err-a")" "second ($rb):" "$b" "$(cat "$T/err-b")" >&2
		fail "$want wanted from both for $(basename "$log")"
	fi
	agreed=$((agreed + 1))
	echo "   $want  $(basename "$log" .db): $(sed -n 2p <<<"$b")"
}

# forge NAME SQL: a copy of $LOG changed by somebody who owns the file, triggers out of the way and
# back again afterwards, so that only the change itself can give it away.
forge() {
	cp "$LOG" "$T/$1.db"
	{
		sqlite3 "$LOG" "select 'drop trigger ' || name || ';' from sqlite_schema where type='trigger'"
		printf '%s;\n' "$2"
		sqlite3 "$LOG" "select sql || ';' from sqlite_schema where type='trigger'"
	} >"$T/$1.sql"
	sqlite3 -bail "$T/$1.db" <"$T/$1.sql" || fail "cannot forge $1"
}

step "logs of a simulated run: production, and the OEM's workspace"
oem_workspace "$T/oem"
oem_package "$T/oem" "$T/blinky.mfgpkg"
station "$T/state" line3.plant4.example "$T/oem"
make_order "$T/state" 2026-0042 "$T/blinky.mfgpkg" 3
sim_start line --count 3 --seed 7
runner start "$T/blinky.mfgpkg" --state "$T/state" --order "$T/2026-0042" --ports "$T/line/ttyMCX*" --count 3 -q >"$T/run.out" 2>&1 ||
	{ cat "$T/run.out" >&2; fail "runner start"; }
sim_stop line
runner log export 2026-0042 --state "$T/state" -o "$T/fresh.db" -q

step "sound logs"
both PASS "$EXAMPLE" -P "$ALICE"
both UNOWNED "$EXAMPLE"
both PASS "$T/fresh.db" -P "$T/oem/keys/package.pub"
both UNOWNED "$T/fresh.db"
both FAIL "$T/fresh.db" -P "$ALICE"
cp "$T/oem/workspace/log.db" "$T/workspace.db"
both PASS "$T/workspace.db"

LOG=$T/fresh.db KEY=$T/oem/keys/package.pub
N=$(sqlite3 "$LOG" 'select count(*) from leaf')
STEP=$(sqlite3 "$LOG" "select min(seq) from leaf where data->>'\$.kind'='step'")
END=$(sqlite3 "$LOG" "select max(seq) from leaf where data->>'\$.kind'='device-end'")
MID=$(sqlite3 "$LOG" "select size from checkpoint where size between 6 and $((N - 6)) limit 1")

step "forged copies"
forge edited-leaf "update leaf set data=replace(data,'\"tries\":1','\"tries\":2') where seq=$STEP"
forge edited-last "update leaf set data=replace(data,'\"reason\":\"close\"','\"reason\":\"start\"') where seq=$((N - 1))"
forge edited-result "update leaf set data=replace(data,'\"result\":\"ok\"','\"result\":\"failed\"') where seq=$STEP"
forge edited-order "update leaf set data=replace(data,'quantity\\\":3','quantity\\\":9') where seq=0"
forge edited-white-space "update leaf set data=replace(data,'\"tries\":','\"tries\": ') where seq=$STEP"
forge member-twice "update leaf set data=replace(data,'\"tries\":1','\"tries\":1,\"tries\":1') where seq=$STEP"
forge deleted-inside "delete from leaf where seq=$STEP"
forge deleted-and-renumbered "delete from leaf where seq=$STEP; update leaf set seq=seq-1 where seq>$STEP"
forge head-cut "delete from leaf where seq<2"
forge all-cut "delete from leaf; delete from checkpoint; delete from node"
forge tail-cut-leaves "delete from leaf where seq>=$((N - 2))"
forge reordered "update leaf set seq=-1 where seq=$STEP; update leaf set seq=$STEP where seq=$((STEP + 1)); update leaf set seq=$((STEP + 1)) where seq=-1"
forge renumbered-last "update leaf set seq=seq+1000 where seq=$((N - 1))"
forge leaf-twice "insert into leaf select $N, data from leaf where seq=$END"
forge newest-checkpoint-removed "delete from checkpoint where size=$N"
forge checkpoint-moved "update checkpoint set size=size-1 where size=$N"
forge checkpoint-edited "update checkpoint set note=replace(note, char(10)||'$N'||char(10), char(10)||'$((N + 1))'||char(10)) where size=$N"
forge checkpoint-of-older "update checkpoint set note=(select note from checkpoint where size=$MID) where size=$N"
forge one-signature-removed "update checkpoint set note=substr(note,1,instr(note,char(10)||char(10))+1) where size=$MID"
forge node-edited "update node set hash=zeroblob(32) where id=3"
forge node-more "insert into node values(1000000, zeroblob(32))"
forge nodes-removed "delete from node"
forge blob-edited "update blob set data=cast(data||x'20' as blob)"
forge blob-unnamed "insert into blob values(x'6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d', x'00')"
forge view-edited "drop view device; create view device as select 'all good' as result"
forge table-added "create table note(text)"
forge trigger-added "create trigger t after insert on cosignature begin delete from leaf; end"
forge column-generated "drop view event; drop view device; alter table leaf add column kind text generated always as (data->>'\$.kind') virtual"
forge not-ours "pragma application_id=1"
for f in "$T"/*.sql; do both FAIL "${f%.sql}.db" -P "$KEY"; done

# Cut cleanly at a checkpoint: nothing in the file shows it, so both say what they can.
forge tail-cut-cleanly "delete from leaf where seq>=$MID; delete from checkpoint where size>$MID;
	delete from node where id>=2*$MID-(with recursive b(n,c) as (select $MID,0 union all select n>>1,c+(n&1) from b where n>0) select max(c) from b)"
both INCOMPLETE "$T/tail-cut-cleanly.db" -P "$KEY"
cp "$LOG" "$T/pages-damaged.db"
page=$(sqlite3 "$LOG" "select rootpage from sqlite_schema where name='leaf'")
printf 'XXXXXXXX' | dd of="$T/pages-damaged.db" bs=1 seek=$((4096 * (page - 1))) conv=notrunc status=none
both FAIL "$T/pages-damaged.db" -P "$KEY"

# Logs that other tests forged with the station's own keys, when there are any.
for f in ${FORGED_LOGS:-}; do
	word=$(mfgpkg audit verify "$f" -P "$ALICE" 2>/dev/null) || true
	both "${word%% *}" "$f" -P "$ALICE"
done
echo "both verifiers agree on $agreed logs"
