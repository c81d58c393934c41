"""Who lives in a cell: judged by what others were heard of, since nobody's clock is asked."""

import datetime

import pytest

from nova import context, objects
from nova.cells import Liveness, reading
from nova.conductor import reports
from nova.objects.service import Alive, Sign

NOW = datetime.datetime(2030, 1, 1)
CONTEXT = context.admin()


def at(seconds):
    return None if seconds is None else NOW - datetime.timedelta(seconds=seconds)


def host(seen, since=10000, forced=False, name='h'):
    return Sign(name, 'nova-compute', at(seen), at(since), forced)


def conductor(seen, since=10000, name='c'):
    return Sign(name, 'nova-conductor', at(seen), at(since), False)


@pytest.mark.parametrize(('signs', 'up'), [
    ([host(0), conductor(0)], True),
    ([host(59), conductor(0)], True),
    ([host(61), conductor(0)], False),
    ([host(61), conductor(61)], True),                      # nobody was heard of: the broker, the database
    ([host(61), conductor(0, since=0)], True),              # heard again, and the host may be in a moment
    ([host(121), conductor(0, since=61)], False),           # it was not
    ([host(3600), conductor(3600), conductor(0, name='d')], False),
    ([host(None), conductor(0)], False),                    # it has not joined
    ([host(0, forced=True), conductor(0)], False),
    ([host(61)], False),                                    # no conductor was ever heard of
    ([host(59)], True),
    ([conductor(0)], False),                                # there is no such host
])
def test_a_host_is_dead_when_it_alone_is_not_heard_of(signs, up):
    assert Alive(signs, 60, NOW).is_up('h') is up


class Reach:
    def rejoin(self, context, host, wanted):
        """Nobody is told."""


@pytest.fixture
def said(db):
    """Write down a beat as if it were so many seconds ago."""
    verbs = reports.Reports(db, None, None, Reach(), silence=30)

    def say(name, binary, seconds, **more):
        epoch = 0 if binary == 'nova-compute' else None
        verbs.beat(CONTEXT, objects.HostBeat(host=name, binary=binary, version=1, disabled=None, epoch=epoch,
                                             steps=more.get('steps')))
        age(name, seconds)

    def age(name, seconds):
        def write(conn):
            row = objects.Service.get(conn, host=name)
            step = datetime.timedelta(seconds=seconds)
            row.last_seen_up -= step
            row.heard_since -= step
            row.save(conn)
        db.write(write)
    say.age = age
    return say


def test_a_silence_that_concerns_all_makes_nobody_older(db, said):
    """TSK-S2: broker or database away for longer than service_down_time, and no host is down by that."""
    alive = Liveness(reading(lambda: db), 60, keep=0)
    db.write(lambda conn: objects.Service.join(conn, 'h', 'nova-compute', 1))
    for name, binary in (('h', 'nova-compute'), ('c', 'nova-conductor')):
        said(name, binary, 0)
    for name in ('h', 'c'):
        said.age(name, 90)
    assert alive.is_up('h')
    said('c', 'nova-conductor', 0)
    assert alive.is_up('h'), 'the others are heard again first'
    said.age('c', 61)
    said('c', 'nova-conductor', 0)
    assert alive.is_up('h'), 'the silence was for all once more'


def test_steps_that_a_host_names(db, said):
    alive = Liveness(reading(lambda: db), 60, keep=0, attempts=True)
    db.write(lambda conn: objects.Service.join(conn, 'h', 'nova-compute', 1))
    said('h', 'nova-compute', 0, steps={'one': 3})
    assert alive.holds('h', 'one', 3)
    assert not alive.holds('h', 'one', 4) and not alive.holds('h', 'two', 3) and not alive.holds('x', 'one', 3)
    said('h', 'nova-compute', 0, steps={})
    assert not alive.holds('h', 'one', 3)


def test_looking_costs_a_statement_a_second(db, said):
    alive = Liveness(reading(lambda: db), 60, keep=60, attempts=True)
    with db.counting() as statements:
        for number in range(50):
            alive.is_up(f'h{number}')
            alive.holds(f'h{number}', 'one', 1)
    assert len([text for text in statements if 'services' in text]) == 1
