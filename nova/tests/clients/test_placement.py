"""Placement client: the same promises by the fake and by the client of the real application."""

import threading
from typing import Any

import pytest

from nova import clients, errors
from nova import conf as nova_conf
from nova.clients import protocols
from nova.clients.placement import client as placement_client
from nova.clients.placement import explain
from nova.common import uuids
from nova.domain import numa, numa_providers
from nova.domain.placement_request import Group, ResourceRequest
from nova.domain.provider_tree import Provider, ProviderTree, uuid_of


def make_host(placement: Any, name: str = 'host1', vcpus: int = 4, memory: int = 4096, disk: int = 100,
              traits: tuple[str, ...] = (), uuid: str | None = None) -> str:
    uuid = uuid or uuids.generate()
    placement.client.report(ProviderTree(Provider(uuid, name, inventory={
        'VCPU': {'total': vcpus}, 'MEMORY_MB': {'total': memory}, 'DISK_GB': {'total': disk}},
        traits=set(traits))))
    return uuid


def asked(**amounts: int) -> ResourceRequest:
    request = ResourceRequest()
    request.main.resources.update(amounts)
    return request


def small() -> ResourceRequest:
    return asked(VCPU=2, MEMORY_MB=512, DISK_GB=10)


def claim(placement: Any, consumer: str, request: ResourceRequest | None = None, **kwargs: Any) -> bool:
    found = placement.client.candidates(request or small())
    return placement.client.claim(consumer, found.allocation_requests[0], 'project', 'user', **kwargs)


def test_candidates_are_claimed_as_they_are(placement: Any) -> None:
    """CLM-S1: the opaque request is put unchanged, and is what the consumer then holds."""
    host, server = make_host(placement), uuids.generate()
    found = placement.client.candidates(small())
    assert [list(one['allocations']) for one in found.allocation_requests] == [[host]]
    assert found.provider_summaries[host]['resources']['VCPU'] == {'capacity': 4, 'used': 0}
    assert found.explain == []
    assert placement.client.claim(server, found.allocation_requests[0], 'project', 'user')
    held = placement.client.allocations(server)
    assert held.allocations == {host: {'resources': {'VCPU': 2, 'MEMORY_MB': 512, 'DISK_GB': 10}}}
    assert (held.project_id, held.user_id, held.kind) == ('project', 'user', 'INSTANCE')


def test_claim_is_false_when_it_does_not_fit_any_more(placement: Any) -> None:
    make_host(placement)
    found = placement.client.candidates(small())
    way = found.allocation_requests[0]
    results = [placement.client.claim(uuids.generate(), way, 'p', 'u') for _ in range(3)]
    assert results == [True, True, False]
    assert placement.client.candidates(small()).allocation_requests == []


def test_nothing_fits_says_why(placement: Any) -> None:
    make_host(placement, vcpus=1)
    found = placement.client.candidates(small())
    assert found.allocation_requests == []
    assert any('VCPU:2' in one['constraint'] and one['left'] == 0 for one in found.explain)


def test_several_are_claimed_for_in_one_write_or_none(placement: Any) -> None:
    """CLM-S1: requests are put unchanged; who holds something already is asked about by itself."""
    for name in ('host1', 'host2'):
        make_host(placement, name)
    ways = placement.client.candidates(small()).allocation_requests
    assert len(ways) == 2
    first, second = ({uuids.generate(): protocols.Claim(way, project, 'user')
                      for way, project in zip(ways, ('one', 'two'), strict=True)} for _ in range(2))
    assert placement.client.claim_each(first)
    for consumer, claim in first.items():
        held = placement.client.allocations(consumer)
        assert list(held.allocations) == list(claim.allocation_request['allocations'])
        assert (held.project_id, held.user_id, held.kind) == (claim.project_id, 'user', 'INSTANCE')
    other = next(iter(second.values()))
    assert not placement.client.claim_each({**second, next(iter(first)): other})
    full = {**second, uuids.generate(): other}
    assert not placement.client.claim_each(full)
    assert not any(placement.client.allocations(consumer).allocations for consumer in full)
    assert placement.client.claim_each(second)


