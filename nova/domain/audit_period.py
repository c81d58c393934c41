"""Periods of usage audits: the last whole hour, day, month or year before a moment."""

import dataclasses
import datetime

_UNITS = ('hour', 'day', 'month', 'year')


@dataclasses.dataclass(frozen=True)
class Period:
    begin: datetime.datetime
    end: datetime.datetime


def last_completed(unit: str, before: datetime.datetime) -> Period:
    """The last period that was over at a moment.

    Args:
        unit: hour, day, month or year; ``month@15`` begins on the 15th, ``day@6`` at six, ``hour@30`` at half
        past,
            ``year@7`` with July.

    Raises:
        ValueError: another unit, or a beginning that it does not have.
    """
    name, _, text = unit.partition('@')
    if name not in _UNITS:
        raise ValueError(f'{name!r} is not one of {", ".join(_UNITS)}')
    offset = int(text) if text else (1 if name in ('month', 'year') else 0)
    end = _begin_of(name, before, offset)
    if end > before:
        end = _step_back(name, end)
    return Period(_step_back(name, end), end)


def _begin_of(name: str, moment: datetime.datetime, offset: int) -> datetime.datetime:
    whole = moment.replace(minute=0, second=0, microsecond=0)
    if name == 'hour':
        return whole.replace(minute=offset)
    if name == 'day':
        return whole.replace(hour=offset)
    if name == 'month':
        return whole.replace(day=offset, hour=0)
    return whole.replace(month=offset, day=1, hour=0)


def _step_back(name: str, begin: datetime.datetime) -> datetime.datetime:
    if name == 'hour':
        return begin - datetime.timedelta(hours=1)
    if name == 'day':
        return begin - datetime.timedelta(days=1)
    if name == 'year':
        return begin.replace(year=begin.year - 1)
    return begin.replace(year=begin.year - 1,
                         month=12) if begin.month == 1 else begin.replace(month=begin.month - 1)
