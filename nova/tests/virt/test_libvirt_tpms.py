"""Emulated TPMs of real guests: encrypted, opened by nobody but who has the passphrase, and taken along."""

import pathlib

import pytest

from nova import errors
from nova.domain import tpm
from nova.keymgr import Keys
from nova.states import Power
from nova.tests.fixtures.keys import MemoryKeyManager
from nova.tests.virt.labs.base import CONTEXT, Handle
from nova.tests.virt.test_libvirt_crashes import Killed, process
from nova.tests.virt.test_libvirt_guests import script
from nova.tests.virt.test_protocol import move_live

pytestmark = pytest.mark.timeout(1800)
quick, long = pytest.mark.libvirt, pytest.mark.slow

TELLS = script('cat /sys/class/tpm/tpm0/tpm_version_major | sed "s/^/GUEST tpm /" >/dev/console')


ENCRYPTED = 1
"""Flag in the header of swtpm's files; what follows is."""


def having_tpm(real, version='2.0', **values):
    """The handle of a server with a TPM, and the id of its passphrase; both hosts are there."""
    for site in real.sites.values():
        site.driver.guests()
    secret = Keys(real.sites['h1'].conf).make(CONTEXT, 'vTPM')
    server = real.server(extra={'hw:tpm_version': version}, system_metadata={tpm.KEY: secret}, **values)
    return real.h(server), secret


def states(real, server, host='h1'):
    """What a host keeps of a server's TPM, by name."""
    home = pathlib.Path(real.hosts) / host / 'lib' / 'swtpm' / server.uuid
    return {each.name: each.read_bytes() for each in home.glob('*/*.permall')}


@quick
def test_a_tpm(real):
    """It is there, encrypted; libvirt forgets what opens it at once; it goes with the guest."""
    h, secret = having_tpm(real, config_drive=True, user_data=TELLS)
    h.driver.spawn(h)
    assert real.secrets('h1') == set()
    real.wait(h, 'GUEST tpm 2')
    h.driver.power_off(h)
    kept, = states(real, h.instance).values()
    assert int.from_bytes(kept[4:6], 'big') & ENCRYPTED
    MemoryKeyManager.kept.pop(secret)
    with pytest.raises(errors.server.PassphraseUnavailable):
        h.driver.power_on(h)
    assert real.secrets('h1') == set() and h.driver.state(h) == Power.SHUTDOWN
    h.driver.destroy(h)
    assert states(real, h.instance) == {}


@long
@pytest.mark.parametrize('version', ['1.2', '2.0'])
def test_it_moves_while_it_is_off(real, version):
    """There and back: what is there afterwards is opened by the passphrase and is what there was."""
    h, _ = having_tpm(real, version)
    h.driver.spawn(h)
    move, there = real.move(instance=h.instance), real.h(h.instance, 'h2')
    h.driver.power_off(h)
    had, = states(real, h.instance).values()
    for _ in range(2):
        h.driver.migrate_out(h, move)
    assert states(real, h.instance) == {}
    for _ in range(2):
        there.driver.migrate_in(there, move, False)
    came = there.driver.paths(there).tpm
    assert came.read_bytes() == had and came.stat().st_mode & 0o077 == 0
    there.driver.power_on(there)
    assert not came.exists() and states(real, h.instance, 'h2')
    assert real.secrets('h2') == set()
    there.driver.destroy(there)
    assert states(real, h.instance, 'h2') == {}
    h.driver.revert_migration(h, move, False)
    assert h.driver.paths(h).tpm.read_bytes() == had
    h.driver.power_on(h)
    assert len(states(real, h.instance)) == 1 and real.secrets('h1') == set()


