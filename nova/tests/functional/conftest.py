"""A standalone cloud for each test process, and clients that speak plain HTTP to it."""

import contextlib
import dataclasses
import functools

import httpx
import pytest

from nova.standalone import app, config
from nova.tests.fixtures import brokers, databases
from nova.tests.fixtures.waiting import PATIENCE, until
from nova.tests.functional import leaks


class User:
    """One user of the cloud: requests with his token."""

    def __init__(self, cloud, name):
        self.cloud, self.name = cloud, name
        self.http = httpx.Client(timeout=30)

    @functools.cached_property
    def token(self):
        deployment = self.cloud.deployment
        answer = self.http.post(deployment.url('identity') + '/v3/auth/tokens', json={'auth': {
            'identity': {'methods': ['password'], 'password': {'user': {
                'name': self.name, 'domain': {'id': 'default'}, 'password': deployment.passwords[self.name]}}},
            'scope': {'project': {'name': self.name, 'domain': {'id': 'default'}}}}})
        assert answer.status_code == 201, answer.text
        return answer.headers['X-Subject-Token']

    def call(self, method, path, body=None, *, version='2.96', service='compute', **options):
        deployment = self.cloud.deployment
        base = deployment.url('compute') + '/v2.1' if service == 'compute' else deployment.url(service)
        name = {'compute': 'compute', 'placement': 'placement'}.get(service)
        headers = {'X-Auth-Token': self.token, **options.pop('headers', {})}
        if name:
            headers['OpenStack-API-Version'] = f'{name} {version if name == "compute" else "1.39"}'
        return self.http.request(method, base + path, json=body, headers=headers, **options)

    def get(self, path, **options):
        answer = self.call('GET', path, **options)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    # What tests do all the time

    @functools.cached_property
    def project(self):
        """Id of the project."""
        who = self.get('/v3/auth/tokens', service='identity', headers={'X-Subject-Token': self.token})
        return who['token']['project']['id']

    @functools.cached_property
    def image(self):
        """Id of the cloud's own image: others may be there that tests have made."""
        return self.get('/v2/images?visibility=public', service='image')['images'][0]['id']

    @functools.cached_property
    def network(self):
        found = self.get('/v2.0/networks', service='network')['networks']
        return next(network['id'] for network in found if network['name'] == 'private')

    def on_volume(self):
        """Fields of a POST for a server whose root disk is a volume of the image, and goes with it."""
        return {'imageRef': '', 'block_device_mapping_v2': [{
            'source_type': 'image', 'destination_type': 'volume', 'boot_index': 0, 'volume_size': 1,
            'delete_on_termination': True, 'uuid': self.image}]}

    def boot(self, name='server', version='2.96', hints=None, **fields):
        """POST /servers; returns the response."""
        body = {'server': {'name': name, 'imageRef': self.image, 'flavorRef': '1',
                           'networks': [{'uuid': self.network}], **fields}}
        if hints:
            body['os:scheduler_hints'] = hints
        return self.call('POST', '/servers', body, version=version)

    def booted(self, name='server', **fields):
        """A server that is ACTIVE."""
        answer = self.boot(name, **fields)
        assert answer.status_code == 202, answer.text
        return self.wait(answer.json()['server']['id'], 'ACTIVE')

    def show(self, uuid, version='2.96'):
        return self.get(f'/servers/{uuid}', version=version)['server']

    def wait(self, uuid, status, seconds=PATIENCE):
        """Poll until the server has `status` and no operation in progress."""
        def reached():
            server = self.show(uuid)
            assert status == 'ERROR' or server['status'] != 'ERROR', server
            return server['status'] == status and server['OS-EXT-STS:task_state'] is None and server
        return until(reached, seconds, told=lambda: (status, self.show(uuid)))

    def ended(self, uuid, seconds=PATIENCE):
        """Poll until the server was built, or was not: it is ACTIVE or in ERROR, and nothing is in progress."""
        def over():
            server = self.show(uuid)
            rests = server['OS-EXT-STS:task_state'] is None
            return rests and server['status'] in ('ACTIVE', 'ERROR') and server
        return until(over, seconds, told=lambda: self.show(uuid))

    def act(self, uuid, action, body=None, status=None):
        """A server action, and what it becomes."""
        answer = self.call('POST', f'/servers/{uuid}/action', {action: body})
        assert answer.status_code in (200, 202, 204), answer.text
        return self.wait(uuid, status) if status else answer

    def delete(self, uuid, seconds=PATIENCE):
        """DELETE, and wait until it is gone."""
        answer = self.call('DELETE', f'/servers/{uuid}')
        assert answer.status_code == 204, answer.text
        self.gone(uuid, seconds)

    def gone(self, uuid, seconds=PATIENCE):
        """Poll until the server is no more."""
        until(lambda: self.call('GET', f'/servers/{uuid}').status_code == 404, seconds,
              told=lambda: self.show(uuid))


