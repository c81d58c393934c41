"""Every list: each order it offers, page by page; what a limit and a marker mean."""

import datetime
import itertools
from collections.abc import Callable, Iterator
from typing import Any
from urllib import parse

import pytest

from nova import objects
from nova.api import app
from nova.common import clock, uuids
from nova.objects import task as rows
from nova.rest import schema
from nova.tests.api.cloud import PROJECT, Cloud

SORTED = {'/servers': '2.1', '/servers/detail': '2.1', '/flavors': '2.1', '/flavors/detail': '2.1'}
"""Path of each list that can be sorted, and a version at which it has most keys."""
PAGED = {**SORTED, '/os-keypairs': '2.35', '/os-hypervisors': '2.33', '/os-hypervisors/detail': '2.53',
         '/servers/{server_id}/os-instance-actions': '2.58', '/os-migrations': '2.80',
         '/servers/{server_id}/tasks': '2.1'}
OTHERS = {'/os-server-groups', '/os-simple-tenant-usage', '/os-simple-tenant-usage/{project_id}',
          '/servers/{server_id}/os-volume_attachments'}
"""These count from the beginning, or mark servers within projects; their own tests turn their pages."""
GLANCES = {'/images', '/images/detail'}
"""Glance turns these pages; the limit is handed on to it."""
PASSED_ON = {'/os-security-groups', '/os-snapshots', '/os-snapshots/detail', '/os-volumes',
             '/os-volumes/detail'}
"""Those of other services; ``nova/tests/functional/test_proxies.py`` tries them."""
SERVERS_TOO = {'/os-volumes_boot', '/os-volumes_boot/detail'}
"""Other addresses of the list of servers."""
ONE_LIMIT = ('/os-hypervisors/detail', '/servers/{server_id}/os-instance-actions', '/os-migrations',
             '/servers/{server_id}/tasks')
"""These refuse more than one limit."""


