"""Hosts that are emptied: servers leave, so many at a time; who cannot is named; deaths change nothing."""

import pytest

from nova import errors, objects
from nova.objects import task as rows
from nova.objects import task_lists
from nova.ops import drain
from nova.states import VM, Signal
from nova.tests.crash import world as worlds
from nova.tests.simulation import cases, invariants


def filled(world, count):
    """Servers on one host, and its name."""
    world.refusing.update(set(worlds.HOSTS) - {'h1'})
    uuids = world.order(count=count)
    world.settle()
    world.refusing.clear()
    assert {world.server(uuid).host for uuid in uuids} == {'h1'}
    world.count_from_here()
    return uuids, 'h1'


def begin(world, **values):
    return world.raw['cell1'].write(lambda conn: drain.begin(conn, drain.DrainState(host='h1', **values)))


def ended(world, task):
    with world.raw['cell1'].read() as conn:
        found = rows.get(conn, task.uuid)
        service = objects.Service.get(conn, host='h1', binary='nova-compute')
        most = len(task_lists.children(conn, task.uuid))
    return found, drain.DrainState.from_wire(found.state), service, most


def on_h1(world):
    with world.raw['cell1'].read() as conn:
        return {server.uuid for server in objects.Instance.all(conn, host='h1')}


def test_all_leave(new_world):
    world = new_world()
    servers, _ = filled(world, 3)
    cases.put(world, servers[1], VM.STOPPED)
    cases.put(world, servers[2], VM.PAUSED)
    task = begin(world)
    world.settle()
    found, state, service, _ = ended(world, task)
    assert (found.status, sorted(state.moved), state.left) == (rows.DONE, sorted(servers), {})
    assert (service.disabled, service.disabled_reason) == (True, drain.REASON)
    assert [world.server(uuid).host for uuid in servers] == ['h2'] * 3
    assert [world.server(uuid).vm_state for uuid in servers] == ['active', 'stopped', 'paused']
    invariants.check(world)


def test_cold(new_world):
    world = new_world()
    servers, _ = filled(world, 1)
    task = begin(world, cold=True)
    world.settle()
    with world.raw['cell1'].read() as conn:
        assert [child.flow for child in task_lists.children(conn, task.uuid)] == ['migrate', 'confirm_resize']
    assert (world.server(servers[0]).host, world.server(servers[0]).vm_state) == ('h2', 'active')
    invariants.check(world)


def test_who_cannot_stays_and_is_named(new_world):
    world = new_world()
    servers, _ = filled(world, 3)
    world.change(servers[0], vm_state='rescued')
    world.change(servers[1], vm_state='error')
    task = begin(world)
    world.settle()
    found, state, _, _ = ended(world, task)
    assert (found.status, state.moved) == (rows.DONE, [servers[2]])
    assert state.left == {servers[0]: 'A server that is rescued cannot be moved.',
                          servers[1]: 'A server that is error cannot be moved.'}


def test_moves_that_fail_leave_their_servers(new_world):
    world = new_world()
    servers, _ = filled(world, 2)
    world.refusing.add('h2')
    task = begin(world)
    world.settle()
    found, state, service, children = ended(world, task)
    assert found.status == rows.DONE and set(state.left) == set(servers) == on_h1(world)
    assert children == 2 and service.disabled
    invariants.check(world)


def test_so_many_at_a_time(new_world):
    world = new_world()
    filled(world, 3)
    most = []
    task = begin(world, at_once=1)
    for _ in range(200):
        with world.raw['cell1'].read() as conn:
            most.append(sum(not child.ended for child in task_lists.children(conn, task.uuid)))
        if world.queue:
            owner, fn, args = world.queue.popleft()
            fn(*args)
        elif world.open_tasks():
            for worker in world.workers:
                world.look_round(worker)
        else:
            break
    assert max(most) == 1 and ended(world, task)[0].status == rows.DONE and not on_h1(world)


def test_an_abortion(new_world):
    """Nothing more is begun, what is on its way comes back, and the host is as it was."""
    world = new_world()
    servers, _ = filled(world, 2)
    task = begin(world, at_once=1)
    world.look_round(world.workers[1])
    world.look_round(world.workers[1])
    while world.queue and not [one for one in world.open_tasks() if one.flow == 'live_migrate']:
        owner, fn, args = world.queue.popleft()
        fn(*args)
    world.raw['cell1'].write(lambda conn: rows.tell(conn, task.uuid, Signal.ABORT))
    world.settle()
    found, state, service, _ = ended(world, task)
    assert found.status == rows.UNDONE and not service.disabled and service.disabled_reason is None
    assert on_h1(world) == set(servers) == set(state.left)
    invariants.check(world)


def test_one_at_a_time_drains_a_host(new_world):
    world = new_world()
    filled(world, 1)
    task = begin(world)
    with pytest.raises(errors.task.DrainGoesOn, match=task.uuid):
        begin(world)
    with pytest.raises(errors.task.DrainGoesOn):
        world.raw['cell1'].write(lambda conn: drain.enable(conn, 'h1'))
    world.settle()
    assert world.raw['cell1'].write(lambda conn: drain.enable(conn, 'h1')) is True
    assert world.raw['cell1'].write(lambda conn: drain.enable(conn, 'h1')) is False
    assert not ended(world, task)[2].disabled
    begin(world)


@pytest.mark.parametrize('act', [
    drain.enable, lambda conn, host: drain.begin(conn, drain.DrainState(host=host))])
def test_there_is_no_such_host(new_world, act):
    with pytest.raises(errors.host.ServiceNotFound):
        new_world().raw['cell1'].write(lambda conn: act(conn, 'none'))


def test_a_host_that_was_disabled_stays_it(new_world):
    world = new_world()
    filled(world, 1)

    def disable(conn):
        service = objects.Service.get(conn, host='h1', binary='nova-compute')
        service.disabled, service.disabled_reason = True, 'broken fan'
        service.save(conn)
    world.raw['cell1'].write(disable)
    task = begin(world)
    world.raw['cell1'].write(lambda conn: rows.tell(conn, task.uuid, Signal.ABORT))
    world.settle()
    service = ended(world, task)[2]
    assert (service.disabled, service.disabled_reason) == (True, 'broken fan')


@pytest.mark.parametrize('number', range(1, 12, 2))
def test_the_conductor_dies(new_world, number):
    """After each of the first writes, with more servers than move at once: all leave, none twice."""
    world = new_world()
    servers, _ = filled(world, 3)
    task = begin(world, at_once=2)
    world.script.kill(number, 'after')
    world.settle()
    found, state, _, children = ended(world, task)
    assert (found.status, sorted(state.moved)) == (rows.DONE, sorted(servers))
    assert children == 3 and not on_h1(world)
    invariants.check(world)
