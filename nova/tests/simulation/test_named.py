"""Histories told by hand: what a deployment has to survive that is about time, absence, pauses and loss."""

import collections
import dataclasses

import pytest

from nova import objects, states
from nova.objects import task as rows
from nova.ops.pause import Pause
from nova.rpc import outbox
from nova.task import later
from nova.tests.simulation import bus, cases, history, invariants, neighbours, net
from nova.tests.simulation import world as worlds

TWO = worlds.Shape(conductors=2, supers=2)
BUILD = 24
"""Effects of a request for a server, those of its background included, are about so many."""


def builds(world, count=1, **options):
    """Servers on their way; the effects of their request are numbered from 1."""
    world.net.reset()
    return [world.order(**options)[0] for _ in range(count)]


def ends_well(world, seconds=1200.0):
    """Everything comes to rest, and all is as it should be."""
    try:
        world.settle(seconds)
        world.run(2 * worlds.REPORT)
        world.settle(seconds)
        invariants.check(world)
        assert not world.steps.twice, world.steps.twice
    except AssertionError as error:
        raise AssertionError(f'{error}\n{world.tail()}') from error


def are(world, uuids, vm_state=states.VM.ACTIVE):
    found = [world.server(uuid).vm_state for uuid in uuids]
    assert found == [vm_state] * len(uuids), f'{found}\n{world.tail()}'


@pytest.mark.parametrize('number', range(1, BUILD, 5))
def test_paused_workers_are_taken_over_and_go_on(new_world, number):
    """7.2: who was taken over and wakes up again does nothing more."""
    with new_world(TWO, seed=number) as world:
        def pause():
            process = world.loop.actor.process
            if process.name in world.processes:
                world.loop.pause(process)
                world.loop.plan(60, lambda: world.loop.resume(process))
                world.loop.give_way()
        world.net.do(number, 'before' if number % 2 else 'after', pause)
        uuid, = builds(world)
        world.net.do(number, 'before' if number % 2 else 'after', pause)
        world.run(90)
        ends_well(world)
        are(world, [uuid])


@pytest.mark.parametrize('seconds', [5, 60, 200])
def test_a_database_that_is_away_is_nobodys_death(new_world, seconds):
    """7.2: who could not look himself judges nobody."""
    with new_world(TWO, seed=seconds) as world:
        world.net.cut(net.ANY, 'network', net.SLOW)
        uuids = builds(world, 3)
        world.run(0.3)
        world.net.cut(net.ANY, 'db cell1', net.HUNG)
        world.run(seconds)
        world.net.heal()
        ends_well(world)
        are(world, uuids)


@pytest.mark.parametrize('number', range(1, 16, 4))
def test_everything_above_the_cells_is_away_between_two_moves(new_world, number):
    """7.3: for a quarter of an hour; a builds' deadline is longer."""
    with new_world() as world:
        uuid, = builds(world)

        def die():
            for name in ('super1', 'scheduler1'):
                world.kill(name, back=900)
        world.net.do(number, 'after', die)
        world.run(910)
        ends_well(world)
        are(world, [uuid])


@pytest.mark.parametrize('number', range(8, 22, 4))
def test_a_cell_is_away_between_two_moves(new_world, number):
    """7.3: its servers are there when it is back."""
    with new_world() as world:
        uuid, = builds(world)

        def leave():
            world.net.cut(net.ANY, 'db cell1', net.REFUSED)
            world.net.cut(net.ANY, 'bus cell1', net.REFUSED)
            world.loop.plan(900, world.net.heal)
        world.net.do(number, 'after', leave)
        world.run(910)
        ends_well(world)
        assert world.server(uuid).vm_state in (states.VM.ACTIVE, states.VM.ERROR)


def test_a_build_that_times_out_on_its_host_is_undone(new_world):
    """7.1: a deadline stops going forward, never going back."""
    with new_world() as world:
        for host in world.hosts:
            world.net.cut(host, f'driver {host}', net.HUNG)
        uuid, = builds(world)
        world.run(3900)
        world.net.heal()
        ends_well(world)
        are(world, [uuid], states.VM.ERROR)
        assert not world.clients.placement.consumers and not world.clients.network.api.all_ports


