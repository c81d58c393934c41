"""A guest is asked for a device as often as it needs (VOL-S2); what QEMU answers meanwhile is no failure."""

import contextlib
import types

import libvirt
import pytest

from nova import conf as nova_conf
from nova import errors
from nova.virt.libvirt import xml
from nova.virt.libvirt.plugs import Plugs

pytestmark = pytest.mark.libvirt

ALIAS = 'ua-disk'
DISK = f'<devices><disk type="block"><alias name="{ALIAS}"/></disk></devices>'
LEAVING = f'Device {ALIAS} is already in the process of unplug'


class Domain:
    """Lets its disk go when it has been asked more than `ignored` times; ``answers`` are QEMU's to each."""

    def __init__(self, ignored, answers=(), state=libvirt.VIR_DOMAIN_RUNNING):
        self.ignored, self.answers, self._state = ignored, dict(enumerate(answers, 1)), state
        self.asked, self.starts_with_it = 0, True

    def isActive(self):
        return True

    def state(self):
        return [self._state, 0]

    def XMLDesc(self, flags):
        has = self.starts_with_it if flags == libvirt.VIR_DOMAIN_XML_INACTIVE else self.asked <= self.ignored
        return f'<domain>{DISK if has else "<devices/>"}</domain>'

    def detachDeviceFlags(self, text, flags):
        assert ALIAS in text
        if flags == libvirt.VIR_DOMAIN_AFFECT_CONFIG:
            self.starts_with_it = False
            return
        assert flags == libvirt.VIR_DOMAIN_AFFECT_LIVE
        self.asked += 1
        if answer := self.answers.get(self.asked):
            raise libvirt.libvirtError(answer)


class Bare(Plugs):
    """Nothing but what plugging needs; notes how long it would have waited for the guest."""

    def __init__(self):
        self.conf = nova_conf.new(config_files=[], **{
            'libvirt.device_detach_attempts': 4, 'libvirt.device_detach_timeout': 7})
        self.session, self.waited = types.SimpleNamespace(removal=self._removal), []

    @contextlib.contextmanager
    def _removal(self, uuid, alias):
        assert alias == ALIAS
        yield types.SimpleNamespace(wait=self.waited.append)

    def out(self, domain):
        handle = types.SimpleNamespace(instance=types.SimpleNamespace(uuid='server'))
        self.plug_out(handle, domain, lambda tree: xml.find_device(tree, ALIAS), 'volume')


@pytest.mark.parametrize('answers', [(), ('', LEAVING, LEAVING)])
def test_a_guest_is_asked_until_it_lets_go(answers):
    plugs, domain = Bare(), Domain(2, answers)
    plugs.out(domain)
    assert (domain.asked, plugs.waited, domain.starts_with_it) == (3, [7, 7, 7], False)


def test_a_guest_that_never_lets_go_has_it_at_its_next_start_too():
    plugs, domain = Bare(), Domain(100)
    with pytest.raises(errors.virt.DetachFailed, match='it was asked 4 times'):
        plugs.out(domain)
    assert (domain.asked, domain.starts_with_it) == (4, True)


def test_a_guest_that_stands_still_is_asked_once():
    plugs, domain = Bare(), Domain(100, state=libvirt.VIR_DOMAIN_PAUSED)
    with pytest.raises(errors.virt.DetachFailed, match='the guest is paused'):
        plugs.out(domain)
    assert (domain.asked, plugs.waited, domain.starts_with_it) == (1, [0], True)


def test_what_qemu_refuses_otherwise_is_told():
    with pytest.raises(libvirt.libvirtError, match='no such thing'):
        Bare().out(Domain(1, ['no such thing']))
