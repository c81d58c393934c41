"""Images and their metadata as old clients ask for them, in the user's name."""

from typing import Any

import pytest

from nova.tests.api.cloud import MEMBER, OTHER, PROJECT, STRANGER, Cloud


@pytest.fixture
def image(cloud: Cloud) -> str:
    found: str = cloud.clients.image.add(name='mine', owner=PROJECT, visibility='private', min_ram=64, size=7,
                                         color='red', auto_disk_config='True')
    return found


def ask(cloud: Cloud, method: str, path: str, headers: Any = MEMBER, version: str = '2.35', **more: Any) -> Any:
    return cloud.call(method, path, version, headers=headers, **more)


def test_which_there_are(cloud: Cloud, image: str) -> None:
    other = cloud.clients.image.add(name='public', owner=OTHER)
    shown = {one['id']: one for one in ask(cloud, 'GET', '/images/detail').json['images']}
    assert set(shown) == {image, other}
    assert shown[image]['metadata'] == {'color': 'red', 'auto_disk_config': 'True'}
    mine = shown[image]
    assert (mine['minRam'], mine['OS-EXT-IMG-SIZE:size'], mine['OS-DCF:diskConfig']) == (64, 7, 'AUTO')
    assert (mine['status'], mine['progress']) == ('ACTIVE', 100)
    assert [one['id'] for one in ask(cloud, 'GET', '/images', STRANGER).json['images']] == [other]
    brief, = ask(cloud, 'GET', '/images?name=mine').json['images']
    assert set(brief) == {'id', 'name', 'links'} and len(brief['links']) == 3
    assert ask(cloud, 'GET', '/images?property-color=blue').json['images'] == []
    assert ask(cloud, 'GET', '/images?status=SAVING').json['images'] == []


def test_pages(cloud: Cloud) -> None:
    made = [cloud.clients.image.add(owner=PROJECT) for _ in range(3)]
    first = ask(cloud, 'GET', '/images?limit=2').json
    assert [one['id'] for one in first['images']] == made[:2]
    assert f'marker={made[1]}' in first['images_links'][0]['href']
    second = ask(cloud, 'GET', f'/images?limit=2&marker={made[1]}').json
    assert [one['id'] for one in second['images']] == made[2:] and 'images_links' not in second


def test_a_snapshot_names_its_server(cloud: Cloud) -> None:
    uuid = '00000000-0000-4000-8000-000000000001'
    made = cloud.clients.image.add(owner=PROJECT, instance_uuid=uuid)
    cloud.clients.image.add(owner=PROJECT)
    found, = ask(cloud, 'GET', f'/images/detail?server=http://here/v2.1/servers/{uuid}').json['images']
    assert (found['id'], found['server']['id']) == (made, uuid)


def test_metadata(cloud: Cloud, image: str) -> None:
    path = f'/images/{image}/metadata'
    assert ask(cloud, 'GET', path, version='2.38').json == {
        'metadata': {'color': 'red', 'auto_disk_config': 'True'}}
    more = ask(cloud, 'POST', path, json={'metadata': {'shape': 'round'}}).json['metadata']
    assert (more['color'], more['shape']) == ('red', 'round')
    assert ask(cloud, 'PUT', path, json={'metadata': {'a': '1'}}).json == {'metadata': {'a': '1'}}
    assert ask(cloud, 'PUT', f'{path}/b', json={'meta': {'b': '2'}}).json == {'meta': {'b': '2'}}
    assert ask(cloud, 'PUT', f'{path}/b', json={'meta': {'c': '2'}}).status_code == 400
    assert ask(cloud, 'GET', f'{path}/b').json == {'meta': {'b': '2'}}
    assert ask(cloud, 'DELETE', f'{path}/b').status_code == 204
    assert ask(cloud, 'DELETE', f'{path}/b').status_code == 404
    assert ask(cloud, 'PUT', f'{path}/owner', json={'meta': {'owner': OTHER}}).status_code == 400


def test_whose_they_are(cloud: Cloud, image: str) -> None:
    public = cloud.clients.image.add(owner=OTHER)
    assert ask(cloud, 'GET', f'/images/{image}', STRANGER).status_code == 404
    assert ask(cloud, 'DELETE', f'/images/{public}').status_code == 403
    assert ask(cloud, 'POST', f'/images/{public}/metadata', json={'metadata': {'a': 'b'}}).status_code == 403
    assert ask(cloud, 'DELETE', f'/images/{image}').status_code == 204
    assert ask(cloud, 'GET', f'/images/{image}').status_code == 404


def test_they_end(cloud: Cloud, image: str) -> None:
    assert ask(cloud, 'GET', '/images', version='2.36').status_code == 404
    assert ask(cloud, 'GET', f'/images/{image}/metadata', version='2.39').status_code == 404
