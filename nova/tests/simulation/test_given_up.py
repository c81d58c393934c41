"""Operations whose hosts are given up amid them, and return when they have ended (TSK-S3, MIG-S3)."""

import pytest
import sqlalchemy as sa

from nova import errors, states
from nova.objects import task as rows
from nova.ops.delete.flow import Delete, SoftDelete
from nova.ops.resize import decide
from nova.states import VM
from nova.tests.simulation import cases, invariants, net, users
from nova.tests.simulation import world as worlds
from nova.tests.simulation.cases import resize

RESTS = (VM.ACTIVE, VM.STOPPED, VM.PAUSED, VM.SUSPENDED)
"""States that tell what a guest does."""
GUESTS = ('pause', 'reboot', 'rebuild', 'rescue', 'resume', 'shelve', 'start', 'stop', 'suspend', 'unpause')
"""Flows that change what a guest does, and stay on their host."""
THREE = worlds.Shape(hosts=3)
LONG = 3 * worlds.REPORT
"""Seconds in which a host that has returned has told of its guests."""


SAMPLE = [('reboot', VM.SUSPENDED)]
"""What of them is in every run."""


def begins():
    for name in GUESTS:
        allowed = users.start_of(cases.flows()[name]).vm_states
        for begun in ((name, vm_state) for vm_state in RESTS if vm_state in allowed):
            yield begun if begun in SAMPLE else pytest.param(*begun, marks=pytest.mark.slow)


def rests(world):
    """Everything comes to rest, and all is as it should be."""
    try:
        world.settle()
        world.run(LONG)
        world.settle()
        invariants.check(world)
    except AssertionError as error:
        raise AssertionError(f'{error}\n{world.tail()}') from error


def effects(world, name):
    return [seen for seen in world.net.seen
            if seen.service.startswith('driver ') and seen.place and seen.place[0] == name]


def lives(new_world, name, vm_state, number=0, when=''):
    """One operation, whose host dies at an effect and returns when the operation has ended; its effects."""
    with new_world() as world:
        uuid = world.running()
        cases.put(world, uuid, vm_state)
        dead = []

        def die():
            dead.append(world.loop.actor.process.name)
            world.kill(dead[0], back=None)
        world.count_from_here()
        if number:
            world.net.do(number, when, die)
        world.begin(uuid, cases.flows()[name], cases.state_on(world, uuid, name))
        world.run(5)
        world.settle()
        for host in dead:
            world.revive(host)
        rests(world)
        return effects(world, name)


@pytest.mark.parametrize(('name', 'vm_state'), begins())
def test_a_guest_is_what_its_record_says(new_world, name, vm_state):
    """What a host undoes when it returns nobody waits for any more; what that left is looked at though."""
    for seen in lives(new_world, name, vm_state):
        for when in ('before', 'after'):
            lives(new_world, name, vm_state, seen.number, when)


def test_a_guest_that_its_host_takes_back_late_runs_as_before(new_world):
    """The source of a resize is away when it is taken back, and does its part when it returns: seed 25 of
    ``tools/simulate --rounds 10``."""
    with new_world(THREE) as world:
        uuid = resize.resized(world)
        move = decide.move_of(world.server(uuid))
        world.lose(move.source)
        world.begin(uuid, decide.RevertResize, move)
        world.run(60)
        world.regain(move.source)
        rests(world)
        server = world.server(uuid)
        assert (server.host, server.vm_state) == (move.source, VM.ACTIVE), world.tail()


def held_deletion(world):
    """A server whose host is away, and its host: the deletion has passed that, and waits for Placement."""
    uuid = world.running()
    host = world.server(uuid).host
    world.lose(host)
    world.net.cut(net.ANY, 'placement', net.REFUSED)
    world.delete(uuid, Delete)
    world.run(10)
    return uuid, host


def test_a_server_that_is_being_deleted_is_not_evacuated(new_world):
    """Its new guest would be nobody's: seed 44 of ``tools/simulate --rounds 10``."""
    with new_world(THREE) as world:
        uuid, host = held_deletion(world)
        assert world.server(uuid).task_state == states.Task.DELETING
        world.net.heal()
        world.users.begin(uuid, cases.flows()['evacuate'], cases.state_on(world, uuid, 'evacuate'))
        world.settle()
        world.regain(host)
        rests(world)
        assert not any(driver.guests() for driver in world.drivers.values()), world.tail()


@pytest.mark.parametrize('name', ['attach_share', 'attach_volume'])
def test_nothing_is_queued_for_a_server_that_is_being_deleted(new_world, name):
    """What it would get there would be nobody's: ``tools/simulate --flow detach_share --seed 5009``."""
    with new_world(THREE) as world:
        uuid = world.running()
        cases.put(world, uuid, 'stopped')
        world.net.cut(net.ANY, 'network', net.REFUSED)
        world.delete(uuid, Delete)
        world.run(10)
        assert world.server(uuid).task_state == states.Task.DELETING
        world.users.begin(uuid, cases.flows()[name], cases.state_on(world, uuid, name),
                          also=cases.writes_of(name))
        world.run(10)
        with world.raw['cell1'].read() as conn:
            table = rows.tables.tasks
            found = conn.scalars(sa.select(table.c.flow).where(
                table.c.instance_uuid == uuid, table.c.status.in_(rows.OPEN))).all()
            assert found == ['delete']
        world.net.heal()
        rests(world)


def test_a_host_that_returns_before_a_deletion_has_ended_removes_the_guest(new_world):
    """It joins while the server is there still, and is told of its end all the same."""
    with new_world() as world:
        uuid, host = held_deletion(world)
        world.revive(host)
        world.run(10)
        world.net.heal()
        rests(world)
        assert world.server(uuid) is None and not world.drivers[host].guests(), world.tail()


