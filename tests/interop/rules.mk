# make interop: our programs against NXP's own tools (SPSDK: nxpimage, pfr, nxpcrypto, blhost,
# nxpdevhsm), both ways. Needs network once, to put SPSDK into build/venv.
EXTRA_TARGETS += interop

interop: all
	@B=$(B) tests/interop/run.sh
