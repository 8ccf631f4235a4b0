"""Long work that a visitor started: its steps one after the other, and how far it is."""

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from fastapi import Request

from drivers.language import say
from drivers.model import ConfigError
from reports.console.desk import BusyError, Desk, FailedError, Who
from reports.values import Text

_log = logging.getLogger(__name__)

KEPT = 200  # jobs remembered
RUNNING_MOST = 8


@dataclass(frozen=True, slots=True)
class Step:
    """One question to the long lane; ``arguments`` may take ``{name}`` of an earlier answer."""

    label: Text
    job: str
    arguments: Mapping[str, Any]
    acts: bool = False  # something is changed or recorded


@dataclass(slots=True)
class Job:
    """``done`` steps of ``steps``; ``result`` is the answer of the first one, ``next`` a page."""

    id: str
    key: str
    title: Text
    who: Who
    steps: Sequence[Step]
    next: str = ""  # may hold {file} of the result
    done: int = 0
    state: Literal["running", "done", "refused", "failed"] = "running"
    problems: tuple[str, ...] = ()
    result: dict[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=time.time)
    ended: float | None = None

    @property
    def seconds(self) -> float:
        return (self.ended or time.time()) - self.began

    @property
    def doing(self) -> Text:
        """What is being done now."""
        return self.steps[min(self.done, len(self.steps) - 1)].label


class Jobs:
    """One for the console; the same work asked for twice is done once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._jobs: dict[str, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def get(self, identity: str) -> Job | None:
        return self._jobs.get(identity)

    def running(self, key: str) -> Job | None:
        """The one that does this now."""
        found = (job for job in self._jobs.values() if job.key == key and job.state == "running")
        return next(found, None)

    def newest(self, key: str) -> Job | None:
        """The last one of that kind, whatever became of it."""
        found = [job for job in self._jobs.values() if job.key == key]
        return found[-1] if found else None

    def start(self, key: str, title: Text, who: Who, steps: Sequence[Step], page: str = "") -> Job:
        """Begun, or the one that runs already. Raises BusyError."""
        known = self.running(key)
        if known is not None:
            return known
        if sum(job.state == "running" for job in self._jobs.values()) >= RUNNING_MOST:
            raise BusyError
        job = Job(secrets.token_hex(8), key, title, who, steps, page)
        over = [each.id for each in self._jobs.values() if each.state != "running"]
        for old in over[: max(0, len(self._jobs) + 1 - KEPT)]:
            del self._jobs[old]
        self._jobs[job.id] = job
        task = asyncio.create_task(self._run(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    async def _run(self, job: Job) -> None:
        try:
            for step in job.steps:
                given: dict[str, Any] = {
                    name: value.format_map(job.result) if isinstance(value, str) else value
                    for name, value in step.arguments.items()
                }
                if step.acts:
                    said = await self._desk.act(step.job, job.who, lane="long", **given)
                else:
                    said = await self._desk.ask(step.job, lane="long", **given)
                job.result = {**said, **job.result} if isinstance(said, dict) else job.result
                job.done += 1
            job.state = "done"
        except ConfigError as error:
            job.state, job.problems = "refused", tuple(error.problems)
        except (FailedError, BusyError) as error:
            _log.error("%s: %s", job.key, error)
            told = say("程序出错，详情见服务日志", "the program failed; see its log")
            job.state, job.problems = "failed", (told,)
        finally:
            if job.state == "running":
                job.state = "failed"
            job.ended = time.time()


def jobs(request: Request) -> Jobs:
    """Those of this console."""
    state = request.app.state
    if not hasattr(state, "jobs"):
        state.jobs = Jobs(state.desk)
    found: Jobs = state.jobs
    return found
