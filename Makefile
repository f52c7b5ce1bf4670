# make run     the study of config.yaml, from the mice to the report     (STUDY=my.yaml CORES=4)
# make help    all targets
#
# Needs Python 3.11 to 3.13 and make, nothing else: the first target makes the environment in .venv from
# the hashed lock in envs/, once, and again only when the lock or pyproject.toml has changed.

STUDY ?= config.yaml
CORES ?=
UV ?= uv
VENV := .venv
PY := $(VENV)/bin/python
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate
# the versions that the oldest Python takes are those of all, so that numbers do not depend on it
OLDEST := $(VENV)/oldest.txt
PACKAGES := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet install

export PIP_NO_INPUT := 1

.DEFAULT_GOAL := help
.PHONY: help run population test test-fast ui bench lint format lock generate screenshots clean venv env dev peers

help: ## say what there is
	@echo "make TARGET [STUDY=config.yaml] [CORES=2]"
	@sed -n 's/^\([a-z-]*\):.*## /  \1@/p' $(firstword $(MAKEFILE_LIST)) | while IFS=@ read -r name text; do \
	  printf '  %-11s %s\n' $$name "$$text"; done

run: env ## run STUDY, from its file to the report
	@$(PY) -P -m nichetrial run "$(STUDY)" $(if $(CORES),--cores $(CORES))

ui: env ## open the tracked runs in the browser
	@$(PY) -P -m nichetrial ui

test: dev ## all tests
	@$(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(TESTS)

test-fast: dev ## the quick tests, without Snakemake, MLflow and pictures
	@$(PY) -m pytest -n 3 --dist loadfile -m "not slow" tests/unit

bench: peers ## the benchmarks, as ratios
	@for part in run precision yardstick.yardstick peak price colonies scale comparisons tracking dag docs; do \
	  $(PY) -m tests.benchmarks.$$part || exit 1; done

lint: dev ## style, types, and Snakemake's own advice
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/snakefmt --check --compact-diff Snakefile workflow/rules
	$(VENV)/bin/mypy
	$(VENV)/bin/snakemake --lint

format: dev ## bring all code into style
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(VENV)/bin/snakefmt Snakefile workflow/rules

generate: dev ## remake the generated files (default study, schema, kernels, tables in docs)
	$(PY) -m nichetrial generate
	@$(VENV)/bin/ruff format -q workflow/nichetrial/engine/kernels.py workflow/nichetrial/engine/lanes.py

lock: env ## solve the dependencies anew within pyproject.toml; needs uv and a package index
	cp envs/requirements-dev.txt $(OLDEST)
	$(UV) pip compile --quiet --python-version 3.11 --no-header --no-annotate pyproject.toml --extra dev \
	  --output-file $(OLDEST)
	$(COMPILE) pyproject.toml --constraint $(OLDEST) --output-file envs/requirements.txt
	$(COMPILE) pyproject.toml --extra dev --constraint $(OLDEST) --output-file envs/requirements-dev.txt
	$(UV) pip compile --quiet --universal --no-header --no-annotate pyproject.toml --extra bench \
	  --constraint $(OLDEST) --output-file envs/constraints-bench.txt
	$(PY) -m nichetrial.launch.conda

population: env ## calibrate the population that ships with nichetrial (minutes)
	@$(PY) -m nichetrial calibrate config.yaml
	@$(PY) -m nichetrial generate --population results/seubert2015

screenshots: dev run ## run the default study and make the pictures of MLflow in the docs
	NICHETRIAL_SCREENSHOTS=results/seubert2015 $(PY) -m pytest -q tests/browser/test_mlflow_pages.py

clean: ## remove the environment and caches; results stay
	rm -rf $(VENV) .pytest_cache .hypothesis .mypy_cache .ruff_cache workflow/nichetrial.egg-info
	find workflow tests -name __pycache__ -type d -prune -exec rm -rf {} +

# What is installed is known by content (copies inside .venv), not by time: a fresh clone or another
# branch with the same lock installs nothing.

venv:
	@$(PY) -c "" 2>/dev/null || { \
	  for p in $(PYTHON) python3 python3.13 python3.12 python3.11 python; do \
	    "$$p" -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))" 2>/dev/null || continue; \
	    found="$$p"; \
	    "$$p" -c "import venv, ensurepip" 2>/dev/null || continue; \
	    echo "making $(VENV) with $$("$$p" --version)" >&2; \
	    rm -rf $(VENV); "$$p" -m venv $(VENV) || exit 1; exit 0; \
	  done; \
	  if [ -n "$$found" ]; then \
	    echo "$$found lacks venv or ensurepip. On Debian or Ubuntu: apt-get install python3-venv" >&2; \
	  else \
	    echo "Python 3.11, 3.12 or 3.13 is needed, and none was found. Name one: make PYTHON=/path/to/python3" >&2; \
	  fi; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip >/dev/null

env: venv
	@cmp -s envs/requirements.txt $(VENV)/requirements.txt || { \
	  echo "installing the locked packages (a minute or two, only once)" >&2; \
	  $(PACKAGES) --require-hashes --requirement envs/requirements.txt && \
	  cp envs/requirements.txt $(VENV)/requirements.txt; }
	@cmp -s pyproject.toml $(VENV)/pyproject.toml || { \
	  $(PACKAGES) --no-deps --no-build-isolation --editable . && cp pyproject.toml $(VENV)/pyproject.toml; }

dev: env
	@cmp -s envs/requirements-dev.txt $(VENV)/requirements-dev.txt || { \
	  echo "installing the packages for tests and style" >&2; \
	  $(PACKAGES) --require-hashes --requirement envs/requirements-dev.txt && \
	  cp envs/requirements-dev.txt $(VENV)/requirements-dev.txt; }

# numbalsoda and amici are built here: they need gfortran, cmake, swig, and a C++ compiler. Without
# them, the benchmark goes on and says what was not run.
peers: dev
	@cmp -s envs/constraints-bench.txt $(VENV)/constraints-bench.txt || { \
	  echo "installing what the engine is measured against" >&2; \
	  for p in python-copasi CyRK "diffrax jax" numbalsoda amici; do \
	    PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(PACKAGES) --constraint envs/constraints-bench.txt $$p \
	      >>$(VENV)/peers.log 2>&1 || echo "not installed: $$p (see $(VENV)/peers.log)" >&2; done; \
	  cp envs/constraints-bench.txt $(VENV)/constraints-bench.txt; }
