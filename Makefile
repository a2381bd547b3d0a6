# On a bare machine with Python 3.11 or newer and make: `make demo`, `make test`.
SHELL := /bin/bash
# The first Python that runs and is new enough; a version manager may list some that do not run.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
DATA ?= ../shared/data
# Of `make test-external`: where the built server is kept, and the environment that it runs in.
WHEELS ?= $(or $(JUDGESMITH_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/judgesmith)/wheels
EXTERNAL ?= .venv-external
# Of `make test-ray`: an environment with Ray, 750 MB, that takes the rest from $(VENV).
RAY ?= .venv-ray
export JUDGESMITH_DATA ?= $(wildcard $(DATA))
export TOKENIZERS_PARALLELISM := false

.PHONY: help setup demo test unit slow recipes reliability test-external test-ray test-deploy test-browser known-answers check format bench trust real bank-merge clean

help:           ## list the targets
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

# torch comes first and by its exact version: a range would bring gigabytes of CUDA on Linux.
$(VENV)/ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "judgesmith needs Python 3.11 or newer; set PYTHON=/path/to/it"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet --editable '.[train,dev]'
	@touch $@

setup: $(VENV)/ready  ## make the environment

demo: setup     ## train and measure a small judge, and show the gate's verdict
	@$(BIN)/judgesmith run quickstart

test: setup     ## lint, types, imports, and every test
	@$(MAKE) --no-print-directory check
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist worksteal

unit: setup     ## the quick tests only
	$(BIN)/pytest -q -n 2 -m 'not slow and not wide and not external'

slow: setup     ## the tests that train or run whole recipes
	$(BIN)/pytest -q -m slow

recipes: setup  ## rehearse every published judge to its report: no key, no download, minutes each
	@for recipe in bias-judge-gemma4 judgelm-7b prometheus-gemma3-merge; do \
	  echo "== $$recipe"; start=$$SECONDS; \
	  $(BIN)/judgesmith run $$recipe --rehearse || exit 1; \
	  test -s runs/$$recipe-rehearsal/report/index.html || exit 1; \
	  echo "== $$recipe: $$((SECONDS - start)) s, report runs/$$recipe-rehearsal/report/index.html"; \
	done

reliability: setup  ## kills, faults, the cap, hostile texts, bad input, memory, at full scale
	JUDGESMITH_KILLS=50 OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 -rP \
	  tests/reliability tests/pipeline/test_kill.py tests/pipeline/test_memory.py

test-external: setup  ## llama.cpp's server, built once in 13 CPU-minutes, asked for everything
	$(BIN)/python tests/external/installing.py --wheels $(WHEELS) --venv $(EXTERNAL)
	JUDGESMITH_EXTERNAL_VENV=$(EXTERNAL) \
	  OMP_NUM_THREADS=1 $(BIN)/pytest -q -m external tests/external --ignore tests/external/test_ray.py

$(RAY)/ready: pyproject.toml $(VENV)/ready
	$(PYTHON) -m venv $(RAY)
	$(RAY)/bin/pip install --quiet --editable '.[ray]'
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	  > "$$($(RAY)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/zz_judgesmith.pth"
	@touch $@

test-ray: $(RAY)/ready  ## five minutes: a file judged by two workers over Ray, killed and resumed
	JUDGESMITH_RAY_VENV=$(RAY) OMP_NUM_THREADS=1 $(BIN)/pytest -q -m external tests/external/test_ray.py

test-deploy: setup  ## two minutes: the scripts for a rented GPU, with a shell in place of ssh
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -m external tests/deploy

test-browser: setup  ## two minutes: the served page in Chromium, the API against its own description
	$(BIN)/pip install --quiet --editable '.[browser]'
	@command -v chromium || command -v chromium-browser || command -v google-chrome || \
	  apt-get install -y -q chromium || (apt-get update -q && apt-get install -y -q chromium)
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -m external tests/browser

known-answers: setup  ## published data and planted defects only (needs DATA)
	$(BIN)/pytest -q tests/known_answers tests/defects

check: setup    ## lint, types, imports
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

format: setup   ## rewrite the code in the house format
	$(BIN)/ruff check --fix --quiet src tests benchmarks
	$(BIN)/ruff format --quiet src tests benchmarks

bench: setup    ## side-by-side measurements; each prints a ratio
	$(BIN)/python -m benchmarks.training
	$(BIN)/python -m benchmarks.merge
	$(BIN)/python -m benchmarks.inference
	$(BIN)/python benchmarks/bootstrap.py
	$(BIN)/python benchmarks/read_judgments.py
	$(BIN)/python benchmarks/judge_stream.py --rows 100000
	$(BIN)/python benchmarks/evaluate_judgments.py

trust: setup    ## an hour: coverage of intervals, type-I error of the gate, planted defects
	$(BIN)/python -m benchmarks.coverage
	$(BIN)/python -m benchmarks.type_one
	$(BIN)/python -m benchmarks.planted

bank-merge: setup ## two judges from one base, and their merge, measured: an hour
	@$(BIN)/judgesmith run quickstart --until sft
	@$(BIN)/judgesmith run bank-base
	@$(BIN)/judgesmith run bank-merge

real: setup     ## the published pairs and human verdicts (needs DATA): both split levels
	@$(BIN)/judgesmith run bias-judge-real --data $(DATA)
	@$(BIN)/judgesmith run bias-judge-real --data $(DATA) --set split.level=template --run runs/bias-judge-real-template

clean:          ## remove runs and caches, keep the environment
	rm -rf runs build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
