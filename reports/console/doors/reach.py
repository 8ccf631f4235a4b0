"""The guard of the running app, for routes."""

from typing import cast

from fastapi import Request

from reports.console.doors.guard import Guard


def guard(request: Request) -> Guard:
    """Store, sessions, tokens, tries, acts."""
    return cast("Guard", request.app.state.guard)