def test_claim_again_is_the_same_claim(placement: Any) -> None:
    host, server = make_host(placement), uuids.generate()
    found = placement.client.candidates(small())
    for _ in range(3):
        assert placement.client.claim(server, found.allocation_requests[0], 'project', 'user')
    assert set(placement.client.held(host)) == {server}


def test_claim_replaces_what_an_earlier_attempt_left(placement: Any) -> None:
    """A crash between claim and note: the next attempt may choose another host; only that one stays."""
    server = uuids.generate()
    one, two = make_host(placement, 'one'), make_host(placement, 'two')
    for host in (one, two):
        request = {'allocations': {host: {'resources': {'VCPU': 1}}}}
        assert placement.client.claim(server, request, 'project', 'user')
    assert list(placement.client.allocations(server).allocations) == [two]


def test_claim_on_a_provider_that_is_gone(placement: Any) -> None:
    request = {'allocations': {uuids.generate(): {'resources': {'VCPU': 1}}}}
    assert placement.client.claim(uuids.generate(), request, 'project', 'user') is False


def test_drop_is_repeatable(placement: Any) -> None:
    host, server = make_host(placement), uuids.generate()
    assert claim(placement, server)
    placement.client.drop(server)
    placement.client.drop(server)
    assert placement.client.allocations(server).allocations == {}
    assert placement.client.held(host) == {}


def test_what_is_given_back_is_what_was_claimed(placement: Any) -> None:
    """A scheduler that comes late takes away nothing of others: seed 9288 of ``tools/simulate``."""
    one, two, server = make_host(placement, 'one'), make_host(placement, 'two'), uuids.generate()
    mine, theirs = ({'allocations': {host: {'resources': {'VCPU': 1}}}} for host in (one, two))
    assert placement.client.claim(server, theirs, 'project', 'user')
    placement.client.drop(server, mine)
    assert list(placement.client.allocations(server).allocations) == [two]
    for _ in range(2):
        placement.client.drop(server, theirs)
        assert placement.client.allocations(server).allocations == {}


def test_move_is_one_step_and_repeatable(placement: Any) -> None:
    """MIG-S2, MIG-S3: all of it changes hands, back again, and what the taker held is given up."""
    host, server, migration = make_host(placement), uuids.generate(), uuids.generate()
    assert claim(placement, server)
    for _ in range(2):
        assert placement.client.move(server, migration, 'MIGRATION')
    assert placement.client.allocations(server).allocations == {}
    assert placement.client.allocations(migration).kind == 'MIGRATION'
    other = make_host(placement, 'host2')
    request = {'allocations': {other: {'resources': {'VCPU': 3}}}}
    assert placement.client.claim(server, request, 'project', 'user')
    for _ in range(2):
        assert placement.client.move(migration, server, 'INSTANCE')
    assert list(placement.client.allocations(server).allocations) == [host]
    assert placement.client.held(other) == {}
    assert placement.client.allocations(migration).allocations == {}


def test_what_was_handed_over_is_not_handed_over_by_who_comes_late(placement: Any) -> None:
    """MIG-S2: the server holds its destination by then, and goes on to."""
    source, dest = make_host(placement), make_host(placement, 'host2')
    server, migration = uuids.generate(), uuids.generate()
    assert claim(placement, server)
    assert placement.client.move(server, migration, 'MIGRATION', once=True)
    assert placement.client.move(server, migration, 'MIGRATION', once=True), 'its answer was lost'
    request = {'allocations': {dest: {'resources': {'VCPU': 1}}}}
    assert placement.client.claim(server, request, 'project', 'user')
    assert placement.client.move(server, migration, 'MIGRATION', once=True)
    assert list(placement.client.allocations(server).allocations) == [dest]
    assert list(placement.client.allocations(migration).allocations) == [source]


def test_moving_nothing_makes_nothing(placement: Any) -> None:
    """MIG-F3: a server deleted during its move is not given allocations again."""
    assert placement.client.move(uuids.generate(), uuids.generate(), 'INSTANCE') is False


def test_many_claims_at_once_never_over_claim(placement: Any) -> None:
    host = make_host(placement, vcpus=8)
    found = placement.client.candidates(asked(VCPU=1))
    results: list[bool] = []

    def work() -> None:
        for _ in range(4):
            results.append(placement.client.claim(uuids.generate(), found.allocation_requests[0], 'p', 'u'))
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(results) == 8
    assert len(placement.client.held(host)) == 8


