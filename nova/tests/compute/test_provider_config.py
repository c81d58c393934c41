"""What operators give to a host's providers, and what they get wrong."""

import pytest

from nova import conf as nova_conf
from nova import errors
from nova.compute import inventory, provider_config
from nova.compute.servers import ServerJournals
from nova.domain import provider_tree
from nova.tests.compute import cell
from nova.virt.fake.driver import FakeDriver

ROOT = 'f0f0f0f0-0000-4000-8000-000000000001'
GOOD = '''
meta: {schema_version: '1.0'}
providers:
- identification: {uuid: $COMPUTE_NODE}
  inventories: {additional: [{CUSTOM_LICENCES: {total: 10, reserved: 1}}]}
  traits: {additional: [CUSTOM_QUIET]}
- identification: {name: gpu}
  traits: {additional: [CUSTOM_FAST]}
'''


@pytest.fixture
def write(tmp_path):
    def write(text, name='a.yaml'):
        (tmp_path / name).write_text(text)
        return str(tmp_path)
    return write


def tree():
    made = provider_tree.ProviderTree(provider_tree.Provider(uuid=ROOT, name='host1', inventory={'VCPU': {}}))
    made.add(provider_tree.Provider(uuid=ROOT[:-1] + '2', name='gpu', parent=ROOT))
    return made


def test_what_is_given(write):
    found = tree()
    provider_config.apply(provider_config.load(write(GOOD)), found)
    assert found.root.inventory['CUSTOM_LICENCES'] == {'total': 10, 'reserved': 1, 'max_unit': 10}
    assert found.root.traits == {'CUSTOM_QUIET'}
    assert [provider.traits for provider in found if provider.name == 'gpu'] == [{'CUSTOM_FAST'}]


def test_an_entry_of_its_own_comes_before_that_of_every_node(write):
    write(GOOD)
    where = write(f"meta: {{schema_version: '1.0'}}\nproviders: [{{identification: {{uuid: {ROOT}}}, "
                  'traits: {additional: [CUSTOM_OWN]}}]', 'b.yaml')
    found = tree()
    provider_config.apply(provider_config.load(where), found)
    assert found.root.traits == {'CUSTOM_OWN'} and 'CUSTOM_LICENCES' not in found.root.inventory


def test_what_the_driver_reports_stays(write, caplog):
    found = tree()
    found.root.inventory['CUSTOM_LICENCES'] = {'total': 3}
    provider_config.apply(provider_config.load(write(GOOD)), found)
    assert found.root.inventory['CUSTOM_LICENCES'] == {'total': 3} and 'CUSTOM_LICENCES' in caplog.text


def test_no_directory_gives_nothing(tmp_path):
    assert provider_config.load(str(tmp_path / 'none')) == []


@pytest.mark.parametrize('text', [
    '', '[]', '{', 'providers: []', "meta: {schema_version: '2.0'}\nproviders: []",
    GOOD.replace('CUSTOM_LICENCES', 'VCPU'), GOOD.replace('CUSTOM_QUIET', 'HW_CPU_X86_AVX'),
    GOOD.replace('total: 10, ', ''), GOOD.replace('total: 10', 'total: many'),
    GOOD.replace('10, reserved', '10, more'),
    GOOD.replace('{name: gpu}', '{name: gpu, uuid: x}'), GOOD.replace('{name: gpu}', '{}'),
    GOOD.replace('{name: gpu}', '{uuid: $COMPUTE_NODE}')])
def test_files_that_are_wrong(write, text):
    with pytest.raises(errors.Invalid, match='a.yaml'):
        provider_config.load(write(text))


def test_it_reaches_placement(write, tmp_path):
    conf = nova_conf.new(config_files=[], **{'compute.provider_config_location': write(GOOD),
                                            'state_path': str(tmp_path)})
    clients = cell.Clients()
    inventory.Inventory(conf, 'host1', FakeDriver('host1', tmp_path / 'host1'), clients.placement,
                        ServerJournals()).report()
    root = clients.placement.trees['host1'].root
    assert root.inventory['CUSTOM_LICENCES']['total'] == 10 and 'CUSTOM_QUIET' in root.traits
