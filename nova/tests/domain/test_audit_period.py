"""The last whole period before a moment."""

import datetime

import pytest

from nova.domain.audit_period import last_completed


@pytest.mark.parametrize(('unit', 'before', 'begin', 'end'), [
    ('hour', '2026-03-01 10:20', '2026-03-01 09:00', '2026-03-01 10:00'),
    ('hour@30', '2026-03-01 10:20', '2026-03-01 08:30', '2026-03-01 09:30'),
    ('day', '2026-03-01 10:20', '2026-02-28 00:00', '2026-03-01 00:00'),
    ('day@12', '2026-03-01 10:20', '2026-02-27 12:00', '2026-02-28 12:00'),
    ('month', '2026-03-01 00:00', '2026-02-01 00:00', '2026-03-01 00:00'),
    ('month', '2026-01-15 00:00', '2025-12-01 00:00', '2026-01-01 00:00'),
    ('month@15', '2026-01-10 00:00', '2025-11-15 00:00', '2025-12-15 00:00'),
    ('year', '2026-03-01 00:00', '2025-01-01 00:00', '2026-01-01 00:00'),
    ('year@7', '2026-03-01 00:00', '2024-07-01 00:00', '2025-07-01 00:00')])
def test_periods(unit, before, begin, end):
    found = last_completed(unit, datetime.datetime.fromisoformat(before))
    assert (f'{found.begin:%Y-%m-%d %H:%M}', f'{found.end:%Y-%m-%d %H:%M}') == (begin, end)


@pytest.mark.parametrize('unit', ['week', '', 'month@0', 'month@99', 'day@24', 'day@x'])
def test_odd_units(unit):
    with pytest.raises(ValueError):
        last_completed(unit, datetime.datetime(2026, 3, 1))