def test_report_makes_changes_and_removes(placement: Any) -> None:
    """NRP-S1: a tree is made what the host says, parents first, and changes come through."""
    root, child = uuids.generate(), uuids.generate()

    def tree(*, with_child: bool, total: int = 4) -> ProviderTree:
        made = ProviderTree(Provider(root, 'host1', inventory={'VCPU': {'total': total}},
                                     traits={'HW_CPU_X86_SSE'}))
        if with_child:
            made.add(Provider(child, 'host1_numa0', parent=root, traits={'CUSTOM_NODE'},
                              inventory={'CUSTOM_THING': {'total': 2, 'max_unit': 1}}))
        return made

    placement.client.report(tree(with_child=True))
    placement.client.report(tree(with_child=True))
    request = asked(VCPU=1)
    request.groups['1'] = Group(resources={'CUSTOM_THING': 1}, required={'CUSTOM_NODE'})
    found = placement.client.candidates(request)
    assert [set(one['allocations']) for one in found.allocation_requests] == [{root, child}]
    placement.another().report(tree(with_child=False, total=9))
    found = placement.client.candidates(asked(VCPU=9))
    assert list(found.provider_summaries) == [root]
    assert found.provider_summaries[root]['traits'] == ['HW_CPU_X86_SSE']


def test_what_others_put_there_stays(placement_service: Any) -> None:
    """CLM-S2: agents' providers, operators' traits and aggregates, and claims outlive every report."""
    host, ours, agent, zone = (uuids.generate() for _ in range(4))

    def call(method: str, path: str, body: Any = None) -> Any:
        return placement_service.call(method, path, body=body, microversion='1.39').json()

    def report(*names: str) -> None:
        tree = ProviderTree(Provider(host, 'host1', inventory={'VCPU': {'total': 4}},
                                     traits={'COMPUTE_NODE', *names}))
        if names:
            tree.add(Provider(ours, 'host1_numa0', parent=host, inventory={'MEMORY_MB': {'total': 4}}))
        placement_client.Client(placement_service).report(tree)
    report('HW_CPU_X86_SSE')
    call('POST', '/resource_providers', {'uuid': agent, 'name': 'host1:agent', 'parent_provider_uuid': host})
    call('PUT', '/traits/CUSTOM_GOLD')
    traits = call('GET', f'/resource_providers/{host}/traits')
    call('PUT', f'/resource_providers/{host}/traits', {**traits, 'traits': [*traits['traits'], 'CUSTOM_GOLD']})
    client = placement_client.Client(placement_service)
    client.add_to_aggregate(host, zone)
    nobodys = uuids.generate()
    assert client.claim(nobodys, {'allocations': {host: {'resources': {'VCPU': 1}}}}, 'p', 'u')
    report()
    assert list(client.allocations(nobodys).allocations) == [host]
    tree = placement_service.call('GET', '/resource_providers', params=[('in_tree', host)], microversion='1.39')
    there = {one['uuid'] for one in tree.json()['resource_providers']}
    assert there == {host, agent}
    assert call('GET', f'/resource_providers/{host}/traits')['traits'] == ['COMPUTE_NODE', 'CUSTOM_GOLD']
    assert call('GET', f'/resource_providers/{host}/aggregates')['aggregates'] == [zone]


def test_report_does_not_take_away_what_is_used(placement: Any) -> None:
    uuid, server = make_host(placement), uuids.generate()
    assert claim(placement, server)
    with pytest.raises(errors.Conflict):
        placement.another().report(ProviderTree(Provider(uuid, 'host1', inventory={'VCPU': {'total': 4}})))


def test_a_name_belongs_to_one_provider(placement: Any) -> None:
    make_host(placement, 'same')
    with pytest.raises(errors.Conflict):
        make_host(placement, 'same')


def test_delete_provider(placement: Any) -> None:
    uuid, server = make_host(placement), uuids.generate()
    assert placement.client.provider('host1') == uuid
    assert claim(placement, server)
    with pytest.raises(errors.Conflict):
        placement.client.delete_provider(uuid)
    placement.client.drop(server)
    placement.client.delete_provider(uuid)
    placement.client.delete_provider(uuid)
    assert placement.client.provider('host1') is None
    make_host(placement, uuid=uuid)
    assert placement.client.provider('host1') == uuid


