"""What public clients match on: see doc/source/reference/placement-clients.rst, which this test reads."""

import pathlib
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from nova.placement import direct

PAGE = pathlib.Path(__file__).parents[3] / 'doc/source/reference/placement-clients.rst'
HOST, OTHER, NOWHERE = (str(uuid.uuid4()) for _ in range(3))
AT = f'/resource_providers/{HOST}'


def _claim(generation: int | None, amount: int = 1) -> dict[str, Any]:
    return {'allocations': {HOST: {'resources': {'VCPU': amount}}}, 'project_id': 'p', 'user_id': 'u',
            'consumer_generation': generation, 'consumer_type': 'INSTANCE'}


CONSUMER = str(uuid.uuid4())

Ask = Callable[[direct.Client], direct.Response]

CASES: dict[str, tuple[Ask, int, str | None, str | None]] = {
    'consumer generation': (
        lambda client: client.put(f'/allocations/{CONSUMER}', json=_claim(7)),
        409, 'placement.concurrent_update', r'consumer generation conflict'),
    'consumers generation': (
        lambda client: client.post('/allocations', json={CONSUMER: _claim(7)}),
        409, 'placement.concurrent_update', r'consumer generation conflict'),
    'provider generation': (
        lambda client: client.put(f'{AT}/inventories', json={
            'resource_provider_generation': 99, 'inventories': {}}),
        409, 'placement.concurrent_update', r'concurrently updated'),
    'reshape generation': (
        lambda client: client.post('/reshaper', json={'allocations': {}, 'inventories': {
            HOST: {'resource_provider_generation': 99, 'inventories': {}}}}),
        409, 'placement.concurrent_update', r'concurrently updated'),
    'inventory in use': (
        lambda client: client.put(f'{AT}/inventories', json={
            'resource_provider_generation': client.get(AT).json()['generation'], 'inventories': {}}),
        409, 'placement.inventory.inuse', r'Inventory for (.+) on resource provider (.+) in use'),
    'one inventory in use': (
        lambda client: client.delete(f'{AT}/inventories/VCPU'),
        409, 'placement.concurrent_update', r'Inventory for (.+) on resource provider (.+) in use'),
    'name taken': (
        lambda client: client.post('/resource_providers', json={'name': 'other', 'uuid': NOWHERE}),
        409, 'placement.duplicate_name', r'Conflicting resource provider name: other already exists'),
    'uuid taken': (
        lambda client: client.post('/resource_providers', json={'name': 'new', 'uuid': HOST}),
        409, 'placement.duplicate_name', r'^(?!.*Conflicting resource provider name:)'),
    'name taken by renaming': (
        lambda client: client.put(AT, json={'name': 'other'}),
        409, 'placement.duplicate_name', r'Conflicting resource provider name: other already exists'),
    'no provider': (
        lambda client: client.get(f'/resource_providers/{NOWHERE}'),
        404, None, rf'No resource provider with uuid {NOWHERE} found'),
    'no provider to take from': (
        lambda client: client.delete(f'/resource_providers/{NOWHERE}/inventories/VCPU'),
        404, None, r'No resource provider with uuid'),
    'no inventory': (
        lambda client: client.get(f'{AT}/inventories/DISK_GB'), 404, None, r'No inventory of class'),
    'no inventory to delete': (
        lambda client: client.delete(f'{AT}/inventories/DISK_GB'), 404, None, r'No inventory of class'),
    'provider in use': (
        lambda client: client.delete(AT), 409, 'placement.resource_provider.inuse', None),
    'provider with children': (
        lambda client: client.delete(f'/resource_providers/{OTHER}'),
        409, 'placement.resource_provider.cannot_delete_parent', None),
    'no such trait': (
        lambda client: client.put(f'{AT}/traits', json={
            'traits': ['CUSTOM_NONE'],
            'resource_provider_generation': client.get(AT).json()['generation']}), 400, None, r'CUSTOM_NONE'),
    'new class': (lambda client: client.put('/resource_classes/CUSTOM_NEW'), 201, None, None),
    'known class': (lambda client: client.put('/resource_classes/CUSTOM_OLD'), 204, None, None),
    'new trait': (lambda client: client.put('/traits/CUSTOM_NEW'), 201, None, None),
    'known trait': (lambda client: client.put('/traits/CUSTOM_OLD'), 204, None, None),
    'no such trait to delete': (lambda client: client.delete('/traits/CUSTOM_NONE'), 404, None, None),
    'no such class to delete': (lambda client: client.delete('/resource_classes/CUSTOM_NONE'), 404, None, None),
    'no such consumer': (lambda client: client.get(f'/allocations/{NOWHERE}'), 200, None, None),
    'no such consumer to delete': (lambda client: client.delete(f'/allocations/{NOWHERE}'), 404, None, None),
    'no room': (
        lambda client: client.put(f'/allocations/{uuid.uuid4()}', json=_claim(None, 4000)),
        409, 'placement.undefined_code', r'Unable to allocate'),
}


@pytest.fixture
def cloud(client: direct.Client) -> direct.Client:
    for path in ('/traits/CUSTOM_OLD', '/resource_classes/CUSTOM_OLD'):
        assert client.put(path).status_code == 201
    for one, name, parent in ((OTHER, 'other', None), (HOST, 'host', OTHER)):
        assert client.post('/resource_providers', json={
            'name': name, 'uuid': one, 'parent_provider_uuid': parent}).status_code == 200
    assert client.put(f'{AT}/inventories', json={
        'resource_provider_generation': 0, 'inventories': {'VCPU': {'total': 4}}}).status_code == 200
    assert client.put(f'/allocations/{CONSUMER}', json=_claim(None)).status_code == 204
    return client


@pytest.mark.parametrize('case', CASES.values(), ids=CASES)
def test_what_clients_match_on(case: tuple[Ask, int, str | None, str | None], cloud: direct.Client) -> None:
    ask, status, code, text = case
    answer = ask(cloud)
    assert answer.status_code == status, answer.text
    assert answer.headers['x-openstack-request-id'].startswith('req-')
    if status >= 400:
        error = answer.json()['errors'][0]
        assert '\n' not in error['detail']  # osc-placement shows the last line alone
        assert error['code'] == (code or 'placement.undefined_code')
        assert text is None or re.search(text, error['detail']), error['detail']


def test_a_version_that_is_not_served_names_those_that_are(client: direct.Client) -> None:
    for version in ('1.99', '0.9'):
        answer = client.get('/', version=version)
        assert answer.status_code == 406
        error = answer.json()['errors'][0]
        assert (error['min_version'], error['max_version']) == ('1.0', '1.39')


def test_the_page_lists_what_is_kept() -> None:
    page = PAGE.read_text()
    kept = {code for _, _, code, _ in CASES.values() if code and code != 'placement.undefined_code'}
    kept |= {'consumer generation conflict', 'concurrently updated', 'Conflicting resource provider name:',
             'Inventory for (.+) on resource provider (.+) in use', 'No resource provider with uuid',
             'No inventory of class', 'max_version', 'x-openstack-request-id'}
    assert [words for words in sorted(kept) if words not in page] == []
