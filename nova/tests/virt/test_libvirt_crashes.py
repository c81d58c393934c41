"""The process dies before and after each thing that it does on the host: who comes next makes good."""

import pathlib

import pytest

from nova import objects
from nova.states import Power
from nova.tests.virt.labs.base import Handle, Site
from nova.virt.libvirt.commands import Commands
from nova.virt.libvirt.driver import LibvirtDriver

pytestmark = [pytest.mark.libvirt, pytest.mark.timeout(1800)]


class Killed(BaseException):
    """As by kill -9."""


class Dying(Commands):
    """Dies around the command of a number; counts them where none is given."""

    def __init__(self, prefix, number=None, when='before'):
        super().__init__(prefix)
        self._number, self._when, self.count = number, when, 0

    def run(self, *command, **how):
        self.count += 1
        if self.count == self._number and self._when == 'before':
            raise Killed(command)
        said = super().run(*command, **how)
        if self.count == self._number:
            raise Killed(command)
        return said


def process(real, number=None, when='before'):
    """A process of h1 that dies; the host and its journal are what they were."""
    site = real.sites['h1']
    conf = site.conf
    driver = LibvirtDriver.build(conf, 'h1', None, Dying(real.prefix('h1'), number, when), real.reach)
    made = Site('h1', driver, conf)
    made.journals = site.journals
    return made


def left(real, instance):
    """What is on the host of a server: files, and taps."""
    files = [each.name for each in pathlib.Path(real.sites['h1'].conf.instances_path).iterdir()
             if instance.uuid in each.name or each.name.startswith('snapshot-')]
    taps = [vif.devname for vif in instance.network_info.vifs
            if vif.devname in real.sites['h1'].driver.commands.ip('link')]
    return files + taps


def test_spawning_and_removing(real):
    def server():
        return real.server(config_drive=True, network_info=objects.NetworkInfo(vifs=[real.vif()]))
    real.forget_image('h1')
    first = process(real)
    h = Handle(real, first, server())
    h.driver.spawn(h)
    steps = first.driver.commands.count
    assert steps >= 5
    for number in range(1, steps + 1):
        for when in ('before', 'after'):
            instance = server()
            # The image is fetched anew each time, so that all commands are run.
            real.forget_image('h1')
            dies = Handle(real, process(real, number, when), instance)
            with pytest.raises(Killed):
                dies.driver.spawn(dies)
            again = real.h(instance)
            again.driver.spawn(again)
            assert again.driver.state(again) == Power.RUNNING
            again.driver.destroy(again)
            assert left(real, instance) == []


@pytest.mark.parametrize('when', ['before', 'after'])
def test_a_half_made_guest_is_removed(real, when):
    for number in (2, 4, 6):
        instance = real.server(config_drive=True, network_info=objects.NetworkInfo(vifs=[real.vif()]))
        dies = Handle(real, process(real, number, when), instance)
        with pytest.raises(Killed):
            dies.driver.spawn(dies)
            raise Killed  # there were fewer commands
        h = real.h(instance)
        h.driver.destroy(h)
        assert h.driver.state(h) is None and left(real, instance) == []


def test_migrating_out(real):
    """COLD: whoever repeats it, or goes back, finds the disks."""
    instance = real.server()
    h = real.h(instance)
    h.driver.spawn(h)
    move = real.move(instance=instance)
    for number in (1, 2, 3):
        dies = Handle(real, process(real, number), instance)
        try:
            dies.driver.migrate_out(dies, move)
        except Killed:
            h.driver.migrate_out(h, move)
        h.driver.revert_migration(h, move, True)
        assert h.driver.state(h) == Power.RUNNING
        there = real.h(instance, 'h2')
        there.driver.destroy(there)
