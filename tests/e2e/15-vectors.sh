#!/bin/bash
# 15-vectors - every golden vector through the programs, and proof that none is left out: a folder or a
# file in tests/vectors that no row of the table below knows is a failure.
. "$(dirname "$0")/lib.sh"
python3 tests/e2e/vectors.py "${B:-build}/bin/mfgpkg" "$T"
