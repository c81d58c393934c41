"""Consoles of a whole cloud: an address is given, and the token in it tells an administrator what it opens."""

from urllib import parse

import pytest

KINDS = {'novnc': 'vnc', 'serial': 'serial', 'spice-html5': 'spice'}


def opened(user, server, kind, version='2.96'):
    answer = user.call('POST', f'/servers/{server}/remote-consoles', {
        'remote_console': {'protocol': KINDS[kind], 'type': kind}}, version=version)
    assert answer.status_code == 200, answer.text
    return answer.json()['remote_console']


def token_of(url):
    said = dict(parse.parse_qsl(parse.urlsplit(url).query))
    return said['token'] if 'token' in said else said['path'].partition('token=')[2]


@pytest.mark.parametrize('kind', KINDS)
def test_a_token_tells_what_it_opens(demo, admin, server, kind):
    console = opened(demo, server, kind)
    assert (console['protocol'], console['type']) == (KINDS[kind], kind)
    path = f'/os-console-auth-tokens/{token_of(console["url"])}'
    found = admin.get(path)['console']
    assert found['instance_uuid'] == server and found['port'] > 0 and 'tls_port' not in found
    assert 'tls_port' in admin.get(path, version='2.99')['console']
    assert demo.call('GET', path).status_code == 403


def test_older_clients_ask_by_actions(demo, server):
    for action, kind in (('os-getVNCConsole', 'novnc'), ('os-getSPICEConsole', 'spice-html5'),
                         ('os-getSerialConsole', 'serial')):
        answer = demo.call('POST', f'/servers/{server}/action', {action: {'type': kind}}, version='2.1')
        assert answer.status_code == 200, answer.text
        assert answer.json()['console']['type'] == kind and token_of(answer.json()['console']['url'])


def test_what_is_not_offered(demo, admin, server):
    path = f'/servers/{server}/remote-consoles'
    for protocol, kind, version in (('vnc', 'serial', '2.96'), ('rdp', 'rdp-html5', '2.96'),
                                    ('vnc', 'xvpvnc', '2.6'),
                                    ('mks', 'webmks', '2.96'), ('mks', 'webmks', '2.7')):
        answer = demo.call('POST', path, {'remote_console': {'protocol': protocol, 'type': kind}},
                           version=version)
        assert answer.status_code == 400, (protocol, kind, answer.text)
    assert admin.call('GET', '/os-console-auth-tokens/guessed').status_code == 404
    assert admin.call('GET', '/os-console-auth-tokens/guessed', version='2.30').status_code == 400


@pytest.fixture(scope='module')
def server(demo):
    found = demo.booted('watched')
    yield found['id']
    demo.delete(found['id'])
