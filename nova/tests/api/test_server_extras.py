"""What is told of a server beside itself: its sealed password, its NUMA cells."""

from nova.tests.api.cloud import MEMBER, READER, STRANGER
from nova.virt import claiming
from nova.virt.driver.claims import Cell, Claim


def password(cloud, server, headers=MEMBER, method='GET'):
    return cloud.call(method, f'/servers/{server.uuid}/os-server-password', headers=headers)


def test_a_sealed_password_is_shown_and_forgotten(cloud):
    server = cloud.server(system_metadata={'guest_password': 'sealed', 'locked_reason': 'why'})
    assert password(cloud, server, READER).json == {'password': 'sealed'}
    assert password(cloud, server, READER, 'DELETE').status_code == 403
    assert password(cloud, server, STRANGER).status_code == 404
    assert password(cloud, server, MEMBER, 'DELETE').status_code == 204
    assert password(cloud, server).json == {'password': ''}
    assert cloud.instance(server.uuid).system_metadata == {'locked_reason': 'why'}
    assert password(cloud, server, MEMBER, 'DELETE').status_code == 204


CELLS = {'cells': [{'id': 0, 'cpuset': [1], 'pcpuset': [0], 'memory': 512, 'pagesize': 4, 'siblings': [[0, 1]],
                    'cpu_pinning': {'0': 7}, 'host_node': 1}]}


def test_topology(cloud):
    server = cloud.server(numa_topology=CELLS)
    path = f'/servers/{server.uuid}/topology'
    seen = {'memory_mb': 512, 'vcpu_set': [0, 1], 'siblings': [[0, 1]]}
    assert cloud.call('GET', path, '2.78', headers=READER).json == {'nodes': [seen], 'pagesize_kb': 4}
    assert cloud.call('GET', path, '2.78').json == {
        'nodes': [{**seen, 'cpu_pinning': {'0': 7}, 'host_node': 1}], 'pagesize_kb': 4}
    assert cloud.call('GET', path, '2.77').status_code == 404


def test_topology_as_hosts_write_it(cloud):
    claim = Claim((Cell(0, 1, (0, 1, 2), 512, {1: 7}, 2048), Cell(1, 0, (3,), 256)))
    path = f'/servers/{cloud.server(numa_topology=claiming.topology(claim)).uuid}/topology'
    assert cloud.call('GET', path, '2.78').json == {'pagesize_kb': 2048, 'nodes': [
        {'memory_mb': 512, 'vcpu_set': [0, 1, 2], 'siblings': [], 'cpu_pinning': {'1': 7}, 'host_node': 1},
        {'memory_mb': 256, 'vcpu_set': [3], 'siblings': [], 'cpu_pinning': {}, 'host_node': 0}]}


def test_a_server_without_cells(cloud):
    path = f'/servers/{cloud.server().uuid}/topology'
    assert cloud.call('GET', path, '2.78').json == {'nodes': [], 'pagesize_kb': None}


def test_audits(cloud):
    cloud.host('one')
    cloud.host('two', cell=2)
    log = cloud.call('GET', '/os-instance_usage_audit_log').json['instance_usage_audit_logs']
    assert (log['num_hosts'], log['hosts_not_run'], log['log']) == (2, ['one', 'two'], {})
    assert log['overall_status'] == '0 of 2 hosts done. 0 errors.'
    found = cloud.call('GET',
                       '/os-instance_usage_audit_log/2026-03-05 10:00:00').json['instance_usage_audit_log']
    assert found['period_beginning'] == '2026-02-01 00:00:00'
    assert found['period_ending'] == '2026-03-01 00:00:00'
    assert cloud.call('GET', '/os-instance_usage_audit_log/yesterday').status_code == 400
    assert cloud.call('GET', '/os-instance_usage_audit_log', headers=MEMBER).status_code == 403
