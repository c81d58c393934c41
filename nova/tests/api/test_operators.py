"""What operators look after: aggregates, zones, services, hypervisors."""

from typing import Any

import pytest

from nova import errors, objects
from nova.common import uuids
from nova.tests.api.cloud import MEMBER, Cloud
from nova.tests.fixtures import clocks


def aggregate(cloud: Cloud, name: str = 'rack', **values: Any) -> Any:
    return cloud.call('POST', '/os-aggregates', '2.41', json={'aggregate': {'name': name, **values}})


def act(cloud: Cloud, number: int, **body: Any) -> Any:
    return cloud.call('POST', f'/os-aggregates/{number}/action', '2.41', json=body)


def test_aggregates(cloud: Cloud) -> None:
    cloud.host('host1')
    made = aggregate(cloud, availability_zone='zone-1').json['aggregate']
    assert set(made) == {'id', 'uuid', 'name', 'availability_zone', 'created_at', 'updated_at', 'deleted',
                         'deleted_at'}
    assert 'uuid' not in cloud.call('GET', f'/os-aggregates/{made["id"]}', '2.40').json['aggregate']
    assert aggregate(cloud).status_code == 409
    added = act(cloud, made['id'], add_host={'host': 'host1'})
    assert added.status_code == 200 and added.json['aggregate']['hosts'] == ['host1']
    assert act(cloud, made['id'], add_host={'host': 'host1'}).status_code == 409
    assert act(cloud, made['id'], add_host={'host': 'nowhere'}).status_code == 404
    changed = act(cloud, made['id'], set_metadata={'metadata': {'ssd': 'true', 'availability_zone': None}})
    assert changed.json['aggregate']['metadata'] == {'ssd': 'true'}
    assert changed.json['aggregate']['availability_zone'] is None
    path = f'/os-aggregates/{made["id"]}'
    renamed = cloud.call('PUT', path, json={'aggregate': {'name': 'row', 'availability_zone': 'zone-2'}})
    assert renamed.json['aggregate']['name'] == 'row' and renamed.json['aggregate']['updated_at']
    assert renamed.json['aggregate']['metadata'] == {'ssd': 'true', 'availability_zone': 'zone-2'}
    assert cloud.call('PUT', path, json={'aggregate': {}}).status_code == 400
    assert cloud.call('DELETE', path).status_code == 400
    assert act(cloud, made['id'], remove_host={'host': 'host1'}).json['aggregate']['hosts'] == []
    assert act(cloud, made['id'], remove_host={'host': 'host1'}).status_code == 404
    assert cloud.call('DELETE', path).status_code == 200
    assert cloud.call('GET', path).status_code == 404
    assert cloud.call('GET', '/os-aggregates/x').status_code == 400
    assert cloud.call('GET', '/os-aggregates', headers=MEMBER).status_code == 403


def test_placement_hears_of_aggregates(cloud: Cloud) -> None:
    """SHR-S2: host aggregates and Placement's stay in step."""
    cloud.host('host1')
    node = cloud.node('host1')
    made = aggregate(cloud).json['aggregate']
    act(cloud, made['id'], add_host={'host': 'host1'})
    assert cloud.told == [('add', node.uuid, made['uuid'])]
    act(cloud, made['id'], remove_host={'host': 'host1'})
    assert cloud.told[1:] == [('remove', node.uuid, made['uuid'])]


def test_a_host_is_in_one_zone(cloud: Cloud) -> None:
    cloud.host('host1', zone='zone-1')
    made = aggregate(cloud, availability_zone='zone-2').json['aggregate']
    assert act(cloud, made['id'], add_host={'host': 'host1'}).status_code == 409
    cloud.server(host='host1')
    first = cloud.call('GET', '/os-aggregates').json['aggregates'][0]
    moved = cloud.call('PUT', f'/os-aggregates/{first["id"]}', json={
        'aggregate': {'availability_zone': 'zone-9'}})
    assert moved.status_code == 400


