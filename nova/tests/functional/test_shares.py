"""Shares that servers get and lose, with Manila's stand-in (2.97)."""

import json

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.shares import Shares

pytestmark = pytest.mark.parametrize('cloud', ['sqlite'], indirect=True)


@pytest.fixture
def shares(cloud, admin, demo):
    """Afterwards nothing lets anybody in, and nothing keeps a share."""
    found = Shares(demo)
    yield found
    leaks.end(cloud, admin, demo)
    for one in found.call('GET', '/shares').json()['shares']:
        assert found.rules(one['id']) == []
        assert found.call('DELETE', f'/shares/{one["id"]}').status_code == 202
    for directory in (cloud.deployment.directory / 'computes').iterdir():
        assert list((directory / 'mounted').glob('*')) == []


@pytest.fixture
def stopped(demo):
    uuid = demo.booted()['id']
    demo.act(uuid, 'os-stop', status='SHUTOFF')
    return uuid


def told(demo, uuid, action):
    path = f'/servers/{uuid}/os-instance-actions'
    return [one for one in demo.get(path)['instanceActions'] if one['action'] == action]


def test_the_life_of_a_share(admin, demo, shares, stopped):
    ident = shares.make()
    shares.attached(stopped, ident, tag='data')
    assert shares.of(stopped) == [{'share_id': ident, 'tag': 'data', 'status': 'inactive'}]
    shown = shares.show(stopped, ident, admin).json()['share']
    assert shown['export_location'] == f'127.0.0.1:/shares/{ident}' and len(shown['uuid']) == 36
    rule, = shares.rules(ident)
    assert (rule['access_type'], rule['access_to'], rule['state']) == ('ip', '******', 'active')
    assert shares.call('DELETE', f'/shares/{ident}').status_code == 403
    demo.act(stopped, 'os-start', status='ACTIVE')
    assert [one['status'] for one in shares.of(stopped)] == ['active']
    for refused in (shares.detach(stopped, ident), shares.attach(stopped, shares.make())):
        assert refused.status_code == 409, refused.text
    demo.act(stopped, 'os-stop', status='SHUTOFF')
    assert [one['status'] for one in shares.of(stopped)] == ['inactive']
    shares.detached(stopped, ident)
    assert shares.rules(ident) == [] and len(told(demo, stopped, 'attach_share')) == 1
    assert shares.detach(stopped, ident).status_code == 404


def test_a_share_of_ceph_is_opened_by_a_user_of_the_servers_own(admin, demo, shares, stopped):
    ident = shares.make('CEPHFS')
    shares.attached(stopped, ident)
    rule, = Shares(admin).rules(ident)
    assert (rule['access_type'], rule['access_to']) == ('cephx', f'nova-{stopped}')
    assert [one['tag'] for one in shares.of(stopped)] == [ident]


def test_two_servers_of_a_host_are_let_in_together(admin, demo, shares):
    group = demo.call('POST', '/os-server-groups', {'server_group': {'name': 'g', 'policy': 'affinity'}}
                      ).json()['server_group']['id']
    one, two = (demo.booted(name, hints={'group': group})['id'] for name in ('one', 'two'))
    ident = shares.make()
    for uuid in (one, two):
        demo.act(uuid, 'os-stop', status='SHUTOFF')
        shares.attached(uuid, ident)
    assert len(shares.rules(ident)) == 1
    shares.detached(one, ident)
    assert len(shares.rules(ident)) == 1 and shares.call('DELETE', f'/shares/{ident}').status_code == 403
    demo.delete(two)
    assert shares.rules(ident) == []
    demo.call('DELETE', f'/os-server-groups/{group}')


@pytest.mark.parametrize(('action', 'body'), [
    ('resize', {'flavorRef': '2'}), ('migrate', None), ('shelve', None), ('suspend', None),
    ('os-migrateLive', {'host': None, 'block_migration': 'auto'})])
def test_a_server_with_shares_stays_where_it_is(admin, demo, shares, stopped, action, body):
    shares.attached(stopped, shares.make())
    if action in ('suspend', 'os-migrateLive'):
        demo.act(stopped, 'os-start', status='ACTIVE')
    answer = admin.call('POST', f'/servers/{stopped}/action', {action: body})
    assert answer.status_code == 409 and 'has shares' in answer.text


def test_a_rebuilt_server_has_its_shares(cloud, demo, shares, stopped):
    ident = shares.make()
    shares.attached(stopped, ident)
    demo.act(stopped, 'rebuild', {'imageRef': demo.image}, 'SHUTOFF')
    assert [one['share_id'] for one in shares.of(stopped)] == [ident]


def test_what_cannot_be_attached(demo, shares, stopped):
    one, two = shares.make(), shares.make()
    shares.attached(stopped, one, tag='data')
    for answer, status, words in (
            (shares.attach(stopped, one), 409, 'is attached to server'),
            (shares.attach(stopped, two, tag='data'), 409, 'by the tag data'),
            (shares.attach(stopped, '00000000-0000-4000-8000-000000000001'), 404, 'could not be found')):
        assert answer.status_code == status and words in answer.text, answer.text


def test_what_the_host_cannot_mount_is_a_share_in_error(cloud, demo, shares, stopped):
    ident = shares.make()
    files = [directory / 'faults.json' for directory in (cloud.deployment.directory / 'computes').iterdir()]
    for file in files:
        file.write_text(json.dumps({'attach_share': {'do': 'fail', 'reason': 'the storage is away'}}))
    try:
        assert shares.attach(stopped, ident).status_code == 201
        shares.wait(stopped, ident, 'error')
    finally:
        for file in files:
            file.unlink()
    until(lambda: not shares.rules(ident))
    shares.detached(stopped, ident)
    assert shares.call('DELETE', f'/shares/{ident}').status_code == 202
