"""Where frames arrive: the pipeline of their group, events, counts, and lines to both streams."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from agent.edge.clock import ClockStep
from agent.edge.clock_told import retimed_text, unsynced_text
from agent.edge.device_clock import DeviceClocks
from agent.edge.fullness import Fullness
from agent.edge.outbox import Outbox
from agent.edge.pipeline import Closed, GroupPipeline
from agent.edge.resume import Resume
from agent.edge.timekeeper import Looked
from agent.edge.untaken import Origin
from agent.exchangers.events import KINDS as TROUBLES
from agent.exchangers.exchangers import Exchangers
from agent.exchangers.settings import ExchangersConfig
from agent.minutes.counters import CounterStep, Step
from agent.minutes.windows import Minutes
from agent.pots.pots import Pots
from agent.pots.settings import PotsConfig
from agent.stacks.settings import StackConfig
from agent.stacks.stacks import Stacks
from agent.tally import DeviceTally
from agent.wire.encode import HAS_VALUE, event_line, retimed_line
from agent.wire.events import Event, EventBook, Happening, Told
from drivers.model import Equipment, Frame, Group

_log = logging.getLogger(__name__)

_HAPPENED = {
    Step.ROLLOVER: Happening.ROLLOVER,
    Step.RESET: Happening.RESET,
    Step.REPLACEMENT: Happening.REPLACEMENT,
    Step.ON: Happening.GAP,
}


class Desk:
    """The ``Sink`` of all lines. Everything here is done at once and never waits."""

    def __init__(
        self,
        plant: str,
        gateway: str,
        record: Outbox,
        raw: Outbox,
        *,
        pots: Pots | None = None,
        exchangers: Exchangers | None = None,
        stacks: Stacks | None = None,
    ) -> None:
        self.plant, self.gateway = plant, gateway
        self.record, self.raw = record, raw
        self.pots = pots
        self.exchangers = exchangers
        self.stacks = stacks
        self.book = EventBook()
        self.tallies: dict[str, DeviceTally] = {}
        self.pipelines: dict[Group, GroupPipeline] = {}
        self.grace_ns: dict[Group, int] = {}
        self.texts: dict[str, str] = {}
        self.device_clocks = DeviceClocks(plant, gateway, self.book)
        self.fullness = Fullness(record, raw, self.book, self._only_equipment)
        self.heard: Callable[[Event], None] | None = None  # who else wants to know
        self._dropped = 0  # raw lines in the drop that lasts

    # --- frames

    def frame(self, frame: Frame) -> None:
        """Judge, count, sum, encode; lines go to the outboxes."""
        pipeline = self.pipelines.get(frame.group)
        if pipeline is None:
            return  # a read that outlived its place in the config
        if frame.remarks:
            self._remarks(frame)
        if frame.group.mode == "report":
            self._reported(pipeline, frame)
            return
        if frame.texts:  # first: a counter of another device must not go on from the last one
            self._texts(frame, pipeline)
        outcome = pipeline.take(frame)
        self.tallies[frame.group.device].take(outcome.frame)
        self.device_clocks.take(outcome.frame)
        if self.stacks is not None:
            self.stacks.hear(outcome.frame)
        self._minutes(frame.group, outcome.closed)
        for step in outcome.steps:
            self._counter(step)
        if self.pots is not None:
            events, minutes = self.pots.take(outcome.frame)
            for lines in minutes:
                self.record.add(lines)
            self._tell_all(events)
        self._keep_raw(outcome.raw, outcome.frame)

    def _reported(self, pipeline: GroupPipeline, frame: Frame) -> None:
        """Windows that a device made itself; ``frame`` has no samples."""
        self.tallies[frame.group.device].odd.update(frame.counts)
        for lines in pipeline.reported(frame):
            self.record.add(lines, urgent=True)  # the device was told that they are safe

    def _remarks(self, frame: Frame) -> None:
        where = self._only_equipment(frame.group.device)
        for said in frame.remarks:
            self.tell(
                self.book.once(
                    Happening(said.kind),
                    said.start_ns,
                    f"{frame.group.device}: {said.text}",
                    equipment=where,
                    end_ns=said.end_ns,
                    amount=said.amount,
                )
            )

    def _minutes(self, group: Group, closed: Iterable[Closed]) -> None:
        for minute in closed:
            windows = minute.windows
            origin = Origin(group.device, windows.start_ns, len(windows.points))
            self.record.add(minute.lines, origin=origin)
            if self.exchangers is not None:
                self._told(self.exchangers.take(group, windows))
            if self.stacks is not None:
                self._told(self.stacks.take(group, windows))

    def _told(self, told: Told) -> None:
        for lines in told.lines:
            self.record.add(lines)
        self._tell_all(told.events)

    def _keep_raw(self, lines: bytes, frame: Frame) -> None:
        before, slot_ns = self.raw.dropped, frame.slot_ns
        values = int(np.count_nonzero(HAS_VALUE[frame.quality]))
        taken = self.raw.add(lines, origin=Origin(frame.group.device, slot_ns, values))
        self._dropped += self.raw.dropped - before
        if not taken:
            self._begin(Happening.DROPPED, "raw", slot_ns, "raw lines found no room before the log")
        elif self._dropped:
            lost, self._dropped = self._dropped, 0
            self._finish(Happening.DROPPED, "raw", slot_ns, amount=lost)

    def _texts(self, frame: Frame, pipeline: GroupPipeline) -> None:
        for i, text in frame.texts.items():
            point = frame.group.points[i]
            known = self.texts.get(point.id)
            self.texts[point.id] = text
            if known is not None and known != text:
                pipeline.counters.replaced(point.equipment)
                what = f"{point.quantity.name} {known!r} → {text!r}"
                self.tell(
                    self.book.once(
                        Happening.REPLACEMENT, frame.slot_ns, what, equipment=point.equipment
                    )
                )

    def _counter(self, step: CounterStep) -> None:
        if step.step is Step.ON and not step.increment and not step.ambiguous:
            return
        point, unit = step.point, step.point.quantity.unit
        what = f"{point.quantity.name}: {step.before:.10g} → {step.now:.10g} {unit}"
        if step.step is Step.ON:
            what += ", counted over a gap"
        if step.ambiguous:
            what += "; it could have rolled over unseen meanwhile"
        event = self.book.once(
            _HAPPENED[step.step],
            step.before_ns,
            what,
            equipment=point.equipment,
            end_ns=step.now_ns,
            amount=step.increment if step.step in {Step.ON, Step.ROLLOVER} else step.now,
        )
        self.tell(event)

    # --- what happened to a device

    def lost(self, device: str, since_ns: int, reason: str) -> None:
        self.tallies[device].online = False
        _log.warning("device lost device=%s reason=%r", device, reason)
        text = f"{device}: {reason}"
        equipment = self._only_equipment(device)
        for kind in (Happening.DEVICE_LOST, Happening.GAP):
            self.tell(self.book.begin(kind, device, since_ns, text, equipment))

    def back(self, device: str, at_ns: int) -> None:
        self.tallies[device].online = True
        _log.warning("device back device=%s", device)
        for kind in (Happening.DEVICE_LOST, Happening.GAP):
            self._finish(kind, device, at_ns)

    def overload(self, device: str, since_ns: int, reason: str) -> None:
        _log.warning("overload device=%s reason=%r", device, reason)
        equipment = self._only_equipment(device)
        text = f"{device}: {reason}"
        self.tell(self.book.begin(Happening.OVERLOAD, device, since_ns, text, equipment))

    def relieved(self, device: str, at_ns: int, skipped: int) -> None:
        _log.warning("overload over device=%s skipped=%d", device, skipped)
        self._finish(Happening.OVERLOAD, device, at_ns, amount=skipped)

    def _only_equipment(self, device: str) -> Equipment | None:
        found = {p.equipment for g in self.pipelines if g.device == device for p in g.points}
        return found.pop() if len(found) == 1 else None

    # --- time

    def looked(self, looked: Looked, now_ns: int) -> None:
        """What a look at the clock found: a step, a clock nobody keeps, true times of before."""
        if looked.step is not None:
            self.stepped(looked.step)
        if looked.unsynced_since_ns is not None:
            text = unsynced_text()
            self._begin(Happening.CLOCK_UNSYNCED, "clock", looked.unsynced_since_ns, text)
        for each in looked.retimed:
            self.record.add(retimed_line(self.plant, self.gateway, each), urgent=True)
            event = self.book.once(
                Happening.RETIMED, now_ns, retimed_text(each), amount=each.shift_ns / 1e9
            )
            self.tell(event)
        if looked.synced:
            self._finish(Happening.CLOCK_UNSYNCED, "clock", now_ns)
        for events, lines in self.device_clocks.passed(now_ns):
            if lines:
                self.record.add(lines)
            self._tell_all(events)

    def stepped(self, step: ClockStep) -> None:
        """Tell a step of the system clock; forward, the time that never was is a gap."""
        size_s, moved_s = step.size_ns / 1e9, step.moved_ns / 1e9
        did = "followed" if step.followed else "not followed, no time is stamped twice"
        if step.followed and abs(moved_s - size_s) >= 0.001:
            did += f", gateway time moved by {moved_s:+.3f} s"
        _log.warning("clock step size_s=%.3f %s", size_s, did)
        what = f"the system clock stepped by {size_s:+.3f} s; {did}"
        self.tell(self.book.once(Happening.CLOCK_STEP, step.at_ns, what, amount=size_s))
        if step.moved_ns > 0:
            end_ns = step.at_ns + step.moved_ns
            self.tell(self.book.once(Happening.GAP, step.at_ns, what, end_ns=end_ns))
        if step.moved_ns < 0:
            for group, pipeline in self.pipelines.items():  # or all that comes now would be late
                self._minutes(group, pipeline.break_off())

    def close_minutes(self, now_ns: int) -> None:
        """Minutes that are over though their group is silent."""
        for group, pipeline in self.pipelines.items():
            self._minutes(group, pipeline.close_until(now_ns, self.grace_ns[group]))
        if self.exchangers is not None:
            self._told(self.exchangers.passed(now_ns, self.grace_ns))
        if self.stacks is not None:
            self._told(self.stacks.passed(now_ns, self.grace_ns))
        if self.pots is not None:
            over = {group: now_ns - grace_ns for group, grace_ns in self.grace_ns.items()}
            self._tell_all(self.pots.passed(over))

    # --- events

    def tell(self, event: Event | None) -> None:
        """Write an event to the record stream; None is nothing to tell."""
        if event is not None:
            self.record.add(event_line(self.plant, self.gateway, event), urgent=True)
            if self.heard is not None:
                self.heard(event)

    def _tell_all(self, events: Iterable[Event]) -> None:
        for event in events:
            self.tell(event)

    def once(self, kind: Happening, at_ns: int, text: str, end_ns: int | None = None) -> None:
        self.tell(self.book.once(kind, at_ns, text, end_ns=end_ns))

    def _begin(self, kind: Happening, subject: str, at_ns: int, text: str) -> None:
        self.tell(self.book.begin(kind, subject, at_ns, text))

    def _finish(
        self, kind: Happening, subject: str, at_ns: int, amount: float | None = None
    ) -> None:
        self.tell(self.book.finish(kind, subject, at_ns, amount=amount))

    def log_state(self, at_ns: int) -> None:
        """Tell what the outboxes met when they were flushed: no room, room again, little room."""
        for event in self.fullness.look(at_ns):
            self.tell(event)

    def finish_all(self, at_ns: int) -> None:
        """End every open event but anode effects and troubles of exchangers: nobody looks."""
        if self.pots is not None:
            self._tell_all(self.pots.end_signs(at_ns))
        if self.exchangers is not None:
            self.exchangers.unsaved = True
        if self.stacks is not None:
            self._tell_all(self.stacks.end_signs(at_ns))
        for event in self.book.lasting():
            self.tell(self.book.end(event, at_ns))

    def reopen(self, left: Resume, end_ns: int) -> None:
        """Go on with effects and troubles of an earlier run; end what else it left when killed."""
        effects = [e for e in left.open_events if e.kind is Happening.ANODE_EFFECT]
        troubles = [e for e in left.open_events if e.kind in TROUBLES]
        for event in left.open_events:
            if event.kind is not Happening.ANODE_EFFECT and event.kind not in TROUBLES:
                self.tell(replace(event, end_ns=max(end_ns, event.start_ns)))
        if self.pots is not None:
            self._tell_all(self.pots.restore(left.pots, effects))
        if self.exchangers is not None:
            self._tell_all(self.exchangers.restore(left.exchangers, troubles, end_ns))
        if self.stacks is not None:
            self._tell_all(self.stacks.restore(left.stacks))

    # --- groups come and go

    def tally(self, device: str) -> DeviceTally:
        """The counts of a device, made when it is first named."""
        return self.tallies.setdefault(device, DeviceTally(online=True))

    def forget(self, devices: Iterable[str], at_ns: int) -> None:
        """These devices are polled no more, or anew: what was open about them ends."""
        for device in devices:
            for kind in (Happening.DEVICE_LOST, Happening.GAP, Happening.OVERLOAD):
                self._finish(kind, device, at_ns)
            self._tell_all(self.device_clocks.forget(device, at_ns))

    def left(self) -> Resume:
        """What the next run goes on with."""
        pipelines = self.pipelines.values()
        readings = {k: v for p in pipelines for k, v in p.counters.readings().items()}
        minutes = [p.state() for p in pipelines if p.minutes.start_ns]
        pots = self.pots.state() if self.pots is not None else {}
        return Resume(readings, minutes, self.texts, pots)

    def exchange(
        self,
        groups: dict[Group, int],
        devices: Iterable[str],
        now_ns: int,
        pots: PotsConfig | None = None,
        exchangers: ExchangersConfig | None = None,
        stacks: Iterable[StackConfig] | None = None,
    ) -> None:
        """
        Read these groups from now on (with their grace in ns); the others end here.

        Points that are read on keep their counters and the minute under way; the minute of a point
        that is read no more is written as far as it came.
        """
        self.close_minutes(now_ns)
        old = [p for g, p in self.pipelines.items() if g not in groups]
        new = [g for g in groups if g not in self.pipelines]
        kept = {g: p for g, p in self.pipelines.items() if g in groups}
        added = {g: GroupPipeline(self.plant, self.gateway, g) for g in new}
        self.pipelines = kept | added
        self.grace_ns = dict(groups)
        names = set(devices)
        self.tallies = {name: tally for name, tally in self.tallies.items() if name in names}
        for name in names:
            self.tally(name)
        readings = {k: v for p in old for k, v in p.counters.readings().items()}
        states = [p.state() for p in old if p.minutes.start_ns]
        for pipeline in added.values():
            pipeline.counters.restore(readings)
            for state in states:
                pipeline.minutes.restore(state)
        still = {p.id for g in self.pipelines for p in g.points}
        for pipeline in old:
            self._part(pipeline, still)
        if self.pots is not None:
            self._tell_all(self.pots.exchange(groups, now_ns, pots))
        if self.exchangers is not None:
            self._tell_all(self.exchangers.exchange(groups, now_ns, exchangers))
        if self.stacks is not None:
            self._tell_all(self.stacks.exchange(groups, now_ns, stacks))

    def _part(self, pipeline: GroupPipeline, still: set[str]) -> None:
        minutes: Minutes = pipeline.minutes
        gone = [i for i, p in enumerate(pipeline.group.points) if p.id not in still]
        if gone and minutes.start_ns:
            self.record.add(pipeline.part(minutes.close(), gone))