@pytest.mark.parametrize('cell', [1, 2])
def test_a_host_with_servers_stays_in_its_zone(cloud: Cloud, cell: int) -> None:
    cloud.host('host1', cell)
    cloud.server(cell, host='host1')
    default = cloud.conf.default_availability_zone
    plain = aggregate(cloud, name='plain').json['aggregate']['id']
    zone, same = (aggregate(cloud, name=name, availability_zone=name).json['aggregate']['id']
                  for name in ('zone-1', default))
    refused = act(cloud, zone, add_host={'host': 'host1'})
    assert refused.status_code == 409 and 'contain instances' in refused.json['conflictingRequest']['message']
    for harmless in (plain, same):
        assert act(cloud, harmless, add_host={'host': 'host1'}).status_code == 200
        assert act(cloud, harmless, remove_host={'host': 'host1'}).status_code == 200

    cloud.host('host2', cell)
    assert act(cloud, zone, add_host={'host': 'host2'}).status_code == 200
    cloud.server(cell, host='host2')
    assert act(cloud, zone, remove_host={'host': 'host2'}).status_code == 409
    assert act(cloud, zone, add_host={'host': 'host2'}).status_code == 409
    shown = cloud.call('GET', f'/os-aggregates/{zone}').json['aggregate']
    assert shown['hosts'] == ['host2']
    assert cloud.call('PUT', f'/os-aggregates/{zone}', json={
        'aggregate': {'availability_zone': 'zone-2'}}).status_code == 400
    assert act(cloud, zone, set_metadata={'metadata': {'availability_zone': 'zone-2'}}).status_code == 400


def test_zones(cloud: Cloud) -> None:
    cloud.host('host1', zone='zone-1')
    cloud.host('host2', 2)
    cloud.host('host3', zone='zone-3', disabled=True)
    listed = cloud.call('GET', '/os-availability-zone', headers=MEMBER).json['availabilityZoneInfo']
    assert [(zone['zoneName'], zone['zoneState']['available'], zone['hosts']) for zone in listed] == [
        ('nova', True, None), ('zone-1', True, None), ('zone-3', False, None)]
    detailed = cloud.call('GET', '/os-availability-zone/detail').json['availabilityZoneInfo']
    first = next(zone for zone in detailed if zone['zoneName'] == 'zone-1')
    assert first['hosts']['host1']['nova-compute']['available'] is True
    assert cloud.call('GET', '/os-availability-zone/detail', headers=MEMBER).status_code == 403


def services(cloud: Cloud, version: str, query: str = '') -> list[dict[str, Any]]:
    return cloud.call('GET', f'/os-services?{query}', version).json['services']


def test_services_are_listed(cloud: Cloud) -> None:
    """LST-F3: those of a cell that is down by what the API database knows of them."""
    cloud.host('host1', zone='zone-1')
    cloud.host('host2', 2, disabled=True, disabled_reason='broken')
    first, second = services(cloud, '2.1')
    assert set(first) == {'id', 'binary', 'host', 'zone', 'status', 'state', 'updated_at', 'disabled_reason'}
    assert (first['zone'], first['state'], second['status'], second['disabled_reason']) == (
        'zone-1', 'up', 'disabled', 'broken')
    assert isinstance(first['id'], int) and first['updated_at']
    assert 'forced_down' in services(cloud, '2.11')[0] and uuids.is_uuid(services(cloud, '2.53')[0]['id'])
    assert [one['host'] for one in services(cloud, '2.53', 'host=host2')] == ['host2']
    assert services(cloud, '2.53', 'binary=nova-scheduler') == []
    assert cloud.call('GET', '/os-services', headers=MEMBER).status_code == 403
    cloud.break_cell(2)
    assert len(services(cloud, '2.68')) == 1
    assert services(cloud, '2.69')[1] == {'binary': 'nova-compute', 'host': 'host2', 'status': 'UNKNOWN'}


def listed(cloud: Cloud, cell: int, host: str, binary: str) -> Any:
    """A conductor or scheduler as its heartbeat lists it."""
    cloud.db(cell).write(lambda conn: objects.Service.beat(conn, host, binary, 1))
    with cloud.db(cell).read() as conn:
        return objects.Service.get(conn, host=host, binary=binary)


