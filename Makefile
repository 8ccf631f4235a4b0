# The newcomer's two commands are `make demo` and `make test`; everything else is for developers.
SHELL := /bin/sh
BIN := .venv/bin
# Tests that compute, and those of the console, which wait for conditions only, share two cores; the
# others watch the clock and run one by one.
COMPUTING := tests/test_demo_year.py tests/test_smoke_year.py tests/simulation tests/console tests/reports tests/rules tests/drivers tests/simulators tests/supply tests/read_only/test_scan.py tests/test_smoke_edge.py tests/test_smoke_month.py

.PHONY: demo test check lock wheel wheelhouse wheelhouse-test sbom licences audit advisories deb deb-test clean bench fuzz fuzz-api pictures reliability simulate schema

demo: .venv/.installed ## simulated smelter -> agent -> historian -> monthly carbon report, then live values
	$(BIN)/smelter demo

test: .venv/.installed ## install the test servers, then every check
	.ci/servers
	$(MAKE) --no-print-directory check

check: .venv/.installed ## every check, servers being there
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	if [ -f deploy/advisories.json ]; then $(BIN)/python -m tests.supply audit; \
	else echo "known weaknesses NOT checked: no deploy/advisories.json (make advisories FROM=...)"; fi
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(COMPUTING)
	$(BIN)/pytest $(COMPUTING:%=--ignore=%)

bench: .venv/.installed ## speed and size; prints the tables kept in docs/benchmarks.md
	.ci/servers
	$(BIN)/python -m benchmarks

reliability: .venv/.installed ## every fault in full numbers (hours; some need root); renews docs/reliability.md
	.ci/servers
	$(BIN)/python -m tests.reliability --full --write docs

simulate: .venv/.installed ## both ends in a simulated world: 10,000 seeds, then products broken on purpose
	$(BIN)/python -m tests.simulation
	$(BIN)/python -m tests.simulation --mutations

fuzz: .venv/.installed ## hostile bytes into every decoder: a million inputs each, seeded; prints figures
	$(BIN)/python -m tests.fuzz --inputs 1000000 --seed 1

fuzz-api: .venv/.installed ## hostile values to every address of the console's API, by every role (about an hour)
	$(BIN)/python -m tests.console.fuzzing --examples 200 --seed 1

pictures: .venv/.installed ## every page of the console, zh and en, narrow and wide, in build/pictures; faults and barriers told
	$(BIN)/python -m tests.console.pictures

lock: .venv/.installed ## renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 --all-extras \
		pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--extra edge --extra historian --extra console -c requirements.lock \
		pyproject.toml -o requirements.runtime.lock
	echo 'cyclonedx-bom>=7.2' | uv pip compile --universal --generate-hashes --no-header --no-annotate \
		--python-version 3.11 - -o requirements.sbom.lock

wheelhouse: .venv/.installed ## dist/wheelhouse: every wheel a plant needs, by hash, for an installation with no network
	deploy/wheelhouse

wheelhouse-test: .venv/.installed ## that installation without a network, flipped wheels, SBOM, wheel built twice (minutes)
	$(BIN)/python -m tests.reliability E6 --full --write docs

wheel: .venv/.installed ## dist/smelter_agent-*.whl: the same bytes from the same commit
	deploy/wheel

sbom: wheelhouse ## dist/sbom.cdx.json (CycloneDX) of what the wheelhouse installs, held against it
	deploy/sbom

licences: .venv/.installed ## renew docs/licences.md; fails on a licence that is unknown or not accepted
	$(BIN)/python -m tests.supply licences --write

audit: .venv/.installed ## the locks against known weaknesses in deploy/advisories.json, with no network
	$(BIN)/python -m tests.supply audit

advisories: .venv/.installed ## FROM=FILE: renew deploy/advisories.json of an OSV export that was brought
	$(BIN)/python -m tests.supply advisories $(FROM)

deb: .venv/.installed ## dist/*.deb for Debian 12: environment, users, units, examples; installs with no network
	deploy/deb

deb-test: .venv/.installed ## the .deb in a clean Debian root: install, upgrade under load, roll back, purge (root, minutes)
	.ci/servers
	$(BIN)/python -m tests.reliability E5 E5b --full --write docs

.venv/.installed: requirements.lock pyproject.toml
	.ci/venv
	touch $@

clean:
	rm -rf .venv demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

schema: .venv/.installed  ## docs/report-schema.json from the model
	$(BIN)/python -c 'import json; from reports.model import Report; print(json.dumps(Report.model_json_schema(mode="serialization"), ensure_ascii=False, indent=1))' > docs/report-schema.json
