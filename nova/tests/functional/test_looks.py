"""What users see of a guest, and what they make it do, over the whole cloud."""

import pytest

from nova.tests.fixtures.waiting import until

pytestmark = pytest.mark.parametrize('cloud', ['sqlite'], indirect=True)


@pytest.fixture
def uuid(demo):
    uuid = demo.booted('seen')['id']
    yield uuid
    demo.delete(uuid)


def output(demo, uuid, **body):
    return demo.act(uuid, 'os-getConsoleOutput', body).json()['output'].splitlines()


def test_a_console_shows_what_the_guest_did(demo, uuid):
    assert output(demo, uuid) == ['FAKE CONSOLE OUTPUT', 'ANOTHER', 'LAST LINE']
    assert output(demo, uuid, length=1) == ['LAST LINE'] and output(demo, uuid, length=0) == []
    demo.act(uuid, 'trigger_crash_dump')
    demo.act(uuid, 'changePassword', {'adminPass': 'x'}, status='ACTIVE')
    until(lambda: output(demo, uuid, length=1) == ['crash dump'])
    done = demo.get(f'/servers/{uuid}/os-instance-actions')['instanceActions']
    assert [(each['action'], each['message']) for each in done[:2]] == [
        ('changePassword', None), ('trigger_crash_dump', None)]


def test_diagnostics(admin, uuid):
    seen = admin.get(f'/servers/{uuid}/diagnostics')
    assert (seen['state'], seen['num_cpus'], seen['num_nics']) == ('running', 1, 1)
    assert admin.get(f'/servers/{uuid}/diagnostics', version='2.1')['cpu0_time'] == 0
