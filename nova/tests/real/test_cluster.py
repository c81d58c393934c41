"""A cluster on PostgreSQL as users and operators see it: the client, status, signals, health and metrics."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import urllib.request

import pytest

from nova.tests.fixtures.waiting import PATIENCE, until
from nova.tests.functional import leaks
from nova.tests.functional.conftest import User

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture(scope='module')
def cluster(run_cluster):
    yield from run_cluster('postgresql', {})


@pytest.fixture
def openstack(cluster):
    """``openstack(WORDS)`` as the user demo, ``cloud='admin'`` as the other; returns what -f json says."""
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ['PATH']])
    client = shutil.which('openstack', path=path)
    assert client, 'python-openstackclient is not installed'

    def run(words, cloud='demo', form=True):
        done = subprocess.run(
            [client, *words.split(), *(['-f', 'json'] if form else [])], capture_output=True, text=True,
            env={**os.environ, 'OS_CLIENT_CONFIG_FILE': str(cluster.deployment.directory / 'clouds.yaml'),
                 'OS_CLOUD': cloud, 'PYTHONWARNINGS': 'ignore'})
        assert done.returncode == 0, f'openstack {words}: {done.stderr}'
        return json.loads(done.stdout) if form else done.stdout
    return run


def status_of(openstack, name):
    return openstack(f'server show {name}')['status']


def wait_status(openstack, name, status, seconds=PATIENCE):
    until(lambda: status_of(openstack, name) == status, seconds, 0.2, lambda: status_of(openstack, name))


def test_a_users_day_with_the_public_client(cluster, admin, openstack):
    """Servers in both cells, through every command of a working day."""
    openstack('flavor create --ram 128 --disk 1 --vcpus 1 --property hw:cpu_policy=shared day', 'admin')
    openstack('keypair create mykey --private-key /dev/null', form=False)
    assert [key['Name'] for key in openstack('keypair list')] == ['mykey']
    openstack('server create --image tiny --flavor day --network private --key-name mykey --wait one')
    openstack('server create --image tiny --flavor day --network private --min 3 --max 3 --wait more')
    listed = {server['Name']: server for server in openstack('server list --long')}
    assert {server['Status'] for server in listed.values()} == {'ACTIVE'} and len(listed) == 4
    hosts = {name: openstack(f'server show {name}', 'admin')['OS-EXT-SRV-ATTR:host']
             for name in [listed[name]['ID'] for name in listed]}
    homes = {cluster.deployment.hosts[host] for host in hosts.values()}
    assert homes == set(cluster.deployment.cells), hosts
    for there, status, back in (('stop', 'SHUTOFF', 'start'), ('pause', 'PAUSED', 'unpause'),
                                ('suspend', 'SUSPENDED', 'resume')):
        openstack(f'server {there} one', form=False)
        wait_status(openstack, 'one', status)
        openstack(f'server {back} one', form=False)
        wait_status(openstack, 'one', 'ACTIVE')
    openstack('server reboot --wait more-1', form=False)
    openstack('server reboot --hard --wait more-1', form=False)
    openstack('server lock one', form=False)
    with pytest.raises(AssertionError, match='locked'):
        openstack('server stop one', form=False)
    openstack('server unlock one', form=False)
    events = openstack('server event list one')
    assert [event['Action'] for event in reversed(events)][:3] == ['create', 'stop', 'start']
    shown = openstack(f'server event show one {events[-1]["Request ID"]}')
    assert shown['action'] == 'create'
    openstack('server delete --wait ' + ' '.join(listed), form=False)
    assert openstack('server list') == []
    openstack('keypair delete mykey', form=False)
    openstack('flavor delete day', 'admin', form=False)
    leaks.check(cluster, admin)


def test_an_operators_lists(cluster, openstack):
    services = openstack('compute service list --service nova-compute', 'admin')
    assert {(one['Host'], one['State'], one['Status']) for one in services} == {
        (host, 'up', 'enabled') for host in cluster.deployment.hosts}
    hypervisors = openstack('hypervisor list', 'admin')
    assert {one['Hypervisor Hostname'] for one in hypervisors} == set(cluster.deployment.hosts)
    providers = openstack('resource provider list', 'admin')
    assert {one['name'] for one in providers} == set(cluster.deployment.hosts)


def test_cells_know_nothing_above_them(cluster):
    """CEL-S1: neither in the files of a cell's processes, nor would their users be let in."""
    deployment = cluster.deployment
    above = [deployment.passwords[name] for name in ('db:nova_api', 'db:nova_cell0', 'mq:top')]
    for service in deployment.services:
        cell = deployment.cell_of(service)
        if cell is None:
            continue
        text = (deployment.directory / 'etc' / service / 'nova.conf').read_text()
        others = [deployment.passwords[f'{kind}:{name}'] for kind, name in (
            ('db', 'nova_cell1'), ('db', 'nova_cell2'), ('mq', 'cell1'), ('mq', 'cell2'))
            if not name.endswith(cell)]
        assert not [secret for secret in above + others if secret in text]
        if service in deployment.hosts:
            assert deployment.passwords[f'db:nova_{cell}'] not in text and '[api_database]' not in text


