# SPDX-License-Identifier: BSD-3-Clause
#
# A short way into the CMake build; `make help` lists what there is. Each preset builds in build/<preset>.

PREFIX  ?= /usr/local
SECONDS ?= 60
DEPS    ?= yes
ONLY    ?=
PQC     ?= no

cmake_build = cmake --preset $(1) $(2) >build/$(1).log 2>&1 || { cat build/$(1).log; exit 1; }; cmake --build --preset $(1)
deps = $(if $(filter yes,$(DEPS)),scripts/install-deps.sh $(1))

all: ## build the library and the programs (build/release)
	@$(call deps,build)
	@mkdir -p build
	@$(call cmake_build,release)

demo: all ## a guided tour that needs no hardware
	@scripts/demo.sh

test: ## build with sanitizers and run every test; ONLY=regex picks some
	@$(call deps,build test)
	@scripts/test.sh debug '$(ONLY)'

pqc: ## make test with a private OpenSSL 3.5 (built at first, some minutes): post-quantum algorithms
	@$(call deps,build test)
	@scripts/pqc.sh pqc scripts/test.sh pqc '$(ONLY)'

check: ## all gates: house rules, both compilers, static analysis, budgets
	@$(call deps,build test check)
	@scripts/check/all

bench: ## run the benchmarks: what was reached beside the goals; PQC=yes: with the OpenSSL of make pqc
	@$(call deps,build test check)
	@$(if $(filter yes,$(PQC)),scripts/pqc.sh bench-pqc scripts/bench.sh bench-pqc,scripts/bench.sh bench)

fuzz: ## fuzz every target for SECONDS seconds; ONLY=regex picks some
	@$(call deps,build test check)
	@mkdir -p build
	@$(call cmake_build,fuzz)
	@scripts/fuzz.sh $(SECONDS) '$(ONLY)'

install: ## install under PREFIX (default /usr/local), DESTDIR is honoured
	@$(call deps,build)
	@mkdir -p build
	@$(call cmake_build,release,-DCMAKE_INSTALL_PREFIX="$(PREFIX)")
	@cmake --install build/release

format: ## lay out all C sources as .clang-format says
	@$(call deps,check)
	@scripts/files.sh '*.c' '*.h' | xargs -r -d '\n' clang-format -i

deps: ## install every Debian package the build, the tests and the gates need; DEPS=no elsewhere skips this
	@scripts/install-deps.sh build test check

clean: ## remove build/
	@rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

.PHONY: all demo test pqc check bench fuzz install format deps clean help
