"""Live indicators on bars within sessions, of the series that somebody asks for: each moves as its bar forms and ends.

What stands there is what a batch over the stored bars says: a series goes on only over bars that we stored ourselves,
and is opened anew wherever the version changed by another hand.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from analysis.indicators import carried, catalogue
from analysis.indicators.across.group import Group, Member, Step, Told, rounds
from analysis.indicators.entry import Indicator
from analysis.summary import ADJUSTMENT, LOOK_SECONDS, IndicatorValues
from market import bars, coverage, intervals
from market.intervals import MINUTE
from market.prices import FORMING, Bar

Key = tuple[str, str]  # a ticker and an interval
Versions = Mapping[Key, tuple[str, str]]  # before and after, as bars.upsert gives them


@dataclass(slots=True)
class Series:
    """Open on the bars of a version, up to the one of an opening.

    version: None where others wrote each time the bars were read; the next look opens them again.
    """

    member: Member
    opened_at: datetime | None
    version: str | None
    looked_for: date  # the session whose bars it is known to be right for

    def step(self, bar: Bar) -> Step | None:
        """What its indicators are to be told of a bar, as it forms or once it ended; None of one that is past."""
        if self.opened_at is not None and bar.opened_at < self.opened_at:
            return None
        return Step(self.member, bar, carried.of_bar(bar), bar.opened_at == self.opened_at)

    def told(self, step: Step, told: Told) -> IndicatorValues:
        """The values after a step, of which the indicators say this."""
        bar, (values, reasons) = step.quote, told
        if bar.has_closed:
            self.opened_at = bar.opened_at
        return IndicatorValues(
            ticker=bar.ticker,
            interval=bar.interval,
            as_of=bar.opened_at,
            as_of_precision=intervals.named(bar.interval).precision,
            adjustment=ADJUSTMENT,
            is_final=bar.is_final,
            state=bar.state,
            values=values,
            source=bar.source,
            received_at=bar.received_at,
            session_date=bar.session_date,
            version=self.version or coverage.NONE,
            reasons=reasons,
        )


class Within:
    """The series that somebody asks for, each with its indicators by their keys."""

    def __init__(self) -> None:
        self._chosen: dict[Key, Mapping[str, Indicator]] = {}
        self._series: dict[Key, Series] = {}
        self._look_at = 0.0
        self._group = Group(catalogue.defaults(MINUTE.name))

    def choose(self, chosen: Mapping[Key, Mapping[str, Indicator]]) -> None:
        """These from now on, and no others; a series of which there are others now is opened anew."""
        self.forget(key for key in list(self._series) if self._chosen[key].keys() != chosen.get(key, {}).keys())
        self._chosen = dict(chosen)

    def tick(self, moved: Sequence[Bar]) -> list[IndicatorValues]:
        """The values after each bar, in their order; call it when those that ended are stored. Safe to run again."""
        begun = {_key(bar): bar.session_date for bar in moved if self._begins(bar)}
        self._forget_changed(begun)
        for key, session in begun.items():
            if key in self._series:
                self._series[key].looked_for = session
        return [values for some in rounds(moved, _key) for values in self._moved(some)]

    def follow(self, versions: Versions) -> None:
        """What we stored ourselves, and `tick` is about to be told: a series goes on where nobody else wrote."""
        for key in list(self._series):
            written = versions.get((key[0], intervals.named(key[1]).stored_as))
            if written is None:
                continue
            before, after = written
            if self._series[key].version == before:
                self._series[key].version = after
            else:
                self.forget([key])

    def changed(self) -> set[Key]:
        """The series whose bars others have changed, as is looked every few seconds; they are opened anew."""
        if time.monotonic() < self._look_at:
            return set()
        found = self._forget_changed(self._series)
        self._look_at = time.monotonic() + LOOK_SECONDS
        return found

    def forget(self, keys: Iterable[Key]) -> None:
        """Open these again at their next bar."""
        for key in keys:
            if series := self._series.pop(key, None):
                series.member.close()

    def _forget_changed(self, keys: Iterable[Key]) -> set[Key]:
        by_stored: dict[str, list[Key]] = {}
        for key in keys:
            by_stored.setdefault(intervals.named(key[1]).stored_as, []).append(key)
        found: set[Key] = set()
        for stored_as, some in by_stored.items():
            versions = coverage.latest({ticker for ticker, _ in some}, interval=stored_as)
            found |= {key for key in some if versions.get(key[0]) != self._series[key].version}
        self.forget(found)
        return found

    def _moved(self, bars: Sequence[Bar]) -> list[IndicatorValues]:
        """Of one bar of each series."""
        asked = [(series, step) for bar in bars if (step := (series := self._opened(bar)).step(bar))]
        told = self._group.moved([step for _, step in asked])
        return [series.told(step, each) for (series, step), each in zip(asked, told, strict=True)]

    def _begins(self, bar: Bar) -> bool:
        series = self._series.get(_key(bar))
        return series is not None and bar.session_date > series.looked_for

    def _opened(self, bar: Bar) -> Series:
        key = _key(bar)
        if key not in self._series:
            self._series[key] = _opened(bar, self._chosen[key], self._group)
        return self._series[key]


def _opened(bar: Bar, chosen: Mapping[str, Indicator], group: Group) -> Series:
    """Over the bars that are stored and have ended."""
    held = bars.series(bar.ticker, interval=bar.interval, adjusted=ADJUSTMENT)
    columns = held.columns
    times = columns["opened_at"]
    last = times[-1].item().replace(tzinfo=UTC) if len(times) else None
    newest = held.newest
    if newest is not None and newest.state != FORMING and (last is None or newest.opened_at > last):
        told = {name: getattr(newest, name) for name in columns}
        told["opened_at"] = np.datetime64(newest.opened_at.replace(tzinfo=None))
        columns = {name: np.append(column, np.array([told[name]], column.dtype)) for name, column in columns.items()}
        last = newest.opened_at
    return Series(
        member=group.opened(chosen, bar.ticker, columns),
        opened_at=last,
        version=held.version if held.versions else None,
        looked_for=bar.session_date,
    )


def _key(bar: Bar) -> Key:
    return bar.ticker, bar.interval
