"""The scheduler end to end: candidates, filters, weights, claims, alternates, and why not."""

import collections
import copy
import threading
from typing import Any

import pytest

from nova import errors, objects
from nova.common import jsonutil, uuids
from nova.domain import numa_providers
from nova.domain.provider_tree import Provider
from nova.scheduler import select


def test_a_server_gets_a_host_that_is_claimed(cloud: Any) -> None:
    """ALT-S3, CLM-S1: the selection says all that a build needs, and Placement has it."""
    node, server = cloud.host('host1'), uuids.generate()
    found = cloud.select(uuids_=[server])
    choice, = found.choices
    one, = choice.selections
    assert (choice.instance_uuid, found.reason, found.explain) == (server, '', [])
    assert (one.service_host, one.nodename, one.compute_node_uuid) == ('host1', 'host1.node', node)
    assert (one.cell_uuid, one.availability_zone) == (cloud.cell('cell1').uuid, 'nova')
    assert jsonutil.loads(one.allocation_request)['allocations'] == {
        node: {'resources': {'VCPU': 1, 'MEMORY_MB': 512, 'DISK_GB': 1}}}
    assert list(cloud.placement.allocations(server).allocations) == [node]


def test_alternates_are_of_the_same_cell_and_not_claimed(cloud: Any) -> None:
    """ALT-S1, ALT-S2."""
    for name in ('a1', 'a2', 'a3', 'a4'):
        cloud.host(name, 'cell1')
    for name in ('b1', 'b2'):
        cloud.host(name, 'cell2', memory=4096)
    choice, = cloud.select().choices
    assert len(choice.selections) == 3
    assert {one.cell_uuid for one in choice.selections} == {cloud.cell('cell1').uuid}
    assert len({one.service_host for one in choice.selections}) == 3
    assert len(cloud.placement.consumers) == 1


def test_alternates_of_a_burst_are_hosts_of_no_server_in_it(cloud: Any) -> None:
    """ALT-S2: an alternate is not selected for another server of the same request."""
    for number in range(5):
        cloud.host(f'h{number}')
    found = cloud.select(count=3)
    chosen = {choice.selections[0].service_host for choice in found.choices}
    others = {one.service_host for choice in found.choices for one in choice.selections[1:]}
    assert len(chosen) == 3 and len(others) == 2 and not chosen & others


def test_a_burst_over_few_hosts_shares_them_as_alternates(cloud: Any) -> None:
    """One host that refuses makes no error of its servers, as long as another one of the request takes them."""
    for number in range(4):
        cloud.host(f'h{number}')
    found = cloud.select(count=8)
    assert all(len({one.service_host for one in choice.selections}) == 3 for choice in found.choices)
    assert len(cloud.placement.consumers) == 8
    first = {choice.selections[1].service_host for choice in found.choices}
    assert len(first) >= 3, 'they do not all fall upon the same one'


@pytest.mark.parametrize('attempts,alternates,expected', [(1, True, 1), (5, True, 4), (3, False, 1)])
def test_how_many_alternates(make_cloud: Any, cloud: Any, attempts: int, alternates: bool,
                             expected: int) -> None:
    """ALT-F3: one attempt means no alternates; fewer hosts mean fewer."""
    cloud = make_cloud(cloud.placement, **{'scheduler.max_attempts': attempts})
    for number in range(4):
        cloud.host(f'h{number}')
    choice, = cloud.select(alternates=alternates).choices
    assert len(choice.selections) == expected


def test_servers_spread_over_what_is_free(cloud: Any) -> None:
    for number in range(3):
        cloud.host(f'h{number}')
    assert sorted(cloud.chosen(count=6)) == ['h0', 'h0', 'h1', 'h1', 'h2', 'h2']


class Counted:
    """Placement, and how many servers each claim was for."""

    def __init__(self, placement: Any, refuses: bool = False) -> None:
        self._placement, self._refuses, self.claims = placement, refuses, list[int]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._placement, name)

    def claim(self, consumer: str, *args: Any) -> bool:
        self.claims.append(1)
        return bool(self._placement.claim(consumer, *args))

    def claim_each(self, wanted: Any, *args: Any) -> bool:
        self.claims.append(len(wanted))
        return not self._refuses and self._placement.claim_each(wanted, *args)


def _of(cloud: Any, placement: Counted, count: int, **spec: Any) -> list[str]:
    found = cloud.selector(placement).select(objects.SelectRequest(
        spec=cloud.spec(**spec), instance_uuids=[uuids.generate() for _ in range(count)]))
    return [choice.selections[0].service_host for choice in found.choices]