def test_conductors_and_schedulers_are_services_too(cloud: Cloud) -> None:
    """Cell conductors are in their cell, super-conductors and schedulers in cell0."""
    cloud.host('host1')
    listed(cloud, 1, 'control1', 'nova-conductor')
    listed(cloud, 0, 'control1', 'nova-conductor')
    scheduler = listed(cloud, 0, 'control1', 'nova-scheduler')
    found = services(cloud, '2.53', 'host=control1')
    assert [(one['binary'], one['zone'], one['state'], one['status']) for one in found] == [
        ('nova-conductor', 'internal', 'up', 'enabled'), ('nova-scheduler', 'internal', 'up', 'enabled'),
        ('nova-conductor', 'internal', 'up', 'enabled')]
    zones = cloud.call('GET', '/os-availability-zone/detail').json['availabilityZoneInfo']
    internal = next(zone for zone in zones if zone['zoneName'] == 'internal')
    assert set(internal['hosts']['control1']) == {'nova-conductor', 'nova-scheduler'}
    assert internal['hosts']['control1']['nova-scheduler']['available'] is True
    short = cloud.call('GET', '/os-availability-zone').json['availabilityZoneInfo']
    assert [zone['zoneName'] for zone in short] == ['nova']

    path = f'/os-services/{scheduler.uuid}'
    refused = cloud.call('PUT', path, '2.53', json={'status': 'disabled'})
    assert refused.status_code == 400 and 'nova-scheduler' in refused.text
    assert cloud.statuses == []
    assert cloud.call('DELETE', path, '2.53').status_code == 204
    assert services(cloud, '2.53', 'binary=nova-scheduler') == []
    for cell in (0, 1):
        same = objects.Service(id=77777, uuid=uuids.generate(), host='twice', binary='nova-conductor')
        cloud.db(cell).write(same.create)
    assert cloud.call('DELETE', '/os-services/77777', '2.52').status_code == 400, 'number 77777 of which cell?'


def test_hosts_are_told_whether_they_are_disabled(cloud: Cloud) -> None:
    """At once; forcing down is none of theirs."""
    cloud.host('host2', 2)
    path = f'/os-services/{services(cloud, "2.53")[0]["id"]}'
    for body in ({'status': 'disabled'}, {'forced_down': True}, {'status': 'enabled'}):
        assert cloud.call('PUT', path, '2.53', json=body).status_code == 200
    name = cloud.cells[2].transport_url.rpartition('/')[2]
    assert cloud.statuses == [(name, 'host2', True), (name, 'host2', False)]
    by_name = {'host': 'host2', 'binary': 'nova-compute'}
    assert cloud.call('PUT', '/os-services/disable', '2.52', json=by_name).status_code == 200
    assert cloud.statuses[2:] == [(name, 'host2', True)]


def test_services_are_changed_by_uuid(cloud: Cloud) -> None:
    cloud.host('host1')
    path = f'/os-services/{services(cloud, "2.53")[0]["id"]}'

    def change(**body: Any) -> Any:
        return cloud.call('PUT', path, '2.53', json=body)
    disabled = change(status='disabled', disabled_reason='why').json['service']
    assert disabled['status'] == 'disabled' and disabled['disabled_reason'] == 'why' and 'zone' in disabled
    assert change(status='enabled').json['service']['disabled_reason'] is None
    assert change(forced_down=True).json['service']['state'] == 'down'
    assert change(forced_down='false').json['service']['state'] == 'up'
    assert change().status_code == 400
    assert change(status='enabled', disabled_reason='why').status_code == 400
    assert change(host='host1', binary='nova-compute').status_code == 400
    assert cloud.call('PUT', '/os-services/1', '2.53', json={'status': 'enabled'}).status_code == 400
    missing = cloud.call('PUT', f'/os-services/{uuids.generate()}', '2.53', json={'status': 'enabled'})
    assert missing.status_code == 404


