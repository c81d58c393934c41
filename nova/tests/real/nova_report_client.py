"""Drives the placement client of an unmodified Nova against a Placement; run by that Nova's interpreter.

    python nova_report_client.py URL [SECONDS]

Each trial is a function. Where it says "meanwhile", somebody else writes between what the client reads and what
it writes. At the end several clients work at once for some seconds. Prints figures as JSON; a trial that fails
raises.
"""

import collections
import contextlib
import json
import random
import sys
import threading
import time
import uuid

from keystoneauth1 import adapter, session, token_endpoint
from nova.scheduler.client import report

from nova import context, exception, objects
from nova.scheduler import utils

CTX = context.RequestContext('u', 'p', is_admin=True)
TRIALS = []


def trial(fn):
    TRIALS.append(fn)
    return fn


class World:
    """A host with room, clients, and what goes on behind their backs."""

    def __init__(self, url):
        self.url = url
        self.client = self.new_client()
        self.other = self.new_client()
        self.host = str(uuid.uuid4())
        self.tree = self.client.get_provider_tree_and_ensure_root(CTX, self.host, name=f'host-{self.host}')
        self.tree.update_inventory(self.host, {
            name: {'total': total, 'reserved': 0, 'min_unit': 1, 'max_unit': total, 'step_size': 1,
                   'allocation_ratio': 1.0}
            for name, total in (('VCPU', 64), ('MEMORY_MB', 65536), ('DISK_GB', 1000), ('VGPU', 8))})
        self.tree.update_traits(self.host, ['COMPUTE_NODE', 'CUSTOM_FAST'])
        self.tree.update_aggregates(self.host, [str(uuid.uuid4())])
        self.client.update_from_provider_tree(CTX, self.tree)

    def new_client(self):
        auth = token_endpoint.Token(self.url, 'admin')
        return report.SchedulerReportClient(adapter=adapter.Adapter(
            session.Session(auth=auth), service_type='placement', endpoint_override=self.url, raise_exc=False))

    def refresh(self):
        """Have the client read the host again; the tree."""
        self.client.clear_provider_cache()
        return self.client.get_provider_tree_and_ensure_root(CTX, self.host)

    def claim(self, vcpus=2, **more):
        consumer = str(uuid.uuid4())
        payload = self.payload(vcpus, None, **more)
        assert self.client.put_allocations(CTX, consumer, payload)
        return consumer

    def of_host(self, **resources):
        return {self.host: {'resources': resources}}

    def payload(self, vcpus, generation, **more):
        return {'allocations': {self.host: {'resources': {'VCPU': vcpus, **more}}}, 'project_id': 'p',
                'user_id': 'u', 'consumer_generation': generation}

    def held(self, consumer):
        return self.other.get_allocs_for_consumer(CTX, consumer)

    def vcpus(self, consumer):
        return self.held(consumer)['allocations'].get(self.host, {}).get('resources', {}).get('VCPU', 0)

    def change(self, consumer, vcpus):
        """Somebody else's write."""
        generation = self.held(consumer).get('consumer_generation')
        assert self.other.put_allocations(CTX, consumer, self.payload(vcpus, generation))

    def change_host(self):
        answer = self.other.get(f'/resource_providers/{self.host}/inventories', version='1.26').json()
        answer['inventories']['DISK_GB']['total'] += 1
        return self.other.put(f'/resource_providers/{self.host}/inventories', answer, version='1.26')

    @contextlib.contextmanager
    def meanwhile(self, method, do, url='/'):
        """Have `do` happen right before the client first sends a request of `method` to a path like `url`."""
        send, left = getattr(self.client, method), [do]

        def sending(path, *args, **options):
            if left and path.startswith(url):
                left.pop()()
            return send(path, *args, **options)
        setattr(self.client, method, sending)
        try:
            yield
        finally:
            setattr(self.client, method, send)
        assert not left, f'no {method} was sent'


@contextlib.contextmanager
def raises(kind):
    try:
        yield
    except kind:
        return
    raise AssertionError(f'{kind.__name__} was not raised')


@trial
def claims_what_candidates_offer(world):
    group = objects.RequestGroup(resources={'VCPU': 1, 'MEMORY_MB': 64}, in_tree=world.host,
                                 requester_id='one', use_same_provider=True)
    request = utils.ResourceRequest.from_request_groups([group], objects.RequestLevelParams(), 'none')
    offers, summaries, version = world.client.get_allocation_candidates(CTX, request)
    assert offers and world.host in summaries
    consumer = str(uuid.uuid4())
    assert world.client.claim_resources(CTX, consumer, offers[0], 'p', 'u', version)
    assert world.vcpus(consumer) == 1


@trial
def a_claim_of_a_consumer_that_changed_is_refused(world):
    consumer = world.claim()
    with raises(exception.AllocationUpdateFailed):
        world.client.put_allocations(CTX, consumer, world.payload(3, 99))
    with raises(exception.AllocationUpdateFailed):
        world.client.put_allocations(CTX, consumer, world.payload(3, None))
    assert world.vcpus(consumer) == 2


