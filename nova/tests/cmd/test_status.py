"""nova-status, nova-policy and the generators."""

import json

import pytest
from keystoneauth1 import exceptions as ks_exc
from oslo_upgradecheck.upgradecheck import Code

from nova import conf as nova_conf
from nova import objects
from nova.cmd import generate, policy, status
from nova.common import uuids
from nova.conf import opts
from nova.tests.fixtures import databases, nova_db
from nova.tests.fixtures.deployed import Servers


@pytest.fixture
def cloud(lend):
    with nova_db.deployment(lend) as made:
        yield made


def test_cells(cloud, tmp_path):
    checks = status.Checks(cloud.conf)
    assert checks.cells().code == Code.SUCCESS
    cell = cloud.cells[0]
    cloud.db(cell).write(lambda conn: objects.Service.beat(conn, 'h', 'nova-compute', 1))
    assert checks.cells().code == Code.FAILURE and 'discover_hosts' in checks.cells().details
    cloud.api.write(objects.HostMapping(cell_id=cell.id, host='h').create)
    assert checks.cells().code == Code.SUCCESS
    cloud.api.write(cloud.cell0.destroy)
    assert 'map_cell0' in checks.cells().details


def test_no_cell_for_servers(lend):
    conf = nova_conf.new(config_files=[], **{
        'api_database.connection': lend('api')})
    assert 'map_cell0' in status.Checks(conf).cells().details


@pytest.mark.parametrize(('found', 'code'), [
    ((1, 39), Code.SUCCESS), ((1, 36), Code.SUCCESS), ((1, 35), Code.FAILURE)])
def test_placement_version(cloud, found, code):
    assert status.Checks(cloud.conf, lambda conf, section: found).placement().code == code


def test_neighbours_that_cannot_be_asked(cloud):
    def away(conf, section):
        raise ks_exc.ConnectFailure()
    checks = status.Checks(cloud.conf, away)
    assert checks.placement().code == Code.FAILURE
    assert checks.cinder().code == Code.SUCCESS, 'no credentials: no volumes'
    cloud.conf.set_override('auth_type', 'password', 'cinder')
    assert checks.cinder().code == Code.WARNING
    cloud.conf.set_override('auth_type', None, 'cinder')
    cloud.conf.set_override('auth_section', 'neutron', 'cinder')
    cloud.conf.set_override('auth_type', 'password', 'neutron')
    assert checks.cinder().code == Code.WARNING, 'its credentials are those of another section'


@pytest.mark.parametrize(('text', 'code'), [
    (None, Code.SUCCESS), ('', Code.SUCCESS), ('"a": "role:b"\n', Code.SUCCESS),
    ('{"a": "role:b"}', Code.FAILURE), ('{}', Code.SUCCESS)])
def test_policy_file(tmp_path, text, code):
    path = tmp_path / 'policy.yaml'
    if text is not None:
        path.write_text(text)
    conf = nova_conf.new(config_files=[], **{'oslo_policy.policy_file': str(path)})
    assert status.Checks(conf).policy_file().code == code


def test_old_computes_and_machine_types(cloud):
    checks, cell = status.Checks(cloud.conf), cloud.cells[0]
    assert checks.old_computes().code == Code.SUCCESS
    cloud.db(cell).write(lambda conn: objects.Service.beat(conn, 'old', 'nova-compute', 0))
    assert 'old' in checks.old_computes().details
    assert checks.machine_types().code == Code.SUCCESS
    flavor = objects.Flavor(id=1, flavorid='1', name='m', memory_mb=512, vcpus=1)
    Servers(cloud, flavor).in_cell(1, host='h')
    Servers(cloud, flavor).in_cell(1, host='h', system_metadata={'image_hw_machine_type': 'q35'})
    assert checks.machine_types().code == Code.WARNING and checks.machine_types().details.startswith('1 ')


def test_the_whole_table_and_its_exit_code(cloud, tmp_path, capsys):
    """UPG-F1."""
    file = tmp_path / 'nova.conf'
    file.write_text(f'[api_database]\nconnection={cloud.conf.api_database.connection}\n')
    assert status.main(['--config-file', str(file), 'upgrade', 'check']) == 2
    text = capsys.readouterr().out
    assert 'Check: Cells v2' in text and 'Check: Service User Token Configuration' in text


@pytest.mark.parametrize(('text', 'said'), [
    ('', '[api_database] connection is not set'),
    ('[api_database]\nconnection = sqlite:///{tmp}/empty.db\n', 'a database has no schema: run nova-manage'),
    ('[api_database]\nconnection = mysql+pymysql://u:secret@127.0.0.1:1/x\n',
     'a database cannot be reached'),
    ('[api_database]\nconnection = nonsense\n', 'a connection is no database URL'),
    ('[nonsense', 'Failed to parse'), (None, 'Failed to find')])
def test_where_it_cannot_look(tmp_path, capsys, text, said):
    """255, so that it is not taken for a result; one line says why, without passwords."""
    file = tmp_path / 'nova.conf'
    if text is not None:
        file.write_text(text.format(tmp=tmp_path))
    assert status.main(['--config-file', str(file), 'upgrade', 'check']) == 255
    out, err = capsys.readouterr()
    assert said in err and 'Traceback' not in out + err and 'secret' not in out + err


def test_a_database_without_schema(kind, tmp_path, tmp_path_factory, capsys):
    """Told in one line on every kind of database; MariaDB's driver has an error of its own for it."""
    file = tmp_path / 'nova.conf'
    with databases.database_url(kind, tmp_path_factory) as url:
        file.write_text(f'[api_database]\nconnection={url}\n')
        assert status.main(['--config-file', str(file), 'upgrade', 'check']) == 255
    out, err = capsys.readouterr()
    assert 'a database has no schema' in err and 'Traceback' not in out + err


def test_nova_policy(tmp_path, capsys):
    file = tmp_path / 'nova.conf'
    file.write_text('')
    base = ['--config-file', str(file), 'check', '--os-tenant-id', uuids.generate()]
    assert policy.main([*base, '--os-roles', 'reader', '--api-name', 'os-lock-server']) == 0
    assert capsys.readouterr().out == ''
    assert policy.main([*base, '--os-roles', 'reader,member', '--api-name', 'os-lock-server']) == 0
    assert capsys.readouterr().out.split() == ['os_compute_api:os-lock-server:lock',
                                               'os_compute_api:os-lock-server:unlock']
    assert policy.main([*base, '--os-roles', 'member', '--api-name', 'os-lock-server',
                        '--target', 'project_id=another']) == 0
    assert capsys.readouterr().out == ''
    assert policy.main([*base, '--api-name', 'nonsense']) == 1


def test_documents(capsys):
    rules = {rule.name: rule for rule in generate.list_rules()}
    lock = rules['os_compute_api:os-lock-server:lock']
    assert [call['method'] for call in lock.operations] == ['POST']
    assert generate.main(['openapi', '2.60']) == 0
    assert json.loads(capsys.readouterr().out)['info']['version'] == '2.60'


def test_every_option_has_a_help_and_one_home():
    seen = set()
    for group, options in opts.list_opts():
        for option in options:
            assert option.help, f'[{group}] {option.name}'
            assert (group, option.dest) not in seen, f'[{group}] {option.name} twice'
            seen.add((group, option.dest))
