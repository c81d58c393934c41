"""nova-manage limits: what it makes of quotas in the identity service, and how it exits."""

import openstack
import pytest

from nova import conf, objects
from nova.cmd import manage
from nova.cmd.manage import command
from nova.common import uuids
from nova.objects import quota
from nova.tests.fixtures import nova_db
from nova.tests.fixtures.deployed import Servers
from nova.tests.fixtures.sandbox import running_sandbox

SERVICE = 'compute'


@pytest.fixture(scope='module')
def sandbox(tmp_path_factory):
    with running_sandbox(tmp_path_factory.mktemp('sandbox')) as running:
        yield running


@pytest.fixture
def admin(sandbox):
    found = openstack.connect(**sandbox.cloud('admin')).identity
    yield found
    for one in found.limits():
        found.delete_limit(one)
    for one in found.registered_limits():
        found.delete_registered_limit(one)


@pytest.fixture
def cloud(lend):
    with nova_db.deployment(lend, transport_url='inproc://top', host='host1') as made:
        yield made


@pytest.fixture
def run(cloud, sandbox, tmp_path, capsys):
    """``nova-manage limits migrate_to_unified_limits ...``: exit code, and what was printed."""
    file = tmp_path / 'nova.conf'
    file.write_text('\n'.join([
        '[oslo_limit]', 'endpoint_region_name = RegionOne', '[keystone]', 'auth_type = password',
        *(f'{name} = {value}' for name, value in sandbox.credentials('admin').items())]))
    settings = conf.new(config_files=[str(file)], **{'quota.instances': 7})

    def call(*words):
        options = manage.parser().parse_args(['limits', 'migrate_to_unified_limits', *words])
        one = command.COMMANDS['limits', 'migrate_to_unified_limits']
        code = one.run(command.Env(settings, cloud.databases), options)
        return code, capsys.readouterr().out
    return call


def registered(admin):
    return {one.resource_name: one.default_limit for one in admin.registered_limits(region_id='RegionOne')}


def test_quotas_become_limits(run, cloud, admin, sandbox):
    """Defaults are the class's, else the configured ones; projects get their own; users' are left out."""
    project = sandbox.made.projects['demo']
    cloud.api.write(lambda conn: quota.set_class_limits(conn, 'default', {'cores': 30}))
    limits = {'instances': 3, 'ram': -1, 'fixed_ips': 1}
    cloud.api.write(lambda conn: quota.set_project_limits(conn, project, limits))
    cloud.api.write(lambda conn: quota.set_user_limits(conn, project, 'u', {'instances': 1}))
    code, said = run()
    assert code == 0 and project in said
    assert registered(admin) == {
        'servers': 7, 'class:VCPU': 30, 'class:MEMORY_MB': 51200, 'server_metadata_items': 128,
        'server_injected_files': 5, 'server_injected_file_content_bytes': 10240,
        'server_injected_file_path_bytes': 255, 'server_key_pairs': 100, 'server_groups': 10,
        'server_group_members': 10}
    assert {(one.project_id, one.resource_name): one.resource_limit for one in admin.limits()} == {
        (project, 'servers'): 3, (project, 'class:MEMORY_MB'): -1}


def test_what_is_there_stays_and_again_is_nothing(run, cloud, admin, sandbox):
    service = next(admin.services(type=SERVICE)).id
    admin.create_registered_limit(service_id=service, region_id='RegionOne', resource_name='servers',
                                  default_limit=99)
    project = sandbox.made.projects['demo']
    cloud.api.write(lambda conn: quota.set_project_limits(conn, project, {'instances': 3}))
    for _ in range(2):
        assert run('--quiet') == (0, '')
        assert registered(admin)['servers'] == 99 and len(list(admin.limits())) == 1
    assert 'servers' in run('--verbose')[1] and 'servers' not in run()[1]


def test_a_dry_run_makes_nothing(run, admin):
    code, said = run('--dry-run')
    assert code == 0 and 'class:VCPU' in said
    assert registered(admin) == {}


def test_one_project_and_another_region(run, cloud, admin, sandbox):
    for name in ('demo', 'admin'):
        cloud.api.write(lambda conn, name=name: quota.set_project_limits(
            conn, sandbox.made.projects[name], {'instances': 3}))
    admin.create_region(id='Elsewhere')
    assert run('--region-id', 'Elsewhere', '--project-id', sandbox.made.projects['demo'])[0] == 0
    assert {(one.region_id, one.project_id) for one in admin.limits()} == {
        ('Elsewhere', sandbox.made.projects['demo'])}
    assert registered(admin) == {}


def test_a_project_that_is_gone(run, cloud, admin):
    """Its limits cannot be set; those of others are."""
    gone = uuids.generate().replace('-', '')
    cloud.api.write(lambda conn: quota.set_project_limits(conn, gone, {'instances': 3}))
    code, said = run()
    assert code == 0 and f'project {gone} were not copied' in said
    assert registered(admin)['servers'] == 7


def test_resources_that_nobody_may_have_any_of(run, cloud, admin):
    """Flavors are looked through, and what servers were made of, unless that takes too long."""
    flavor = objects.Flavor(flavorid='1', name='m', memory_mb=512, vcpus=1, root_gb=5)
    cloud.api.write(flavor.create)
    servers = Servers(cloud, objects.Flavor(id=2, flavorid='2', name='gone', memory_mb=512, vcpus=1,
                                            extra_specs={'resources:CUSTOM_GOLD': '1'}))
    servers.in_cell(1)
    code, said = run()
    assert code == 3 and 'class:DISK_GB' in said and 'class:CUSTOM_GOLD' in said
    code, said = run('--no-embedded-flavor-scan')
    assert code == 3 and 'class:DISK_GB' in said and 'class:CUSTOM_GOLD' not in said
    service = next(admin.services(type=SERVICE)).id
    for name in ('class:DISK_GB', 'class:CUSTOM_GOLD'):
        admin.create_registered_limit(service_id=service, region_id='RegionOne', resource_name=name,
                                      default_limit=1)
    assert run()[0] == 0