@trial
def moves(world):
    source, target = world.claim(), str(uuid.uuid4())
    assert world.client.move_allocations(CTX, source, target)
    assert (world.vcpus(source), world.vcpus(target)) == (0, 2)
    assert world.client.move_allocations(CTX, source, target)  # done already


@trial
def a_move_does_not_carry_along_what_changed_meanwhile(world):
    def move(changed, ends):
        pair = world.claim(), world.claim(1)
        with world.meanwhile('post', lambda: world.change(pair[changed], 5)):
            with raises(exception.AllocationMoveFailed):
                world.client.move_allocations(CTX, *pair)
        assert tuple(map(world.vcpus, pair)) == ends
    move(0, (5, 1))
    move(1, (2, 5))


@trial
def a_move_goes_on_while_the_host_changes(world):
    source, target = world.claim(), str(uuid.uuid4())
    with world.meanwhile('post', world.change_host):
        assert world.client.move_allocations(CTX, source, target)
    assert world.vcpus(target) == 2


@trial
def removes_resources(world):
    consumer = world.claim(2, MEMORY_MB=100)
    world.client.remove_resources_from_instance_allocation(CTX, consumer, world.of_host(MEMORY_MB=100))
    assert world.held(consumer)['allocations'][world.host]['resources'] == {'VCPU': 2}


@trial
def removes_resources_of_a_consumer_that_changes_meanwhile(world):
    consumer = world.claim(4)
    with world.meanwhile('put', lambda: world.change(consumer, 6)):
        world.client.remove_resources_from_instance_allocation(CTX, consumer, world.of_host(VCPU=1))
    assert world.vcpus(consumer) == 5


@trial
def adds_resources_to_a_consumer_that_changes_meanwhile(world):
    consumer = world.claim(4)
    with world.meanwhile('put', lambda: world.change(consumer, 6)):
        world.client.add_resources_to_instance_allocation(CTX, consumer, world.of_host(VCPU=1))
    assert world.vcpus(consumer) == 7


@trial
def removes_a_tree(world):
    consumer = world.claim(4)
    with world.meanwhile('put', world.change_host):
        world.client.remove_provider_tree_from_instance_allocation(CTX, consumer, world.host)
    assert world.vcpus(consumer) == 0


@trial
def removes_a_tree_of_a_consumer_that_changes_meanwhile(world):
    consumer = world.claim(4)
    remove = world.client.remove_provider_tree_from_instance_allocation
    with world.meanwhile('put', lambda: world.change(consumer, 6)):
        assert remove(CTX, consumer, world.host) is False
    assert world.vcpus(consumer) == 6
    assert remove(CTX, consumer, world.host) and world.vcpus(consumer) == 0


@trial
def heals(world):
    missing, foreign = str(uuid.uuid4()), world.claim()
    assert world.client.put_allocations(CTX, missing, world.payload(2, None))
    found = world.client.get_allocs_for_consumer(CTX, foreign)
    found['project_id'] = 'healed'
    assert world.client.put_allocations(CTX, foreign, found)
    assert world.held(foreign)['project_id'] == 'healed' and world.vcpus(missing) == 2


@trial
def does_not_heal_over_what_changed_meanwhile(world):
    consumer = world.claim()
    found = world.client.get_allocs_for_consumer(CTX, consumer)
    with world.meanwhile('put', lambda: world.change(consumer, 5)), raises(exception.AllocationUpdateFailed):
        world.client.put_allocations(CTX, consumer, found)
    assert world.vcpus(consumer) == 5
    absent = str(uuid.uuid4())
    with world.meanwhile('put', lambda: world.change(absent, 3)), raises(exception.AllocationUpdateFailed):
        world.client.put_allocations(CTX, absent, world.payload(2, None))
    assert world.vcpus(absent) == 3


def _reshaped(world, consumer):
    """The tree with VGPU one level down, the allocations to go with it, and the child."""
    tree = world.refresh()
    name, inventory = f'gpu-{world.host}', dict(tree.data(world.host).inventory)
    if not tree.exists(name):
        tree.new_child(name, world.host)
    child = tree.data(name).uuid
    tree.update_inventory(child, {'VGPU': inventory.pop('VGPU')})
    tree.update_inventory(world.host, inventory)
    allocations = {consumer: world.held(consumer)}
    below = allocations[consumer]['allocations']
    below[child] = {'resources': {'VGPU': below[world.host]['resources'].pop('VGPU')}}
    return tree, allocations, child


@trial
def reshapes(world):
    consumer = world.claim(2, VGPU=1)
    tree, allocations, child = _reshaped(world, consumer)
    world.client.update_from_provider_tree(CTX, tree, allocations=allocations)
    held = world.held(consumer)['allocations']
    assert held[child]['resources'] == {'VGPU': 1} and held[world.host]['resources'] == {'VCPU': 2}


