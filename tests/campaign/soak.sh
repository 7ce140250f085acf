#!/bin/bash
# soak.sh - random campaign: DEVICES simulated boards with faults, SEED to repeat one (what the
# timing of a killed runner adds is not repeatable). The work folder is kept when something is wrong.
. "$(dirname "$0")/prepare.sh"
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
step "soak: seed $SEED, ${DEVICES:=1000} devices"
prepare_campaign
rc=0
python3 tests/campaign/soak.py "$T" --seed "$SEED" --devices "$DEVICES" ${PORTS:+--ports "$PORTS"} || rc=$?
[ $rc = 0 ] || { KEEP=1; fail "soak, seed $SEED: all files in $T"; }
