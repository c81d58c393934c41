"""What is undone of an operation on a guest's power: the server is as before, or what its guest is."""

import pytest

from nova import errors
from nova.ops import pause, suspend
from nova.ops.shelve import host
from nova.states import VM, Power
from nova.tests.compute.cell import Handle, server_of
from nova.virt.fake.driver import FakeDriver

CASES = [(pause.Pause, Power.RUNNING, VM.ACTIVE), (pause.Unpause, Power.PAUSED, VM.PAUSED),
         (suspend.Suspend, Power.RUNNING, VM.ACTIVE), (suspend.Resume, Power.SUSPENDED, VM.SUSPENDED)]


@pytest.fixture
def h():
    instance, driver = server_of(), FakeDriver('host1')
    made = Handle(instance)
    made.driver = driver
    driver.spawn(made)
    return made


def begin(h, power, vm_state):
    h.instance.vm_state = str(vm_state)
    if power is Power.PAUSED:
        h.driver.pause(h)
    elif power is Power.SUSPENDED:
        h.driver.suspend(h)


@pytest.mark.parametrize('done', [True, False], ids=['done', 'not-done'])
@pytest.mark.parametrize(('flow', 'power', 'vm_state'), CASES)
def test_as_before(h, flow, power, vm_state, done):
    begin(h, power, vm_state)
    step, = flow.steps
    if done:
        step.do(h, None)
    step.undo(h, None)
    assert (h.driver.state(h), h.instance.power_state, h.instance.vm_state) == (power, power, vm_state)


@pytest.mark.parametrize(('flow', 'power', 'vm_state'), CASES)
def test_a_guest_that_was_off_already(h, flow, power, vm_state):
    """It is told as it is, and the operation does not get stuck."""
    begin(h, power, vm_state)
    h.driver.power_off(h)
    step, = flow.steps
    with pytest.raises(errors.NovaError):
        step.do(h, None)
    step.undo(h, None)
    assert (h.instance.power_state, h.instance.vm_state) == (Power.SHUTDOWN, VM.STOPPED)


@pytest.mark.parametrize(('power', 'vm_state'), [
    (Power.RUNNING, VM.ACTIVE), (Power.PAUSED, VM.PAUSED), (Power.SUSPENDED, VM.SUSPENDED),
    (Power.SHUTDOWN, VM.STOPPED)])
@pytest.mark.parametrize('done', [True, False], ids=['done', 'not-done'])
def test_a_guest_that_was_not_shelved_is_as_before(h, power, vm_state, done):
    """Also where its host hears of that when nobody looks any more."""
    begin(h, power, vm_state)
    if done or power is Power.SHUTDOWN:
        h.driver.power_off(h)
    host.go_on(h, None)
    assert (h.driver.state(h), h.instance.power_state, h.instance.vm_state) == (power, power, vm_state)
