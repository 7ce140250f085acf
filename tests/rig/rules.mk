# make rig: the runner on real USB serial ports, in a small virtual machine (tests/rig/README.md).
# QEMU is large: a target of its own, no part of `make check`; .ci/run runs it.
DEPS_RIG := $(DEPS_BUILD) qemu-system-x86 kmod cpio python3 util-linux
EXTRA_TARGETS += rig

rig:
	@tests/deps.sh $(DEPS_RIG)
	@$(MAKE) --no-print-directory -s all
	@B=$(B) tests/rig/rig-test