def test_services_were_changed_by_name(cloud: Cloud) -> None:
    cloud.host('host1')
    body = {'host': 'host1', 'binary': 'nova-compute'}

    def change(verb: str, version: str = '2.52', **more: Any) -> Any:
        return cloud.call('PUT', f'/os-services/{verb}', version, json={**body, **more})
    assert change('disable').json == {'service': {**body, 'status': 'disabled'}}
    assert change('enable').json == {'service': {**body, 'status': 'enabled'}}
    assert change('disable-log-reason', disabled_reason='why').json['service']['disabled_reason'] == 'why'
    assert change('disable-log-reason').status_code == 400
    assert change('force-down', forced_down=True).json == {'service': {**body, 'forced_down': True}}
    assert change('force-down', '2.10').status_code == 404
    assert change('explode').status_code == 404
    assert change('enable', host='host9').status_code == 404
    assert change('enable', binary='nova-scheduler').status_code == 400


def test_services_are_deleted_with_their_host(cloud: Cloud) -> None:
    cloud.host('host1', zone='zone-1')
    path = f'/os-services/{services(cloud, "2.53")[0]["id"]}'
    made = cloud.server(host='host1')
    assert cloud.call('DELETE', path, '2.53').status_code == 409
    cloud.db(1).write(lambda conn: objects.Instance.get(conn, uuid=made.uuid).destroy(conn))
    node = cloud.node('host1')
    assert cloud.call('DELETE', path, '2.53').status_code == 204
    assert cloud.told == [('delete', node.uuid, '')]
    assert services(cloud, '2.53') == []
    assert cloud.call('GET', '/os-hypervisors', '2.53').json['hypervisors'] == []
    assert cloud.call('GET', '/os-aggregates').json['aggregates'][0]['hosts'] == []
    assert cloud.call('DELETE', path, '2.53').status_code == 404


def uptime(cloud: Cloud, hypervisor: Any) -> Any:
    return cloud.call('GET', f'/os-hypervisors/{hypervisor["id"]}/uptime', '2.87')


UPTIME = ' 06:13:02 up 3 days,  4:05,  2 users,  load average: 0.10, 0.20, 0.30'


def test_hosts_say_how_long_they_have_been_up(cloud: Cloud) -> None:
    """By itself up to 2.87, with the rest from 2.88 on; only there anybody is asked."""
    cloud.host('host1')
    cloud.host('host2', 2)
    [one, _] = cloud.call('GET', '/os-hypervisors/detail', '2.87').json['hypervisors']
    assert cloud.looks == []
    cloud.seen = UPTIME
    assert uptime(cloud, one).json['hypervisor']['uptime'] == UPTIME
    assert cloud.call('GET', f'/os-hypervisors/{one["id"]}', '2.88').json['hypervisor']['uptime'] == UPTIME
    assert cloud.looks == [('cell1', 'host1', 'uptime', None)] * 2
    every = cloud.call('GET', '/os-hypervisors/detail', '2.88').json['hypervisors']
    assert [found['uptime'] for found in every] == [UPTIME] * 2


def test_a_host_that_does_not_say_how_long_it_has_been_up(cloud: Cloud) -> None:
    """It is away, too old to be asked, or down: then nobody waits for it."""
    cloud.host('host1')
    cloud.host('host2', 2, forced_down=True)
    cloud.seen = errors.bus.BusAway(reason='it does not answer')
    every = cloud.call('GET', '/os-hypervisors/detail', '2.88').json['hypervisors']
    assert [found['uptime'] for found in every] == [None, None]
    assert [host for _, host, _, _ in cloud.looks] == ['host1']
    assert uptime(cloud, every[0]).json['hypervisor']['uptime'] is None
    assert uptime(cloud, every[1]).status_code == 400


def test_slow_hosts_are_not_waited_for_one_after_the_other(cloud: Cloud) -> None:
    """Who would be asked when the time for cells is over is not asked."""
    for number in range(40):
        cloud.host(f'host{number}')
    cloud.seen = UPTIME
    with clocks.manual() as time:
        cloud.takes = lambda: time.go(cloud.conf.api.cell_timeout)
        every = cloud.call('GET', '/os-hypervisors/detail', '2.88').json['hypervisors']
    said = [found['uptime'] for found in every].count(UPTIME)
    assert len(every) == 40 and said == len(cloud.looks) <= 16


