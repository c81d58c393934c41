"""Wrong input gets the right status and upstream's fault document, and leaves no trace."""

import pytest

from nova.common import uuids
from nova.tests.functional import leaks

NOBODY = '11111111-2222-4333-8444-555555555555'


@pytest.fixture(autouse=True)
def no_trace(cloud, admin, demo):
    before = len(demo.get('/servers')['servers'])
    yield
    assert len(demo.get('/servers')['servers']) == before
    leaks.check(cloud, admin)


def fault(answer, status, name):
    assert answer.status_code == status, answer.text
    document = answer.json()
    assert list(document) == [name]
    assert document[name]['code'] == status
    assert document[name]['message']
    assert answer.headers['X-Compute-Request-Id'].startswith('req-')
    return document[name]['message']


@pytest.mark.parametrize('field, value, word', [
    ('flavorRef', 'no-such-flavor', 'no-such-flavor'),
    ('imageRef', NOBODY, 'mage'),
    ('networks', [{'uuid': NOBODY}], 'etwork'),
    ('networks', [{'port': NOBODY}], 'ort'),
    ('key_name', 'no-such-key', 'key'),
    ('name', '', 'name'),
    ('name', 'x' * 256, 'name'),
    ('min_count', 0, 'min_count'),
    ('surprise', 1, 'surprise'),
    ('user_data', '%%%', 'user_data'),
    ('availability_zone', 'no-such-zone', 'zone'),
    ('metadata', {'key': 'x' * 256}, 'metadata'),
])
def test_create_refuses(demo, field, value, word):
    assert word in fault(demo.boot(**{field: value}), 400, 'badRequest')


def test_more_than_the_quota_is_refused_whole(demo):
    """QTA-S1: 403 that names the resource; none of them is made."""
    message = fault(demo.boot(min_count=20, max_count=20), 403, 'forbidden')
    assert 'instances' in message


def test_malformed_json(demo):
    answer = demo.http.post(demo.cloud.deployment.url('compute') + '/v2.1/servers', content=b'{"server": ',
                            headers={'X-Auth-Token': demo.token, 'Content-Type': 'application/json'})
    fault(answer, 400, 'badRequest')


def test_another_content_type(demo):
    answer = demo.http.post(demo.cloud.deployment.url('compute') + '/v2.1/servers', content=b'<server/>',
                            headers={'X-Auth-Token': demo.token, 'Content-Type': 'application/xml'})
    fault(answer, 415, 'badMediaType')


def test_oversize_body(demo):
    fault(demo.boot(user_data='QUFB' * 40000), 413, 'overLimit')


@pytest.mark.parametrize('version, status, name', [
    ('2.999', 406, 'computeFault'), ('two', 400, 'badRequest'), ('3.1', 406, 'computeFault')])
def test_bad_microversion(demo, version, status, name):
    fault(demo.call('GET', '/servers', version=version), status, name)


def test_a_field_of_a_later_microversion(demo):
    assert 'description' in fault(demo.boot(version='2.18', description='x'), 400, 'badRequest')


def test_no_token_and_a_bad_one(demo):
    url = demo.cloud.deployment.url('compute') + '/v2.1/servers'
    for headers in ({}, {'X-Auth-Token': 'nonsense'}):
        answer = demo.http.get(url, headers=headers)
        fault(answer, 401, 'unauthorized')
        assert answer.headers.get_list('WWW-Authenticate') == [
            f'Keystone uri="{demo.cloud.deployment.url("identity")}"']


def test_an_expired_token(cloud, demo):
    from nova.tests.functional.conftest import User
    other = User(cloud, 'demo')
    assert other.call('GET', '/servers').status_code == 200
    expired = User(cloud, 'demo')
    sandbox = cloud.deployment.url('sandbox')
    assert other.http.post(sandbox + '/expire-token', json={'token': expired.token}).status_code == 204
    assert expired.call('GET', '/servers').status_code == 401


def test_another_projects_server_is_not_there(demo, admin):
    answer = admin.boot('private', networks=[{'uuid': demo.network}])
    uuid = answer.json()['server']['id']
    try:
        fault(demo.call('GET', f'/servers/{uuid}'), 404, 'itemNotFound')
        fault(demo.call('DELETE', f'/servers/{uuid}'), 404, 'itemNotFound')
        fault(demo.call('POST', f'/servers/{uuid}/action', {'pause': None}), 404, 'itemNotFound')
    finally:
        admin.wait(uuid, 'ACTIVE')
        admin.delete(uuid)


def test_unknown_server_path_and_action(demo):
    fault(demo.call('GET', f'/servers/{uuids.generate()}'), 404, 'itemNotFound')
    assert demo.call('GET', '/nowhere').status_code == 404
    fault(demo.call('POST', f'/servers/{uuids.generate()}/action', {'dance': None}), 400, 'badRequest')


def test_a_member_is_no_administrator(demo):
    fault(demo.call('GET', '/os-services'), 403, 'forbidden')
    fault(demo.call('POST', '/flavors', {'flavor': {'name': 'x', 'vcpus': 1, 'ram': 1, 'disk': 1}}), 403,
          'forbidden')
    fault(demo.boot(availability_zone='nova:compute1'), 403, 'forbidden')
