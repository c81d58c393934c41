"""What unified limits are, whoever keeps them: the sandbox (`test_limits`) or Keystone (nova/tests/realcloud).

Each test has a service of its own, so that limits of others do not matter.
"""

import dataclasses
import functools
import json
import pathlib
import random
import subprocess
import sys
from typing import Any

import openstack
import openstack.exceptions
import pytest
from oslo_config import cfg

from nova import conf, errors
from nova.clients import build
from nova.common import uuids
from nova.objects.quota import unified
from nova.objects.quota.unified import Known

PEER = pathlib.Path(__file__).with_name('oslo_limit_peer.py')


@dataclasses.dataclass
class Keystone:
    """An identity service.

    Attributes:
        directory: for configuration files.
        credentials: of a user, as keystoneauth's password plugin wants them: ``admin``, ``demo``, and ``nova``
            without a scope.
    """

    auth_url: str
    directory: pathlib.Path
    credentials: dict[str, dict[str, str]] = dataclasses.field(repr=False)

    def connect(self, user: str) -> openstack.connection.Connection:
        return openstack.connect(auth_type='password', auth=self.credentials[user], region_name='RegionOne',
                                 identity_api_version='3', load_yaml_config=False, load_envvars=False)

    @functools.cached_property
    def admin(self) -> Any:
        return self.connect('admin').identity


class Service:
    """A service that has limits."""

    def __init__(self, keystone: Keystone) -> None:
        self.keystone, self.admin = keystone, keystone.admin
        self.id = self.admin.create_service(type='compute-like', name=uuids.generate()).id
        self.endpoint = self.admin.create_endpoint(
            service_id=self.id, region_id='RegionOne', interface='public', url='http://127.0.0.1:1').id
        self.project = self.admin.create_project(name=uuids.generate(), domain_id='default').id

    def settings(self, seconds: int = 0, **more: str) -> cfg.ConfigOpts:
        """Configuration of who reads the limits; `seconds` is how long they are kept."""
        options = {'auth_type': 'password', 'system_scope': 'all', 'valid_interfaces': 'public',
                   'endpoint_id': self.endpoint, **self.keystone.credentials['nova'], **more}
        file = self.keystone.directory / f'{self.id}.conf'
        file.write_text('[oslo_limit]\n' + ''.join(
            f'{name} = {value}\n' for name, value in options.items() if value)
            + f'[quota]\nunified_limits_cache_seconds = {seconds}\n')
        return conf.new(config_files=[str(file)])

    def client(self, seconds: int = 0, **more: str) -> Any:
        return build(self.settings(seconds, **more)).limits

    def register(self, region: str | None = 'RegionOne', **limits: int) -> list[str]:
        return [self.admin.create_registered_limit(
            service_id=self.id, region_id=region, resource_name=name, default_limit=limit).id
            for name, limit in limits.items()]

    def set(self, project: str | None = None, region: str | None = 'RegionOne', **limits: int) -> list[str]:
        return [self.admin.create_limit(
            service_id=self.id, region_id=region, resource_name=name, resource_limit=limit,
            project_id=project or self.project).id for name, limit in limits.items()]

    def end(self) -> None:
        for one in self.admin.limits(service_id=self.id):
            self.admin.delete_limit(one)
        for one in self.admin.registered_limits(service_id=self.id):
            self.admin.delete_registered_limit(one)
        self.admin.delete_endpoint(self.endpoint)
        self.admin.delete_service(self.id)
        self.admin.delete_project(self.project)


@pytest.fixture
def service(keystone):
    made = Service(keystone)
    yield made
    made.end()


# What we read ------------------------------------------------------------------------------------

def test_limits_of_all_projects_and_of_one(service):
    service.register(servers=5, server_groups=-1, **{'class:VCPU': 8})
    service.set(servers=2, **{'class:VCPU': 0})
    assert service.client().known(service.project) == Known(
        {'servers': 5, 'server_groups': -1, 'class:VCPU': 8}, {'servers': 2, 'class:VCPU': 0})
    assert service.client().known(uuids.generate().replace('-', '')).own == {}


def test_limits_of_the_endpoints_region(service):
    """Those of another region, and those of none, are not meant."""
    service.register(servers=5)
    service.register(region=None, servers=50, server_groups=1)
    service.set(region=None, servers=40)
    assert service.client().known(service.project) == Known({'servers': 5}, {})


def test_the_service_is_found_by_its_name(service):
    service.register(servers=5)
    name = service.admin.get_service(service.id).name
    by_name = {'endpoint_id': '', 'endpoint_service_type': 'compute-like', 'endpoint_service_name': name}
    found = service.client(endpoint_region_name='RegionOne', **by_name)
    assert found.known(service.project).registered == {'servers': 5}
    assert service.client(**by_name).known(service.project).registered == {'servers': 5}


@pytest.mark.parametrize('wrong', [
    {'endpoint_id': 'f' * 32}, {'endpoint_id': '', 'endpoint_service_type': 'nothing-like-it'},
    {'endpoint_id': '', 'endpoint_service_type': 'compute-like', 'endpoint_interface': 'admin'},
    {'password': 'wrong'}])