@dataclasses.dataclass
class Apart(config.Deployment):
    """A standalone deployment whose buses are not those of another one in this process."""

    def bus(self, name):
        return f'{super().bus(name)}/{self.directory.name}'


@dataclasses.dataclass
class OnServers(config.Deployment):
    """A standalone deployment whose databases and buses are on servers."""

    urls: dict = dataclasses.field(repr=False)
    vhost: object

    def database(self, name):
        return self.urls.get(name) or super().database(name)

    def bus(self, name):
        return self.vhost(name)


@contextlib.contextmanager
def standalone(kind, tmp_path_factory, supply, options=''):
    """Two cells, four hosts, everything in this process: SQLite and the in-process bus, or a database server
    and RabbitMQ (but for the sandbox, which is no part of what is tested).

    Args:
        options: more configuration of the services above the cells.
    """
    deployment = config.load(tmp_path_factory.mktemp('cloud'), 2, 4, dict.fromkeys(config.PORTS, 0))
    (deployment.directory / 'nova.conf.d').mkdir()
    (deployment.directory / 'nova.conf.d' / 'test.conf').write_text(options)
    with contextlib.ExitStack() as stack:
        if kind != 'sqlite':
            names = {'api': 'api', 'placement': 'placement', 'cell0': 'cell', 'cell1': 'cell', 'cell2': 'cell'}
            urls = {name: supply.take(kind, schema) for name, schema in names.items()}
            vhost = stack.enter_context(brokers.rabbitmq(tmp_path_factory.mktemp('rabbit'),
                                                         ['top', *deployment.cells]))
            deployment = OnServers(**vars(deployment), urls=urls, vhost=vhost)
        else:
            deployment = Apart(**vars(deployment))
        yield stack.enter_context(running(deployment))


@contextlib.contextmanager
def running(deployment):
    found = app.Cloud(deployment, say=lambda text: None)
    try:
        found.start()
        yield found
    finally:
        found.stop()


def cloud_of(kind, computes=2):
    """A fixture `cloud` of a module: this kind of deployment (`Apart`), its hosts spread over two cells."""
    @pytest.fixture(scope='module', name='cloud')
    def made(tmp_path_factory):
        deployment = config.load(tmp_path_factory.mktemp('cloud'), 2, computes, dict.fromkeys(config.PORTS, 0))
        with running(kind(**vars(deployment))) as found:
            yield found
    return made


@contextlib.contextmanager
def flavors(admin):
    """``make(vcpus, **specs)``: a small flavor with these extra specs, whose colons are two underscores; in the
    end all of them are deleted."""
    made = []

    def make(vcpus=1, **specs):
        answer = admin.call('POST', '/flavors', {'flavor': {
            'name': f'made-{len(made)}', 'ram': 64, 'vcpus': vcpus, 'disk': 1}})
        made.append(answer.json()['flavor']['id'])
        if specs:
            answer = admin.call('POST', f'/flavors/{made[-1]}/os-extra_specs', {
                'extra_specs': {name.replace('__', ':'): value for name, value in specs.items()}})
            assert answer.status_code == 200, answer.text
        return made[-1]
    yield make
    for one in made:
        admin.call('DELETE', f'/flavors/{one}')


@pytest.fixture(scope='package', params=databases.KINDS)
def cloud(request, tmp_path_factory, supply):
    with standalone(request.param, tmp_path_factory, supply) as found:
        yield found


def user(name, scope):
    """A fixture of this name: that user of the fixture `cloud`, which has the same scope."""
    @pytest.fixture(scope=scope, name=name)
    def made(cloud):
        return User(cloud, name)
    return made


demo, admin = user('demo', 'package'), user('admin', 'package')


@pytest.fixture
def nothing_leaks(cloud, admin, demo):
    """The end of each test that uses it: its servers go, and nothing is left over."""
    yield
    leaks.end(cloud, admin, demo)
