# mfgpkg, runner and mcxsim.
#
#   make demo      install what is missing, build, run the whole job on simulated devices
#   make check     install what is missing, build, run all tests
#   make           build/bin/{mfgpkg,runner,mcxsim}
#   make help      all targets
#
# V=rel (default), V=san (ASan+UBSan), V=tsan, V=cov: variants in build/ or build/$(V)/.
# CC, CFLAGS, LDFLAGS of the caller are respected. WERROR=1 makes warnings errors (CI does).

V ?= rel
CC ?= gcc
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
DESTDIR ?=
B := build$(if $(filter-out rel,$(V)),/$(V))

# --- what is needed from Debian -------------------------------------------------------------
DEPS_BUILD := gcc make pkg-config libc6-dev libsodium-dev libssl-dev libzip-dev libsqlite3-dev \
	libserialport-dev libudev-dev libjansson-dev libyaml-dev libelf-dev libncurses-dev zlib1g-dev
DEPS_CHECK := $(DEPS_BUILD) libcmocka-dev minisign sqlite3 unzip jq python3 python3-nacl \
	python3-jsonschema binutils srecord clang clang-format mandoc openssl \
	softhsm2 libengine-pkcs11-openssl strace

# --- compiler settings ----------------------------------------------------------------------
WARN := -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wformat=2 \
	-Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wcast-qual -Wundef -Wvla \
	-Wswitch-enum -Wnull-dereference -Wno-unknown-warning-option -Wno-format-truncation $(if $(WERROR),-Werror)
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE
LDHARDEN := -pie -Wl,-z,relro,-z,now,-z,noexecstack
ifeq ($(shell uname -m),x86_64)
HARDEN += -fcf-protection
endif
OPT_rel := -O2 -g $(HARDEN)
OPT_san := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_tsan := -O1 -g -fsanitize=thread
OPT_cov := -O0 -g --coverage
LD_rel := $(LDHARDEN)
LD_san := -fsanitize=address,undefined
LD_tsan := -fsanitize=thread
LD_cov := --coverage

PKGS_COMMON := libsodium libcrypto libzip sqlite3 jansson zlib libserialport
PKGS_mfgpkg := yaml-0.1 libelf
PKGS_runner := libudev ncursesw
pkg_cflags = $(shell $(PKG_CONFIG) --cflags $(1) 2>/dev/null)
pkg_libs = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null)

CPPFLAGS_ALL = -D_GNU_SOURCE -Icommon -I. $(CPPFLAGS)
CFLAGS_ALL = $(WARN) $(OPT_$(V)) $(PKG_CFLAGS) -pthread $(CFLAGS)
LDFLAGS_ALL = $(LD_$(V)) -pthread $(LDFLAGS)

# Looked up once per make, and only when something is compiled.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(call pkg_cflags,$(PKGS_COMMON) $(PKGS_mfgpkg) $(PKGS_runner)))$(PKG_CFLAGS)
LIBS_COMMON = $(eval LIBS_COMMON := $$(call pkg_libs,$(PKGS_COMMON)))$(LIBS_COMMON)
LIBS_MFGPKG = $(eval LIBS_MFGPKG := $$(call pkg_libs,$(PKGS_mfgpkg)))$(LIBS_MFGPKG)
LIBS_RUNNER = $(eval LIBS_RUNNER := $$(call pkg_libs,$(PKGS_runner)))$(LIBS_RUNNER)

