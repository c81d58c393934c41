"""Flows as the release before begins them, taken on by this one: they end well, and survive what others do."""

import pytest

from nova import release
from nova.objects import task as rows
from nova.task import flow as flows
from nova.tests.crash import test_every_flow as every
from nova.tests.simulation import cases, invariants

NAMES = sorted(name for name, version in release.PREVIOUS.flows.items()
               if cases.flows()[name].version != version)
KILLS = 3
"""Runs of one flow that are killed somewhere, beyond the undisturbed one and one for each failing step."""


@pytest.fixture
def older_world(new_world):
    def make():
        world = new_world()
        world.release = release.PREVIOUS
        return world
    return make


def run(world, name, arrange=None):
    found = every.run(world, name, arrange, delete=arrange is None)
    for database in world.raw.values():
        with database.read() as conn:
            begun = [rows.from_row(row) for row in conn.execute(rows.tables.tasks.select())]
        assert {task.flow_version for task in begun if task.flow == name} <= {release.PREVIOUS.flows[name]}
    return found


@pytest.mark.parametrize('name', NAMES)
def test_undisturbed_and_disturbed(name, older_world):
    world = older_world()
    seen, count = run(world, name)
    assert any(own == name for own, *_ in seen)
    for failure in every.failing(name, seen, flows.known(name, release.PREVIOUS.flows[name])):
        run(older_world(), name, every.arranged(failure, ()))
    for number in every.sample(name, range(1, count + 1), KILLS):
        run(older_world(), name, every.arranged(None, ((number, 'after'),)))


def test_a_request_to_the_release_before_is_built_without_its_user_s_word(older_world):
    """Its API hands on none, and in the cell everybody may be of this release by then."""
    world = older_world()
    world.asking.auth_token = None
    uuid, = world.order()
    world.release = release.CURRENT
    world.settle()
    assert world.server(uuid).vm_state == 'active'
    invariants.check(world)


def test_what_was_begun_so_is_ended_when_all_are_upgraded(older_world):
    """Some of its steps were made by the release before; the rest are this one's."""
    world = older_world()
    uuid, = world.order()
    world.release = release.CURRENT
    world.settle()
    assert world.server(uuid).vm_state == 'active'
    world.release = release.PREVIOUS
    world.delete(uuid)
    world.release = release.CURRENT
    world.settle()
    assert world.server(uuid) is None
    invariants.check(world)
