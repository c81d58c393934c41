"""The list of microversions, and that no field is declared beyond it."""

import pytest

from nova.api import app
from nova.common.microversion import V
from nova.rest import openapi, view
from nova.schema import history
from nova.schema.server import Server, ServerCreate


def test_every_version_has_its_line() -> None:
    assert [version.number for version in history.HISTORY] == [f'2.{n}' for n in range(1, 105)]
    assert all(version.what for version in history.HISTORY)
    assert (V('2.1'), V('2.104')) == (history.MIN, history.MAX)


@pytest.mark.parametrize('face', ['create', 'update', 'rebuild', 'list', 'detail', 'show', 'updated',
                                  'rebuilt'])
def test_turning_points_are_versions(face: str) -> None:
    assert max(Server.turning_points(face)) <= history.MAX
    assert set(ServerCreate.turning_points(face)) >= ({V('2.1')} if face != 'create' else {V('2.1'), V('2.94')})


def test_lists_load_only_what_their_version_shows() -> None:

    assert view.plan(Server, 'list', history.MAX).needs == set()
    assert 'tags' not in view.plan(Server, 'detail', V('2.25')).needs
    assert 'request_spec' not in view.plan(Server, 'detail', V('2.95')).needs
    assert 'image_meta' in view.plan(Server, 'detail', V('2.98')).needs


@pytest.mark.parametrize('version', ['2.1', '2.60', '2.104'])
def test_openapi_of_the_whole_api(version: str) -> None:
    document = openapi.build(app.operations(), V(version), 'Compute')
    assert '/servers/{server_id}' in document['paths']
    assert ('put' in document['paths']['/flavors/{flavor_id}']) is (V(version) >= V('2.55'))
    actions = document['paths']['/servers/{server_id}/action']['post']
    titles = {one['title'] for one in actions['requestBody']['content']['application/json']['schema']['oneOf']}
    assert {'pause', 'lock', 'reboot'} <= titles