@long
def test_another_tpm_would_not_be_opened(real):
    """What has come is used, not made anew: with another passphrase the guest does not start."""
    h, secret = having_tpm(real)
    h.driver.spawn(h)
    move, there = real.move(instance=h.instance), real.h(h.instance, 'h2')
    h.driver.migrate_out(h, move)
    there.driver.migrate_in(there, move, False)
    kept = MemoryKeyManager.kept[secret]
    MemoryKeyManager.kept[secret] = type(kept)(b'another one')
    with pytest.raises(errors.virt.DriverFailed):
        there.driver.power_on(there)
    MemoryKeyManager.kept[secret] = kept
    there.driver.power_on(there)
    assert there.driver.state(there) == Power.RUNNING and real.secrets('h2') == set()


@long
@pytest.mark.parametrize('start', [True, False])
def test_it_is_resized_in_place(real, start):
    h, _ = having_tpm(real)
    h.driver.spawn(h)
    move = real.move('resize', 'h1', instance=h.instance)
    h.driver.migrate_out(h, move)
    h.driver.migrate_in(h, move, start)
    h.driver.confirm_migration(h, move)
    h.driver.reboot(h, 'HARD')
    assert len(states(real, h.instance)) == 1 and not h.driver.paths(h).tpm.exists()


@long
def test_it_moves_while_the_guest_runs(real):
    h, _ = having_tpm(real)
    h.driver.spawn(h)
    there = real.h(h.instance, 'h2')
    move_live(real, h, there)
    assert there.driver.state(there) == Power.RUNNING
    assert real.secrets('h1') == real.secrets('h2') == set()
    assert states(real, h.instance) == {}
    there.driver.suspend(there)
    there.driver.resume(there)
    there.driver.reboot(there, 'HARD')
    assert len(states(real, h.instance, 'h2')) == 1 and real.secrets('h2') == set()


@long
def test_the_process_dies_while_libvirt_knows_the_passphrase(real):
    """Who does it again leaves none behind; nor does who removes the guest."""
    h, _ = having_tpm(real)
    h.driver.tpms.open(h)
    assert real.secrets('h1') == {h.instance.uuid}
    h.driver.spawn(h)
    h.driver.tpms.open(h)
    h.driver.spawn(h)
    assert real.secrets('h1') == set()
    h.driver.tpms.open(h)
    h.driver.destroy(h)
    assert real.secrets('h1') == set()


@long
def test_the_process_dies_while_it_moves(real):
    """Before and after each command of the source: who goes back has the TPM as it was."""
    killed = 0
    for number in range(1, 4):
        for when in ('before', 'after'):
            h, _ = having_tpm(real)
            h.driver.spawn(h)
            h.driver.power_off(h)
            had, = states(real, h.instance).values()
            dies = Handle(real, process(real, number, when), h.instance)
            move = real.move(instance=h.instance)
            try:
                dies.driver.migrate_out(dies, move)
            except Killed:
                killed += 1
            h.driver.revert_migration(h, move, False)
            found = h.driver.paths(h).tpm
            kept = [found.read_bytes()] if found.exists() else list(states(real, h.instance).values())
            assert kept == [had]
            h.driver.power_on(h)
            h.driver.destroy(h)
    assert killed >= 2


@long
def test_a_guest_that_has_not_started_yet_moves_on(real):
    """What came with it stays a file until it starts; a TPM that was never started keeps nothing."""
    h, _ = having_tpm(real)
    h.driver.spawn(h)
    move, there = real.move(instance=h.instance), real.h(h.instance, 'h2')
    h.driver.migrate_out(h, move)
    there.driver.migrate_in(there, move, False)
    h.driver.confirm_migration(h, move)
    came = there.driver.paths(there).tpm.read_bytes()
    back = real.move(instance=h.instance, source='h2', dest='h1')
    there.driver.migrate_out(there, back)
    h.driver.migrate_in(h, back, False)
    assert h.driver.paths(h).tpm.read_bytes() == came
    h.driver.paths(h).tpm.unlink()
    h.driver.migrate_out(h, move)
    there.driver.migrate_in(there, move, True)
    assert there.driver.state(there) == Power.RUNNING and real.secrets('h2') == set()