def _reshape_meets(world, change):
    """A reshape while something changes is told so, and done again it is done."""
    consumer = world.claim(2, VGPU=1)
    tree, allocations, child = _reshaped(world, consumer)
    with (world.meanwhile('post', lambda: change(consumer), '/reshaper'),
          raises(exception.PlacementReshapeConflict)):
        world.client.update_from_provider_tree(CTX, tree, allocations=allocations)
    tree, allocations, child = _reshaped(world, consumer)
    world.client.update_from_provider_tree(CTX, tree, allocations=allocations)
    assert world.held(consumer)['allocations'][child]['resources'] == {'VGPU': 1}


@trial
def a_reshape_of_a_host_that_changes_meanwhile(world):
    _reshape_meets(world, lambda consumer: world.change_host())


@trial
def a_reshape_of_a_consumer_that_changes_meanwhile(world):
    def change(consumer):
        held = world.held(consumer)
        held['allocations'][world.host]['resources']['VCPU'] = 3
        assert world.other.put_allocations(CTX, consumer, held)
    _reshape_meets(world, change)


@trial
def an_inventory_in_use_stays(world):
    world.claim()
    world.refresh()
    with raises(exception.InventoryInUse):
        world.client.set_inventory_for_provider(CTX, world.host, {})


@trial
def a_taken_uuid_is_gone_on_with_and_a_taken_name_is_not(world):
    found = world.client._create_resource_provider(CTX, world.host, f'again-{world.host}')
    assert found['uuid'] == world.host
    with raises(exception.ResourceProviderCreationFailed):
        world.client._create_resource_provider(CTX, str(uuid.uuid4()), f'host-{world.host}')


@trial
def traits_and_aggregates_that_changed_meanwhile_are_told(world):
    with world.meanwhile('put', world.change_host), raises(exception.ResourceProviderUpdateConflict):
        world.client.set_traits_for_provider(CTX, world.host, ['CUSTOM_SLOW'])
    world.refresh()
    world.client.set_traits_for_provider(CTX, world.host, ['CUSTOM_SLOW'])
    with world.meanwhile('put', world.change_host), raises(exception.ResourceProviderUpdateConflict):
        world.client.set_aggregates_for_provider(CTX, world.host, [str(uuid.uuid4())])


@trial
def usages_are_counted_for_quota(world):
    before = world.client.get_usages_counts_for_quota(CTX, 'p')['project']
    world.claim(3, MEMORY_MB=10)
    after = world.client.get_usages_counts_for_quota(CTX, 'p')['project']
    assert (after['cores'] - before['cores'], after['ram'] - before['ram']) == (3, 10)


@trial
def deletes(world):
    consumer = world.claim()
    assert world.client.delete_allocation_for_instance(CTX, consumer)
    assert world.vcpus(consumer) == 0
    world.claim()
    with raises(exception.ResourceProviderInUse):
        world.client._delete_provider(world.host)


def hammer(url, seconds, clients=6):
    """Clients claim, move, shrink and drop on one host, while it changes; nothing is lost or counted twice."""
    world, until, done = World(url), time.monotonic() + seconds, collections.Counter()
    guard, failures = threading.Lock(), []

    def note(what):
        with guard:
            done[what] += 1

    def attempt(what, call, *args):
        try:
            call(CTX, *args)
            note(what)
        except (exception.AllocationMoveFailed, exception.AllocationUpdateFailed) as error:
            note(f'{what}: {type(error).__name__}')
        except report.Retry:
            note(f'{what}: Retry')

    def work():
        mine = world.new_client()
        try:
            while time.monotonic() < until:
                one, two = str(uuid.uuid4()), str(uuid.uuid4())
                attempt('claim', mine.put_allocations, one, world.payload(2, None, MEMORY_MB=4))
                attempt('move', mine.move_allocations, one, two)
                attempt('remove', mine.remove_resources_from_instance_allocation, two,
                        world.of_host(MEMORY_MB=4))
                attempt('shared', mine.put_allocations, shared, world.payload(
                    random.randint(1, 4), mine.get_allocs_for_consumer(CTX, shared)['consumer_generation']))
                attempt('delete', mine.delete_allocation_for_instance, two)
        except Exception as error:
            failures.append(repr(error))
            raise

    def change():
        while time.monotonic() < until:
            world.change_host()
            note('host changed')
    shared = world.claim(1)
    threads = [threading.Thread(target=work) for _ in range(clients)] + [threading.Thread(target=change)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    usages = world.other.get(f'/resource_providers/{world.host}/usages').json()['usages']
    assert usages['VCPU'] == world.vcpus(shared) and usages['MEMORY_MB'] == 0, usages
    return dict(done)


def main(url, seconds):
    objects.register_all()
    for one in TRIALS:
        one(World(url))
    started = time.monotonic()
    counts = hammer(url, seconds)
    took = time.monotonic() - started
    json.dump({'trials': len(TRIALS), 'seconds': round(took, 1), 'operations': sum(counts.values()),
               'counts': counts}, sys.stdout)


if __name__ == '__main__':
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 5)
