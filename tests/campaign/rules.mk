# The fault campaign.
#
#   make soak DEVICES=1000 SEED=S    random faults, killed runners, power cuts; the seed is printed
#   make tsan-run                    64 simulated ports under ThreadSanitizer
DEVICES ?= 1000
EXTRA_TARGETS += soak tsan-run
.PHONY: tsan-run

soak: $(PROGRAMS)
	@B=$(B) DEVICES=$(DEVICES) SEED=$(SEED) tests/campaign/soak.sh

tsan-run:
	@$(MAKE) --no-print-directory V=tsan all
	@B=build/tsan tests/campaign/tsan.sh
