# Two commands do everything on a fresh machine: `make lab` and `make test`.
PY := .venv/bin/python
PYTHON ?= python3
STAMP := .venv/.ready

.PHONY: lab setup test unit live prove contract lint bench table browser wheel lock schemas snapshots pictures fuzz

lab: setup  ## set up, and run the lab; where nobody can be asked, it says what it installs and goes on
	@.venv/bin/swarmlab $$(test -t 0 || echo --yes) $(ARGS)

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "swarmlab needs Python 3.11 or newer: apt-get install python3, or make PYTHON=/path/to/python3.11" >&2; exit 3; }
	@test -x $(PY) || $(PYTHON) -m venv .venv || \
	  { echo "Python's venv module is missing: apt-get install python3-venv" >&2; exit 3; }
	@echo "setting up .venv from requirements.lock" >&2
	@.venv/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@.venv/bin/pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

lint: setup
	.venv/bin/ruff format --check lab tests
	.venv/bin/ruff check lab tests
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/swarmlab check

unit: setup browser  ## the fast tests; HYPOTHESIS_PROFILE=thorough tries more examples of each property
	.venv/bin/pytest -n 2 tests/unit tests/tui tests/fuzz

live: setup browser
	.venv/bin/swarmlab doctor --install --yes
	.venv/bin/pytest tests/live -s

prove: setup browser  ## every lesson on the real cluster, and every challenge with each of its causes and ways
	.venv/bin/swarmlab doctor --install --yes
	SWARMLAB_SHARD=all SWARMLAB_WAYS=all .venv/bin/pytest --durations=40 tests/live/test_lessons.py tests/live/test_challenges.py

browser:  ## the browser that the pages and the visualizer are tested in
	@command -v chromium >/dev/null || { \
	  sudo=$$(test "$$(id -u)" = 0 || echo sudo); \
	  $$sudo apt-get update -q && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -yq chromium; } >&2

test: setup browser  ## everything, the real cluster included
	@$(MAKE) --no-print-directory lint
	@.venv/bin/swarmlab doctor --install --yes
	@$(PY) -m tests.live.base_disk & disk=$$!; HYPOTHESIS_PROFILE=thorough .venv/bin/pytest -n 2 tests/unit tests/tui tests/fuzz; code=$$?; wait $$disk; exit $$code
	.venv/bin/pytest --maxfail=5 --durations=40 tests/live

contract: setup  ## the whole contract of the model of a swarm, on a real cluster
	.venv/bin/swarmlab doctor --install --yes
	.venv/bin/pytest -m "long or not long" tests/live/test_contract.py

fuzz: setup  ## random inputs everywhere; N=how many SEED=of a run before SURFACE=only this one
	$(PY) -m tests.fuzz $(if $(N),--inputs $(N)) $(if $(SEED),--seed $(SEED)) $(if $(SURFACE),--surface $(SURFACE))

bench: setup  ## speed and memory, to bench.json and a table
	$(PY) -m tests.bench

table: setup  ## what events cost under load, by recipe, on a lab that is up; RECIPES=a,b+c EVENTS=update,drain
	$(PY) -m tests.table $(if $(RECIPES),--recipes $(RECIPES)) $(if $(EVENTS),--events $(EVENTS))

schemas: setup  ## write what is derived from the lessons' model and the checks: the editors' schemas, the tables of keys and checks
	$(PY) -m lab.lesson

snapshots: setup  ## accept the screens as they are now
	.venv/bin/pytest tests/tui --snapshot-update

pictures: setup  ## make the README's pictures and its cast from the recordings
	$(PY) -m tests.tui.picture

wheel: setup
	$(PY) -m build --wheel --no-isolation

lock:  ## rewrite requirements.lock from pyproject.toml
	.venv/bin/pip-compile -q --strip-extras --extra cluster --extra route53 --extra dev --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-emit-trusted-host --allow-unsafe -o requirements.lock pyproject.toml
