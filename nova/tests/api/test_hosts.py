"""Hosts, as clients up to 2.42 ask for them."""

from typing import Any

import pytest

from nova.tests.api.cloud import MEMBER, OTHER, PROJECT, Cloud


def test_which_there_are(cloud: Cloud) -> None:
    cloud.host('h1', zone='east')
    cloud.host('h2', 2)

    def listed(query: str = '') -> Any:
        return [(one['host_name'], one['service'], one['zone'])
                for one in cloud.call('GET', f'/os-hosts{query}').json['hosts']]
    assert listed() == [('h1', 'compute', 'east'), ('h2', 'compute', 'nova')]
    assert listed('?zone=east') == [('h1', 'compute', 'east')] and listed('?zone=west') == []
    assert listed('?zone=') == listed()


def test_what_a_host_has(cloud: Cloud) -> None:
    cloud.host('h1')
    servers = [cloud.server(1, host='h1'), cloud.server(1, host='h1', project_id=OTHER)]
    cloud.server(1, host='h2')
    shown = [one['resource'] for one in cloud.call('GET', '/os-hosts/h1').json['host']]
    assert shown[0] == {'host': 'h1', 'project': '(total)', 'cpu': 8, 'memory_mb': 8192, 'disk_gb': 100}
    assert [(one['project'], one['memory_mb']) for one in shown[1:]] == [
        ('(used_now)', 2 * servers[0].memory_mb), ('(used_max)', 2 * servers[0].memory_mb),
        (PROJECT, servers[0].memory_mb), (OTHER, servers[0].memory_mb)]


def test_out_of_use_and_back(cloud: Cloud) -> None:
    cloud.host('h1')
    for word, status in (('Disable', 'disabled'), ('enable', 'enabled')):
        answer = cloud.call('PUT', '/os-hosts/h1', json={'status': word})
        assert (answer.status_code, answer.json) == (200, {'host': 'h1', 'status': status})
        service, = cloud.call('GET', '/os-services?host=h1').json['services']
        assert service['status'] == status


@pytest.mark.parametrize(('method', 'path', 'body', 'status'), [
    ('GET', '/os-hosts/nobody', None, 404), ('GET', '/os-hosts/nobody/reboot', None, 404),
    ('PUT', '/os-hosts/h1', {'status': 'away'}, 400), ('PUT', '/os-hosts/h1', {}, 400),
    ('PUT', '/os-hosts/h1', {'maintenance_mode': 'enable'}, 501), ('GET', '/os-hosts/h1/startup', None, 501),
    ('GET', '/os-hosts/h1/shutdown', None, 501), ('GET', '/os-hosts/down/reboot', None, 400)])
def test_what_is_refused(cloud: Cloud, method: str, path: str, body: Any, status: int) -> None:
    cloud.host('h1')
    cloud.host('down', forced_down=True)
    assert cloud.call(method, path, json=body).status_code == status
    assert cloud.call(method, path, '2.43', json=body).status_code == 404
    denied = cloud.call(method, path, headers=MEMBER, json=body).status_code
    assert denied == 403 or (denied == 400 and method == 'PUT'), 'what is no request at all is told first'
