"""``quality-plan``: what it prints, what it misses, how it differs from the plan before."""

from tests.reports import planned
from tests.reports.conftest import Office


def test_a_whole_plan_is_complete(kept: Office) -> None:
    planned.plan(kept)
    kept.enter(planned.CERTIFICATES, "certificates.csv")
    written = planned.made(kept, "quality-plan", 2027, ("json", "pdf", "xlsx"))
    content = written.report.content
    print([str(x) for x in written.files])
    assert content.complete, content.reasons()
    assert not content.warnings