def test_aggregates_narrow(placement: Any) -> None:
    one, two, zone = make_host(placement, 'one'), make_host(placement, 'two'), uuids.generate()
    for _ in range(2):
        placement.client.add_to_aggregate(one, zone)
    request = small()
    request.main.member_of.append(frozenset({zone}))
    assert list(placement.client.candidates(request).provider_summaries) == [one]
    request = small()
    request.main.not_member_of.add(zone)
    assert list(placement.client.candidates(request).provider_summaries) == [two]
    for _ in range(2):
        placement.client.remove_from_aggregate(one, zone)
    assert set(placement.client.candidates(request).provider_summaries) == {one, two}
    with pytest.raises(errors.placement.ProviderNotFound):
        placement.client.add_to_aggregate(uuids.generate(), zone)


def test_traits_of_the_root(placement: Any) -> None:
    plain = make_host(placement, 'one')
    make_host(placement, 'two', traits=('COMPUTE_STATUS_DISABLED',))
    request = small()
    request.root_forbidden.add('COMPUTE_STATUS_DISABLED')
    assert list(placement.client.candidates(request).provider_summaries) == [plain]
    request = small()
    request.main.in_tree = plain
    assert list(placement.client.candidates(request).provider_summaries) == [plain]


def test_a_placement_that_does_not_explain_is_asked_bit_by_bit(placement_service: Any) -> None:
    """The same question to a Placement that does not know our header."""
    client = placement_client.Client(placement_service)
    for name, vcpus in (('one', 1), ('two', 4)):
        client.report(ProviderTree(Provider(uuids.generate(), name, inventory={'VCPU': {'total': vcpus}})))
    request = asked(VCPU=2)
    request.main.required.add('HW_CPU_X86_AVX2')
    assert explain.explain(placement_service, request) == [
        {'constraint': 'resources VCPU:2', 'left': 1}, {'constraint': 'required HW_CPU_X86_AVX2', 'left': 0}]
    request.main.required.clear()
    request.groups['1'] = Group(resources={'VCPU': 3})
    last = explain.explain(placement_service, request)[-1]
    assert last == {'constraint': 'all constraints together', 'left': 0}


def test_a_trait_that_is_kept_is_neither_given_nor_taken(placement: Any) -> None:
    """COMPUTE_STATUS_DISABLED, while a host does not know what it is."""
    uuid, disabled = uuids.generate(), 'COMPUTE_STATUS_DISABLED'

    def report(**more: Any) -> int:
        placement.another().report(ProviderTree(Provider(
            uuid, 'host1', inventory={'VCPU': {'total': 4}}, **more)))
        request = asked(VCPU=1)
        request.root_forbidden.add(disabled)
        return len(placement.client.candidates(request).allocation_requests)
    assert report(kept_traits={disabled}) == 1, 'a new provider has none to keep'
    assert report(traits={disabled}) == 0
    assert report(kept_traits={disabled}) == 0
    assert report() == 1
    assert report(kept_traits={disabled}) == 1


def test_several_consumers_are_given_what_they_hold_in_one_write(placement: Any) -> None:
    """MIG-S4: on the same host the server takes the new amounts and the migration what the old had more."""
    host, server, migration = make_host(placement), uuids.generate(), uuids.generate()
    old = {host: {'resources': {'VCPU': 3, 'MEMORY_MB': 512}}}
    new = {host: {'resources': {'VCPU': 1, 'MEMORY_MB': 4096}}}
    more = {host: {'resources': {'VCPU': 2}}}
    client = placement.client
    assert client.claim(migration, {'allocations': old}, 'project', 'user', 'MIGRATION')
    for _ in range(2):
        assert client.hold({server: (new, 'INSTANCE'), migration: (more, 'MIGRATION')}, 'project', 'user')
    assert client.allocations(server).allocations == new
    assert client.allocations(migration).allocations == more
    for _ in range(2):
        assert client.hold({server: (old, 'INSTANCE'), migration: ({}, 'MIGRATION')}, 'project', 'user')
    assert client.allocations(server).allocations == old
    assert set(client.held(host)) == {server}


