"""Evacuation over the whole cloud. The host is one that an operator says is dead."""

import contextlib

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional.moving import SMALL, actions, held, host_of, migration_of

pytestmark = [pytest.mark.parametrize('cloud', ['sqlite'], indirect=True),
              pytest.mark.usefixtures('nothing_leaks')]


@contextlib.contextmanager
def dead(admin, host):
    """The host is dead, as an operator says who has made sure."""
    def service():
        return admin.get(f'/os-services?host={host}&binary=nova-compute')['services'][0]
    ident = service()['id']

    def say(down):
        answer = admin.call('PUT', f'/os-services/{ident}', {'forced_down': down})
        return answer.status_code == 200
    assert say(True)
    try:
        yield
    finally:
        # It may be said to live once what it had is away (B 1922053).
        until(lambda: say(False))
        # It has to come back by itself, before which the next test would have a host less.
        until(lambda: service()['state'] == 'up', told=service)


def evacuate(admin, uuid, body=None, version='2.96'):
    return admin.call('POST', f'/servers/{uuid}/action', {'evacuate': body or {}}, version=version)


def test_a_server_arrives_stopped(demo, admin):
    """EVA-S1, and 2.95: it is on another host, what it held is its own there, and the old host is cleared."""
    uuid = demo.booted('saved')['id']
    source = host_of(admin, uuid)
    with dead(admin, source):
        answer = evacuate(admin, uuid)
        assert answer.status_code == 200 and not answer.content
        demo.wait(uuid, 'SHUTOFF')
        dest = host_of(admin, uuid)
        assert dest != source and held(admin, uuid) == {dest: SMALL}
    until(lambda: migration_of(admin, uuid)['status'] == 'completed', told=lambda: migration_of(admin, uuid))
    migration = migration_of(admin, uuid)
    assert (migration['migration_type'], migration['source_compute']) == ('evacuation', source)
    assert not held(admin, migration['uuid'])
    assert actions(demo, uuid)[0] == ('evacuate', None)
    demo.act(uuid, 'os-start', None, 'ACTIVE')


@pytest.mark.parametrize(('before', 'after'), [('ACTIVE', 'ACTIVE'), ('SHUTOFF', 'SHUTOFF')])
def test_before_2_95_it_is_what_it_was(demo, admin, before, after):
    uuid = demo.booted('same')['id']
    if before == 'SHUTOFF':
        demo.act(uuid, 'os-stop', None, 'SHUTOFF')
    with dead(admin, host_of(admin, uuid)):
        assert evacuate(admin, uuid, version='2.94').status_code == 200
        demo.wait(uuid, after)


def test_its_host_has_to_be_dead(demo, admin):
    uuid = demo.booted('alive')['id']
    assert evacuate(admin, uuid).status_code == 400
    assert demo.call('POST', f'/servers/{uuid}/action', {'evacuate': {}}).status_code == 403


def test_no_other_host(demo, admin):
    """MIG-F4 (B 1713783): the migration is in error, and the server where and what it was."""
    uuid = demo.booted('alone')['id']
    source = host_of(admin, uuid)
    other = f'compute{(int(source[-1]) + 1) % 4 + 1}'
    with dead(admin, source), dead(admin, other):
        assert evacuate(admin, uuid).status_code == 200
        until(lambda: migration_of(admin, uuid)['status'] == 'error')
        demo.wait(uuid, 'ACTIVE')
        assert host_of(admin, uuid) == source and held(admin, uuid) == {source: SMALL}
        assert actions(demo, uuid)[0] == ('evacuate', 'Error')


@pytest.mark.parametrize(('version', 'body', 'code'), [
    ('2.67', {'force': True}, 400), ('2.68', {'force': True}, 400), ('2.96', {'host': 'nowhere'}, 404),
    ('2.13', {}, 400), ('2.13', {'onSharedStorage': True, 'adminPass': 'x'}, 400),
    ('2.96', {'onSharedStorage': True}, 400), ('2.96', {'host': 'the same'}, 400)])
def test_what_is_no_evacuation(demo, admin, version, body, code):
    uuid = demo.booted('odd')['id']
    source = host_of(admin, uuid)
    if body.get('host') == 'the same':
        body = {'host': source}
    with dead(admin, source):
        assert evacuate(admin, uuid, body, version).status_code == code


def test_a_host_that_is_named(demo, admin):
    uuid = demo.booted('named')['id']
    source = host_of(admin, uuid)
    other = f'compute{(int(source[-1]) + 1) % 4 + 1}'
    with dead(admin, source):
        answer = evacuate(admin, uuid, {'host': other, 'onSharedStorage': False}, '2.13')
        assert answer.status_code == 200 and answer.json()['adminPass']
        demo.wait(uuid, 'ACTIVE')
        assert host_of(admin, uuid) == other


def test_an_evacuated_server_is_deleted(demo, admin):
    uuid = demo.booted('gone')['id']
    with dead(admin, host_of(admin, uuid)):
        evacuate(admin, uuid)
        demo.wait(uuid, 'SHUTOFF')
        demo.delete(uuid)
    assert not held(admin, migration_of(admin, uuid)['uuid'])