def test_servers_of_a_request_are_claimed_for_at_once(cloud: Any) -> None:
    """As many as get hosts of their own; then these are judged again, and the next ones are."""
    for number in range(3):
        cloud.host(f'h{number}', vcpus=64)
    placement = Counted(cloud.placement)
    assert sorted(collections.Counter(_of(cloud, placement, 7)).values()) == [2, 2, 3]
    assert placement.claims == [3, 3, 1] and len(cloud.placement.consumers) == 7


def test_where_that_is_refused_each_is_claimed_for_by_itself(cloud: Any) -> None:
    for number in range(3):
        cloud.host(f'h{number}', vcpus=64)
    placement = Counted(cloud.placement, refuses=True)
    assert sorted(collections.Counter(_of(cloud, placement, 4)).values()) == [1, 1, 2]
    assert placement.claims == [3, 1, 1, 1, 1] and len(cloud.placement.consumers) == 4


def test_a_host_that_is_better_than_all_others_gets_one_after_the_other(cloud: Any) -> None:
    cloud.host('big', vcpus=64, memory=10 ** 6, disk=10 ** 4)
    cloud.host('small')
    placement = Counted(cloud.placement)
    assert _of(cloud, placement, 3) == ['big'] * 3
    assert placement.claims == [1, 1, 1]


def test_what_was_claimed_at_once_is_undone_when_the_answer_is_lost(cloud: Any) -> None:
    """CLM-F3: nobody knows whether the claim was made."""
    for number in range(2):
        cloud.host(f'h{number}', vcpus=64)

    class Lost(Counted):
        def claim_each(self, wanted: Any, *args: Any) -> bool:
            assert super().claim_each(wanted, *args)
            raise errors.placement.PlacementAway
    with pytest.raises(errors.placement.PlacementAway):
        _of(cloud, Lost(cloud.placement), 2)
    assert cloud.placement.consumers == {}


def test_all_or_none_of_a_burst(cloud: Any) -> None:
    """ALT-F5: the claims of the servers that fitted are gone when one does not."""
    cloud.host('h1', vcpus=2)
    found = cloud.select(count=3)
    assert [choice.selections for choice in found.choices] == [[], [], []]
    assert cloud.placement.consumers == {}
    assert found.reason.startswith('There are not enough hosts available.')


def test_claims_are_undone_when_placement_fails_in_the_middle(cloud: Any) -> None:
    """CLM-F3: never scheduled unclaimed, and nothing left behind."""
    cloud.host('h1')
    first = uuids.generate()
    cloud.placement.fail('claim', errors.placement.PlacementFailed(), when=lambda args: args[0] != first)
    with pytest.raises(errors.placement.PlacementFailed):
        cloud.select(uuids_=[first, uuids.generate()])
    assert cloud.placement.consumers == {}


def test_every_candidate_of_a_host_before_the_next(cloud: Any) -> None:
    """Where Nova tries the first way only, each way of using the best host is tried."""
    def numa(name: str) -> Provider:
        return Provider(uuids.generate(), name, inventory={'CUSTOM_CARD': {'total': 1}})
    cards = (numa('c1'), numa('c2'))
    cloud.host('big', memory=16384, children=cards)
    cloud.host('small', children=(numa('c3'),))
    tried = []
    real = cloud.placement.claim

    class Taken:
        """Somebody else takes the first card just before we do."""

        def __getattr__(self, name: str) -> Any:
            return getattr(cloud.placement, name)

        def claim(self, consumer: str, request: Any, *args: Any) -> bool:
            tried.append(request)
            return False if len(tried) == 1 else real(consumer, request, *args)
    spec = cloud.spec(extra_specs={'resources1:CUSTOM_CARD': '1'})
    found = cloud.selector(Taken()).select(objects.SelectRequest(
        spec=spec, instance_uuids=[uuids.generate()]))
    assert found.choices[0].selections[0].service_host == 'big'
    assert len(tried) == 2 and tried[0] != tried[1]


def test_an_outdated_look_is_not_used_to_its_end(cloud: Any) -> None:
    """Who was held up finds that most of what it knows has been taken meanwhile: it asks again."""
    for number in range(12):
        cloud.host(f'h{number:02}', vcpus=1)

    class Outdated(Counted):
        """Others take ten of the hosts as soon as the first look is made."""

        def candidates(self, request: Any) -> Any:
            found = copy.deepcopy(self._placement.candidates(request))
            while len(self._placement.consumers) < 10:
                way = found.allocation_requests[len(self._placement.consumers)]
                assert self._placement.claim(uuids.generate(), way, 'other', 'user')
            return found
    placement = Outdated(cloud.placement)
    assert _of(cloud, placement, 1)[0] in ('h10', 'h11')
    assert placement.claims == [1] * (select.REFUSED + 1)


