"""A claim that is made after who asked for it has given up does not stay, and replaces nobody's."""

import datetime
from typing import Any

import pytest

from nova import errors, objects
from nova.common import clock, uuids
from nova.db import tasks as tables


@pytest.fixture
def task(cloud: Any) -> Any:
    """Change the task that asks: its uuid, and what its row says."""
    class Row:
        uuid = uuids.generate()

        def say(self, **values: Any) -> None:
            cloud.dbs.api.write(lambda conn: conn.execute(
                tables.tasks.update().where(tables.tasks.c.uuid == self.uuid).values(**values)))
    row = Row()
    cloud.dbs.api.write(lambda conn: conn.execute(tables.tasks.insert().values(
        uuid=row.uuid, flow='schedule', flow_version='1.0', status='running', step='choose_hosts',
        direction='do', attempt=3, runs_at='cell', state={}, context={}, created_at=clock.utcnow())))
    return row


@pytest.fixture
def ask(cloud: Any, task: Any) -> Any:
    """Ask for a host, `late` seconds after the time in which nobody gives up."""
    server = uuids.generate()
    cloud.host('h1')

    def ask(late: float = 1.0, placement: Any = None) -> objects.Selections:
        return cloud.selector(placement).select(objects.SelectRequest(
            spec=cloud.spec(), instance_uuids=[server], task=task.uuid, attempt=3,
            until=clock.utcnow() - datetime.timedelta(seconds=late)))
    ask.server = server  # type: ignore[attr-defined]
    return ask


def test_who_asks_may_be_in_a_cell(cloud: Any, ask: Any, task: Any) -> None:
    """A move's task is in its server's cell; the API database knows nothing of it."""
    with cloud.dbs.api.read() as conn:
        cell = objects.CellMapping.all(conn)[0]
    late = datetime.timedelta(seconds=1)
    request = objects.SelectRequest(spec=cloud.spec(), instance_uuids=[ask.server], task=task.uuid, attempt=3,
                                    until=clock.utcnow() - late, cell=cell.uuid)
    with pytest.raises(errors.task.Lost):
        cloud.selector().select(request)
    assert not held(cloud, ask)
    cloud.dbs.cell(cell.database_connection).write(lambda conn: conn.execute(tables.tasks.insert().values(
        uuid=task.uuid, flow='resize', flow_version='1.0', status='running', step='choose_dest',
        direction='do', attempt=3, runs_at='super', state={}, context={}, created_at=clock.utcnow())))
    cloud.selector().select(request)
    assert held(cloud, ask)


def held(cloud: Any, ask: Any) -> Any:
    return cloud.placement.allocations(ask.server).allocations


def test_who_still_waits_gets_his_hosts_however_late(cloud: Any, ask: Any) -> None:
    assert ask().choices[0].selections[0].service_host == 'h1'
    assert held(cloud, ask)


@pytest.mark.parametrize('since', [
    {'attempt': 4}, {'direction': 'undo'}, {'status': 'undone'}, {'step': 'write_cells', 'attempt': 4}])
def test_nothing_is_claimed_for_who_has_moved_on(cloud: Any, ask: Any, task: Any, since: Any) -> None:
    task.say(**since)
    with pytest.raises(errors.task.Lost):
        ask()
    assert not held(cloud, ask)


class Meanwhile:
    """Placement, where something happens in the middle of each claim: before its write, or after it."""

    def __init__(self, placement: Any, happens: Any, after: bool) -> None:
        self._placement, self._happens, self._after = placement, happens, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._placement, name)

    def claim(self, *args: Any) -> bool:
        if not self._after:
            self._happens()
        taken = self._placement.claim(*args)
        if self._after:
            self._happens()
        return bool(taken)


@pytest.mark.parametrize('since', [{'direction': 'undo', 'attempt': 4}, {'status': 'undone'}])
def test_a_claim_after_the_undo_does_not_stay(cloud: Any, ask: Any, task: Any, since: Any) -> None:
    """The scheduler stood still between its look and its claim, in which the task was undone."""
    with pytest.raises(errors.task.Lost):
        ask(placement=Meanwhile(cloud.placement, lambda: task.say(**since), after=False))
    assert not held(cloud, ask)


def test_a_claim_of_a_later_attempt_is_not_replaced(cloud: Any, ask: Any, task: Any) -> None:
    """Nor is it taken away."""
    other = cloud.host('h2', vcpus=64)
    theirs = {'allocations': {other: {'resources': {'VCPU': 1, 'MEMORY_MB': 512, 'DISK_GB': 1}}}}

    def later() -> None:
        task.say(attempt=4)
        cloud.placement.claim(ask.server, theirs, 'project', 'user')
    with pytest.raises(errors.task.Lost):
        ask(placement=Meanwhile(cloud.placement, later, after=False))
    assert set(held(cloud, ask)) == {other}


def test_who_claims_first_has_chosen_for_every_copy_of_a_request(cloud: Any, ask: Any) -> None:
    """The answer that the asker takes is that of one copy, and the server holds what another claimed."""
    other = cloud.host('h2', vcpus=64)
    theirs = {'allocations': {other: {'resources': {'VCPU': 1, 'MEMORY_MB': 512, 'DISK_GB': 1}}}}
    small = {'allocations': {other: {'resources': {'VCPU': 1}}}}
    for _ in range(5):
        cloud.placement.drop(ask.server)
        found = ask(placement=Meanwhile(
            cloud.placement, lambda: cloud.placement.claim(ask.server, theirs, 'project', 'user'), after=False))
        assert found.choices[0].selections[0].service_host == 'h2' and set(held(cloud, ask)) == {other}
    cloud.placement.claim(ask.server, small, 'project', 'user')
    found = ask()
    assert held(cloud, ask) != small['allocations'], 'what would not do is replaced'


def test_a_request_in_its_time_costs_no_look(cloud: Any, ask: Any) -> None:
    with cloud.dbs.api.counting() as statements:
        ask(late=-60)
    assert not [text for text in statements if 'FROM tasks' in text]