def command(cluster, word):
    return subprocess.run([sys.executable, ROOT / 'tools' / 'lib' / 'cluster.py', word, '--dir',
                           cluster.deployment.directory], capture_output=True, text=True)


def test_status_tells_who_is_ill(cluster):
    done = command(cluster, 'status')
    lines = {line.split()[0]: line.split()[2:] for line in done.stdout.splitlines()}
    assert done.returncode == 0 and set(map(tuple, lines.values())) == {('ok',)}
    assert set(cluster.deployment.services) < set(lines)
    cluster.processes.kill('compute4')
    done = command(cluster, 'status')
    assert done.returncode == 1 and 'not running' in next(
        line for line in done.stdout.splitlines() if line.startswith('compute4'))
    assert command(cluster, 'start').stdout.split() == ['compute4']
    assert command(cluster, 'status').returncode == 0


def page(cluster, service, path):
    url = f'http://127.0.0.1:{cluster.deployment.ports[service]}{path}'
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def test_health_and_metrics(cluster, demo):
    demo.delete(demo.booted('counted')['id'])
    for service in cluster.deployment.services:
        if service not in ('sandbox', 'api', 'placement'):
            assert json.loads(page(cluster, service, '/healthcheck')) == {'status': 'ok'}
    scheduler = page(cluster, 'scheduler', '/metrics')
    assert 'nova_rpc_served_seconds_count{method="select"' in scheduler
    computes = ''.join(page(cluster, host, '/metrics') for host in cluster.deployment.hosts)
    assert 'nova_step_seconds_count{direction="do",flow="build",outcome="done",step="spawn"}' in computes


@pytest.mark.parametrize('service', ['scheduler', 'super-conductor', 'cell1-conductor1', 'compute1'])
def test_sighup_reads_the_configuration_again(cluster, service):
    """An option that may change does so without a restart; a file that is no configuration changes nothing."""
    file = cluster.deployment.directory / 'etc' / service / 'nova.conf'
    log = cluster.deployment.directory / 'log' / f'{service}.log'
    pid, text = cluster.processes.pid(service), file.read_text()

    def reload(new, done):
        file.write_text(new)
        size = log.stat().st_size
        cluster.processes.signal(service, signal.SIGHUP)
        until(lambda: done(log.read_text()[size:]), 10, told=lambda: log.read_text()[size:])
    try:
        changed = text.replace('debug = true\n', '') if 'debug = true' in text else text.replace(
            '[DEFAULT]\n', '[DEFAULT]\ndebug = true\n', 1)
        reload(changed, lambda said: 'Option DEFAULT.debug changed' in said)
        reload('[DEFAULT\n', lambda said: 'was not read again' in said)
    finally:
        reload(text, lambda said: 'was read again' in said)
    assert cluster.processes.pid(service) == pid


def test_sigterm_lets_a_compute_end_its_step(cluster, demo):
    """What was begun ends and is answered before the process does; the rest waits for its next life."""
    uuid = demo.booted('slow')['id']
    files = {host: cluster.deployment.directory / 'state' / 'compute' / host / 'faults.json'
             for host in cluster.deployment.hosts}
    for file in files.values():
        file.write_text(json.dumps({'power_off': {'do': 'delay', 'seconds': 2, 'times': 1}}))
    host = User(cluster, 'admin').show(uuid)['OS-EXT-SRV-ATTR:host']
    assert demo.call('POST', f'/servers/{uuid}/action', {'os-stop': None}).status_code == 202
    until(lambda: json.loads(files[host].read_text())['power_off']['times'] == 0)  # the step has begun
    cluster.processes.signal(host, signal.SIGTERM)
    assert cluster.processes.wait_gone(host, 15)
    demo.wait(uuid, 'SHUTOFF', 5)
    for file in files.values():
        file.unlink(missing_ok=True)
    cluster.start([host])
    demo.delete(uuid)


@pytest.mark.parametrize('service', ['api', 'scheduler', 'super-conductor', 'cell1-conductor1',
                                     'cell1-conductor2'])
def test_sigterm_under_load_loses_nothing(cluster, demo, admin, service):
    """A service is restarted while servers are made, as in an upgrade: no request fails but those refused by
    a socket that is closed, no operation is lost."""
    import httpx
    uuids = []
    for number in range(8):
        try:
            answer = demo.boot(f'rolling-{number}')
        except httpx.TransportError:
            assert service == 'api'
            continue
        assert answer.status_code == 202, answer.text
        uuids.append(answer.json()['server']['id'])
        if number == 3:
            cluster.processes.signal(service, signal.SIGTERM)
    assert cluster.processes.wait_gone(service, 30)
    cluster.start([service])
    try:
        for uuid in uuids:
            demo.wait(uuid, 'ACTIVE')
    finally:
        for uuid in uuids:
            demo.delete(uuid)
    leaks.check(cluster, admin)