def test_the_last_look_is_used_to_its_end(cloud: Any) -> None:
    """So nobody is refused while there is a host, however many others take hosts at the same time."""
    for number in range(20):
        cloud.host(f'h{number:02}')

    class Contended(Counted):
        """Others are quicker at every host but the last one that is tried."""

        def claim(self, consumer: str, *args: Any) -> bool:
            super().claim(consumer, *args)
            if len(self.claims) < (select.ROUNDS - 1) * select.REFUSED + 20:
                self._placement.drop(consumer)
                return False
            return True
    placement = Contended(cloud.placement)
    assert len(_of(cloud, placement, 1)) == 1


def test_why_not_is_told_stage_by_stage(cloud: Any) -> None:
    """The operator sees what removed how many hosts; the project sees only that there are not enough."""
    for name in ('up', 'down', 'off'):
        cloud.host(name)
    cloud.service('down', forced_down=True)
    cloud.service('off', disabled=True)
    found = cloud.select(ignore_hosts=['up'])
    assert found.explain == [
        {'stage': 'request', 'name': 'ignored hosts', 'removed': 1, 'left': 2},
        {'stage': 'filter', 'name': 'ComputeFilter', 'removed': 2, 'left': 0}]
    assert found.reason.startswith('There are not enough hosts available.')
    assert not any(char.isdigit() for char in found.reason), 'how many hosts there are is nobody\'s business'
    found = cloud.select(flavor={'vcpus': 99})
    assert {one['name']: one['left'] for one in found.explain}['resources VCPU:99'] == 0


def test_a_flavor_that_cannot_be_asked_for_says_what_is_wrong(cloud: Any) -> None:
    """TRT-S2."""
    cloud.host('h1')
    found = cloud.select(extra_specs={'trait:CUSTOM_GOLD': 'maybe'})
    assert "'trait:CUSTOM_GOLD'" in found.reason and "'required' or 'forbidden'" in found.reason


def test_forced_and_requested_hosts(cloud: Any) -> None:
    """Filters do not count for a forced host, they do for a requested one; Placement counts for both."""
    cloud.host('h1', memory=9999)
    cloud.host('h2')
    cloud.service('h2', disabled=True)
    choice, = cloud.select(force_hosts=['h2']).choices
    assert [one.service_host for one in choice.selections] == ['h2']
    target = objects.Destination(host='h2')
    assert cloud.chosen(requested_destination=target) == [None]
    assert cloud.chosen(requested_destination=objects.Destination(host='h1')) == ['h1']
    assert cloud.select(force_hosts=['nowhere']).reason == 'The requested host is not available'
    assert cloud.chosen(force_hosts=['h2'], flavor={'vcpus': 99}) == [None]


def test_a_move_may_stay_in_its_cell_or_prefer_it(cloud: Any) -> None:
    """CEL-S5."""
    cloud.host('here', 'cell1')
    cloud.host('there', 'cell2', memory=99999)
    cell = cloud.cell('cell1').uuid
    assert cloud.chosen(requested_destination=objects.Destination(cell=cell)) == ['here']
    near = objects.Destination(cell=cell, allow_cross_cell_move=True)
    assert cloud.chosen(requested_destination=near) == ['here']
    assert cloud.chosen(requested_destination=near, ignore_hosts=['here']) == ['there']


def test_asking_without_a_claim(cloud: Any) -> None:
    cloud.host('h1')
    found = cloud.selector().select(objects.SelectRequest(
        spec=cloud.spec(), instance_uuids=[uuids.generate()], claim=False))
    assert found.choices[0].selections[0].service_host == 'h1'
    assert cloud.placement.consumers == {}


@pytest.mark.parametrize('schedulers', [1, 3])
def test_many_at_once_never_over_claim(make_cloud: Any, real_placement: Any, schedulers: int) -> None:
    """Against the real Placement: exactly as many servers as fit, however many ask and whoever is asked."""
    cloud = make_cloud(real_placement())
    cloud.fresh = 1.0
    nodes = [cloud.host(f'h{number}', vcpus=4) for number in range(3)]
    selectors = [cloud.selector() for _ in range(schedulers)]
    results: list[objects.Selections] = []

    def work(number: int) -> None:
        for _ in range(3):
            results.append(selectors[number % schedulers].select(objects.SelectRequest(
                spec=cloud.spec(), instance_uuids=[uuids.generate()])))
    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    placed = [found.choices[0].selections[0].service_host for found in results if not found.reason]
    assert len(results) == 18 and len(placed) == 12
    assert sorted(placed.count(f'h{number}') for number in range(3)) == [4, 4, 4]
    assert all(len(cloud.placement.held(node)) == 4 for node in nodes)


# NUMA cells --------------------------------------------------------------------------------------

