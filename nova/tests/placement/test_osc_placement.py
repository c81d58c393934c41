"""The unmodified openstack client with osc-placement, and openstacksdk, against a live service."""

import contextlib
import io
import json
import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import openstack
import pytest
from openstackclient import shell

from nova.tests.fixtures import databases, placement

NEWEST = '1.39'


@pytest.fixture(scope='module')
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with databases.database_url('sqlite', tmp_path_factory) as database:
        app, db = placement.make_app(database)
        with placement.Server(app) as server:
            yield server.url
        db.dispose()


class Client:
    """Types commands.

    Other versions than the newest are spoken by processes of their own: the client keeps the first version of a
    process.
    """

    def __init__(self, url: str, version: str = NEWEST) -> None:
        self._alone = version != NEWEST
        self._options = ['--os-auth-type', 'admin_token', '--os-endpoint', url, '--os-token', 'admin',
                         '--os-placement-api-version', version]

    def __call__(self, command: str, *, shows: bool = True) -> Any:
        """Run a command that succeeds; the JSON it shows."""
        words = [*self._options, *command.split(), *(('-f', 'json') if shows else ())]
        code, out, err = self._run(words)
        assert code == 0, f'{command}: {err}'
        return json.loads(out) if shows else None

    def refused(self, command: str) -> str:
        """Run a command that fails; what it says."""
        code, _, err = self._run([*self._options, *command.split()])
        assert code != 0, command
        return err

    def _run(self, words: list[str]) -> tuple[int, str, str]:
        if self._alone:
            done = subprocess.run(['openstack', *words], capture_output=True, text=True, check=False)
            return done.returncode, done.stdout, done.stderr
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = shell.main(words)
            except SystemExit as end:
                code = int(end.code or 0)
        return code, out.getvalue(), err.getvalue()


def test_providers(url: str) -> None:
    run, name = Client(url), f'host-{uuid.uuid4()}'
    made = run(f'resource provider create {name}')
    assert made['name'] == name and made['generation'] == 0
    one = made['uuid']
    child = run(f'resource provider create child-{name} --parent-provider {one}')
    assert child['root_provider_uuid'] == one
    assert run(f'resource provider show {one}')['name'] == name
    assert {row['uuid'] for row in run(f'resource provider list --in-tree {one}')} == {one, child['uuid']}
    assert run(f'resource provider set {one} --name renamed-{name}')['name'] == f'renamed-{name}'
    assert 'child' in run.refused(f'resource provider delete {one}')
    run(f'resource provider delete {child["uuid"]}', shows=False)
    run(f'resource provider delete {one}', shows=False)
    assert one in run.refused(f'resource provider show {one}')


def test_an_old_version(url: str) -> None:
    run, name, consumer = Client(url, '1.1'), f'old-{uuid.uuid4()}', uuid.uuid4()
    one = run(f'resource provider create {name}')['uuid']
    run(f'resource provider inventory set {one} --resource VCPU=4')
    shown = run(f'resource provider allocation set {consumer} --allocation rp={one},VCPU=2 '
                f'--project-id p --user-id u')
    assert shown == [{'resource_provider': one, 'generation': 2, 'resources': {'VCPU': 2}}]
    assert run(f'resource provider usage show {one}') == [{'resource_class': 'VCPU', 'usage': 2}]


def test_usages_of_a_project_before_types(url: str) -> None:
    assert Client(url, '1.9')('resource usage show nobody') == []


def test_inventories_allocations_and_usages(url: str) -> None:
    run, consumer, project = Client(url), uuid.uuid4(), uuid.uuid4().hex
    one = run(f'resource provider create host-{uuid.uuid4()}')['uuid']
    rows = run(f'resource provider inventory set {one} --resource VCPU=16 --resource VCPU:allocation_ratio=4.0 '
               f'--resource MEMORY_MB=1024 --resource MEMORY_MB:step_size=128')
    assert {row['resource_class']: row['total'] for row in rows} == {'VCPU': 16, 'MEMORY_MB': 1024}
    assert run(f'resource provider inventory class set {one} VCPU --total 8')['total'] == 8
    assert run(f'resource provider inventory show {one} VCPU')['total'] == 8
    assert len(run(f'resource provider inventory list {one}')) == 2
    run(f'resource provider allocation set {consumer} --allocation rp={one},VCPU=2 '
        f'--allocation rp={one},MEMORY_MB=256 --project-id {project} --user-id joe --consumer-type INSTANCE')
    held = run(f'resource provider allocation show {consumer}')
    assert held[0]['resources'] == {'VCPU': 2, 'MEMORY_MB': 256} and held[0]['project_id'] == project
    assert run(f'resource provider show {one} --allocations')['allocations'][str(consumer)][
        'resources'] == {'VCPU': 2, 'MEMORY_MB': 256}
    assert run(f'resource usage show {project} --user-id joe') == [
        {'resource_class': 'INSTANCE', 'usage': {'consumer_count': 1, 'VCPU': 2, 'MEMORY_MB': 256}}]
    rest = run(f'resource provider allocation unset {consumer} --provider {one} --resource-class VCPU')
    assert rest[0]['resources'] == {'MEMORY_MB': 256}
    assert 'in use' in run.refused(f'resource provider inventory delete {one} --resource-class MEMORY_MB')
    run(f'resource provider allocation delete {consumer}', shows=False)
    run(f'resource provider inventory delete {one} --resource-class MEMORY_MB', shows=False)
    run(f'resource provider inventory delete {one}', shows=False)
    assert run(f'resource provider inventory list {one}') == []


