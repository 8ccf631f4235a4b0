"""
The API of a real console asked with hostile values, made by schemathesis from its own description.

``python -m tests.console.fuzzing --examples 200 --seed 1`` for a long run over a small plant.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

from reports.console.doors.roles import RIGHTS, Right, Role
from reports.console.doors.store import Store
from reports.console.doors.tokens import Tokens
from reports.console.office import Office
from tests.console.doors_people import allround
from tests.console.served import Served

CHECKED: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
MODES: Final = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
STREAMS: Final = "text/event-stream"  # ends when the visitor goes, not before
BUSY: Final = 503  # more questions than the desk takes at once: said so, and no fault


@dataclass
class Fuzzed:
    """What came of it."""

    requests: int = 0
    operations: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)  # by operation and check, the first


def token(site_file: Path, role: Role | None) -> str:
    """A token with every right of the role, for its account; None: of one who has all roles."""
    store = Store(Office(site_file).data)
    try:
        user = store.user(role.value) if role else allround(store)
        assert user is not None
        rights = RIGHTS[role] if role else frozenset(Right)
        _, secret = Tokens(store).make(user, f"fuzz {role}", rights, 1)
        return secret
    finally:
        store.close()


def fuzz(
    served: Served,
    roles: Iterable[Role | None],
    *,
    examples: int,
    seed_: int = 1,
    only: str = "",
) -> Fuzzed:
    """Every operation, by one role after the other; None is somebody with all of them."""
    load_all_checks()
    checks = [each for each in CHECKS.get_all() if each.__name__ in CHECKED]
    found = Fuzzed()
    for role in roles:
        headers = {"Authorization": f"Bearer {token(served.site_file, role)}"}
        with requests.Session() as session:
            session.trust_env = False
            address = f"{served.url}/api/openapi.json"
            told = session.get(address, headers=headers, timeout=240).json()
            schema = schemathesis.openapi.from_dict(_without_streams(told, only))
            for result in schema.get_all_operations():
                operation = _good(result)
                for mode in MODES:
                    asked = _Asked(served.url, session, headers, checks, found)
                    asked.run(operation, mode, examples, seed_)
    return found


@dataclass
class _Asked:
    """One operation by one role."""

    url: str
    session: requests.Session
    headers: dict[str, str]
    checks: list[Any]
    found: Fuzzed

    def run(self, operation: Any, mode: GenerationMode, examples: int, seed_: int) -> None:
        if mode is GenerationMode.NEGATIVE and not _takes_anything(operation):
            return

        @seed(seed_)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def once(case: Any) -> None:
            self.one(operation.label, case)

        once()

    def one(self, label: str, case: Any) -> None:
        self.found.requests += 1
        self.found.operations.add(label)
        response = case.call(
            base_url=self.url, session=self.session, headers=self.headers, timeout=240
        )
        self.found.statuses[response.status_code] += 1
        if response.status_code == BUSY:
            return
        try:
            case.validate_response(response, checks=self.checks)
        except FailureGroup as group:
            for each in group.exceptions:
                told = f"{each}\n{case.as_curl_command()[:600]}\n{response.text[:600]}"
                self.found.failures.setdefault(f"{label} {type(each).__name__}", told)
        except AssertionError as error:
            self.found.failures.setdefault(f"{label} {type(error).__name__}", str(error))


def _good(result: Any) -> Any:
    """An operation; a description that cannot be read raises."""
    return result.ok()


def _takes_anything(operation: Any) -> bool:
    return bool(operation.path_parameters or operation.query or operation.body)


def _without_streams(told: dict[str, Any], only: str) -> dict[str, Any]:
    text = json.dumps
    paths = {
        path: methods
        for path, methods in told["paths"].items()
        if STREAMS not in text(methods) and only in path
    }
    return told | {"paths": paths}


def main() -> int:
    """Exit code 1: something failed."""
    from tests.console.conftest import plant_folder
    from tests.console.served import people, serve
    from tests.reports import plant

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--role", choices=[*Role], action="append")
    parser.add_argument("--only", default="", help="part of a path")
    given_ = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        root = Path(folder)
        plant.build(root / "plant")
        site_file = plant_folder(root / "office", root / "plant")
        people(site_file)
        served = serve(site_file)
        try:
            roles = [Role(each) for each in given_.role or [*Role]]
            began = time.monotonic()
            found = fuzz(
                served, roles, examples=given_.examples, seed_=given_.seed, only=given_.only
            )
            log = served.site_file.with_name("serve.log").read_text("utf-8")
        finally:
            served.end()
    for key, told in found.failures.items():
        sys.stdout.write(f"{key}\n{told}\n\n")
    if any(status >= 500 and status != BUSY for status in found.statuses):
        sys.stdout.write(log[-20_000:])
    sys.stdout.write(
        f"{len(found.operations)} operations, {found.requests} requests in "
        f"{time.monotonic() - began:.0f} s, {dict(sorted(found.statuses.items()))}, "
        f"{len(found.failures)} failures, seed {given_.seed}\n"
    )
    return 1 if found.failures else 0


if __name__ == "__main__":
    sys.exit(main())