def test_what_does_not_fit_changes_none_of_the_consumers(placement: Any) -> None:
    host, server, migration = make_host(placement), uuids.generate(), uuids.generate()
    held = {host: {'resources': {'VCPU': 3}}}
    assert placement.client.claim(migration, {'allocations': held}, 'project', 'user', 'MIGRATION')
    too_much = {host: {'resources': {'VCPU': 5}}}
    assert not placement.client.hold({server: (too_much, 'INSTANCE'), migration: ({}, 'MIGRATION')}, 'p', 'u')
    assert placement.client.allocations(migration).allocations == held
    assert placement.client.allocations(server).allocations == {}


# CPUs and memory that move to NUMA cells and back ------------------------------------------------

TWO_CELLS = (numa.Cell(2, 1024), numa.Cell(2, 1024))


def numa_host(uuid: str, on_cells: bool, guests: dict[str, Any], traits: tuple[str, ...] = ('HW_CPU_X86_AVX',),
              name: str = 'host1') -> ProviderTree:
    """A host of eight CPUs and 4 GiB, with or without its two cells."""
    inventory = {'VCPU': {'total': 8, 'max_unit': 8}, 'MEMORY_MB': {'total': 4096, 'max_unit': 4096}}
    disk = {'DISK_GB': {'total': 100}}
    tree = ProviderTree(Provider(uuid, name, inventory=disk if on_cells else {**inventory, **disk},
                                 traits={*traits, 'COMPUTE_NODE'}), lambda: guests)
    for number in range(2) if on_cells else ():
        tree.add(Provider(cell_uuid(uuid, number), f'{name}_NUMA{number}', uuid, {
            'VCPU': {'total': 4, 'max_unit': 4}, 'MEMORY_MB': {'total': 2048, 'max_unit': 2048}},
            {'HW_NUMA_ROOT'}, is_part=True))
    return tree


def cell_uuid(uuid: str, number: int) -> str:
    return uuid_of(uuid, f'cell{number}')


def two_nodes() -> list[ResourceRequest]:
    request = asked(VCPU=4, MEMORY_MB=2048, DISK_GB=10)
    request.main.required.add('HW_CPU_X86_AVX')
    return numa_providers.questions(request, TWO_CELLS)


def test_what_is_held_moves_with_what_there_is(placement: Any) -> None:
    """A host with servers begins to report its cells, and ends to: each time, all that is held goes along."""
    host = uuids.generate()
    pinned, floats = uuids.generate(), uuids.generate()
    exact = {cell_uuid(host, 1): {'resources': {'VCPU': 2, 'MEMORY_MB': 512}}}
    guests = {pinned: exact, floats: {}}
    placement.client.report(numa_host(host, False, guests))
    flat = {pinned: {host: {'resources': {'VCPU': 2, 'MEMORY_MB': 512, 'DISK_GB': 10}}},
            floats: {host: {'resources': {'VCPU': 3, 'MEMORY_MB': 2048}}}}
    for consumer, held in flat.items():
        assert placement.client.claim(consumer, {'allocations': held}, 'project', 'user')
    for _ in range(2):
        placement.another().report(numa_host(host, True, guests))
        assert placement.client.allocations(pinned).allocations == {
            **exact, host: {'resources': {'DISK_GB': 10}}}
        assert placement.client.allocations(floats).allocations == {
            cell_uuid(host, 0): {'resources': {'VCPU': 3, 'MEMORY_MB': 2048}}}
    found = placement.client.candidates(asked(VCPU=2, MEMORY_MB=512)).provider_summaries
    assert found[cell_uuid(host, 0)]['resources']['VCPU'] == {'capacity': 4, 'used': 3}
    assert 'VCPU' not in found[host]['resources']
    for _ in range(2):
        placement.another().report(numa_host(host, False, guests))
        assert {each: placement.client.allocations(each).allocations for each in flat} == flat
    assert placement.client.provider('host1_NUMA0') is None
    one = placement.client.allocations(pinned)
    assert (one.project_id, one.user_id, one.kind) == ('project', 'user', 'INSTANCE')


