"""Shares of servers: what is shown to whom, and what is refused."""

import pytest

from nova import objects, states
from nova.common import uuids
from nova.tests.api.cloud import MEMBER, PROJECT, READER, STRANGER

NOBODY = '00000000-0000-4000-8000-000000000001'


@pytest.fixture
def server(cloud):
    """One that is off, on a host that is up."""
    cloud.host('host1')
    return cloud.server(vm_state=str(states.VM.STOPPED), host='host1', node='host1', compute_id=NOBODY)


def path(server, share=None):
    return f'/servers/{server.uuid}/shares' + (f'/{share}' if share else '')


def has(cloud, server, status='inactive', **values):
    """A share that a server has."""
    made = objects.ShareMapping(**{
        'uuid': uuids.generate(), 'instance_uuid': server.uuid, 'share_id': uuids.generate(), 'status': status,
        'tag': 'data', 'export_location': '192.0.2.9:/share', 'share_proto': 'NFS', **values})
    cloud.db(1).write(lambda conn: made.copy().create(conn))
    return made


def a_share(cloud, **values):
    return cloud.clients.share.add(project_id=PROJECT, **values)


def attach(cloud, server, share, headers=MEMBER, **more):
    body = {'share': {'share_id': share, **more}}
    return cloud.call('POST', path(server), '2.97', headers=headers, json=body)


def test_what_is_shown(cloud, server):
    share = has(cloud, server)
    seen = {'share_id': share.share_id, 'tag': 'data', 'status': 'inactive'}
    whole = {**seen, 'uuid': share.uuid, 'export_location': '192.0.2.9:/share'}
    assert cloud.call('GET', path(server), '2.97', headers=READER).json == {'shares': [seen]}
    assert cloud.call('GET', path(server), '2.97').json == {'shares': [whole]}
    assert cloud.call('GET', path(server, share.share_id), '2.97', headers=READER).json == {'share': seen}
    assert cloud.call('GET', path(server, share.share_id), '2.97').json == {'share': whole}
    for method, route, headers in (('GET', path(server), STRANGER), ('GET', path(server, NOBODY), MEMBER),
                                   ('DELETE', path(server, NOBODY), MEMBER)):
        assert cloud.call(method, route, '2.97', headers=headers).status_code == 404
    assert cloud.call('GET', path(server), '2.96').status_code == 404
    for answer in (attach(cloud, server, NOBODY, READER),
                   cloud.call('DELETE', path(server, share.share_id), '2.97', headers=READER)):
        assert answer.status_code == 403


@pytest.mark.parametrize(('vm_state', 'kept', 'shown'), [
    ('active', 'inactive', 'active'), ('paused', 'inactive', 'active'), ('stopped', 'inactive', 'inactive'),
    ('error', 'inactive', 'inactive'), ('active', 'error', 'error'), ('stopped', 'detaching', 'detaching')])
def test_a_guest_that_is_on_has_what_it_found(cloud, vm_state, kept, shown):
    server = cloud.server(vm_state=vm_state)
    has(cloud, server, kept)
    share, = cloud.call('GET', path(server), '2.97').json['shares']
    assert share['status'] == shown


def test_a_server_that_no_cell_has(cloud):
    server = cloud.server(cell=None, vm_state='building')
    assert cloud.call('GET', path(server), '2.97').json == {'shares': []}
    assert cloud.call('DELETE', path(server, NOBODY), '2.97').status_code == 404
    assert attach(cloud, server, NOBODY).status_code == 409


def test_attaching(cloud, server):
    share = a_share(cloud)
    answer = attach(cloud, server, share)
    assert answer.status_code == 201
    assert answer.json == {'share': {'share_id': share, 'tag': share, 'status': 'attaching'}}
    assert cloud.call('GET', path(server), '2.97', headers=MEMBER).json == {'shares': [answer.json['share']]}
    assert len(cloud.woken) == 1
    again = attach(cloud, server, share)
    assert again.status_code == 409 and 'already' in again.json['conflictingRequest']['message']
    assert cloud.call('DELETE', path(server, share), '2.97').status_code == 409


