"""Image: states, visibility, patches, data."""

import hashlib

import httpx
import openstack.exceptions as sdk
import pytest
from openstack.connection import Connection

from nova.tests.fixtures.sandbox import Running

PATCH = {'Content-Type': 'application/openstack-images-v2.1-json-patch'}


@pytest.fixture
def image(demo: Connection):
    made = demo.image.create_image(name='mine', disk_format='raw', container_format='bare', data=b'x' * 1000,
                                   allow_duplicates=True)
    yield made
    demo.image.update_image(made.id, is_protected=False)
    demo.image.delete_image(made.id)


def test_data_goes_from_queued_to_active(demo: Connection) -> None:
    made = demo.image.post('/images', json={
        'name': 'new', 'disk_format': 'qcow2', 'container_format': 'bare'}).json()
    path = f'/images/{made["id"]}/file'
    assert made['status'] == 'queued' and made['size'] is None
    assert demo.image.get(path).status_code == 204
    binary = {'Content-Type': 'application/octet-stream'}
    assert demo.image.put(path, data=b'abc', headers=binary).status_code == 204
    found = demo.image.get(f'/images/{made["id"]}').json()
    assert (found['status'], found['size']) == ('active', 3)
    assert found['os_hash_value'] == hashlib.sha512(b'abc').hexdigest() and found['os_hash_algo'] == 'sha512'
    assert demo.image.get(path).content == b'abc'
    assert demo.image.put(path, data=b'abc', headers=binary).status_code == 409
    assert demo.image.put(path, data=b'abc', headers={'Content-Type': 'text/plain'}).status_code == 415
    assert demo.image.delete(f'/images/{made["id"]}').status_code == 204
    assert demo.image.get(f'/images/{made["id"]}').status_code == 404


def test_visibility(admin: Connection, demo: Connection, nova: Connection, image) -> None:
    with pytest.raises(sdk.ForbiddenException):
        demo.image.update_image(image.id, visibility='public')
    private = admin.image.create_image(name='secret', visibility='private', allow_duplicates=True)
    shared = admin.image.create_image(name='lent', visibility='shared', allow_duplicates=True)
    community = admin.image.create_image(name='ours', visibility='community', allow_duplicates=True)
    with pytest.raises(sdk.NotFoundException):
        demo.image.get_image(private.id)
    with pytest.raises(sdk.NotFoundException):
        demo.image.get_image(shared.id)
    project = demo.current_project_id
    admin.image.add_member(shared, member_id=project)
    assert demo.image.get_image(shared.id).name == 'lent'
    assert {item.name for item in demo.image.images()} == {'tiny', 'mine'}
    demo.image.update_member(project, shared, status='accepted')
    assert {item.name for item in demo.image.images()} == {'tiny', 'mine', 'lent'}
    assert {item.name for item in demo.image.images(visibility='community')} == {'ours'}
    with pytest.raises(sdk.ForbiddenException):
        demo.image.delete_image(community, ignore_missing=False)
    for item in (private, shared, community):
        admin.image.delete_image(item)


def test_patch(demo: Connection, image) -> None:
    path = f'/images/{image.id}'
    changes = [{'op': 'add', 'path': '/hw_disk_bus', 'value': 'virtio'},
               {'op': 'replace', 'path': '/min_disk', 'value': 3}]
    found = demo.image.patch(path, json=changes, headers=PATCH).json()
    assert (found['hw_disk_bus'], found['min_disk']) == ('virtio', 3)
    demo.image.patch(path, json=[{'op': 'remove', 'path': '/hw_disk_bus'}], headers=PATCH)
    assert 'hw_disk_bus' not in demo.image.get(path).json()
    refused = ((403, {'op': 'replace', 'path': '/status', 'value': 'queued'}),
               (409, {'op': 'remove', 'path': '/nothing'}),
               (400, {'op': 'replace', 'path': '/min_disk', 'value': 'much'}),
               (400, {'op': 'jump', 'path': '/a'}))
    for status, change in refused:
        assert demo.image.patch(path, json=[change], headers=PATCH).status_code == status
    assert demo.image.patch(path, json=changes, headers={'Content-Type': 'application/json'}).status_code == 415


def test_protected_and_deactivated(admin: Connection, demo: Connection, image) -> None:
    demo.image.update_image(image.id, is_protected=True)
    with pytest.raises(sdk.ForbiddenException):
        demo.image.delete_image(image.id)
    admin.image.deactivate_image(image.id)
    assert demo.image.get(f'/images/{image.id}/file').status_code == 403
    admin.image.reactivate_image(image.id)
    assert demo.image.get(f'/images/{image.id}/file').content == b'x' * 1000


def test_paging_and_filters(demo: Connection) -> None:
    made = [demo.image.create_image(name=f'page{number}', allow_duplicates=True, tags=['book'])
            for number in range(3)]
    assert len(list(demo.image.images(limit=1, tag='book'))) == 3
    assert [item.name for item in demo.image.images(tag='book', sort='name:asc')] == ['page0', 'page1', 'page2']
    assert [item.name for item in demo.image.images(name='page1')] == ['page1']
    assert list(demo.image.images(tag='book', status='active')) == []
    wanted = 'in:' + ','.join(item.id for item in made[:2])
    assert {item['name'] for item in demo.image.get('/images', params={'id': wanted}).json()['images']} == {
        'page0', 'page1'}
    for item in made:
        demo.image.delete_image(item)


def test_errors_are_pages_unless_json_is_asked_for(running: Running, demo: Connection) -> None:
    url = f'{running.url}/image/v2/images/unknown'
    token = {'X-Auth-Token': demo.auth_token}
    plain = httpx.get(url, headers=token)
    assert plain.status_code == 404 and 'No image found with ID unknown' in plain.text
    assert plain.headers['content-type'].startswith('text/html')
    asked = httpx.get(url, headers={**token, 'Accept': 'application/json'})
    assert asked.json()['code'] == '404 Not Found'
    with pytest.raises(sdk.NotFoundException, match='No image found with ID unknown'):
        demo.image.get_image('unknown')
