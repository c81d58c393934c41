"""From which states each operation starts, by its answers: 409 from others, and while another one goes on."""

import pytest

from nova import states
from nova.common import clock, uuids

ID = uuids.generate()
RUNS, SHOT = 'active paused suspended stopped', 'active paused stopped'
OFF = 'shelved shelved_offloaded'
DISKS = f'active paused stopped resized soft-delete {OFF}'
ANY = ' '.join(states.VM)

STARTS = {
    # action: (body, states from which it starts)
    'os-start': (None, 'stopped'), 'os-stop': (None, 'active error'),
    'reboot-soft': ({'reboot': {'type': 'SOFT'}}, 'active'),
    'reboot-hard': ({'reboot': {'type': 'HARD'}}, 'active stopped paused suspended error'),
    'pause': (None, 'active'), 'unpause': (None, 'paused'),
    'suspend': (None, 'active'), 'resume': (None, 'suspended'),
    'rescue': (None, 'active stopped error'), 'unrescue': (None, 'rescued'),
    'rebuild': ({'imageRef': ID}, 'active stopped error'), 'restore': (None, 'soft-delete'),
    'resize': ({'flavorRef': 'no-such'}, 'active stopped'), 'migrate': (None, 'active stopped'),
    'confirmResize': (None, 'resized'), 'revertResize': (None, 'resized'),
    'os-migrateLive': ({'host': None, 'block_migration': 'auto'}, 'active paused'),
    'createImage': ({'name': 'saved'}, RUNS),
    'createBackup': ({'name': 'saved', 'backup_type': 'daily', 'rotation': 1}, RUNS),
    'shelve': (None, RUNS), 'shelveOffload': (None, 'shelved'), 'unshelve': (None, OFF),
    'changePassword': ({'adminPass': 'new'}, 'active'),
    'trigger_crash_dump': (None, 'active paused rescued resized error'),
}
FREE = {
    # operations that other ones and locks do not keep away
    'evacuate': ({}, 'active stopped error'), 'forceDelete': (None, ANY),
    'os-resetState': ({'state': 'error'}, ANY), 'lock': (None, ANY), 'unlock': (None, ANY),
}
DEVICES = {
    # path: (body, states)
    'os-volume_attachments': ({'volumeAttachment': {'volumeId': ID}}, DISKS),
    'os-interface': ({'interfaceAttachment': {'net_id': ID}}, SHOT),
}


@pytest.fixture
def server(cloud):
    # Heard of for as long as the test takes.
    cloud.conf.set_override('service_down_time', 3600)
    cloud.host('host1')

    def make(vm_state='active', **values):
        # A server that was shelved and offloaded has no host.
        host = None if vm_state == 'shelved_offloaded' else 'host1'
        return cloud.server(vm_state=vm_state, host=host, node=host, launched_at=clock.utcnow(), **values)
    return make


def ask(cloud, server, name, body, **options):
    """The answer, and whether it says that the server's states do not allow it."""
    if name in DEVICES:
        answer = cloud.call('POST', f'/servers/{server.uuid}/{name}', '2.96', json=body, **options)
    else:
        whole = body if name.startswith('reboot') else {name: body}
        answer = cloud.call('POST', f'/servers/{server.uuid}/action', '2.96', json=whole, **options)
    return answer, answer.status_code == 409 and '_state ' in answer.text


def test_operations_start_from_these_states_alone(cloud, server):
    servers = {str(state): server(str(state)) for state in states.VM}
    for name, (body, starts) in (STARTS | FREE | DEVICES).items():
        wanted = set(starts.split())
        # One that is let in changes its server.
        found = {state for state, made in servers.items()
                 if not ask(cloud, server(state) if state in wanted else made, name, body)[1]}
        assert found == wanted, name


def test_one_operation_at_a_time(cloud, server):
    """But what is free of states, and what ends whatever goes on."""
    for name, (body, starts) in (STARTS | FREE | DEVICES).items():
        answer, refused = ask(cloud, server(starts.split()[0], task_state='migrating'), name, body)
        assert refused == (name not in FREE), (name, answer.text)