@pytest.mark.parametrize(('values', 'words'), [
    ({'status': 'creating'}, 'is creating'), ({'exported': False}, 'no export location'),
    ({'share_proto': 'CIFS'}, 'speaks CIFS')])
def test_shares_that_cannot_be_attached(cloud, server, values, words):
    answer = attach(cloud, server, a_share(cloud, **values))
    assert answer.status_code == 409 and words in answer.json['conflictingRequest']['message']


def test_a_share_of_somebody_else(cloud, server):
    share = cloud.clients.share.add(project_id='another')
    assert attach(cloud, server, share).status_code == attach(cloud, server, NOBODY).status_code == 404


def test_a_tag_is_one_shares(cloud, server):
    has(cloud, server)
    answer = attach(cloud, server, a_share(cloud), tag='data')
    assert answer.status_code == 409 and 'tag data' in answer.json['conflictingRequest']['message']


def test_what_hosts_cannot_do(cloud, server):
    cloud.clients.placement.capable.discard('COMPUTE_MEM_BACKING_FILE')
    answer = attach(cloud, server, a_share(cloud))
    assert answer.status_code == 409 and 'hw:mem_page_size' in answer.json['conflictingRequest']['message']
    paged = cloud.server(vm_state='stopped', host='host1', node='host1', compute_id=NOBODY,
                         flavor=cloud.flavor(extra_specs={'hw:mem_page_size': 'large'}))
    assert attach(cloud, paged, a_share(cloud)).status_code == 201
    cloud.clients.placement.capable.discard('COMPUTE_STORAGE_VIRTIO_FS')
    assert attach(cloud, paged, a_share(cloud)).status_code == 403


@pytest.mark.parametrize('vm_state', ['active', 'paused', 'shelved_offloaded', 'error'])
def test_only_a_server_that_is_off_gets_shares(cloud, vm_state):
    cloud.host('host1')
    server = cloud.server(vm_state=vm_state, host='host1')
    assert attach(cloud, server, a_share(cloud)).status_code == 409


def test_a_locked_server_gets_and_loses_shares(cloud, server):
    """As they were published: attaching and detaching ask for no lock."""
    cloud.call('POST', f'/servers/{server.uuid}/action', json={'lock': None})
    assert attach(cloud, server, a_share(cloud)).status_code == 201
    had = has(cloud, server).share_id
    assert cloud.call('DELETE', path(server, had), '2.97', headers=MEMBER).status_code == 200


def test_a_host_that_is_down(cloud):
    server = cloud.server(vm_state='stopped', host='gone', node='gone', compute_id=NOBODY)
    assert attach(cloud, server, a_share(cloud)).status_code == 409
    assert cloud.call('DELETE', path(server, has(cloud, server).share_id), '2.97').status_code == 409


def test_detaching(cloud, server):
    share = has(cloud, server)
    for _ in range(2):
        assert cloud.call('DELETE', path(server, share.share_id), '2.97', headers=MEMBER).status_code == 200
    assert len(cloud.woken) == 1
    shown, = cloud.call('GET', path(server), '2.97').json['shares']
    assert shown['status'] == 'detaching'
    on = cloud.server()
    assert cloud.call('DELETE', path(on, has(cloud, on).share_id), '2.97').status_code == 409


@pytest.mark.parametrize('wrong',
                         [{}, {'share_id': 'x'}, {'share_id': None}, {'tag': 'a b'}, {'tag': ''}, {'more': 1}])
def test_odd_shares(cloud, server, wrong):
    share = {'share_id': NOBODY, **wrong} if wrong else {}
    assert cloud.call('POST', path(server), '2.97', json={'share': share}).status_code == 400


def test_a_server_with_shares_is_not_evacuated(cloud):
    server = cloud.server(host='gone', node='gone')
    has(cloud, server)
    answer = cloud.call('POST', f'/servers/{server.uuid}/action', json={'evacuate': {'onSharedStorage': False}})
    assert answer.status_code == 409 and 'has shares' in answer.json['conflictingRequest']['message']
