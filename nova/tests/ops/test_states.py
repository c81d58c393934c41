"""From which states operations start, by their answers: 409 from others, while another one goes on, and where
its server is locked. The table that says so is ``nova/tests/states.yaml``.
"""

import dataclasses

import pytest

from nova import errors, states
from nova.common import clock, uuids
from nova.policies import enforcer
from nova.tests import states as facts
from nova.tests.api import cloud as clouds
from nova.tests.fixtures import nova_db

ID = uuids.generate()
SERVER, ACTION = '/servers/{server}', '/servers/{server}/action'


@dataclasses.dataclass(frozen=True)
class Ask:
    """A request that begins an action, as far as its server lets it."""

    body: object = None
    path: str = ACTION
    method: str = 'POST'
    version: str = '2.96'


def act(name, body=None, version='2.96'):
    return Ask({name: body}, version=version)


ASKED = {
    'delete': Ask(path=SERVER, method='DELETE'),
    'reboot_SOFT': act('reboot', {'type': 'SOFT'}), 'reboot_HARD': act('reboot', {'type': 'HARD'}),
    'rebuild': act('rebuild', {'imageRef': ID}), 'evacuate': act('evacuate', {}),
    'resize': act('resize', {'flavorRef': 'no-such'}),
    'os-migrateLive': act('os-migrateLive', {'host': None, 'block_migration': 'auto'}),
    'createImage': act('createImage', {'name': 'saved'}),
    'createBackup': act('createBackup', {'name': 'saved', 'backup_type': 'daily', 'rotation': 1}),
    'changePassword': act('changePassword', {'adminPass': 'new'}),
    'os-resetState': act('os-resetState', {'state': 'error'}),
    'os-getConsoleOutput': act('os-getConsoleOutput', {}),
    'addFixedIp': act('addFixedIp', {'networkId': ID}, '2.43'),
    'removeFixedIp': act('removeFixedIp', {'address': '192.0.2.9'}, '2.43'),
    'addSecurityGroup': act('addSecurityGroup', {'name': 'no-such'}),
    'removeSecurityGroup': act('removeSecurityGroup', {'name': 'no-such'}),
    'attach_volume': Ask({'volumeAttachment': {'volumeId': ID}}, f'{SERVER}/os-volume_attachments'),
    'attach_interface': Ask({'interfaceAttachment': {'net_id': ID}}, f'{SERVER}/os-interface'),
    'metadata_write': Ask({'metadata': {'key': 'value'}}, f'{SERVER}/metadata'),
    'tags_write': Ask({'tags': ['one']}, f'{SERVER}/tags', 'PUT'),
    'update_PUT': Ask({'server': {'name': 'two'}}, SERVER, 'PUT'),
    'diagnostics': Ask(path=f'{SERVER}/diagnostics', method='GET'),
    'consoles': Ask({'remote_console': {'protocol': 'vnc', 'type': 'novnc'}}, f'{SERVER}/remote-consoles'),
} | {name: act(name) for name in (
    'restore', 'forceDelete', 'os-start', 'os-stop', 'pause', 'unpause', 'suspend', 'resume', 'rescue',
    'unrescue', 'migrate', 'confirmResize', 'revertResize', 'shelve', 'shelveOffload', 'unshelve',
    'trigger_crash_dump', 'injectNetworkInfo', 'lock', 'unlock')}
STRICTER = {('evacuate', 'deleting'): 'a guest that is made elsewhere meanwhile would be nobody\'s'}
"""What is refused although the table allows it."""
LAST = ('delete', 'forceDelete', 'os-resetState')
"""After them a server is of no use for others."""
ELSEWHERE = {
    'soft_delete': 'is DELETE, where servers are kept for a while: test_actions.py',
    'migration_force_complete': 'needs a migration: api/test_migrations.py',
    'migration_abort': 'needs a migration: api/test_migrations.py',
    'detach_volume': 'needs a volume: test_volume_attachments.py',
    'swap_volume': 'needs volumes: test_volume_attachments.py',
    'detach_interface': 'needs a port: test_interfaces.py',
    'share_attach': 'is about shares: api/test_shares.py',
    'share_detach': 'is about shares: api/test_shares.py',
    'external_event': 'is no operation of users',
}


@pytest.fixture
def everybody(lend, tmp_path):
    """A cloud whose policy lets everybody do everything."""
    file = tmp_path / 'policy.yaml'
    file.write_text(''.join(f'"{rule.name}": "@"\n' for rule in enforcer.list_rules()))
    with nova_db.deployment(lend, **{
            'api.auth_strategy': 'noauth2', 'oslo_policy.policy_file': str(file)}) as made:
        yield clouds.Cloud(made)


def make(cloud, vm_state='active', **values):
    # A server that was shelved and offloaded has no host.
    host = None if vm_state == 'shelved_offloaded' else 'host1'
    return cloud.server(vm_state=vm_state, host=host, node=host, launched_at=clock.utcnow(), **values)


def hosted(cloud):
    # Heard of for as long as the test takes; what it is asked about guests it does not know.
    cloud.conf.set_override('service_down_time', 3600)
    cloud.host('host1')
    cloud.seen = errors.Conflict('Nothing is there.')


def ask(cloud, server, name, **options):
    """The answer, and whether it says that the server's states do not allow it."""
    one = ASKED[name]
    answer = cloud.call(one.method, one.path.format(server=server.uuid), one.version, json=one.body, **options)
    assert answer.status_code < 500, (name, answer.text)
    return answer, answer.status_code == 409 and '_state ' in answer.text


def test_every_action_is_asked_for():
    assert set(ASKED) | set(ELSEWHERE) == set(facts.actions())


def test_operations_start_from_these_states_alone(cloud):
    hosted(cloud)
    servers = {str(state): make(cloud, str(state)) for state in states.VM}
    wrong = {}
    for name in sorted(ASKED, key=LAST.__contains__):
        starts = facts.actions()[name].starts
        # One that is let in changes its server, unless every state will do.
        found = {state for state, made in servers.items()
                 if not ask(cloud, make(cloud, state) if state in starts < set(servers) else made, name)[1]}
        if found != starts:
            wrong[name] = found ^ starts
    assert not wrong


@pytest.mark.parametrize('task_state', ['migrating', 'rebooting', 'deleting'])
def test_one_operation_at_a_time(cloud, task_state):
    """But what is free of states, and what ends whatever goes on."""
    hosted(cloud)
    wrong = {}
    for name in ASKED:
        rules = facts.actions()[name]
        answer, refused = ask(cloud, make(cloud, min(rules.starts), task_state=task_state), name)
        if refused == (rules.beside(task_state) and (name, task_state) not in STRICTER):
            wrong[name] = answer.text
    assert not wrong


def test_a_locked_server_refuses_what_the_table_says(everybody):
    """LOCK: everyone but administrators, whatever the policy allows."""
    hosted(everybody)
    wrong = {}
    for name in ASKED:
        rules = facts.actions()[name]
        for who, headers in (('member', clouds.MEMBER), ('administrator', clouds.ADMIN)):
            server = make(everybody, min(rules.starts), locked_by='owner')
            answer, _ = ask(everybody, server, name, headers=headers)
            refused = answer.status_code == 409 and 'is locked' in answer.text
            if refused != (bool(rules.locks) and who == 'member'):
                wrong[name, who] = answer.status_code, answer.text
    assert not wrong
