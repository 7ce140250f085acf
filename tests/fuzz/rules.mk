# Fuzzing. A target is one file, tests/fuzz/fuzz_NAME.c, with LLVMFuzzerTestOneInput; its seeds and
# past crashes lie in tests/corpus/NAME/.
#
#   make fuzz                  build all targets (clang, libFuzzer, ASan, UBSan) in build/fuzz/
#   make fuzz-run SECONDS=60   run each so many seconds; new inputs go to build/fuzz/corpus/NAME
#   make fuzz-coverage         lines of the package's parsers that the corpora reach (gcov)
#
# Without libFuzzer the corpora run as unit tests: build/unit/test_corpus_NAME is the target with a
# driver that feeds it every file of its folder (make unit builds them, tests/run.sh runs them).
FUZZ_CC ?= clang
SECONDS ?= 60
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(FUZZ_SRC))
FUZZ := $(patsubst %,build/fuzz/bin/fuzz_%,$(FUZZ_NAMES))
FUZZ_FLAGS := -Wno-unknown-warning-option -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_LIBS = $(LIBS_MFGPKG) $(LIBS_RUNNER) $(LIBS_COMMON)
CORPUS_TESTS := $(patsubst %,$(B)/unit/test_corpus_%,$(FUZZ_NAMES))
EXTRA_TARGETS += fuzz fuzz-run fuzz-coverage
UNIT += $(CORPUS_TESTS)

unit: $(CORPUS_TESTS)

$(B)/unit/test_corpus_%: $(B)/obj/tests/fuzz/fuzz_%.c.o $(B)/obj/tests/fuzz/driver.c.o $(LIB_SIM) $(LIB_MFGPKG) $(LIB_RUNNER) $(LIB_KEYED) $(LIB_COMMON)
	$(call link,$(LIBS_MFGPKG) $(LIBS_RUNNER) $(LIBS_COMMON))

# The same sources once more, with coverage feedback in every object.
.PHONY: fuzz-run fuzz-build
fuzz:
	@$(MAKE) --no-print-directory V=fuzz B=build/fuzz CC=$(FUZZ_CC) \
		OPT_fuzz="-fsanitize=fuzzer-no-link $(FUZZ_FLAGS)" \
		LD_fuzz="-fsanitize=address,undefined" fuzz-build
fuzz-build: $(patsubst %,$(B)/bin/fuzz_%,$(FUZZ_NAMES))

$(B)/bin/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.c.o $(LIB_SIM) $(LIB_MFGPKG) $(LIB_RUNNER) $(LIB_KEYED) $(LIB_COMMON)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $(filter %.o %.a,$^) $(FUZZ_LIBS)

fuzz-run: fuzz
	@for n in $(FUZZ_NAMES); do \
		mkdir -p build/fuzz/corpus/$$n tests/corpus/$$n; \
		echo "== fuzz $$n, $(SECONDS) s"; \
		build/fuzz/bin/fuzz_$$n -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=2048 \
			-artifact_prefix=build/fuzz/$$n- -print_final_stats=1 -verbosity=0 \
			build/fuzz/corpus/$$n tests/corpus/$$n || exit 1; \
	done

# What is read of a package, an order, a trust update: COVERAGE="sb31 mbi" FILES="common/image/*.c" for others.
COVERAGE ?= container manifest order trust_update script
.PHONY: fuzz-coverage
fuzz-coverage:
	@$(MAKE) --no-print-directory -s V=cov $(patsubst %,build/cov/unit/test_corpus_%,$(COVERAGE))
	@FILES="$(FILES)" tests/fuzz/coverage.sh build/cov $(COVERAGE)