@pytest.mark.parametrize('service', ['network', 'placement', 'volume', 'driver h1', 'driver h2'])
def test_what_no_code_expects_is_judged(new_world, service):
    """7.4: a task never only logs."""
    with new_world() as world:
        volume = world.clients.volume.add(project_id='project')
        for late in (False, True):
            world.net.fail(service, lambda: KeyError('id'), 3, late=late)
        builds(world, volumes=[volume])
        for late in (False, True):
            world.net.fail(service, lambda: KeyError('id'), 3, late=late)
        world.settle(4000)
        assert all(task.status in (rows.DONE, rows.UNDONE, rows.STUCK)
                   for name in world.raw for task in world.tasks(name))


@pytest.mark.parametrize('service', sorted(neighbours.AWAY))
def test_a_neighbour_that_hangs_takes_no_host_down(new_world, service):
    """7.5: hosts and workers stay up, and what does not need the neighbour goes on."""
    with new_world() as world:
        uuid = world.running()
        world.net.cut(net.ANY, service, net.HUNG)
        others = builds(world, 3)
        for _ in range(10):
            world.run(30)
            with world.raw['cell1'].read() as conn:
                found = objects.Service.all(conn, binary='nova-compute')
            assert all(each.is_up(worlds.DOWN) for each in found), world.tail()
        world.begin(uuid, Pause)
        world.run(30)
        assert world.server(uuid).vm_state == states.VM.PAUSED
        world.net.heal()
        ends_well(world)
        if service != 'volume':
            are(world, others)


@pytest.mark.parametrize('number', range(14, 20, 2))
def test_a_host_that_was_cut_off_learns_what_was_given_up(new_world, number):
    """7.8: it was not restarted; no guest of a server that is elsewhere stays."""
    with new_world() as world:
        uuid, = builds(world)

        def cut():
            host = world.loop.actor.process.name
            name = host if host in world.hosts else 'h1'
            world.net.cut(name, 'bus cell1', net.HUNG)
            world.loop.plan(300, lambda: world.net.heal(name))
        world.net.do(number, 'after', cut)
        world.run(400)
        ends_well(world)
        are(world, [uuid])


def test_a_server_deleted_while_its_host_owes_a_step_leaves_no_guest(new_world):
    """7.8: what is owed is done when the host returns, and then the guest goes."""
    with new_world() as world:
        uuid = world.running()
        host = world.server(uuid).host

        def die(seen, actor, when):
            if (seen.name, when) == ('pause', 'after'):
                world.kill(host, back=None)
        world.net.watch.append(die)
        world.begin(uuid, Pause)
        world.run(5)
        assert not world.up >= {host}
        world.delete(uuid)
        world.run(3 * worlds.DOWN)
        world.revive(host)
        ends_well(world)
        assert world.server(uuid) is None and not world.drivers[host].guests()


@pytest.mark.parametrize(('service', 'first'), [
    ('network', 'network'), ('placement', 'placement'), ('volume', 'volume'), ('image', 'driver h1')])
@pytest.mark.parametrize(('kind', 'count'), [(net.REFUSED, 50), (net.ONE_WAY, 4)])
def test_a_neighbour_is_started_anew_under_builds(new_world, service, first, kind, count):
    """7.9: its absence, from the first effect on, is waited out, not unwound; none is lost."""
    with new_world(worlds.Shape(hosts=4), seed=3) as world:
        def leave(seen, actor, when):
            if seen.service == first:
                world.net.watch.remove(leave)
                world.net.cut(net.ANY, service, kind)
        world.net.watch.append(leave)
        uuids = builds(world, count, new=['image'] if service == 'volume' else [])
        world.run(45)
        world.net.heal()
        ends_well(world)
        are(world, uuids)
        unheard = (f'cannot reach {service}', f'gets no answer from {service}')
        assert any(text in unheard for _, _, text in world.loop.trace), 'nobody was held up'


@pytest.mark.parametrize('cells', [1, 2])
def test_clocks_that_differ_decide_nothing(new_world, cells):
    """7.14: machines' wall clocks differ by minutes."""
    for seed in range(4):
        with new_world(worlds.Shape(cells=cells, conductors=2, skew=1200.0), seed=seed) as world:
            uuids = builds(world, 2)
            ends_well(world)
            are(world, uuids)
            for uuid in uuids:
                world.delete(uuid)
            ends_well(world)
            assert not world.clients.placement.consumers


