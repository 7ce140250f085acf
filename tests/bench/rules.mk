# make bench: every tests/bench/bench_*.c is a program that prints a table with units, n and the
# limit beside each figure; factory.sh does so for the real runner. Run it on a quiet machine.
BENCH := $(patsubst tests/bench/%.c,$(B)/bench/%,$(BENCH_SRC))
EXTRA_TARGETS += bench

$(B)/bench/%: $(B)/obj/tests/bench/%.c.o $(LIB_SIM) $(LIB_MFGPKG) $(LIB_RUNNER) $(LIB_KEYED) $(LIB_COMMON)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS_MFGPKG) $(LIBS_RUNNER) $(LIBS_COMMON)

bench: $(BENCH) $(PROGRAMS)
	@for b in $(sort $(BENCH)); do echo "== $$(basename $$b)"; $$b || exit 1; done
	@echo "== factory"; B=$(B) tests/bench/factory.sh

# The far end of the line is a board of the unit tests.
$(B)/bench/bench_wire: $(B)/obj/tests/unit/mboot_board.c.o

# Its logs come from the factory of the unit tests.
$(B)/bench/bench_audit: $(B)/obj/tests/unit/report_factory.c.o
