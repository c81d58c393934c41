"""What users see of a guest, and what they make it do, over the whole cloud."""

import pytest

from nova.tests.fixtures.waiting import until

pytestmark = pytest.mark.parametrize('cloud', ['sqlite'], indirect=True)


@pytest.fixture
def uuid(demo):
    uuid = demo.booted('seen')['id']
    yield uuid
    demo.delete(uuid)


def last_action(demo, uuid):
    last = demo.get(f'/servers/{uuid}/os-instance-actions')['instanceActions'][0]
    return last['action'], last['message']


def output(demo, uuid, **body):
    return demo.act(uuid, 'os-getConsoleOutput', body).json()['output'].splitlines()


def test_a_console_shows_what_the_guest_did(demo, uuid):
    assert output(demo, uuid) == ['FAKE CONSOLE OUTPUT', 'ANOTHER', 'ONE MORE', 'LAST LINE']
    assert output(demo, uuid, length=1) == ['LAST LINE'] and output(demo, uuid, length=0) == []
    demo.act(uuid, 'trigger_crash_dump')
    until(lambda: output(demo, uuid, length=1) == ['crash dump'])
    assert last_action(demo, uuid) == ('trigger_crash_dump', None)


@pytest.mark.parametrize(('agent', 'message'), [('no', 'Error'), ('yes', None)])
def test_the_agent_in_the_guest_sets_the_password(demo, uuid, agent, message):
    made = {'createImage': {'name': 'agent', 'metadata': {'hw_qemu_guest_agent': agent}}}
    image = demo.call('POST', f'/servers/{uuid}/action', made).json()['image_id']
    demo.wait(uuid, 'ACTIVE')
    server = demo.booted('agent', imageRef=image)['id']
    demo.act(server, 'changePassword', {'adminPass': 's3cret'}, status='ACTIVE')
    assert last_action(demo, server) == ('changePassword', message)
    demo.delete(server)


def test_diagnostics(admin, uuid):
    seen = admin.get(f'/servers/{uuid}/diagnostics')
    assert (seen['state'], seen['num_cpus'], seen['num_nics']) == ('running', 1, 1)
    assert admin.get(f'/servers/{uuid}/diagnostics', version='2.1')['cpu0_time'] == 0
