"""Emulated TPMs from outside: what cannot be asked for, and what would lose what they keep."""

import pytest

from nova.objects import task as rows
from nova.tests.api import cloud as clouds

TPM = {'hw:tpm_version': '2.0'}


def act(cloud, server, key, body=None):
    return cloud.call('POST', f'/servers/{server.uuid}/action', '2.90', clouds.ADMIN, json={key: body})


def begun(cloud, server):
    with cloud.db(1).read() as conn:
        return rows.of_instance(conn, server.uuid)


@pytest.fixture
def server(cloud):
    return cloud.server(host='host1', flavor=cloud.flavor(extra_specs=TPM))


@pytest.mark.parametrize(('specs', 'properties', 'says'), [
    ({'hw:tpm_version': '1.2', 'hw:tpm_model': 'tpm-crb'}, {}, 'tpm-crb is for version 2.0'),
    (TPM, {'hw_tpm_version': '1.2'}, 'of the flavor is 2.0, hw_tpm_version of the image is 1.2'),
    ({'hw:tpm_version': '3.0'}, {}, 'There is no emulated TPM 3.0'),
    ({**TPM, 'hw:tpm_secret_security': 'user'}, {}, 'can only be deployment'),
    ({**TPM, 'hw:tpm_secret_security': 'host'}, {}, 'can only be deployment')])
def test_what_there_is_not(cloud, create, specs, properties, says):
    cloud.flavor(flavorid='tpm', extra_specs=specs, memory_mb=1024, root_gb=10)
    image = cloud.clients.image.add(properties=properties)
    answer = create(flavorRef='tpm', imageRef=image)
    assert answer.status_code == 400 and says in answer.json['badRequest']['message']


@pytest.mark.parametrize('specs', [
    TPM, {**TPM, 'hw:tpm_model': 'tpm-crb', 'hw:tpm_secret_security': 'deployment'},
    {'hw:tpm_version': '1.2', 'hw:tpm_model': 'tpm-tis'}])
def test_what_there_is(cloud, create, specs):
    cloud.flavor(flavorid='tpm', extra_specs=specs, memory_mb=1024, root_gb=10)
    assert create(flavorRef='tpm').status_code == 202


@pytest.mark.parametrize(('key', 'body'), [('shelve', None), ('evacuate', {})])
def test_what_would_lose_what_it_keeps(cloud, server, key, body):
    answer = act(cloud, server, key, body)
    assert answer.status_code == 409 and 'would be lost' in answer.json['conflictingRequest']['message']
    assert begun(cloud, server) == []


@pytest.mark.parametrize(('old', 'new', 'status'), [
    (TPM, {}, 400), ({}, TPM, 400), (TPM, {'hw:tpm_version': '1.2'}, 400),
    (TPM, {**TPM, 'hw:tpm_model': 'tpm-crb'}, 202)])
def test_a_server_keeps_the_tpm_with_which_it_was_made(cloud, old, new, status):
    """By a resize it neither gets one, nor loses it."""
    cloud.host('host1')
    server = cloud.server(host='host1', flavor=cloud.flavor(extra_specs=old))
    other = cloud.flavor(extra_specs=new)
    answer = act(cloud, server, 'resize', {'flavorRef': other.flavorid})
    assert answer.status_code == status, answer.text
    if status == 400:
        assert 'keeps the emulated TPM' in answer.json['badRequest']['message']


def test_a_rebuild_gives_and_takes_none(cloud):
    cloud.host('host1')
    server = cloud.server(host='host1')
    image = cloud.clients.image.add(properties={'hw_tpm_version': '2.0'})
    answer = act(cloud, server, 'rebuild', {'imageRef': image})
    assert answer.status_code == 400 and 'keeps the emulated TPM' in answer.json['badRequest']['message']


@pytest.mark.parametrize(('key', 'body'), [
    ('os-migrateLive', {'host': None, 'block_migration': 'auto'}), ('migrate', None)])
def test_it_goes_along_with_a_move(cloud, server, key, body):
    cloud.host('host1')
    assert act(cloud, server, key, body).status_code == 202
    assert len(begun(cloud, server)) == 1


def test_a_server_from_before_can_be_deleted(cloud):
    """What its flavor says need not make sense any more."""
    server = cloud.server(host='host1', flavor=cloud.flavor(
        extra_specs={**TPM, 'hw:tpm_secret_security': 'user'}), system_metadata={})
    assert cloud.call('DELETE', f'/servers/{server.uuid}').status_code == 204
