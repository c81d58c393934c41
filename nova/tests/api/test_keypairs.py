"""Key pairs: import and generation, types, owners, pages."""

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from nova.tests.api.cloud import ADMIN, MEMBER, STRANGER, Cloud

PUBLIC = ('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHzsyHHQdMrqnc6F7fUZ5tDAcMWEzUzxYOPqbZBQ8Upd test')


def create(cloud: Cloud, version: str = '2.1', headers: dict[str, str] | None = None, **values: Any) -> Any:
    return cloud.call('POST', '/os-keypairs', version, headers=headers or MEMBER, json={
        'keypair': {'name': 'key', **values}})


def test_imported(cloud: Cloud) -> None:
    made = create(cloud, public_key=PUBLIC)
    assert made.status_code == 200
    pair = made.json['keypair']
    assert set(pair) == {'name', 'public_key', 'fingerprint', 'user_id'} and pair['user_id'] == 'alice'
    assert len(pair['fingerprint'].split(':')) == 16
    newer = create(cloud, '2.2', name='other', public_key=PUBLIC)
    assert newer.status_code == 201 and newer.json['keypair']['type'] == 'ssh'
    assert newer.json['keypair']['fingerprint'] == pair['fingerprint']
    assert create(cloud, public_key=PUBLIC).status_code == 409
    assert create(cloud, name='bad', public_key='ssh-rsa nonsense').status_code == 400
    shown = cloud.call('GET', '/os-keypairs/key', '2.2', headers=MEMBER).json['keypair']
    assert set(shown) == {'name', 'public_key', 'fingerprint', 'user_id', 'type', 'id', 'created_at',
                          'updated_at', 'deleted', 'deleted_at'}


def test_generated(cloud: Cloud) -> None:
    pair = create(cloud, '2.91').json['keypair']
    private = serialization.load_ssh_private_key(pair['private_key'].encode(), None)
    public = private.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    assert pair['public_key'].startswith(public)
    certificate = create(cloud, '2.2', name='win', type='x509').json['keypair']
    assert x509.load_pem_x509_certificate(certificate['public_key'].encode()).subject
    assert len(certificate['fingerprint'].split(':')) == 20
    assert create(cloud, '2.92', name='late').status_code == 400
    assert create(cloud, '2.92', name='a@b.c', public_key=PUBLIC).status_code == 201
    assert create(cloud, '2.91', name='a@b.d', public_key=PUBLIC).status_code == 400


def test_others_keys_are_for_administrators(cloud: Cloud) -> None:
    create(cloud, public_key=PUBLIC)
    assert cloud.call('GET', '/os-keypairs/key', '2.10', headers=ADMIN).status_code == 404
    assert cloud.call('GET', '/os-keypairs/key?user_id=alice', '2.10', headers=ADMIN).status_code == 200
    assert cloud.call('GET', '/os-keypairs/key?user_id=alice', '2.10', headers=STRANGER).status_code == 403
    assert create(cloud, '2.10', STRANGER, user_id='alice', public_key=PUBLIC).status_code == 403
    assert create(cloud, '2.10', ADMIN, user_id='alice', name='two', public_key=PUBLIC).status_code == 201
    assert create(cloud, '2.9', ADMIN, user_id='alice', name='three', public_key=PUBLIC).status_code == 400


def test_list(cloud: Cloud) -> None:
    for name in ('c', 'a', 'b'):
        create(cloud, name=name, public_key=PUBLIC)
    def names(query: str, version: str = '2.35') -> list[str]:
        answer = cloud.call('GET', f'/os-keypairs?{query}', version, headers=MEMBER)
        return [item['keypair']['name'] for item in answer.json['keypairs']]
    assert names('', '2.1') == names('') == ['a', 'b', 'c']
    assert names('limit=2') == ['a', 'b'] and names('limit=2&marker=b') == ['c']
    page = cloud.call('GET', '/os-keypairs?limit=1', '2.35', headers=MEMBER).json
    assert 'marker=a' in page['keypairs_links'][0]['href']
    assert cloud.call('GET', '/os-keypairs?marker=z', '2.35', headers=MEMBER).status_code == 400


def test_limit(cloud: Cloud) -> None:
    cloud.conf.set_override('key_pairs', 1, 'quota')
    assert create(cloud, public_key=PUBLIC).status_code == 200
    over = create(cloud, name='two', public_key=PUBLIC)
    assert over.status_code == 403 and 'Quota exceeded' in over.json['forbidden']['message']


@pytest.mark.parametrize(('version', 'status'), [('2.1', 202), ('2.2', 204)])
def test_deleted(cloud: Cloud, version: str, status: int) -> None:
    create(cloud, public_key=PUBLIC)
    assert cloud.call('DELETE', '/os-keypairs/key', version, headers=MEMBER).status_code == status
    assert cloud.call('DELETE', '/os-keypairs/key', version, headers=MEMBER).status_code == 404
