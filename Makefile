# crashgate: build, test, and run the crash-recovery gate. `make help` is the table of contents.

SHELL    := /bin/bash
CC       := $(if $(filter default,$(origin CC)),gcc,$(CC))
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wswitch-enum -Wstrict-prototypes \
            -Wmissing-prototypes -Wformat=2
WERROR   ?= $(if $(CI),-Werror)
CPPFLAGS := -I. -D_GNU_SOURCE
CFLAGS   := -std=c11 -g $(WARN) $(WERROR) $(EXTRA_CFLAGS)
LDLIBS   := -lsqlite3 -lcurl -lcjson -lmicrohttpd -ldl
LDFLAGS  := -rdynamic

# FLAVOR: release (what people run), san (what the tests run: address and undefined sanitizers), clang
# (the other compiler), afl, inputs or libfuzzer (instrumented for a fuzzer; inputs: readers too). Programs of release stand in
# build/, others in build/FLAVOR/.
FLAVOR   ?= release
OPT_release := -O2
OPT_clang   := -O2
OPT_afl     := -O2 -fno-pie
OPT_inputs  := -O2 -fno-pie
OPT_libfuzzer := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
# What OSS-Fuzz builds, with flags of its own in EXTRA_CFLAGS (fuzz/oss-fuzz/build.sh).
OPT_oss-fuzz :=
OPT_oss-fuzz-inputs :=
OPT_san     := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
export AFL_LLVM_DENYLIST := $(CURDIR)/fuzz/not_instrumented$(if $(filter %inputs,$(FLAVOR)),_for_inputs).txt
export AFL_QUIET := 1
B        := build/$(FLAVOR)
BIN      := $(if $(filter release,$(FLAVOR)),build,$(B))
ALLFLAGS  = $(CPPFLAGS) $(CFLAGS) $(OPT_$(FLAVOR))

