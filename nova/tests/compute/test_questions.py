"""What a host answers about its guests, by a lane of its own."""

import threading

import pytest

from nova import errors
from nova.objects.question import GuestQuestion, GuestsQuestion, HostQuestion
from nova.rpc import questions
from nova.tests.compute import cell
from nova.tests.fixtures.waiting import PATIENCE


@pytest.fixture
def ask(bus, heard, start, driver):
    """Asks a host that has joined, and so takes steps, about a guest that is there."""
    assert start(driver).wait_joined(PATIENCE)
    server = cell.server_of(vcpus=1, memory_mb=64)
    driver.spawn(cell.Handle(server))
    client = questions.Questions.client(bus, 'host1')

    def ask(method, **about):
        return getattr(client, method)(cell.CONTEXT, GuestQuestion(instance=server, **about))
    return ask


def test_a_console(ask, conf):
    place = ask('console', kind='novnc')
    assert (place.base_url, place.port) == ('http://127.0.0.1:6080/vnc_auto.html', 6080)
    assert place.internal_access_path


@pytest.mark.parametrize('kind', ['serial', 'spice-html5', 'rdp-html5', 'xvpvnc', 'nonsense', None])
def test_a_console_that_is_not_offered(ask, kind):
    with pytest.raises(errors.virt.ConsoleTypeUnavailable):
        ask('console', kind=kind)


def test_kinds_are_offered_where_they_are_enabled(ask, conf):
    conf.set_override('enabled', True, 'serial_console')
    assert ask('console', kind='serial').base_url == 'ws://127.0.0.1:6083/'


@pytest.mark.parametrize(('lines', 'said'), [(1, 'LAST LINE'), (0, ''), (None, 'FAKE CONSOLE OUTPUT')])
def test_the_log(ask, lines, said):
    assert said in ask('console_output', lines=lines).value


def test_diagnostics(ask):
    assert ask('diagnostics').value['state'] == 'running'


def test_a_guest_that_is_not_there(bus, heard, start, driver):
    start(driver)
    client = questions.Questions.client(bus, 'host1')
    with pytest.raises(errors.NotFound):
        client.diagnostics(cell.CONTEXT, GuestQuestion(instance=cell.server_of(vcpus=1, memory_mb=64)))


def test_questions_that_hang_hold_up_no_step(ask, host, gates, heard, driver):
    """A hypervisor that does not answer questions still runs steps."""
    hang = threading.Event()
    driver.console_output = lambda *arguments: hang.wait(10) and ''
    askers = [threading.Thread(target=ask, args=('console_output',)) for _ in range(6)]
    for asker in askers:
        asker.start()
    try:
        host.run_step(cell.CONTEXT, cell.call_of(cell.server_of()))
        assert heard.wait('results')
    finally:
        hang.set()
        for asker in askers:
            asker.join()


def test_how_long_a_host_has_been_up(bus, heard, start, driver):
    start(driver)
    client = questions.Questions.client(bus, 'host1')
    assert ' up ' in client.uptime(cell.CONTEXT, HostQuestion(host='host1')).text


def test_which_guests_there_are(bus, heard, start, driver):
    start(driver)
    server = cell.server_of(vcpus=1, memory_mb=64)
    driver.spawn(cell.Handle(server))
    client = questions.Questions.client(bus, 'host1')
    assert client.guests(cell.CONTEXT, GuestsQuestion(host='host1')).servers == [server.uuid]