def cut_off(world, name, when, hosts, seconds):
    """Both ends of a move are not heard of from the first effect of a name on."""
    done = []

    def cut(seen, actor, moment):
        if (seen.name, moment) == (name, when) and not done:
            done.append(world.loop.now)
            for host in hosts:
                world.net.cut(host, 'bus cell1', net.HUNG)
                world.loop.plan(seconds, lambda host=host: world.net.heal(host))
    world.net.watch.append(cut)


@pytest.mark.parametrize('when', ['before', 'after'])
def test_both_ends_of_a_live_migration_are_not_heard_of(new_world, when):
    """Whether the guest has arrived only they can say: nobody decides before one of them is back."""
    with new_world(THREE) as world:
        uuid = world.running()
        cut_off(world, 'live_migrate', when, world.hosts, 6 * worlds.DOWN)
        world.begin(uuid, cases.flows()['live_migrate'], cases.state_on(world, uuid, 'live_migrate'))
        world.run(5 * worlds.DOWN)
        assert world.server(uuid).task_state == states.Task.MIGRATING, world.tail()
        rests(world)
        assert world.server(uuid).vm_state == VM.ACTIVE
        spawned = [seen for seen in world.net.seen if seen.name in ('spawn', 'destroy')]
        assert not spawned, 'the guest that went is the one that is there'


def test_a_server_is_deleted_while_nobody_knows_where_its_guest_is(new_world):
    """Then it makes no difference: its guest goes from where it is."""
    with new_world(THREE) as world:
        uuid = world.running()
        cut_off(world, 'live_migrate', 'after', world.hosts, 7 * worlds.DOWN)
        world.begin(uuid, cases.flows()['live_migrate'], cases.state_on(world, uuid, 'live_migrate'))
        world.run(4 * worlds.DOWN)
        world.delete(uuid, Delete)
        world.run(2 * worlds.DOWN)
        assert world.server(uuid) is None, world.tail()
        world.run(2 * worlds.DOWN)
        rests(world)
        assert not any(driver.guests() for driver in world.drivers.values())


@pytest.mark.parametrize('seconds', range(60, 130, 5))
def test_a_host_that_wakes_up_amid_the_undo_does_all_that_it_owes(new_world, seconds):
    """It slept when its guest had just been made, and hears first of what comes after the guest's removal: seed
    40134 of ``tools/simulate``."""
    with new_world(THREE) as world:
        volume, slept = world.clients.volume.add(project_id='project'), []

        def sleep(seen, actor, when):
            if seen.service.startswith('driver ') and (seen.name, when) == ('spawn', 'after') and not slept:
                slept.append(actor.process)
                world.loop.pause(actor.process)
                world.loop.plan(float(seconds), lambda: world.loop.resume(actor.process))
                world.loop.give_way()
        world.net.watch.append(sleep)
        uuid, = world.order(volumes=[volume])
        world.run(5)
        assert slept
        rests(world)
        server = world.server(uuid)
        guests = {host for host, driver in world.drivers.items() if uuid in driver.guests()}
        assert server.vm_state == VM.ACTIVE and guests == {server.host}, world.tail()


@pytest.mark.parametrize('how', ['killed', 'paused'])
@pytest.mark.parametrize('seconds', range(60, 130, 10))
def test_a_host_that_returns_begins_nothing_that_waited_for_it(new_world, how, seconds):
    """The source of a migration was told to send the disks just before it was taken for dead, and hears of it
    when the move has gone elsewhere: seed 32002 of ``tools/simulate --rounds 10``."""
    with new_world(THREE) as world:
        uuid = world.running()
        source = world.server(uuid).host
        if how == 'killed':
            world.kill(source, back=float(seconds))
        else:
            process = world.processes[source]
            world.loop.pause(process)
            world.loop.plan(float(seconds), lambda: world.loop.resume(process))
        world.begin(uuid, cases.flows()['migrate'], cases.state_on(world, uuid, 'migrate'))
        world.run(5)
        rests(world)


def test_a_soft_deletion_that_fails_leaves_a_resize_that_can_be_taken_back(new_world):
    """The host fails at powering the guest off: seed 60797 of ``tools/simulate``."""
    with new_world(THREE) as world:
        uuid = resize.resized(world)
        move = decide.move_of(world.server(uuid))
        world.net.fail(f'driver {move.dest}', lambda: errors.virt.DriverFailed(reason='told to fail'), 1)
        world.delete(uuid, SoftDelete)
        rests(world)
        assert world.server(uuid).vm_state == VM.RESIZED, world.tail()
        world.begin(uuid, decide.RevertResize, move)
        rests(world)
        assert (world.server(uuid).host, world.server(uuid).vm_state) == (move.source, VM.ACTIVE), world.tail()


def test_who_slept_over_the_beginning_of_a_move_takes_nothing_from_its_destination(new_world):
    """Another one handed the source to the migration, and the server holds its destination:
    seed 34002 of ``tools/simulate --rounds 10``."""
    with new_world(worlds.Shape(hosts=3, supers=2)) as world:
        uuid, slept = world.running(), worlds.sleeping(world, 'placement', 'move')
        world.begin(uuid, cases.flows()['migrate'], cases.state_on(world, uuid, 'migrate'))
        world.run(2 * worlds.DOWN)
        server = world.server(uuid)
        assert slept and server.vm_state == VM.RESIZED, world.tail()
        world.loop.resume(slept[0])
        rests(world)
        assert world.server(uuid).host == server.host