def cells_of(host: str, *pages: int) -> tuple[tuple[Provider, ...], dict[str, Any]]:
    """Two cells of four CPUs and 1 GiB as providers, and what the host says of them; of free pages of 2 MiB, as
    many as are given."""
    node, free = f'{host}.node', [*pages, 0, 0]
    providers = tuple(Provider(
        numa_providers.cell_uuid(host, node, number), numa_providers.cell_name(node, number), None,
        {'VCPU': {'total': 4}, 'MEMORY_MB': {'total': 1024}}, {'HW_NUMA_ROOT'}) for number in range(2))
    topology = {'cells': [{'id': number, 'cpus': 4, 'memory': 1024, 'pages': [
        {'size_kb': 2048, 'total': free[number]}]} for number in range(2)]}
    return providers, topology


def on_cells(cloud: Any, host: str, *pages: int, **values: Any) -> str:
    """A host that reports its cells."""
    providers, topology = cells_of(host, *pages)
    node = str(cloud.host(host, numa_topology=topology, children=providers, traits=('COMPUTE_NODE',), **values))
    root = cloud.placement.providers[node]
    del root.inventory['VCPU'], root.inventory['MEMORY_MB']
    return node


WIDE = {'flavor': {'vcpus': 4, 'memory_mb': 1024}, 'extra_specs': {'hw:numa_nodes': '2'}}


def served(cloud: Any, **values: Any) -> dict[str, dict[str, int]]:
    """What a server of its own gets, by provider."""
    server = uuids.generate()
    cloud.select(uuids_=[server], **values)
    return {uuid: part['resources'] for uuid, part in cloud.placement.allocations(server).allocations.items()}


def test_numa_nodes_are_on_cells_of_their_own(cloud: Any) -> None:
    node = on_cells(cloud, 'host1')
    part = {'VCPU': 2, 'MEMORY_MB': 512}
    assert served(cloud, **WIDE) == {
        numa_providers.cell_uuid('host1', 'host1.node', 0): part,
        numa_providers.cell_uuid('host1', 'host1.node', 1): part, node: {'DISK_GB': 1}}
    assert cloud.chosen(count=2, **WIDE) == [None, None], 'one would fit'
    assert cloud.chosen(**WIDE) == ['host1']


def test_hosts_with_and_without_cells_serve_numa_nodes(cloud: Any) -> None:
    on_cells(cloud, 'host1')
    cloud.host('host2', vcpus=8, numa_topology=cells_of('host2')[1])
    assert sorted(map(str, cloud.chosen(count=4, **WIDE))) == ['host1', 'host1', 'host2', 'host2']


def test_who_asks_for_no_cells_takes_what_is_in_one_piece(cloud: Any) -> None:
    node = on_cells(cloud, 'host1')
    found = served(cloud, flavor={'vcpus': 3, 'memory_mb': 256})
    cell, = found.keys() - {node}
    assert found == {cell: {'VCPU': 3, 'MEMORY_MB': 256}, node: {'DISK_GB': 1}}
    assert served(cloud, flavor={'vcpus': 2, 'memory_mb': 1024}), 'in pieces, where that is all there is'
    assert not served(cloud, flavor={'vcpus': 5, 'memory_mb': 256}), 'no cell has so many'


@pytest.mark.parametrize('pages,cell', [((256,), 0), ((0, 256), 1), ((128, 128), None)])
def test_pages_say_which_cell(cloud: Any, pages: tuple[int, ...], cell: int | None) -> None:
    """Placement knows of memory, the host of pages."""
    node = on_cells(cloud, 'host1', *pages)
    found = served(cloud, flavor={'vcpus': 1, 'memory_mb': 512}, extra_specs={'hw:mem_page_size': '2MB'})
    expected = set() if cell is None else {node, numa_providers.cell_uuid('host1', 'host1.node', cell)}
    assert set(found) == expected


def test_two_nodes_beside_devices_are_not_on_one_cell(cloud: Any) -> None:
    """Placement is not told that they be apart, since two devices may be of one provider."""
    node = on_cells(cloud, 'host1')
    cloud.placement.providers[node].inventory['CUSTOM_FPGA'] = {
        **cloud.placement.providers[node].inventory['DISK_GB'], 'total': 2}
    specs = {'hw:numa_nodes': '2', 'resources_a:CUSTOM_FPGA': '1', 'resources_b:CUSTOM_FPGA': '1'}
    found = served(cloud, flavor={'vcpus': 2, 'memory_mb': 256}, extra_specs=specs)
    assert len(found) == 3 and found[node] == {'DISK_GB': 1, 'CUSTOM_FPGA': 2}


def test_nonsense_of_nodes_is_told(cloud: Any) -> None:
    on_cells(cloud, 'host1')
    found = cloud.select(flavor={'vcpus': 3}, extra_specs={'hw:numa_nodes': '2'})
    assert 'cannot be divided' in found.reason