def test_capacity_is_told(url: str) -> None:
    run = Client(url)
    one = run(f'resource provider create host-{uuid.uuid4()}')['uuid']
    run(f'resource provider inventory set {one} --resource VCPU=1')
    said = run.refused(f'resource provider allocation set {uuid.uuid4()} --allocation rp={one},VCPU=2 '
                       f'--project-id p --user-id u --consumer-type INSTANCE')
    assert 'VCPU' in said


def test_traits_aggregates_and_classes(url: str) -> None:
    run, aggregate = Client(url), uuid.uuid4()
    one = run(f'resource provider create host-{uuid.uuid4()}')['uuid']
    run('trait create CUSTOM_OSC', shows=False)
    assert run('trait show CUSTOM_OSC')['name'] == 'CUSTOM_OSC'
    assert run('trait list --name startswith:CUSTOM_OSC') == [{'name': 'CUSTOM_OSC'}]
    assert run(f'resource provider trait set {one} --trait CUSTOM_OSC') == [{'name': 'CUSTOM_OSC'}]
    assert run(f'resource provider trait list {one}') == [{'name': 'CUSTOM_OSC'}]
    assert 'in use' in run.refused('trait delete CUSTOM_OSC')
    run(f'resource provider trait delete {one}', shows=False)
    run('trait delete CUSTOM_OSC', shows=False)
    generation = run(f'resource provider show {one}')['generation']
    assert run(f'resource provider aggregate set {one} --aggregate {aggregate} --generation {generation}'
               ) == [{'uuid': str(aggregate)}]
    assert run(f'resource provider aggregate list {one}') == [{'uuid': str(aggregate)}]
    assert [row['uuid'] for row in run(f'resource provider list --member-of {aggregate}')] == [one]
    run('resource class create CUSTOM_OSC', shows=False)
    run('resource class set CUSTOM_OSC', shows=False)
    assert run('resource class show CUSTOM_OSC') == {'name': 'CUSTOM_OSC'}
    assert {'name': 'CUSTOM_OSC'} in run('resource class list')
    run('resource class delete CUSTOM_OSC', shows=False)
    assert 'CUSTOM_OSC' in run.refused('resource class show CUSTOM_OSC')


def test_candidates(url: str) -> None:
    run = Client(url)
    one = run(f'resource provider create host-{uuid.uuid4()}')['uuid']
    run(f'resource provider inventory set {one} --resource VGPU=4 --resource DISK_GB=10')
    run(f'resource provider trait set {one} --trait HW_CPU_X86_AVX2')
    rows = run('allocation candidate list --resource VGPU=1 --resource DISK_GB=5 --required HW_CPU_X86_AVX2 '
               '--limit 3')
    assert rows[0]['resource provider'] == one and 'VGPU=1' in rows[0]['allocation']
    grouped = run('allocation candidate list --group 1 --resource VGPU=1 --group 2 --resource DISK_GB=1 '
                  '--group-policy none')
    assert {row['resource provider'] for row in grouped} == {one}
    assert run('allocation candidate list --resource VGPU=99') == []


def test_negotiation(url: str) -> None:
    assert Client(url, '1')('resource class show VCPU') == {'name': 'VCPU'}


def test_openstacksdk(url: str) -> None:
    cloud = openstack.connect(
        auth_type='admin_token', auth={'endpoint': url, 'token': 'admin'}, placement_endpoint_override=url,
        load_yaml_config=False, load_envvars=False, placement_default_microversion='1.39')
    name = f'sdk-{uuid.uuid4()}'
    one = cloud.placement.create_resource_provider(name=name)
    assert cloud.placement.find_resource_provider(name).id == one.id
    cloud.placement.create_resource_provider_inventory(one, 'VCPU', total=4)
    assert [entry.total for entry in cloud.placement.resource_provider_inventories(one)] == [4]
    consumer = str(uuid.uuid4())
    cloud.placement.update_allocation(
        consumer, allocations={one.id: {'resources': {'VCPU': 1}}}, consumer_generation=None,
        project_id='sdk', user_id='u', consumer_type='INSTANCE')
    assert cloud.placement.get_allocation(consumer).allocations[one.id]['resources'] == {'VCPU': 1}
    found = next(iter(cloud.placement.allocation_candidates(resources='VCPU:3', in_tree=one.id)))
    assert found.allocations[one.id] == {'resources': {'VCPU': 3}}
    cloud.placement.delete_allocation(consumer)
    cloud.placement.create_trait('CUSTOM_SDK')
    assert 'CUSTOM_SDK' in {trait.name for trait in cloud.placement.traits()}
    cloud.placement.create_resource_class(name='CUSTOM_SDK')
    assert cloud.placement.get_resource_class('CUSTOM_SDK').name == 'CUSTOM_SDK'
    cloud.placement.delete_resource_class('CUSTOM_SDK')
    cloud.placement.delete_resource_provider(one)
    assert cloud.placement.find_resource_provider(name) is None
