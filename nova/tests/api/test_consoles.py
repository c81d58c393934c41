"""Consoles that cannot be opened, and the addresses of those that can."""

import pytest

from nova.api.resources.remote_consoles import address

WANTED = {'remote_console': {'protocol': 'vnc', 'type': 'novnc'}}


@pytest.mark.parametrize(('base', 'kind', 'whole'), [
    ('http://p/vnc_auto.html', 'novnc', 'http://p/vnc_auto.html?path=%3Ftoken%3Dt'),
    ('http://p/vnc.html?autoconnect=1', 'novnc', 'http://p/vnc.html?autoconnect=1&path=%3Ftoken%3Dt'),
    ('http://p/spice_auto.html', 'spice-html5', 'http://p/spice_auto.html?token=t'),
    ('ws://p:6083/', 'serial', 'ws://p:6083/?token=t')])
def test_addresses(base, kind, whole):
    assert address(base, kind, 't') == whole


def test_a_server_that_no_cell_has_yet(cloud):
    server = cloud.server(cell=None)
    answer = cloud.call('POST', f'/servers/{server.uuid}/remote-consoles', '2.96', json=WANTED)
    assert answer.status_code == 409


def test_a_server_without_a_host(cloud):
    answer = cloud.call('POST', f'/servers/{cloud.server().uuid}/remote-consoles', '2.96', json=WANTED)
    assert answer.status_code == 409


def test_a_host_that_is_down_is_not_waited_for(cloud):
    server = cloud.server(host='gone')
    answer = cloud.call('POST', f'/servers/{server.uuid}/remote-consoles', '2.96', json=WANTED)
    said = answer.json['serviceUnavailable']['message']
    assert answer.status_code == 503 and server.uuid in said and 'gone' not in said  # hosts are not for users


@pytest.mark.parametrize('body', [
    {}, {'remote_console': {}}, {'remote_console': {'protocol': 'vnc'}}, {'remote_console': None},
    {'remote_console': {'protocol': 'vnc', 'type': 'novnc', 'port': 1}},
    {'remote_console': {'protocol': 'telnet', 'type': 'novnc'}},
    {'remote_console': {'protocol': 1, 'type': 'novnc'}}])
def test_odd_bodies(cloud, body):
    server = cloud.server(host='gone')
    assert cloud.call('POST', f'/servers/{server.uuid}/remote-consoles', '2.96', json=body).status_code == 400
