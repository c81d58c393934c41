"""The same neighbours, real and fake, for contract tests."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import openstack
import pytest
import requests
from keystoneauth1 import session as ks_session
from keystoneauth1 import token_endpoint
from keystoneauth1.identity import v3
from oslo_config import cfg

from nova import conf, errors
from nova.clients import Clients, build, fake, session
from nova.clients.fake import network as fake_network
from nova.clients.manila import VERSION
from nova.clients.placement import client as placement_client
from nova.clients.protocols import PlacementClient
from nova.common import uuids
from nova.context import RequestContext
from nova.tests.fixtures import databases, wsgi
from nova.tests.fixtures import placement as placement_fixture
from nova.tests.fixtures.sandbox import running_sandbox


@dataclasses.dataclass
class PlacementUnderTest:
    """A Placement, and a way to another client of the same one."""

    client: PlacementClient
    another: Callable[[], PlacementClient]


@contextlib.contextmanager
def _service_on(url: str) -> Iterator[session.Service]:
    """Our HTTP plumbing over the real Placement application."""
    application, db = placement_fixture.make_app(url)
    pool = requests.Session()
    pool.mount('http://placement', wsgi.Adapter(application))
    auth = token_endpoint.Token('http://placement', 'admin')
    yield session.Service('placement', ks_session.Session(auth=auth, session=pool), {
        'service_type': 'placement'}, errors.placement.PlacementFailed, errors.placement.PlacementAway,
        microversion_type='placement')
    db.dispose()


@pytest.fixture
def placement_service(lend: databases.Lend) -> Iterator[session.Service]:
    with _service_on(lend('placement')) as service:
        yield service


@pytest.fixture(params=['fake', *databases.KINDS])
def placement(request: pytest.FixtureRequest, supply: databases.Supply) -> Iterator[PlacementUnderTest]:
    """Every test of this fixture runs against the fake, and against the real application on each database."""
    if request.param == 'fake':
        one = fake.FakePlacement()
        yield PlacementUnderTest(one, lambda: one)
        return
    url = supply.take(request.param, 'placement')
    with _service_on(url) as service:
        yield PlacementUnderTest(placement_client.Client(service), lambda: placement_client.Client(service))
    supply.give_back(request.param, 'placement', url)


@dataclasses.dataclass
class Neighbours:
    """Images, networks and volumes, fake or in the sandbox, with a user who has a project there.

    Attributes:
        clients: what is tested.
        user: context of a member of `project`; the fakes' token is no secret.
        stranger: context of a member of another project.
        admin: context of an administrator, of a project of his own.
        network: makes a network with one subnet, shared when asked, for ``project``: the user's own, or
            ``elsewhere``; returns its id.
        volume: makes a volume of `project`; returns its id.
        share: makes a share of `project`, of a protocol; returns its id.
        can_delete_share: whether its owner could delete it; then it is gone.
        migrating: has the volume service begin to migrate a volume; returns the id of the one that it made.
        image: id of a public image.
        port: makes a port of the user's on a network; returns its id.
        group: makes a security group of the user's; returns its id.
        policy: makes a QoS policy, with a minimum packet rate or (0) none; returns its id.
        set_policy: gives a network a QoS policy.
    """

    kind: str
    clients: Clients
    user: RequestContext
    stranger: RequestContext
    admin: RequestContext
    network: Callable[..., str]
    volume: Callable[..., str]
    share: Callable[[str], str]
    can_delete_share: Callable[[str], bool]
    migrating: Callable[[str], str]
    port: Callable[..., str]
    group: Callable[[str], str]
    policy: Callable[[int], str]
    set_policy: Callable[[str, str], object]
    image: str


def fakes() -> Neighbours:
    made = fake.build()
    user, stranger = (RequestContext(f'user-{name}', name, roles=('member',), auth_token=name)
                      for name in ('project', 'elsewhere'))
    admin = RequestContext('admin', 'admin', roles=('admin',), auth_token='admin', is_admin=True)
    return Neighbours(
        'fake', made, user, stranger, admin,
        network=lambda shared=False, cidr='10.1.0.0/24', project='project': made.network.api.add_network(
            project, shared=shared, cidr=cidr),
        volume=lambda **kwargs: made.volume.add(**kwargs), migrating=made.volume.begin_migration,
        share=made.share.add, can_delete_share=made.share.remove,
        port=lambda network, policy=None: made.network.api.add_port(network, 'project', qos_policy_id=policy),
        group=lambda name: made.network.api.add_group(name, 'project'),
        policy=lambda packets: fake_network.add_policy(made.network.api, packets),
        set_policy=lambda network, policy: made.network.api.all_networks[network].update(qos_policy_id=policy),
        image=made.image.add())


def conf_for(running: Any, vouches: bool = True) -> cfg.ConfigOpts:
    """Configuration with the credentials of the sandbox's service user, and a service token beside users'."""
    lines = []
    for group in ('keystone', 'neutron', 'glance', 'cinder', 'manila', 'service_user'):
        lines += [f'[{group}]', 'auth_type = password',
                  'region_name = RegionOne' if group in ('neutron', 'glance', 'manila') else '',
                  f'send_service_user_token = {vouches}' if group == 'service_user' else '',
                  *(f'{key} = {value}' for key, value in running.credentials('nova').items())]
    file = running.sandbox_dir / 'nova.conf'
    file.write_text('\n'.join(lines))
    return conf.new(config_files=[str(file)])


def _stranger(running: Any, cloud: Any) -> RequestContext:
    """A member of a project of his own."""
    name = uuids.generate()
    project = cloud.identity.create_project(name=name, domain_id='default')
    user = cloud.identity.create_user(name=name, password=name, domain_id='default')
    cloud.identity.assign_project_role_to_user(project, user, running.made.roles['member'])
    return _of(ks_session.Session(auth=v3.Password(
        auth_url=running.auth_url, username=name, password=name, project_name=name, user_domain_id='default',
        project_domain_id='default')))


def _of(opened: ks_session.Session, admin: bool = False) -> RequestContext:
    return RequestContext(opened.get_user_id(), opened.get_project_id(), auth_token=opened.get_token(),
                          roles=('admin',) if admin else ('member',), is_admin=admin)


def sandbox_neighbours(running: Any, vouches: bool = True) -> Neighbours:
    configured = conf_for(running, vouches)
    user, cloud = _of(running.session('demo')), openstack.connect(**running.cloud('admin'))
    stranger = _stranger(running, cloud)
    # Networks that a new sandbox shares with everyone would make "the only network" ambiguous.
    cloud.network.update_network(running.made.networks['private'], shared=False)

    def network(shared: bool = False, cidr: str | None = '10.1.0.0/24', project: str = 'project') -> str:
        owner = user.project_id if project == 'project' else stranger.project_id
        made = cloud.network.create_network(name='net', project_id=owner, shared=shared)
        if cidr:
            cloud.network.create_subnet(network_id=made.id, cidr=cidr, ip_version=4, project_id=owner)
        return str(made.id)

    mine = openstack.connect(**running.cloud('demo'))

    def volume(size: int = 1, multiattach: bool = False) -> str:
        made = mine.block_storage.create_volume(
            size=size, **({'volume_type': 'multiattach'} if multiattach else {}))
        return str(mine.block_storage.wait_for_status(made, 'available', wait=10, interval=0.1).id)

    def manila(method: str, path: str, **more: Any) -> Any:
        return mine.session.request(path, method, raise_exc=False, headers=VERSION, **more, endpoint_filter={
            'service_type': 'shared-file-system', 'region_name': 'RegionOne'})

    def share(protocol: str) -> str:
        made = manila('POST', '/shares', json={'share': {'share_proto': protocol, 'size': 1}})
        return str(made.json()['share']['id'])

    def migrating(volume: str) -> str:
        cloud.block_storage.post(f'/volumes/{volume}/action', json={'os-migrate_volume': {'host': 'elsewhere'}})
        return next(str(one.id) for one in cloud.block_storage.volumes(all_projects=True)
                    if one.migration_status == f'target:{volume}')

    def policy(packets: int) -> str:
        made = cloud.network.create_qos_policy(name='qos', shared=True)
        if packets:
            cloud.network.create_qos_minimum_packet_rate_rule(made, min_kpps=packets, direction='any')
        return str(made.id)

    return Neighbours(
        'sandbox', build(configured), user, stranger, _of(running.session('admin'), admin=True),
        network, volume, share, lambda ident: manila('DELETE', f'/shares/{ident}').status_code == 202,
        migrating,
        port=lambda network, policy=None: str(mine.network.create_port(network_id=network, **(
            {'qos_policy_id': policy} if policy else {})).id),
        group=lambda name: str(mine.network.create_security_group(name=name).id), policy=policy,
        set_policy=lambda network, policy: cloud.network.update_network(network, qos_policy_id=policy),
        image=running.made.image)


@pytest.fixture(scope='module')
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    directory = tmp_path_factory.mktemp('sandbox')
    with running_sandbox(directory) as running:
        running.sandbox_dir = directory
        yield running


@pytest.fixture(params=['fake', 'sandbox'])
def there(request: pytest.FixtureRequest) -> Neighbours:
    """Every test of this fixture runs against the fakes and against the sandbox."""
    if request.param == 'fake':
        return fakes()
    running = request.getfixturevalue('sandbox')
    return sandbox_neighbours(running)


@dataclasses.dataclass
class Server:
    """As much of an instance as the clients look at."""

    project_id: str
    uuid: str = dataclasses.field(default_factory=uuids.generate)
    hostname: str = 'my-server'
    availability_zone: str = 'nova'
    network_info: Any = None

    def known(self, name: str) -> bool:
        return hasattr(self, name)


@pytest.fixture
def server(there: Neighbours) -> Server:
    assert there.user.project_id is not None
    return Server(there.user.project_id)
