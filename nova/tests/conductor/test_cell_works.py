"""The cells of a super-conductor: each has threads of its own, and none is looked after where it is not."""

import threading
import time
import types

import pytest

from nova import errors, objects
from nova.common import dbkit, uuids
from nova.conductor import cell_works
from nova.db.api.models import api_metadata
from nova.objects.cell_mapping import CELL0_UUID
from nova.tests.fixtures.waiting import PATIENCE


class Work:
    """An engine that remembers what becomes of it."""

    def __init__(self, db, bus, pool):
        self.db, self.pool = db, pool
        self.history, self.changed = [], threading.Condition()

    def _note(self, what):
        with self.changed:
            self.history.append(what)
            self.changed.notify_all()

    def start(self):
        self._note('start')

    def rest(self):
        self._note('rest')

    def stop(self):
        self._note('stop')

    def wait(self, what, seconds=PATIENCE):
        with self.changed:
            return self.changed.wait_for(lambda: what in self.history, seconds)


class World:
    def __init__(self, tmp_path):
        self.api = dbkit.Database(f'sqlite:///{tmp_path}/api.sqlite')
        api_metadata.create_all(self.api.engine)
        self.made = []
        self.add('cell0', CELL0_UUID)
        self.cells = cell_works.CellWorks(
            types.SimpleNamespace(api=self.api, cell=lambda url: url),
            types.SimpleNamespace(cell=lambda url: url), self._build, 2, keep=0)

    def _build(self, db, bus, pool):
        self.made.append(Work(db, bus, pool))
        return self.made[-1]

    def add(self, name, uuid=None):
        mapping = objects.CellMapping(uuid=uuid or uuids.generate(), name=name, transport_url=f'inproc://{name}/',
                                      database_connection=f'sqlite:///{name}', disabled=False)
        self.api.write(mapping.create)
        return mapping

    def change(self, mapping, **values):
        def write(conn):
            found = objects.CellMapping.get(conn, uuid=mapping.uuid)
            for name, value in values.items():
                setattr(found, name, value)
            found.save(conn)
        self.api.write(write)
        return self.cells.get(mapping.uuid)

    def works(self):
        """Databases of the engines that run."""
        return {work.db for work in self.made if 'rest' not in work.history}


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.cells.stop()


def test_every_cell_has_an_engine_on_threads_of_its_own(world):
    one, two = world.add('one'), world.add('two')
    world.cells.watch()
    world.cells.watch()
    assert world.works() == {f'sqlite:///{name}' for name in ('cell0', 'one', 'two')} and len(world.made) == 3
    go, done = threading.Event(), threading.Event()
    first, second = world.cells.work(one), world.cells.work(two)
    for _ in range(20):
        first.pool.background(go.wait, 30)
    second.pool.background(done.set)
    assert done.wait(5), 'a cell that hangs holds up its own tasks only'
    go.set()


@pytest.mark.parametrize('change', [
    {'disabled': True}, {'database_connection': 'sqlite:///moved'}, {'transport_url': 'inproc://moved/'}])
def test_an_engine_that_is_not_wanted_any_more_is_stopped(world, change):
    mapping = world.add('one')
    old = world.cells.work(mapping)
    changed = world.change(mapping, **change)
    began = time.monotonic()
    go = threading.Event()
    old.pool.background(go.wait, 30)
    world.cells.watch()
    assert time.monotonic() - began < 5, 'nobody waits for what it runs'
    assert old.wait('rest') and not old.wait('stop', 0.3), 'it keeps its lease until that has ended'
    go.set()
    assert old.wait('stop')
    if changed.disabled:
        with pytest.raises(errors.Unavailable, match='disabled'):
            world.cells.work(changed)
        world.change(mapping, disabled=False)
        world.cells.watch()
    assert world.cells.work(world.cells.get(mapping.uuid)) is not old


def test_a_cell_that_is_unmapped_is_looked_after_no_more(world):
    mapping = world.add('one')
    world.cells.watch()
    world.api.write(lambda conn: objects.CellMapping.get(conn, uuid=mapping.uuid).destroy(conn))
    world.cells.watch()
    assert world.works() == {'sqlite:///cell0'}