def test_hypervisors_by_version(cloud: Cloud) -> None:
    cloud.host('host1')
    cloud.host('host2', 2)
    cloud.server(host='host1', node='host1', display_name='vm')
    first = cloud.call('GET', '/os-hypervisors').json['hypervisors'][0]
    assert set(first) == {'id', 'hypervisor_hostname', 'state', 'status'} and isinstance(first['id'], int)
    detail = cloud.call('GET', '/os-hypervisors/detail', '2.27').json['hypervisors'][0]
    assert detail['cpu_info'] == '{"arch":"x86_64"}' and detail['service']['host'] == 'host1'
    assert detail['free_ram_mb'] == 8192 and detail['running_vms'] == 0
    assert cloud.call('GET', '/os-hypervisors/detail', '2.28').json['hypervisors'][0]['cpu_info'] == {
        'arch': 'x86_64'}
    newer = cloud.call('GET', '/os-hypervisors/detail?with_servers=true', '2.53').json['hypervisors']
    assert newer[0]['servers'][0]['name'] == 'vm' and 'servers' not in newer[1]
    uuid = newer[0]['id']
    shown = cloud.call('GET', f'/os-hypervisors/{uuid}?with_servers=1', '2.88').json['hypervisor']
    assert set(shown) == {'id', 'hypervisor_hostname', 'state', 'status', 'servers', 'uptime', 'host_ip',
                          'hypervisor_type', 'hypervisor_version', 'service'}
    assert cloud.call('GET', f'/os-hypervisors/{uuid}/uptime', '2.88').status_code == 404
    assert cloud.call('GET', '/os-hypervisors/1', '2.53').status_code == 400
    assert cloud.call('GET', '/os-hypervisors/99', '2.52').status_code == 404
    found = cloud.call('GET', '/os-hypervisors/host1/search').json['hypervisors']
    assert [one['hypervisor_hostname'] for one in found] == ['host1']
    assert cloud.call('GET', '/os-hypervisors/x/search').status_code == 404
    found = cloud.call('GET', '/os-hypervisors/host1/servers').json['hypervisors']
    assert found[0]['servers'][0]['name'] == 'vm'
    pattern = cloud.call('GET', '/os-hypervisors?hypervisor_hostname_pattern=t2', '2.53').json['hypervisors']
    assert [one['hypervisor_hostname'] for one in pattern] == ['host2']
    both = cloud.call('GET', '/os-hypervisors?hypervisor_hostname_pattern=t2&limit=1', '2.53')
    assert both.status_code == 400


def test_hypervisors_are_paged_and_summed(cloud: Cloud) -> None:
    for name in ('host1', 'host2', 'host3'):
        cloud.host(name)
    page = cloud.call('GET', '/os-hypervisors?limit=2', '2.53').json
    assert len(page['hypervisors']) == 2
    rest = cloud.call('GET', page['hypervisors_links'][0]['href'].partition('/v2.1')[2], '2.53').json
    assert [one['hypervisor_hostname'] for one in rest['hypervisors']] == ['host3']
    assert 'hypervisors_links' not in rest
    assert cloud.call('GET', '/os-hypervisors?marker=nope', '2.53').status_code == 400
    sums = cloud.call('GET', '/os-hypervisors/statistics').json['hypervisor_statistics']
    assert (sums['count'], sums['vcpus'], sums['memory_mb']) == (3, 24, 3 * 8192)
    assert cloud.call('GET', '/os-hypervisors/statistics', '2.88').status_code == 404


@pytest.mark.parametrize('path', ['/os-hypervisors', '/os-hypervisors/detail', '/os-hypervisors/statistics'])
def test_hypervisors_are_for_administrators(cloud: Cloud, path: str) -> None:
    assert cloud.call('GET', path, headers=MEMBER).status_code == 403
