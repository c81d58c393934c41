"""nova-manage audit --repair on a cloud that runs: what is left over is found, and goes."""

import json
import uuid

from nova import conf as nova_conf
from nova.cmd import manage
from nova.cmd.manage import command
from nova.tests.fixtures.waiting import until


def audit(cloud, capsys, *argv):
    env = command.Env(nova_conf.new(args=['--config-file', str(cloud.deployment.directory / 'nova.conf')]))
    capsys.readouterr()
    code = manage.run(['audit', '--json', '--between', '0.2', *argv], env)
    out = capsys.readouterr().out
    return code, sorted((one['kind'], one['server']) for one in json.loads(out.splitlines()[-1])['found'])


def test_leftovers_are_found_and_go(cloud, admin, demo, capsys):
    """A port and an allocation of a server that is deleted: a neighbour answered after all was over."""
    kept, gone = demo.booted('kept')['id'], demo.booted('gone')['id']
    assert audit(cloud, capsys) == (0, [])
    provider = admin.get('/resource_providers', service='placement')['resource_providers'][0]['uuid']
    demo.delete(gone)
    port = admin.call('POST', '/v2.0/ports', {'port': {
        'network_id': demo.network, 'device_id': gone, 'device_owner': 'compute:nova'}}, service='network')
    assert port.status_code == 201, port.text
    claimed = admin.call('PUT', f'/allocations/{gone}', {
        'allocations': {provider: {'resources': {'VCPU': 1}}}, 'project_id': 'p', 'user_id': 'u',
        'consumer_generation': None, 'consumer_type': 'INSTANCE'}, service='placement')
    assert claimed.status_code == 204, claimed.text
    left = [('allocation', gone), ('port', gone)]
    assert audit(cloud, capsys) == (3, left)
    assert audit(cloud, capsys, '--repair') == (4, left)
    path = f"/v2.0/ports/{port.json()['port']['id']}"
    until(lambda: admin.get(path, service='network')['port']['device_id'] == '')  # a user made it, and keeps it
    until(lambda: audit(cloud, capsys) == (0, []))
    assert demo.show(kept)['status'] == 'ACTIVE'
    demo.delete(kept)
    admin.call('DELETE', path, service='network')


def test_what_nobody_knows_is_told(cloud, admin, demo, capsys):
    stranger = str(uuid.uuid4())
    made = admin.call('POST', '/v2.0/ports', {'port': {
        'network_id': demo.network, 'device_id': stranger, 'device_owner': 'compute:nova'}}, service='network')
    assert audit(cloud, capsys, '--repair') == (3, [('port', stranger)])
    admin.call('DELETE', f"/v2.0/ports/{made.json()['port']['id']}", service='network')