def fill_servers(cloud: Cloud) -> None:
    """Of every column some are NULL and some alike; three are in one cell, two in the other, one in none."""
    when = datetime.datetime(2026, 1, 1, 12, 0, 0, 1)
    for number, cell in enumerate([1, 1, 1, 2, 2, None]):
        odd = bool(number % 2)
        text = f'v{number // 2}' if odd else None
        cloud.server(
            cell, config_drive=odd, auto_disk_config=odd, display_name=f'n{number // 3}', user_data=text,
            host=text if cell else None, node=text, key_name=text, availability_zone=text, access_ip_v4=text,
            access_ip_v6=text, locked_by='owner' if odd else None, task_state=text, power_state=number // 3,
            progress=number // 2, launched_at=when if odd else None, terminated_at=None if odd else when,
            created_at=when + datetime.timedelta(seconds=number // 2), kernel_id=text, ramdisk_id=text,
            root_device_name=text, hostname=f'h{number}', display_description=text, reservation_id=text,
            updated_at=when if odd else None, launch_index=number // 2)


def fill_flavors(cloud: Cloud) -> None:
    for number in range(6):
        odd = bool(number % 2)
        cloud.flavor(
            name=f'n{number}', is_public=True, disabled=odd, rxtx_factor=1.1 if odd else 1.0, swap=number // 2,
            memory_mb=1 + number // 3, ephemeral_gb=number // 2, description=f'd{number // 2}' if odd else None,
            updated_at=clock.utcnow() if odd else None)


def orders() -> Iterator[tuple[str, str, str]]:
    for operation in app.operations():
        if operation.method == 'GET' and operation.path in SORTED:
            version = SORTED[operation.path]
            keys = schema.of(operation.query, 'query', operation.since)['properties']['sort_key']
            for key, direction in itertools.product(_enum(keys), ('asc', 'desc')):
                yield operation.path, version, f'sort_key={key}&sort_dir={direction}'


def _enum(kind: Any) -> list[str]:
    return kind['items']['enum'] if 'items' in kind else kind['enum']


def get(cloud: Cloud, path: str, version: str) -> tuple[list[str], str | None]:
    """What a page has, and the address of the next."""
    answer = cloud.call('GET', path, version)
    assert answer.status_code == 200, (path, answer.text)
    links, items = [], []
    for key, value in answer.json.items():
        if key.endswith('links'):
            links = value
        else:
            items = [str(list(one.values())[0] if len(one) == 1 else one) for one in value]
    following = links[0]['href'] if links else None
    return items, following and parse.urlsplit(following).path.removeprefix('/v2.1') + '?' + parse.urlsplit(
        following).query


@pytest.mark.parametrize(('path', 'fill'), [
    ('/servers', fill_servers), ('/servers/detail', fill_servers),
    ('/flavors', fill_flavors), ('/flavors/detail', fill_flavors)])
def test_pages_of_every_order(cloud: Cloud, path: str, fill: Callable[[Cloud], None]) -> None:
    """LST-S1, LST-S2: every sort key in both directions is the whole list, two by two, as in one page."""
    fill(cloud)
    tried = [order for order in orders() if order[0] == path]
    assert len(tried) > 20
    wrong = []
    for _, version, order in tried:
        whole, _ = get(cloud, f'{path}?{order}&limit=100', version)
        pages: list[str] = []
        following: str | None = f'{path}?{order}&limit=2'
        while following is not None and len(pages) < 20:
            answer = cloud.call('GET', following, version)
            if answer.status_code != 200:
                wrong.append((order, answer.status_code, answer.text))
                break
            items, following = get(cloud, following, version)
            pages += items
        if pages != whole or len(whole) != 6:
            wrong.append((order, len(whole), len(pages)))
    assert wrong == []


def test_the_two_directions_mirror_one_another(cloud: Cloud) -> None:
    """NULL comes first upwards and last downwards, on every database."""
    fill_flavors(cloud)
    for key in ('description', 'updated_at', 'swap', 'is_public', 'rxtx_factor'):
        up, _ = get(cloud, f'/flavors?sort_key={key}&sort_dir=asc', '2.1')
        down, _ = get(cloud, f'/flavors?sort_key={key}&sort_dir=desc', '2.1')
        assert up == down[::-1], key


# What a limit and a marker mean

@pytest.fixture
def fill(cloud: Cloud) -> Callable[[str], str]:
    """Put three things into the list at a path; answers the path itself."""
    def put(path: str) -> str:
        server = None
        for number in range(3):
            if path.startswith('/os-hypervisors'):
                cloud.host(f'host{number}', cell=1 + number % 2)
            elif path.startswith('/flavors'):
                cloud.flavor()
            elif path == '/os-keypairs':
                key = objects.KeyPair(user_id='admin', name=f'k{number}', fingerprint='', public_key='')
                cloud.dbs.api.write(lambda conn, key=key: key.copy().create(conn))
            elif path == '/os-migrations':
                move = objects.Migration(uuid=uuids.generate(), instance_uuid=uuids.generate(),
                                         migration_type='migration', status='confirmed')
                cloud.db(1 + number % 2).write(move.create)
            elif 'actions' in path or 'tasks' in path:
                server = server or cloud.server()
                task = rows.Task(
                    uuid=uuids.generate(), flow='lock', flow_version='1.0', instance_uuid=server.uuid,
                    exclusive=None, status=rows.DONE, state={}, context={}, action='lock',
                    request_id=f'req-{uuids.generate()}', user_id='a', project_id=PROJECT,
                    finished_at=clock.utcnow())
                cloud.db(1).write(lambda conn, task=task: rows.insert(conn, task))
            else:
                cloud.server(cell=1 + number % 2)
        return path.replace('{server_id}', server.uuid if server else '')
    return put


def test_the_lists_that_have_pages_are_known() -> None:
    """Who adds a list adds it here."""
    found = {operation.path for operation in app.operations()
             if operation.query is not None and 'limit' in operation.query.fields}
    assert found == set(PAGED) | OTHERS | GLANCES | PASSED_ON | SERVERS_TOO


@pytest.mark.parametrize(('path', 'version'), [(path, '2.96') for path in sorted(OTHERS)])
def test_limits_of_the_others(cloud: Cloud, path: str, version: str) -> None:
    server = cloud.server()
    cloud.db(1).write(objects.BlockDeviceMapping(
        uuid=uuids.generate(), instance_uuid=server.uuid, source_type='volume', destination_type='volume',
        device_name='/dev/vdb', volume_id=uuids.generate(), attachment_id=uuids.generate()).create)
    cloud.call('POST', '/os-server-groups', '2.64', json={'server_group': {'name': 'a', 'policy': 'affinity'}})
    where = path.replace('{project_id}', PROJECT).replace('{server_id}', server.uuid) + '?'
    assert not any(cloud.call('GET', f'{where}limit=0', version).json.values())
    for right in ('limit=1', 'limit=' + '9' * 30):
        answer = cloud.call('GET', f'{where}{right}', version)
        assert answer.status_code == 200 and any(answer.json.values()), right
    for wrong in ('limit=-1', 'limit=x', 'limit=', 'limit=-0'):
        assert cloud.call('GET', f'{where}{wrong}', version).status_code == 400, wrong


@pytest.mark.parametrize(('path', 'version'), sorted(PAGED.items()))
def test_limits_and_markers(cloud: Cloud, fill: Callable[[str], str], path: str, version: str) -> None:
    where = fill(path)
    whole, following = get(cloud, where, version)
    assert len(whole) == 3 and following is None
    assert get(cloud, f'{where}?limit=0', version) == ([], None)
    for huge in ('3', '1000', '1001', '2147483648', '9' * 30):
        assert get(cloud, f'{where}?limit={huge}', version)[0] == whole
    first, following = get(cloud, f'{where}?limit=2', version)
    assert first == whole[:2] and following is not None
    assert get(cloud, following, version)[0] == whole[2:]
    assert get(cloud, f'{where}?limit=2&marker=', version)[0] == whole[:2]
    for wrong in ('limit=-1', 'limit=x', 'limit=', 'limit=1.0', 'limit=-0', 'limit=%EF%BC%91',
                  'limit=1&limit=-1', f'marker={uuids.generate()}', 'limit=0&marker=nothing',
                  'marker=%F0%9F%98%80'):
        assert cloud.call('GET', f'{where}?{wrong}', version).status_code == 400, wrong
    several = cloud.call('GET', f'{where}?limit=1&limit=2', version)
    if path in ONE_LIMIT:
        assert several.status_code == 400
    else:
        assert get(cloud, f'{where}?limit=1&limit=2', version)[0] == whole[:2]
