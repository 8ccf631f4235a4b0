"""The running hour of one pollutant against its limit: warning in time, exceedance at its end."""

import math
from dataclasses import replace

from agent.stacks.settings import StackConfig, plant_time
from agent.wire.events import Event, Happening
from drivers.model import Equipment
from drivers.quantities import quantities
from drivers.signals.stack import POLLUTANTS
from drivers.signals.stack_hour import HOUR_NS, MINUTE_NS, Forecast, Hour, HourSoFar


class Alarm:
    """
    ``minute`` takes each minute in order of time; what it hands back are events to tell.

    A warning is about one hour: it begins when the hour will probably end above the limit for
    ``warning_min`` minutes in a row, and ends when the whole band is below the limit as long, or
    with the hour. ``hours`` may be read by others.
    """

    def __init__(self, equipment: Equipment, pollutant: str, config: StackConfig) -> None:
        self.equipment, self.pollutant = equipment, pollutant
        self.config = config
        self.hours = HourSoFar(config.hour_rules())
        self._open: Event | None = None
        self._likely = self._calm = 0  # minutes in a row
        self._zh = quantities()[f"stack.{pollutant}"].zh
        self._place = POLLUTANTS.index(pollutant)  # two events never share kind, place and time

    def use(self, config: StackConfig) -> None:
        """These settings from now on; what the hour was so far stays."""
        self.config = config
        self.hours.rules = config.hour_rules()

    def remember(self, at_ns: int, value: float) -> list[Event]:
        """A minute of an earlier run: no warning is told any more, an hour above the limit is."""
        events = self._ended(self.hours.take(at_ns, value))
        self._weigh()
        return events

    def minute(self, at_ns: int, value: float) -> list[Event]:
        """A minute by its start; NaN when it was not valid."""
        events = self._ended(self.hours.take(at_ns, value))
        forecast = self._weigh()
        limit = self.config.limit(self.pollutant, self.hours.start_ns)
        if limit is None:
            return events
        if self._open is None and self._likely >= self.config.warning_min:
            self._open = self._warning(at_ns + MINUTE_NS, forecast, limit)
            events.append(self._open)
        elif self._open is not None and self._calm >= self.config.warning_min:
            events += self.stop(at_ns + MINUTE_NS)
        return events

    def over(self, at_ns: int) -> list[Event]:
        """Nothing older than this will come."""
        return self._ended(self.hours.until(at_ns)) if self.hours.start_ns >= 0 else []

    def stop(self, at_ns: int) -> list[Event]:
        """End the open warning."""
        event, self._open = self._open, None
        self._likely = self._calm = 0
        return [] if event is None else [replace(event, end_ns=max(at_ns, event.start_ns))]

    def _weigh(self) -> Forecast:
        forecast = self.hours.forecast()
        limit = self.config.limit(self.pollutant, self.hours.start_ns)
        if limit is None or forecast.valid < self.config.hour_minutes:
            self._likely = 0
            return forecast
        likely = round(forecast.expected, 4) > limit
        calm = forecast.high < limit and forecast.expected < self.config.release * limit
        self._likely = self._likely + 1 if likely else 0
        self._calm = self._calm + 1 if calm else 0
        return forecast

    def _ended(self, hour: Hour | None) -> list[Event]:
        """The warning of that hour ends with it; an hour above the limit is told."""
        if hour is None:
            return []
        events = self.stop(hour.start_ns + HOUR_NS)
        limit = self.config.limit(self.pollutant, hour.start_ns)
        if limit is None or not self.hours.holds(hour) or not round(hour.mean, 4) > limit:
            return events
        mean = round(hour.mean, 4)  # as the minutes are written; a sum of them is not exact
        kind = Happening.EXCEEDANCE
        text = (
            f"{self._zh} {_clock(hour.start_ns)} 小时均值 {mean:g} mg/m3，限值 {limit:g}，"
            f"有效 {hour.valid} 分钟，最高 {hour.highest:g} | {self.pollutant}: hourly mean "
            f"{mean:g} mg/m3, limit {limit:g}, {hour.valid} valid minutes, highest {hour.highest:g}"
        )
        start_ns = hour.start_ns + self._place
        name = f"{kind}-{self.equipment}-{self.pollutant}-{hour.start_ns}"
        end_ns = hour.start_ns + HOUR_NS
        return [*events, Event(kind, start_ns, name, text, self.equipment, end_ns, mean)]

    def _warning(self, at_ns: int, forecast: Forecast, limit: float) -> Event:
        hour = self.hours.hour()
        kind, expected = Happening.EXCEEDANCE_WARNING, round(forecast.expected, 2)
        so_far = "-" if math.isnan(hour.mean) else f"{hour.mean:.2f}"
        band = f"{forecast.low:.2f}–{forecast.high:.2f}"
        text = (
            f"{self._zh} {_clock(hour.start_ns)} 小时均值预计 {expected:g}（{band}）mg/m3，"
            f"限值 {limit:g}，已过 {self.hours.passed} 分钟均值 {so_far} | {self.pollutant}: hour "
            f"will probably end at {expected:g} ({band}) mg/m3, limit {limit:g}, mean of "
            f"{self.hours.passed} minutes so far {so_far}"
        )
        name = f"{kind}-{self.equipment}-{self.pollutant}-{at_ns}"
        return Event(kind, at_ns + self._place, name, text, self.equipment, None, expected)


def _clock(at_ns: int) -> str:
    """Hour of plant time, as its beginning."""
    return plant_time(at_ns).strftime("%m-%d %H:%M")