def test_a_wrong_configuration(service, wrong):
    """Nobody knows the limits then: that is an error of the service, and is no limit of 0."""
    with pytest.raises(errors.identity.LimitsFailed) as caught:
        service.client(**wrong).known(service.project)
    assert caught.value.status == 503 and 'identity service' in caught.value.message


def test_limits_are_kept_for_a_while(service):
    [registered] = service.register(servers=5)
    [own] = service.set(servers=2)
    keeping, asking = service.client(seconds=3600), service.client(seconds=0)
    for client in (keeping, asking):
        assert client.known(service.project) == Known({'servers': 5}, {'servers': 2})
    service.admin.update_limit(own, resource_limit=3)
    assert asking.known(service.project) == Known({'servers': 5}, {'servers': 3})
    service.admin.delete_limit(own)
    service.admin.update_registered_limit(registered, default_limit=6)
    assert keeping.known(service.project) == Known({'servers': 5}, {'servers': 2})
    assert asking.known(service.project) == Known({'servers': 6}, {})


# What the keeper demands -------------------------------------------------------------------------

def test_a_project_has_limits_of_its_own_only_where_there_are_some_of_all(service):
    with pytest.raises(openstack.exceptions.ForbiddenException):
        service.set(servers=2)
    [registered] = service.register(servers=5)
    [own] = service.set(servers=2)
    for refused in (service.set, service.register):
        with pytest.raises(openstack.exceptions.ConflictException):
            refused(servers=3)
    with pytest.raises(openstack.exceptions.ForbiddenException):
        service.admin.delete_registered_limit(registered)
    with pytest.raises(openstack.exceptions.ForbiddenException):
        service.admin.update_registered_limit(registered, default_limit=6)
    service.admin.delete_limit(own)
    service.admin.delete_registered_limit(registered)
    assert service.client().known(service.project) == Known({}, {})


@pytest.mark.parametrize('body', [
    {'resource_name': 'servers', 'default_limit': -2}, {'resource_name': 'servers', 'default_limit': '2'},
    {'resource_name': '', 'default_limit': 2}, {'resource_name': 'servers'},
    {'resource_name': 'servers', 'default_limit': 2, 'service_id': 'f' * 32},
    {'resource_name': 'servers', 'default_limit': 2, 'region_id': 'nowhere'},
    {'resource_name': 'servers', 'default_limit': 2, 'project_id': 'f' * 32}, None])
def test_what_no_limit_is(service, body):
    limits = [] if body is None else [{'service_id': service.id, **body}]
    answer = service.admin.post('/registered_limits', json={'registered_limits': limits})
    assert answer.status_code == 400, answer.text


def test_who_sees_and_sets_limits(service):
    """Members see their own project's, and set none."""
    service.register(servers=5)
    service.set(servers=2)
    connected = service.keystone.connect('demo')
    demo, project = connected.identity, connected.current_project_id
    service.set(project=project, servers=3)
    assert [one.default_limit for one in demo.registered_limits(service_id=service.id)] == [5]
    assert [one.resource_limit for one in demo.limits(service_id=service.id)] == [3]
    assert demo.get('/limits/model').json()['model']['name'] == 'flat'
    for path, key in (('/registered_limits', 'registered_limits'), ('/limits', 'limits')):
        answer = demo.post(path, json={key: [{
            'service_id': service.id, 'resource_name': 'other',
            **({'default_limit': 1} if path == '/registered_limits' else
               {'resource_limit': 1, 'project_id': project})}]})
        assert answer.status_code == 403, answer.text


def test_limits_go_with_their_project(service):
    service.register(servers=5)
    gone = service.admin.create_project(name=uuids.generate(), domain_id='default').id
    service.set(project=gone, servers=2)
    service.admin.delete_project(gone)
    assert [one.project_id for one in service.admin.limits(service_id=service.id)] == []


# What oslo.limit decides -------------------------------------------------------------------------

def test_decisions_are_those_of_oslo_limit(service):
    """oslo.limit reads the same limits by the same options, and decides about a few hundred requests."""
    chance = random.Random(11)
    names = ('servers', 'class:VCPU', 'class:MEMORY_MB', 'class:CUSTOM_GOLD', 'class:DISK_GB')
    service.register(servers=5, **{'class:VCPU': 0, 'class:MEMORY_MB': -1, 'class:CUSTOM_GOLD': 3})
    service.set(servers=-1, **{'class:VCPU': 7, 'class:MEMORY_MB': 4})
    cases = [({name: chance.randrange(9) for name in names},
              {name: chance.randrange(9) for name in chance.sample(names, chance.randint(1, 4))},
              chance.choice([service.project, None])) for _ in range(300)]
    service.settings()
    done = subprocess.run([sys.executable, PEER, service.keystone.directory / f'{service.id}.conf'],
                          input=json.dumps(cases), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    policy, known = unified.Policy(unified.IGNORE, ()), service.client().known(service.project)
    for (used, deltas, project), theirs in zip(cases, json.loads(done.stdout), strict=True):
        of = known if project else Known(known.registered, {})
        ours = {name: [limit, used[name], delta] for name, delta in deltas.items()
                if 0 <= (limit := policy.limit(of, name)) < used[name] + delta}
        assert ours == theirs, (used, deltas, project)