def test_a_host_that_returns_takes_no_volume_from_where_the_server_is_now(new_world):
    """7.8: it was given up while it connected the volume; what it does and undoes then is its own alone."""
    with new_world() as world:
        volume = world.clients.volume.add(project_id='project')
        slept = worlds.sleeping(world, 'volume', 'connect')
        uuid, = builds(world, volumes=[volume])
        world.run(4 * worlds.DOWN)
        are(world, [uuid])
        world.loop.resume(slept[0])
        ends_well(world)
        server = world.server(uuid)
        assert server.host != slept[0].name
        held, = world.clients.volume.held.values()
        assert held.id == server.block_devices[0].attachment_id


@pytest.mark.parametrize('kind', [net.HUNG, net.ONE_WAY, net.SLOW])
@pytest.mark.parametrize('way', ['db cell1', 'bus cell1'])
def test_a_cell_that_is_away_holds_up_no_other(new_world, way, kind):
    """7.13: super-conductors and the services above them have a share for each cell."""
    with new_world(worlds.Shape(cells=2), seed=5) as world:
        uuids = [world.running() for _ in range(4)]
        others = [uuid for uuid in uuids if world.cell_of(uuid) == 'cell2']
        assert 0 < len(others) < len(uuids)
        world.net.cut(net.ANY, way, kind)
        news = builds(world, 4)
        for uuid in uuids:
            world.begin(uuid, Pause)
        world.run(20)
        are(world, others, states.VM.PAUSED)
        are(world, [uuid for uuid in news if world.cell_of(uuid) == 'cell2'])
        world.net.heal()
        ends_well(world)


@pytest.mark.parametrize('number', range(2, 8))
@pytest.mark.parametrize('kind', net.KINDS)
def test_every_call_ends(new_world, number, kind):
    """Who asks the scheduler has an answer, or none, in time; nobody waits for ever for one that is lost."""
    with new_world() as world:
        world.net.do(number, 'after', lambda: world.net.cut(net.ANY, 'bus top', kind))
        uuid, = builds(world)
        world.net.do(number, 'after', lambda: world.net.cut(net.ANY, 'bus top', kind))
        world.run(120)
        world.net.heal()
        ends_well(world, 300)
        assert world.server(uuid).vm_state in (states.VM.ACTIVE, states.VM.ERROR)


def test_a_cell_that_hangs_takes_its_share_of_the_threads_of_all(new_world, kept):
    """7.13: more requests come for it than there are threads above the cells; those for another cell go on."""
    kept.settings.set_override('threads', 4, group='conductor')
    try:
        with new_world(worlds.Shape(cells=2, hosts=4), seed=5) as world:
            world.net.cut('super1', 'db cell1', net.HUNG)
            news = builds(world, 12)
            world.run(90)
            elsewhere = [uuid for uuid in news if world.cell_of(uuid) == 'cell2']
            are(world, elsewhere)
            assert len(elsewhere) >= len(news) - 1, 'all but the one that waits for the cell'
            world.net.heal()
            ends_well(world)
    finally:
        kept.settings.clear_override('threads', group='conductor')


@pytest.mark.parametrize('seconds', [60, 200], ids=['before the first look', 'after it'])
def test_a_claim_of_a_scheduler_that_dies_before_it_can_give_it_back_is_removed(new_world, seconds):
    """7.10: it stood still until its asker, who asked again, had ended, and the server was withdrawn."""
    with new_world(worlds.Shape(schedulers=2), seed=3) as world:
        asleep = []

        def look(seen, actor, moment):
            if seen.name != 'claim' or (asleep and actor.process is not asleep[0]):
                return
            if moment == 'after':
                world.kill(actor.process.name, back=60)
            else:
                asleep.append(actor.process)
                world.loop.pause(actor.process)
                world.loop.plan(1, lambda: world.delete(uuid))
                world.loop.plan(seconds, lambda: world.loop.resume(asleep[0]))
                world.loop.give_way()
        world.net.watch.append(look)
        uuid, = builds(world)
        world.run(seconds + 2)
        assert uuid in world.clients.placement.consumers, 'the claim came late'
        if seconds > 60:
            world.run(2 * later.EVERY.total_seconds())
        ends_well(world)
        assert not world.clients.placement.consumers