def test_a_move_is_waited_for(placement: Any) -> None:
    """MIG: what a flow has written down of its allocations is not changed under it."""
    host, server, migration = uuids.generate(), uuids.generate(), uuids.generate()
    placement.client.report(numa_host(host, False, {}))
    assert claim(placement, server)
    assert placement.client.move(server, migration, 'MIGRATION')
    before = placement.client.allocations(migration).allocations
    for _ in range(2):
        with pytest.raises(errors.placement.ReshapeRefused, match=migration):
            placement.another().report(numa_host(host, True, {server: {}}))
        assert placement.client.allocations(migration).allocations == before
        assert placement.client.provider('host1_NUMA0') is None
    placement.client.drop(migration)
    placement.another().report(numa_host(host, True, {server: {}}))
    assert placement.client.provider('host1_NUMA0') == cell_uuid(host, 0)


def test_what_does_not_fit_stays_where_it_is(placement: Any) -> None:
    host, server = uuids.generate(), uuids.generate()
    exact = {cell_uuid(host, 0): {'resources': {'VCPU': 5, 'MEMORY_MB': 512}}}
    placement.client.report(numa_host(host, False, {}))
    held = {host: {'resources': {'VCPU': 5, 'MEMORY_MB': 512}}}
    assert placement.client.claim(server, {'allocations': held}, 'project', 'user')
    with pytest.raises(errors.placement.ReshapeRefused):
        placement.another().report(numa_host(host, True, {server: exact}))
    assert placement.client.allocations(server).allocations == held
    placement.another().report(numa_host(host, False, {server: exact}))
    assert placement.client.provider('host1_NUMA0') is None, 'what was made in vain is gone'


def test_nodes_of_a_server_are_on_cells(placement: Any) -> None:
    """NUMA nodes of a server are served by a cell each, and hosts that report none are found beside."""
    host, other = uuids.generate(), uuids.generate()
    placement.client.report(numa_host(host, True, {}))
    placement.client.report(numa_host(other, False, {}, name='host2'))
    on_cells, flat = two_nodes()
    ways = placement.client.candidates(on_cells).allocation_requests
    part = {'resources': {'VCPU': 2, 'MEMORY_MB': 1024}}
    assert [way['allocations'] for way in ways] == [
        {cell_uuid(host, 0): part, cell_uuid(host, 1): part, host: {'resources': {'DISK_GB': 10}}}] * 2
    assert sorted(numa_providers.serving(way, TWO_CELLS) or [] for way in ways) == sorted(
        [[cell_uuid(host, 0), cell_uuid(host, 1)], [cell_uuid(host, 1), cell_uuid(host, 0)]])
    way, = placement.client.candidates(flat).allocation_requests
    assert list(way['allocations']) == [other]
    assert placement.client.claim(uuids.generate(), ways[0], 'project', 'user')
    assert placement.client.claim(uuids.generate(), ways[1], 'project', 'user')
    assert placement.client.candidates(on_cells).allocation_requests == []


def test_a_part_has_the_traits_of_its_node(placement: Any) -> None:
    """Whoever asks for a trait of the host and no disk is served by cells alone."""
    host = uuids.generate()
    request = asked(VCPU=2, MEMORY_MB=512)
    request.main.required.add('HW_CPU_X86_AVX')
    placement.client.report(numa_host(host, True, {}))
    ways = placement.client.candidates(request).allocation_requests
    assert {uuid for way in ways for uuid in way['allocations']} == {cell_uuid(host, each) for each in range(2)}
    assert placement.client.traits(cell_uuid(host, 0)) == {'HW_CPU_X86_AVX', 'HW_NUMA_ROOT', 'OWNER_NOVA'}
    placement.another().report(numa_host(host, True, {}, traits=()))
    assert placement.client.candidates(request).allocation_requests == []


def test_how_often_a_host_looks_at_its_providers_is_an_option(monkeypatch):
    """``[compute] resource_provider_association_refresh``: each look of a million hosts counts."""
    made = []
    monkeypatch.setattr(clients.placement, 'Client', lambda service, seconds: made.append(seconds))
    for seconds in (300, 3600, 0):
        conf = nova_conf.new(config_files=[], **{'compute.resource_provider_association_refresh': seconds})
        clients.build_placement(conf)
    assert made == [300, 3600, float('inf')]