# --- sources: a folder is a concept; wildcards, so that a new file needs no edit here ---------
# common/keyed holds the code that handles OEM secrets: mfgpkg and mcxsim link it, runner cannot.
KEYED_SRC := $(wildcard common/keyed/*.c)
COMMON_SRC := $(filter-out $(KEYED_SRC),$(wildcard common/*/*.c))
MFGPKG_SRC := $(filter-out mfgpkg/main.c,$(wildcard mfgpkg/*.c mfgpkg/*/*.c))
RUNNER_SRC := $(filter-out runner/main.c,$(wildcard runner/*.c runner/*/*.c))
SIM_SRC := $(filter-out tests/sim/main.c,$(wildcard tests/sim/*.c))
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT_LIB_SRC := $(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c))
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
BENCH_SRC := $(wildcard tests/bench/bench_*.c)

obj = $(patsubst %,$(B)/obj/%.o,$(1))
COMMON_OBJ := $(call obj,$(COMMON_SRC)) $(B)/obj/family_data.o
LIB_COMMON := $(B)/lib/libcommon.a
LIB_KEYED := $(B)/lib/libkeyed.a
LIB_MFGPKG := $(B)/lib/libmfgpkg.a
LIB_RUNNER := $(B)/lib/librunner.a
LIB_SIM := $(B)/lib/libsim.a
PROGRAMS := $(B)/bin/mfgpkg $(B)/bin/runner $(if $(wildcard tests/sim/main.c),$(B)/bin/mcxsim)
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT_SRC))

.SECONDARY:
.PHONY: all demo check check-run deps deps-demo deps-check unit san tsan fuzz bench interop rig soak layers \
	format format-check install clean help headers
all: $(PROGRAMS)

$(B)/obj/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# The chip tables travel inside the programs, byte for byte.
$(B)/obj/family_data.o: common/family/family_data.S common/family/mcxn947.json
	@mkdir -p $(@D)
	$(CC) -Icommon/family -c -o $@ $<

# A test that gets NULL may crash: that is a failed test.
$(B)/obj/tests/unit/%: WARN += -Wno-null-dereference

define archive
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^
endef
$(LIB_COMMON): $(COMMON_OBJ)
	$(archive)
$(LIB_KEYED): $(call obj,$(KEYED_SRC))
	$(archive)
$(LIB_MFGPKG): $(call obj,$(MFGPKG_SRC))
	$(archive)
$(LIB_RUNNER): $(call obj,$(RUNNER_SRC))
	$(archive)
$(LIB_SIM): $(call obj,$(SIM_SRC))
	$(archive)

define link
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $(filter %.o %.a,$^) $(1)
endef
$(B)/bin/mfgpkg: $(B)/obj/mfgpkg/main.c.o $(LIB_MFGPKG) $(LIB_KEYED) $(LIB_COMMON)
	$(call link,$(LIBS_MFGPKG) $(LIBS_COMMON))
$(B)/bin/runner: $(B)/obj/runner/main.c.o $(LIB_RUNNER) $(LIB_COMMON)
	$(call link,$(LIBS_RUNNER) $(LIBS_COMMON))
$(B)/bin/mcxsim: $(B)/obj/tests/sim/main.c.o $(LIB_SIM) $(LIB_KEYED) $(LIB_COMMON)
	$(call link,$(LIBS_COMMON))

$(B)/unit/%: $(B)/obj/tests/unit/%.c.o $(call obj,$(UNIT_LIB_SRC)) $(LIB_SIM) $(LIB_MFGPKG) $(LIB_RUNNER) $(LIB_KEYED) $(LIB_COMMON)
	$(call link,$(LIBS_MFGPKG) $(LIBS_RUNNER) $(LIBS_COMMON) -lcmocka)
unit: $(UNIT)

# --- the two commands of the README -----------------------------------------------------------
deps:
	@tests/deps.sh $(DEPS_BUILD)
deps-demo:
	@tests/deps.sh $(DEPS_BUILD) jq
deps-check:
	@tests/deps.sh $(DEPS_CHECK)
demo: deps-demo
	@$(MAKE) --no-print-directory -s -j$(shell nproc) all
	@samples/demo.sh
check: deps-check
	@$(MAKE) --no-print-directory -j$(shell nproc) all unit layers
	@B=$(B) V=$(V) tests/run.sh

# --- quality ----------------------------------------------------------------------------------
san tsan:
	@$(MAKE) --no-print-directory -j$(shell nproc) V=$@ all unit
	@B=build/$@ V=$@ tests/run.sh

layers: $(PROGRAMS)
	@B=$(B) tests/layers.sh

format:
	clang-format -i $(shell git ls-files '*.c' '*.h')
format-check:
	clang-format --dry-run --Werror $(shell git ls-files '*.c' '*.h')

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man7
	install -m 755 $(B)/bin/mfgpkg $(B)/bin/runner $(DESTDIR)$(PREFIX)/bin
	install -m 644 man/mfgpkg.1 man/runner.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 man/*.7 $(DESTDIR)$(PREFIX)/share/man/man7

clean:
	rm -rf build

help:
	@sed -n '3,9s/^# \{0,1\}//p' Makefile
	@echo "  more: unit san tsan layers format format-check install clean $(EXTRA_TARGETS)"

# Areas add their own targets (fuzz, bench, interop, rig, soak) in files beside their sources.
-include tests/*/rules.mk
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