@pytest.mark.parametrize('seed', range(3))
def test_a_copy_of_a_request_that_fails_gives_back_nothing_that_another_has_claimed(new_world, seed):
    """7.10: two schedulers have the same request for two servers, and the later one comes to nothing."""
    with new_world(worlds.Shape(schedulers=2), seed=seed) as world:
        claims = collections.Counter()

        def look(seen, actor, moment):
            if seen.name == 'claim' and moment == 'before':
                claims[actor.process.name] += 1
                if list(claims.values()) == [2, 2]:
                    world.net.fail('placement', neighbours.BROKEN['placement'], late=True, name='claim')
        world.net.watch.append(look)
        world.brokers['top'].mishaps = bus.Mishaps(doubled=1.0, calls=True)
        uuids = world.order(count=2)
        world.run(3)
        world.brokers['top'].mishaps = bus.Mishaps()
        ends_well(world)
        are(world, uuids)


@pytest.mark.parametrize(('kind', 'seconds'), [(net.REFUSED, 25), (net.HUNG, 25), (net.REFUSED, 90)])
def test_what_waits_for_a_broker_holds_up_nothing_and_is_not_sent_when_it_is_stale(new_world, kind, seconds):
    """7.7: a host tells of the guest it has made when its broker is back; of its old signs of life, nobody."""
    with new_world(seed=2) as world:
        uuids = builds(world, 2)
        world.net.do(20, 'before', lambda: [world.net.cut(host, 'bus cell1', kind) for host in world.hosts])
        world.run(seconds)
        world.net.heal()
        healed = world.loop.now
        world.run(outbox.PAUSE + bus.PATIENCE + 1)
        beats = [when for when, _, what in world.loop.trace if when > healed and what == 'takes liveness.beat']
        assert len(beats) <= (len(world.hosts) + 1) * (outbox.STALE / worlds.REPORT + 1), world.tail()
        ends_well(world)
        if seconds < worlds.DOWN:
            are(world, uuids)


def test_a_volume_that_was_made_for_a_server_and_detached_stays_its_users(new_world):
    """7.10: what has been made for a server and given away by its user is nothing that was left over."""
    with new_world() as world:
        uuid = world.running(new=['image'])
        volume, = world.clients.volume.origins
        world.begin(uuid, cases.flows()['detach_volume'], cases.state_on(world, uuid, 'detach_volume'))
        ends_well(world)
        assert not world.server(uuid).block_devices
        world.delete(uuid)
        ends_well(world)
        assert world.clients.volume.volumes[volume]['status'] == 'available'


@pytest.mark.parametrize('first', ['super', 'scheduler', 'cell1-conductor', 'h'])
def test_services_are_upgraded_one_kind_after_another(new_world, first):
    """7.1: each process in turn starts again with this release, whatever the order, while servers are built,
    paused and deleted; until all know better, all of it goes as the release before does it."""
    shape = worlds.Shape(conductors=2, supers=2)
    shape = dataclasses.replace(shape, older=tuple(history.processes(shape)))
    with new_world(shape, seed=3) as world:
        kept, gone = builds(world), []

        def use():
            for uuid in gone:
                world.delete(uuid)
            gone[:] = world.order(new=['image'])
            world.begin(kept[0], cases.flows()['pause' if len(world.older) % 2 else 'unpause'])
        world.settle()
        for name in sorted(shape.older, key=lambda name: (not name.startswith(first), name)):
            use()
            world.run(0.3)
            world.upgrade(name)
            world.run(15)
        ends_well(world)
        versions = [task.flow_version for task in world.tasks('cell1') if task.flow == 'build']
        assert versions[0] == '1.0' and versions == sorted(versions), versions
        world.run(2 * worlds.DOWN)
        world.order()
        ends_well(world)
        assert world.tasks('cell1')[-1].flow_version == cases.flows()['build'].version != '1.0'


@pytest.mark.parametrize('seed', range(3))
def test_a_claim_for_a_request_of_the_release_before_that_comes_late_is_removed(new_world, seed):
    """7.10: its super-conductor asks without saying who waits; the one that takes over looks later."""
    with new_world(worlds.Shape(older=('super1', )), seed=seed) as world:
        world.loop.pause(world.processes['scheduler1'])
        uuid, = world.order()
        world.run(2)
        world.upgrade('super1')
        world.run(90)
        assert [task.flow_version for task in world.tasks('api') if task.flow == 'schedule'] == ['1.0']
        world.loop.resume(world.processes['scheduler1'])
        world.run(2)
        assert uuid in world.clients.placement.consumers, 'the claim came late'
        ends_well(world)
        assert not world.clients.placement.consumers
