"""Services of a whole cloud: all are listed, and a compute host that is disabled is so in Placement."""

import contextlib
import re

from nova.cmd import status
from nova.tests.fixtures.waiting import until

DISABLED = 'COMPUTE_STATUS_DISABLED'


def listed(admin):
    return {(one['binary'], one['host']): one for one in admin.get('/os-services')['services']}


def traits(admin, host):
    provider, = admin.get(f'/resource_providers?name={host}', service='placement')['resource_providers']
    return admin.get(f'/resource_providers/{provider["uuid"]}/traits', service='placement')['traits']


@contextlib.contextmanager
def disabled(admin, *hosts):
    """While this runs, the hosts are disabled."""
    services = listed(admin)

    def put(host, **body):
        path = f'/os-services/{services["nova-compute", host]["id"]}'
        assert admin.call('PUT', path, body).status_code == 200
    for host in hosts:
        put(host, status='disabled', disabled_reason='maintenance')
    try:
        yield
    finally:
        for host in hosts:
            put(host, status='enabled')


def test_every_service_is_listed(cloud, admin):
    """A scheduler, the super-conductor, and each cell's conductor and hosts."""
    wanted = {('nova-scheduler', 'scheduler'), ('nova-conductor', 'super'),
              *(('nova-conductor', f'conductor-{cell}') for cell in cloud.deployment.cells),
              *(('nova-compute', host) for host in cloud.deployment.hosts)}
    until(lambda: set(listed(admin)) == wanted)
    assert {(one['state'], one['status'], one['forced_down']) for one in listed(admin).values()} == {
        ('up', 'enabled', False)}
    zones = admin.get('/os-availability-zone/detail')['availabilityZoneInfo']
    hosts = {zone['zoneName']: zone['hosts'] for zone in zones}
    assert {(binary, host) for host, found in hosts['internal'].items() for binary in found} == {
        service for service in wanted if service[0] != 'nova-compute'}
    assert set(hosts['nova']) == set(cloud.deployment.hosts)


def test_it_is_ready_for_an_upgrade(cloud, capsys):
    """A new cloud passes every check of nova-status: service tokens, versions of neighbours, mapped hosts."""
    file = cloud.deployment.directory / 'nova.conf'
    assert status.main(['--config-file', str(file), 'upgrade', 'check']) == 0
    results = re.findall(r'Result: (\w+)', capsys.readouterr().out)
    assert results == ['Success'] * 7


def test_a_disabled_host_is_so_in_placement(cloud, admin, demo):
    """Placement is told, and leaves the host out of its candidates."""
    hosts = sorted(cloud.deployment.hosts)
    until(lambda: all(DISABLED not in traits(admin, host) for host in hosts))
    with disabled(admin, *hosts[1:]):
        until(lambda: all(DISABLED in traits(admin, host) for host in hosts[1:]))
        found = admin.get(f'/allocation_candidates?resources=VCPU:1&required=!{DISABLED}', service='placement')
        assert len(found['allocation_requests']) == 1
        for name in ('one', 'two'):
            server = demo.booted(name)
            assert admin.show(server['id'])['OS-EXT-SRV-ATTR:host'] == hosts[0]
            demo.delete(server['id'])
    until(lambda: all(DISABLED not in traits(admin, host) for host in hosts))
