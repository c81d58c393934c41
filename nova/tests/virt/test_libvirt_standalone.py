"""A cloud on one machine with real guests, from the command line to the guest's console."""

import os
import pathlib
import subprocess
import sys

import libvirt
import pytest

from nova.tests.virt.labs.libvirt import CACHE, TOOLS

pytestmark = [pytest.mark.libvirt, pytest.mark.timeout(1800)]


def test_the_first_server_of_a_new_cloud(real, tmp_path):
    """On a host of its own network, whose libvirt is that of the machine."""
    python = pathlib.Path(sys.executable)
    command = [python, '-W', 'ignore', '-m', 'nova.standalone.demo', '--once', '--driver', 'libvirt',
               '--image', CACHE / 'guest.qcow2', '--state-dir', tmp_path / 'cloud']
    done = subprocess.run(
        [TOOLS / 'hosts', 'exec', 'h1', 'env', f'PATH={python.parent}:{os.environ["PATH"]}', *command],
        env=real.env, capture_output=True, text=True, timeout=500, check=False)
    conn = libvirt.open(real.socket('h1'))
    for domain in conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        domain.destroy()
        domain.undefine()
    conn.close()
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert 'first is ACTIVE' in done.stdout and 'GUEST boot' in done.stdout
    assert 'GUEST config-drive' in done.stdout
