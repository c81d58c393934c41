"""What users call things is what they called them: a blank, an accent, a capital make another name, on every
database."""

import json
from typing import Any

import pytest

from nova.tests.api.cloud import Cloud

ALIKE = ('x', 'x ', 'x  ', ' x', 'X', '\u00e9', 'e', 'e\u0301', '\u00df', 'ss', '\U0001f600', '\U0001f601')
"""Names that some collation or other takes for the same."""
IN_KEYS = ('x', 'x ', 'x  ', ' x', 'X', 'e', 'E')
"""Those whose characters the API allows in keys."""


def send(cloud: Cloud, method: str, path: str, body: Any = None, version: str = '2.96', ok: int = 200) -> Any:
    answer = cloud.call(method, path, version, body=json.dumps(body) if body is not None else None)
    assert answer.status_code == ok, (path, answer.text)
    return answer.json if answer.content else None


def test_metadata(cloud: Cloud) -> None:
    wanted = {key: str(number) for number, key in enumerate(IN_KEYS)}
    server = cloud.server(metadata=wanted)
    path = f'/servers/{server.uuid}/metadata'
    assert send(cloud, 'GET', path) == {'metadata': wanted}
    other = {key: f'{value} ' for key, value in wanted.items()}
    send(cloud, 'PUT', path, {'metadata': other})
    assert send(cloud, 'GET', path) == {'metadata': other}
    send(cloud, 'PUT', f'{path}/x', {'meta': {'x': ''}})
    send(cloud, 'DELETE', f'{path}/X', ok=204)
    assert send(cloud, 'GET', path) == {'metadata': {
        **{key: value for key, value in other.items() if key != 'X'}, 'x': ''}}


def test_tags(cloud: Cloud) -> None:
    server = cloud.server(tags=['first', 'first '])
    path = f'/servers/{server.uuid}/tags'
    assert send(cloud, 'GET', path) == {'tags': ['first', 'first ']}
    send(cloud, 'PUT', path, {'tags': list(ALIKE)})
    assert send(cloud, 'GET', path) == {'tags': sorted(ALIKE)}
    for name in ALIKE:
        found = cloud.call('GET', '/servers', '2.96', params={'tags': name})
        assert [one['id'] for one in found.json['servers']] == [server.uuid]
    send(cloud, 'DELETE', f'{path}/x', ok=204)
    send(cloud, 'GET', f'{path}/X', ok=204)
    assert send(cloud, 'GET', path) == {'tags': sorted(set(ALIKE) - {'x'})}


def test_extra_specs(cloud: Cloud) -> None:
    path = f'/flavors/{cloud.flavor().flavorid}/os-extra_specs'
    wanted = {key: str(number) for number, key in enumerate(IN_KEYS)}
    send(cloud, 'POST', path, {'extra_specs': wanted}, '2.60')
    assert send(cloud, 'GET', path) == {'extra_specs': wanted}
    send(cloud, 'DELETE', f'{path}/X')
    assert send(cloud, 'GET', path) == {'extra_specs': {k: v for k, v in wanted.items() if k != 'X'}}


def test_aggregate_metadata(cloud: Cloud) -> None:
    made = send(cloud, 'POST', '/os-aggregates', {'aggregate': {'name': 'a'}})['aggregate']['id']
    wanted = {key: str(number) for number, key in enumerate(IN_KEYS)}
    send(cloud, 'POST', f'/os-aggregates/{made}/action', {'set_metadata': {'metadata': wanted}})
    assert send(cloud, 'GET', f'/os-aggregates/{made}')['aggregate']['metadata'] == wanted


@pytest.mark.parametrize(('path', 'body', 'ok'), [
    ('/flavors', lambda name: {'flavor': {'name': name, 'ram': 1, 'vcpus': 1, 'disk': 1}}, 200),
    ('/os-aggregates', lambda name: {'aggregate': {'name': name}}, 200),
    ('/os-keypairs', lambda name: {'keypair': {'name': name}}, 201),
])
def test_names(cloud: Cloud, path: str, body: Any, ok: int) -> None:
    """Blanks at the ends are refused or trimmed; what is left differs."""
    for name in ('x', 'X', 'e') if path == '/os-keypairs' else ('x', 'X', '\u00e9', 'e', 'e\u0301'):
        send(cloud, 'POST', path, body(name), '2.54', ok)
        send(cloud, 'POST', path, body(name), '2.54', 409)


def test_server_names_are_sorted_as_in_python(cloud: Cloud) -> None:
    """Over cells, where the database sorts each stream and Python merges them."""
    names = ['a', 'a\tb', 'a b', 'a!', 'A', 'a ', '\u00e9', 'z', '\uffee', '\U0001f600']
    for number, name in enumerate(names):
        cloud.server(cell=1 + number % 2, display_name=name)
    found = send(cloud, 'GET', '/servers?sort_key=display_name&sort_dir=asc')['servers']
    assert [one['name'] for one in found] == sorted(names)


def test_a_project_and_its_near_namesake_have_their_own_quotas(cloud: Cloud) -> None:
    for project, cores in (('p', 1), ('P', 2), ('p ', 3)):
        send(cloud, 'PUT', f'/os-quota-sets/{project}', {'quota_set': {'cores': cores, 'force': True}})
    for project, cores in (('p', 1), ('P', 2), ('p ', 3)):
        assert send(cloud, 'GET', f'/os-quota-sets/{project}')['quota_set']['cores'] == cores
