"""A standalone cloud is its state directory: killed or ended, it starts again with its servers."""

import json
import pathlib
import signal
import subprocess
import sys
import time
import types

import pytest

from nova.common import threads
from nova.standalone import config
from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.conftest import User


class Process:
    """``nova-standalone`` in a process of its own, again and again on one state directory."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self._process = None

    def command(self):
        return [sys.executable, '-m', 'nova.standalone.app', '--state-dir', str(self.directory)]

    def start(self):
        """Returns what it printed until it was up."""
        self._process = subprocess.Popen(
            self.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = []
        for line in self._process.stdout:
            said.append(line)
            if 'Ctrl-C' in line:
                return ''.join(said)
        raise AssertionError('It did not start: ' + ''.join(said))

    def end(self, number):
        self._process.send_signal(number)
        self._process.communicate(timeout=30)
        return self._process.returncode

    def ask(self, number):
        self._process.send_signal(number)

    def line(self):
        """The next words that it prints."""
        return next(line for line in self._process.stdout if line.strip())

    def users(self):
        kept = json.loads((self.directory / 'standalone.json').read_text())
        cloud = types.SimpleNamespace(deployment=config.Deployment(directory=self.directory, **kept))
        return cloud, User(cloud, 'demo'), User(cloud, 'admin')


@pytest.fixture
def process(tmp_path):
    made = Process(tmp_path / 'state')
    made.said = made.start()
    yield made
    made.end(signal.SIGKILL)


@pytest.mark.timeout(150)
def test_killed_in_mid_operation_and_started_again(process):
    """TSK-S2: what was begun is done or undone, nothing is left over, servers are what they were and usable."""
    assert threads.backend() == 'eventlet' or 'arning' not in process.said, process.said
    second = subprocess.run(process.command(), capture_output=True, text=True, timeout=60)
    assert (second.returncode, second.stdout) == (1, ''), 'one at a time'
    assert 'already' in second.stderr
    _, demo, _ = process.users()
    untouched, kept, deleted = (demo.booted(name)['id'] for name in ('untouched', 'kept', 'deleted'))
    demo.act(untouched, 'os-stop', None, 'SHUTOFF')

    demo.call('DELETE', f'/servers/{deleted}')
    demo.call('POST', f'/servers/{kept}/action', {'reboot': {'type': 'HARD'}})
    assert demo.boot('begun', min_count=5, max_count=5).status_code == 202
    assert process.end(signal.SIGKILL) == -signal.SIGKILL

    process.start()
    cloud, demo, admin = process.users()
    leaks.check(cloud, admin)
    servers = demo.get('/servers/detail')['servers']
    begun = [f'begun-{number}' for number in range(1, 6)]
    assert {server['name']: server['status'] for server in servers} == {
        'untouched': 'SHUTOFF', **dict.fromkeys([*begun, 'kept'], 'ACTIVE')}
    demo.act(kept, 'pause', None, 'PAUSED')
    demo.act(untouched, 'os-start', None, 'ACTIVE')
    for server in servers:
        demo.delete(server['id'])
    leaks.check(cloud, admin)
    assert process.end(signal.SIGTERM) == 0
    log = (process.directory / 'standalone.log').read_text()
    assert [line for line in log.splitlines() if ' WARNING ' in line or ' ERROR ' in line] == []


@pytest.mark.timeout(60)
def test_asked_twice_it_ends_at_once(process):
    """Whatever is being done; the first time, what hosts are doing may end."""
    _, demo, _ = process.users()
    for number in range(1, 5):
        (process.directory / 'computes' / f'compute{number}' / 'faults.json').write_text(
            json.dumps({'spawn': {'do': 'delay', 'seconds': 30}}))
    assert demo.boot('slow').status_code == 202
    spawning = {'OS-EXT-STS:task_state': 'spawning'}.items()
    until(lambda: spawning <= demo.get('/servers/detail')['servers'][0].items())
    process.ask(signal.SIGINT)
    assert 'again' in process.line()
    began = time.monotonic()
    assert process.end(signal.SIGINT) == 128 + signal.SIGINT
    assert time.monotonic() - began < 5
