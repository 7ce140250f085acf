#!/bin/bash
# 70-campaign - each kind of fault at each step of the sample's script, one simulated board each, on
# one station with healthy boards among them: what the log says against what became of the boards.
# (make soak is the random one.)
. "$(dirname "$0")/../campaign/prepare.sh"

step "the checker sees each violation"
python3 tests/campaign/test_check.py >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "the checker is blind"; }

step "fault grid"
prepare_campaign
python3 tests/campaign/grid.py "$T"
