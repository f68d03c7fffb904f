PYTHON3 ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_IMAGE ?= examples/demo.png
DEMO_TEXT ?= the whole jar of mayonnaise, also where the can of coffee covers it
DEBIAN := libvulkan1 mesa-vulkan-drivers chromium chromium-driver

.PHONY: help setup demo test check fmt lint type bench docs clean debian

help: ## list the verbs
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/setup.stamp ## install everything for development into .venv

demo: $(VENV)/core.stamp ## segment the demo picture; needs only the core
	$(BIN)/askmask segment $(DEMO_IMAGE) "$(DEMO_TEXT)" --out demo-out

test: setup debian ## run the tests
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder

check: setup lint type test ## all that must pass before a merge

fmt: setup ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: setup ## check format and style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

type: setup ## check types
	$(BIN)/mypy

bench: setup ## measure speed side by side with peers
	for script in bench/*.py; do $(BIN)/python $$script || exit 1; done

docs: setup ## run the examples in README.md and docs/
	$(BIN)/python -m doctest README.md $(wildcard docs/*.md)

clean: ## remove caches and outputs, keep .venv
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist demo-out
	find src tests bench -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON3) -m venv $(VENV)

$(VENV)/core.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q -e .
	touch $@

# torch comes first and alone, so that the line below finds it there and leaves it as it is.
$(VENV)/setup.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q torch==2.13.0
	$(BIN)/python -m pip install -q -e '.[scenes,render,train,dev]'
	touch $@ $(VENV)/core.stamp

# Tests of the renderer need a Vulkan driver, tests of pages a browser; without them they skip.
debian:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! dpkg -s $(DEBIAN) >/dev/null 2>&1; \
	then (apt-get update -q && apt-get install -y -q --no-install-recommends $(DEBIAN)) \
	|| echo "$(DEBIAN): not installed, tests that need them will be skipped"; fi
