# A Python of 3.11 or later, make and git are all that is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
VERSION := $(shell sed -n 's/__version__ = "\(.*\)"/\1/p' src/roadsafety_components/_version.py)
IMAGE ?= roadsafety-components:$(VERSION)
TARGET ?= image
BILL := /sbom/roadsafety-components.cdx.json

.DEFAULT_GOAL := help
.PHONY: help run test lint specs benchmark scale profiles figures image requirements sbom versions clean

help: ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(READY) ## Run the main pipeline on synthetic data and show where the report is
	@$(BIN)/roadsafety run

test: $(READY) ## Lint, type-check, check the specs, run the whole test suite
	@$(MAKE) --no-print-directory lint
	@$(BIN)/roadsafety specs check
	@$(BIN)/pytest

lint: $(READY) ## ruff, mypy and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

specs: $(READY) ## Write component_specs/ afresh
	@$(BIN)/roadsafety specs write

benchmark: $(READY) ## Measure speed and memory (the real data: ROADSAFETY_REAL_DATA=folder)
	@$(BIN)/pytest tests/benchmarks -m 'benchmark and not scale and not figures' -s -q -p no:randomly

scale: $(READY) ## Measure the whole history in size: half an hour, 12 GB of disk
	@$(BIN)/pytest tests/benchmarks --ignore=tests/benchmarks/test_profiles.py -m scale -s -q -p no:randomly

profiles: $(READY) ## Measure what every step takes, write docs/kubernetes.md (ROADSAFETY_REAL_DATA=folder): an hour
	@$(BIN)/pytest tests/benchmarks/test_profiles.py -m scale -s -q -p no:randomly

figures: $(READY) ## Measure the models on real records, write docs/figures.md (ROADSAFETY_REAL_DATA=folder)
	@$(BIN)/pytest tests/benchmarks -m figures -s -q -p no:randomly

image: ## Build the container image; `make image TARGET=serving` the serving one (needs a Docker engine)
	docker build --target $(TARGET) --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) \
		--tag $(IMAGE)$(if $(filter serving,$(TARGET)),-serving) .

requirements: ## Write requirements/*.txt afresh: exact versions with hashes (needs a package index)
	@PYTHON=$(PYTHON) bash requirements/compile.sh

sbom: image ## Write the bill of materials of the image, and of the serving one if it is here, to dist/
	@mkdir -p dist
	@for image in $(IMAGE) $(IMAGE)-serving; do \
		docker image inspect $$image >/dev/null 2>&1 || continue; \
		bill=dist/$$(basename $$image | tr : -).cdx.json; \
		docker run --rm --entrypoint python $$image -c 'print(open("$(BILL)").read(), end="")' >$$bill && echo $$bill; \
	done

versions: ## Run the suite on each Python from 3.11 to 3.13 that is here, with the oldest and newest kfp
	@bash tests/versions.sh $(WORDS)

clean: ## Remove the environment, results of runs, caches
	rm -rf $(VENV) runs dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Made anew only when what it is made from changes.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; try make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || { echo "making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing into $(VENV) (a minute or two, once)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
