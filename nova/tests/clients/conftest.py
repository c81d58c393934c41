"""The same neighbours, real and fake, for contract tests."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterator

import pytest
import requests
from keystoneauth1 import session as ks_session
from keystoneauth1 import token_endpoint

from nova import errors
from nova.clients import fake, session
from nova.clients.placement import client as placement_client
from nova.clients.protocols import PlacementClient
from nova.tests.fixtures import placement as placement_fixture
from nova.tests.fixtures import wsgi


@dataclasses.dataclass
class PlacementUnderTest:
    """A Placement, and a way to another client of the same one."""

    client: PlacementClient
    another: Callable[[], PlacementClient]


@pytest.fixture
def placement_service(tmp_path: pathlib.Path) -> Iterator[session.Service]:
    """Our HTTP plumbing over the real Placement application."""
    application, db = placement_fixture.make_app(f'sqlite:///{tmp_path}/placement.sqlite')
    pool = requests.Session()
    pool.mount('http://placement', wsgi.Adapter(application))
    auth = token_endpoint.Token('http://placement', 'admin')
    yield session.Service('placement', ks_session.Session(auth=auth, session=pool), {
        'service_type': 'placement'}, errors.placement.PlacementFailed, microversion_type='placement')
    db.dispose()


@pytest.fixture(params=['fake', 'real'])
def placement(request: pytest.FixtureRequest) -> PlacementUnderTest:
    """Every test of this fixture runs against the fake and against the real application."""
    if request.param == 'fake':
        one = fake.FakePlacement()
        return PlacementUnderTest(one, lambda: one)
    service = request.getfixturevalue('placement_service')
    return PlacementUnderTest(placement_client.Client(service), lambda: placement_client.Client(service))