# Rooms. A main program is a file named *_main.c; everything else is a library.
ROOMS    := core core/live sim sim/sut faultinject scenarios/lang scenarios/cli fuzz fuzz/inputs reports
SOURCES  := $(foreach room,$(ROOMS),$(filter-out %_main.c fuzz/inputs/entry.c fuzz/afl_guards.c,$(wildcard $(room)/*.c)))
OBJECTS  := $(SOURCES:%.c=$(B)/%.o)
TESTS    := $(foreach room,$(ROOMS),$(wildcard $(room)/tests/test_*.c))
TESTBINS := $(TESTS:%.c=$(B)/%)
TESTHELP := $(foreach room,$(ROOMS),$(filter-out $(TESTS),$(wildcard $(room)/tests/*.c)))
LIB      := $(B)/libcrashgate.a
# In it, what the OMS's half allocates goes through sim/shortage.h: the same objects, renamed calls.
SUTOBJS  := $(filter $(B)/core/% $(B)/sim/sut/%,$(OBJECTS))
LIBOBJS  := $(filter-out $(SUTOBJS),$(OBJECTS)) $(SUTOBJS:$(B)/%=$(B)/counted/%)
ALLOCATORS := malloc calloc realloc strdup
# The production half alone: what the oms program is made of.
OMSOBJS  := $(filter $(B)/core/%,$(OBJECTS))
LIBOMS   := $(B)/liboms.a
OMSLIBS  := -lsqlite3 -lcurl -lcjson

PACKAGES_BUILD := libsqlite3-dev libcurl4-openssl-dev libcjson-dev libmicrohttpd-dev
PACKAGES_GATE  := $(PACKAGES_BUILD) patch
PACKAGES_TEST  := $(PACKAGES_BUILD) libcmocka-dev strace openssl
PACKAGES_FUZZ  := $(PACKAGES_BUILD) afl++ clang
PACKAGES_SYNC  := rsync
PACKAGES_OSS_FUZZ := zip unzip binutils file
PACKAGES_TIDY  := $(PACKAGES_TEST) clang clang-tidy clang-format
PACKAGES_CI    := $(PACKAGES_GATE) python3-yaml parallel
PACKAGES_INSTALL := $(PACKAGES_BUILD) lowdown
PACKAGES_INSTALLED := $(PACKAGES_INSTALL) pkg-config man-db zsh

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: help all test tidy fingerprints gate known-bad demo clean packages-build packages-gate packages-test packages-fuzz packages-sync packages-tidy FORCE

help: ## this table
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

# Commands are shown short; V=1 shows them whole.
Q        := $(if $(V),,@)
say       = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))
JOBS      = -j$$(nproc)

all: packages-build ## build build/oms and build/crashgate
	@$(MAKE) --no-print-directory $(JOBS) programs

.PHONY: programs
programs: $(patsubst %_main.c,$(BIN)/%,$(notdir $(wildcard core/live/oms_main.c scenarios/cli/crashgate_main.c fuzz/fuzz_timeline_main.c fuzz/inputs/fuzz_inputs_main.c)))

$(BIN)/oms: $(B)/core/live/oms_main.o $(LIBOMS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALLFLAGS) -o $@ $^ $(OMSLIBS)
$(BIN)/crashgate: $(B)/scenarios/cli/crashgate_main.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALLFLAGS) $(LDFLAGS) -o $@ -Wl,--whole-archive $^ -Wl,--no-whole-archive $(LDLIBS)

$(BIN)/fuzz_timeline: $(B)/fuzz/fuzz_timeline_main.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALLFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BIN)/fuzz_inputs: $(B)/fuzz/inputs/fuzz_inputs_main.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALLFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Objects depend on the flags and compiler that made them.
$(B)/flags: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(CC) $(ALLFLAGS) $(SOURCES)' | cmp -s - $@ || printf '%s\n' '$(CC) $(ALLFLAGS) $(SOURCES)' > $@
ifneq ($(filter afl inputs,$(FLAVOR)),)
# What AFL++ is not to see needs no compiler of its own: release's objects are there already. The
# targets themselves are an exception, since its compiler puts its loop into them.
UNSEEN := $(filter-out fuzz/target.c,$(filter $(patsubst src:%,%,$(subst *,%.c,$(shell grep ^src: $(AFL_LLVM_DENYLIST)))),$(SOURCES)))
$(UNSEEN:%.c=$(B)/%.o): $(B)/%.o: build/release/%.o
	@mkdir -p $(@D); cp $< $@
endif
$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALLFLAGS) -MMD -MP -c -o $@ $<
# What the programs are made of: results of the same sources may be merged, whoever compiled them.
$(B)/sources.h: FORCE
	@mkdir -p $(@D); printf '#define CRASHGATE_SOURCES "%.16s"\n' "$$(sha256sum $(sort $(foreach room,$(ROOMS),$(wildcard $(room)/*.[ch]))) | sha256sum)" > $@.new; \
	  if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(B)/scenarios/cli/version.o: $(B)/sources.h
$(B)/scenarios/cli/version.o: ALLFLAGS += -include $(B)/sources.h
$(LIBOMS): $(OMSOBJS)
	$(call say,AR,$@)
	$(Q)rm -f $@; ar rcs $@ $^
$(B)/counted/%.o: $(B)/%.o Makefile
	@mkdir -p $(@D)
	$(Q)objcopy $(foreach name,$(ALLOCATORS),--redefine-sym $(name)=sut_$(name)) $< $@
$(LIB): $(LIBOBJS)
	$(call say,AR,$@)
	$(Q)rm -f $@; ar rcs $@ $^

# ---- planted bugs, and the gate ----
BAD      := build/known_bad
PATCHES  := $(wildcard fuzz/known_bad/*.patch)
VARIANTS := $(PATCHES:fuzz/known_bad/%.patch=$(BAD)/%.so)
SAMPLE   := $(patsubst fuzz/known_bad/%.patch,$(BAD)/%.so,$(shell grep -l '^Gate: yes' $(PATCHES)))

MATRIX ?= --matrix $(BAD)/matrix --seeds 1..500
known-bad: all packages-gate ## build the planted bugs and see each one caught
	@$(MAKE) --no-print-directory $(JOBS) variants
	@build/crashgate known-bad $(MATRIX)
	@fuzz/known_bad/without_i14.sh build/crashgate $(BAD)
gate: all packages-gate ## everything CI needs: all scenarios, repeats, a sample of planted bugs (GATE="--shard 1/4 --out results")
	@$(MAKE) --no-print-directory $(JOBS) sample
	@build/crashgate gate $(GATE)
bench: all packages-gate ## measure: timelines per second, a life against its floor, the gate
	@$(MAKE) --no-print-directory $(JOBS) variants
	@build/crashgate bench
.PHONY: bench
demo: all ## one screen: the documented stories, and what crashing anywhere makes of them
	@scenarios/demo.sh build/crashgate

foreign-client: all ## let SDKs from npm trade against `crashgate broker` (needs node, npm and their registry)
	@scenarios/foreign/run.sh build/crashgate
.PHONY: foreign-client

.PHONY: variants sample
variants: $(VARIANTS)
sample: $(SAMPLE)
# Most of a planted bug is the core as it is: that is compiled once, and -O0, because it runs for a second.
BADSRC   := $(wildcard core/*.c) $(addprefix core/live/,alpaca.c alpaca_json.c rfc3339.c transport.c) $(wildcard sim/sut/core*.c)
BADOBJS  := $(BADSRC:%.c=$(BAD)/base/%.o)
BADFLAGS  = $(CC) $(ALLFLAGS) -O0 -fPIC -fvisibility=hidden -include fuzz/known_bad/export.h
$(BAD)/base/%.o: %.c fuzz/known_bad/export.h $(B)/flags
	@mkdir -p $(@D)
	$(Q)$(BADFLAGS) -MMD -MP -c -o $@ $<
$(BAD)/%.so: fuzz/known_bad/%.patch fuzz/known_bad/build.sh $(BADOBJS)
	@mkdir -p $(BAD)
	$(call say,BUG,$@)
	$(Q)fuzz/known_bad/build.sh $< $@ $(BAD)/base $(BADFLAGS)

# ---- fuzzing ----
# afl: AFL++'s compiler; libfuzzer: clang's own. Both take fuzz/target.c.
FUZZ_SECONDS ?= 30
LINKER       = $(CC)
LINKFLAGS    = $(ALLFLAGS)
ENGINE       = -fsanitize=fuzzer
FUZZER_afl   := build/afl/timeline
FUZZER_libfuzzer := build/libfuzzer/timeline
fuzz: packages-fuzz ## let AFL++ look for timelines that break an invariant (FUZZ_SECONDS=30, FUZZ_OMS=core)
	@$(MAKE) --no-print-directory $(JOBS) programs
	@$(MAKE) --no-print-directory $(JOBS) FLAVOR=afl CC=afl-clang-fast $(FUZZER_afl) $(MUTATOR)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_EXECUTIONS=$(FUZZ_EXECUTIONS) fuzz/run.sh
fuzz-canary: packages-fuzz ## the same fuzzer must find the known mistake of seed-protocol
	@$(MAKE) --no-print-directory $(JOBS) programs
	@$(MAKE) --no-print-directory $(JOBS) FLAVOR=afl CC=afl-clang-fast $(FUZZER_afl) $(MUTATOR)
	@fuzz/canary.sh
fuzz-campaign: packages-fuzz packages-sync ## campaigns in the background, and on two machines that tell each other
	@$(MAKE) --no-print-directory $(JOBS) programs
	@$(MAKE) --no-print-directory $(JOBS) FLAVOR=inputs CC=afl-clang-fast build/inputs/input_plan
	@fuzz/campaign.sh
	@fuzz/machines.sh
libfuzzer: packages-fuzz ## build/libfuzzer/timeline: the same target for libFuzzer
	@$(MAKE) --no-print-directory $(JOBS) FLAVOR=libfuzzer CC=clang $(FUZZER_libfuzzer)
.PHONY: fuzz fuzz-canary fuzz-campaign libfuzzer
# What AFL++ loads to edit timelines: it needs nothing but the bytes.
MUTATOR := build/afl/timeline_mutator.so
$(MUTATOR): fuzz/afl_mutator.c fuzz/mutator.c fuzz/timeline_bytes.c fuzz/afl_mutator.h fuzz/mutator.h fuzz/timeline.h $(wildcard scenarios/lang/ast.h) sim/hash.h
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)gcc $(CPPFLAGS) $(CFLAGS) -O2 -fPIC -shared -o $@ $(filter %.c,$^)
# Behind all that AFL++ instruments.
GUARDS := $(if $(findstring afl,$(CC)),$(B)/fuzz/afl_guards.o)
# The driver knows the target weakly: an archive alone would not be looked into for it.
$(B)/timeline: $(B)/fuzz/target.o $(LIB) $(GUARDS)
	$(call say,LINK,$@)
	$(Q)$(LINKER) $(LINKFLAGS) $(ENGINE) $(if $(filter afl,$(FLAVOR)),-no-pie) $(LDFLAGS) -o $@ $^ $(LDLIBS)
# One target for each reader of foreign bytes.
INPUTS   := answers scenario plan decision signals store
$(INPUTS:%=$(B)/fuzz/inputs/entry_%.o): $(B)/fuzz/inputs/entry_%.o: fuzz/inputs/entry.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALLFLAGS) -DFUZZ_INPUT=input_$* -MMD -MP -c -o $@ $<
$(INPUTS:%=$(B)/input_%): $(B)/input_%: $(B)/fuzz/inputs/entry_%.o $(LIB) $(GUARDS)
	$(call say,LINK,$@)
	$(Q)$(LINKER) $(LINKFLAGS) $(ENGINE) $(if $(filter inputs,$(FLAVOR)),-no-pie) $(LDFLAGS) -o $@ $^ $(LDLIBS)
.PHONY: fuzz-inputs
fuzz-inputs: packages-fuzz ## let AFL++ feed every reader of foreign bytes (FUZZ_SECONDS=30 each)
	@$(MAKE) --no-print-directory $(JOBS) programs
	@$(MAKE) --no-print-directory $(JOBS) FLAVOR=inputs CC=afl-clang-fast $(INPUTS:%=build/inputs/input_%)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) fuzz/inputs/run.sh $(INPUTS)

# What OSS-Fuzz would build, for each of its engines and sanitizers.
OSS_FUZZ ?= libfuzzer-address libfuzzer-undefined afl-address
oss-fuzz-check: packages-fuzz packages-oss-fuzz ## build the fuzz targets as OSS-Fuzz and ClusterFuzzLite do, and check them as they do
	@fuzz/oss-fuzz/check.sh $(OSS_FUZZ)
.PHONY: oss-fuzz-check packages-oss-fuzz
packages-oss-fuzz: ; $(call need-packages,$(PACKAGES_OSS_FUZZ))

# ---- tests: cmocka, under address and undefined sanitizers ----
test: packages-test ## run every test (under sanitizers)
	@$(MAKE) --no-print-directory $(JOBS) FLAVOR=san test-programs
	@$(MAKE) --no-print-directory $(JOBS) FLAVOR=release programs
	@$(MAKE) --no-print-directory FLAVOR=san run-tests
.PHONY: test-programs run-tests
test-programs: $(TESTBINS)
run-tests:
	@.ci/tests $(B) $(TESTBINS)

$(TESTBINS): %: %.o $(TESTHELP:%.c=$(B)/%.o) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALLFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

# An OMS that a test loads. Release, whatever loads it: it is loaded by programs of any flavour.
$(B)/scenarios/cli/tests/test_doctor $(B)/scenarios/cli/tests/test_known_bad: | $(B)/scenarios/cli/tests/oms/unsteady.so
$(B)/%.so: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,OMS,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -O1 -fPIC -shared -o $@ $<

# ---- installing ----
PREFIX   ?= /usr/local
DESTDIR  ?=
ROOT      = $(DESTDIR)$(PREFIX)
# What somebody includes who embeds the core, or brings an OMS of his own to be tried.
HEADERS  := $(addprefix core/,oms.h broker.h decimal.h env.h profile.h live/alert.h live/alpaca.h live/transport.h live/clock.h) sim/sut/sut.h
install: all packages-install ## programs, liboms, headers, manual pages, completions (PREFIX=/usr/local, DESTDIR=)
	$(Q)install -d $(addprefix $(ROOT)/,bin lib/pkgconfig share/man/man1 share/man/man5 share/doc/crashgate \
	  share/bash-completion/completions share/zsh/site-functions)
	$(Q)install build/oms build/crashgate $(ROOT)/bin
	$(Q)install -m 644 $(LIBOMS) $(ROOT)/lib
	$(Q)for h in $(HEADERS); do install -D -m 644 $$h $(ROOT)/include/liboms/$$h || exit 1; done
	$(Q)printf '%s\n' 'prefix=$(PREFIX)' 'Name: liboms' 'Description: order-management core that survives its own death' \
	  "Version: $$(build/crashgate --version | cut -d' ' -f2)" 'Requires: sqlite3 libcurl libcjson' \
	  'Libs: -L$${prefix}/lib -loms' 'Cflags: -I$${prefix}/include/liboms' > $(ROOT)/lib/pkgconfig/liboms.pc
	$(Q)for p in oms crashgate; do \
	  build/crashgate reference $$p.1 > $(ROOT)/share/man/man1/$$p.1 && \
	  build/crashgate reference $$p.bash > $(ROOT)/share/bash-completion/completions/$$p && \
	  build/crashgate reference _$$p > $(ROOT)/share/zsh/site-functions/_$$p || exit 1; done
	$(Q)build/crashgate reference | lowdown -s -Tman -M title=crashgate-scenario -M section=5 -M date= -o $(ROOT)/share/man/man5/crashgate-scenario.5 -
	$(Q)install -m 644 README.md LICENSE core/live/example/embed.c $(ROOT)/share/doc/crashgate
	$(Q)install -m 644 scenarios/README.md $(ROOT)/share/doc/crashgate/language.md
	@echo "installed in $(ROOT)"
install-check: packages-installed ## install into an empty folder, and use what is there
	@$(MAKE) --no-print-directory all
	@.ci/installed
ci-check: packages-ci ## run the scripts of the workflow files and recipes as they are written
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory $(JOBS) variants
	@.ci/recipes
.PHONY: ci-check packages-ci
packages-ci: ; $(call need-packages,$(PACKAGES_CI))
.PHONY: install install-check packages-install packages-installed
packages-install: ; $(call need-packages,$(PACKAGES_INSTALL))
packages-installed: ; $(call need-packages,$(PACKAGES_INSTALLED))

tidy: packages-tidy ## check format, clang-tidy (TIDY_NODES=225000: deeper), direction of includes, purity of core/
	@$(MAKE) --no-print-directory $(JOBS) programs
	@TIDY_NODES=$(TIDY_NODES) .ci/tidy build/release

fingerprints: packages-tidy ## the same runs under gcc, clang and sanitizers have the same fingerprints
	@$(MAKE) --no-print-directory $(JOBS) programs
	@$(MAKE) --no-print-directory $(JOBS) FLAVOR=clang CC=clang programs
	@$(MAKE) --no-print-directory $(JOBS) FLAVOR=san programs
	@.ci/fingerprints build build/clang build/san

# ---- set-up: installs what is missing, never while this file is parsed ----
define need-packages
	@missing=; for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  cmd="apt-get install -y --no-install-recommends$$missing"; \
	  if [ -n "$(NO_APT)" ]; then echo "missing packages; run: sudo $$cmd" >&2; exit 1; fi; \
	  if [ "$$(id -u)" = 0 ]; then sudo=; elif sudo -n true 2>/dev/null; then sudo="sudo -n"; else echo "missing packages and no right to install them; run: sudo $$cmd" >&2; exit 1; fi; \
	  echo "installing:$$missing"; \
	  log=$$(mktemp); \
	  { $$sudo env DEBIAN_FRONTEND=noninteractive $$cmd || { $$sudo apt-get update && $$sudo env DEBIAN_FRONTEND=noninteractive $$cmd; }; } >$$log 2>&1 \
	    || { tail -5 $$log >&2; rm -f $$log; echo "could not install packages; run: sudo $$cmd" >&2; exit 1; }; \
	  rm -f $$log; \
	fi
endef
packages-build: ; $(call need-packages,$(PACKAGES_BUILD))
packages-gate: ; $(call need-packages,$(PACKAGES_GATE))
packages-test: ; $(call need-packages,$(PACKAGES_TEST))
packages-fuzz: ; $(call need-packages,$(PACKAGES_FUZZ))
packages-sync: ; $(call need-packages,$(PACKAGES_SYNC))
packages-tidy: ; $(call need-packages,$(PACKAGES_TIDY))

clean: ## remove build/
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)
