"""The release before this one, built: its code beside ours, in its own environment; and clusters of it."""

import contextlib
import io
import os
import pathlib
import signal
import subprocess
import tarfile

import cluster as clusters
import cluster_processes
import cluster_schema
import pytest
import servers

from nova.tests.fixtures.waiting import until

ROOT = pathlib.Path(__file__).parents[3]
COMMIT = (ROOT / 'nova' / 'tests' / 'upgrade' / 'previous.txt').read_text().strip()
WEB = ('api', 'placement')
LIMIT = 120.0
READY = 'NOVA_PREVIOUS_CHECKOUT'
"""Names a checkout of that commit whose ``.venv`` is made; else it is built in a minute or two."""


def checkout(directory):
    """The checkout; the test fails where the repository has not got the commit."""
    ready = os.environ.get(READY)
    if ready:
        return pathlib.Path(ready)
    archive = subprocess.run(['git', '-C', ROOT, 'archive', COMMIT], capture_output=True)
    if archive.returncode:
        said = archive.stderr.decode(errors='replace')
        pytest.fail(f'The release before this one, commit {COMMIT}, is not in this repository: a shallow clone '
                    f'has to be completed (git fetch --unshallow). git says: {said}')
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(directory, filter='data')
    made = subprocess.run(['bash', '-c', '. tools/lib/venv.sh; venv_ready test-requirements.txt'],
                          cwd=directory, env={**os.environ, 'PBR_VERSION': '0.0.1'},
                          capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return directory


def _lives(pid):
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return servers.alive(pid)


class Processes(cluster_processes.Processes):
    """Web servers can be replaced as behind a balancer, and the scheduler as where there are several: the next
    one listens before the last one goes. A super-conductor of the release before gives a build up when no
    scheduler has answered it for twenty seconds, which is what one takes to start on a busy machine."""

    def command(self, service):
        words, env = super().command(service)
        return ([*words, '--reuse-port'] if 'gunicorn' in words else words), env

    def replace(self, service, code=None):
        """By a process with the code of a checkout, or with ours."""
        last = self.pid(service)
        self.checkouts.pop(service, None)
        if code is not None:
            self.checkouts[service] = code
        overlap = service in (*WEB, 'scheduler') and last is not None
        if not overlap:
            assert self.stop([service], LIMIT) == []
        before = self._starts(service)
        if overlap and service not in WEB:
            self._move_page(service)
        self.start(service)
        if overlap:
            until(lambda: len(self.workers(service)) == self.deployment.workers if service in WEB
                  else self._starts(service) > before, LIMIT)
            self.wait_healthy([service])
            os.kill(last, signal.SIGTERM)
            until(lambda: not _lives(last), LIMIT)
        self.wait_healthy([service])

    def _move_page(self, service):
        """Give the page of metrics of its next process a port of its own."""
        ports, file = self.deployment.ports, self.deployment.directory / 'etc' / service / 'nova.conf'
        text, old = file.read_text(), f'port = {ports[service]}\n'
        assert old in text
        ports[service], = servers.free_ports(1)
        file.write_text(text.replace(old, f'port = {ports[service]}\n'))

    def _starts(self, service):
        """How often its log says that it has started."""
        file = self.deployment.directory / 'log' / f'{service}.log'
        return file.read_text(errors='replace').count('has started') if file.exists() else 0


def cluster_of(code):
    """A kind of cluster whose services are those of the checkout `code`, but for the neighbours of all."""
    class Before(clusters.Cluster):

        def _make_processes(self):
            made = Processes(self.deployment)
            made.checkouts = {name: code for name in self.deployment.services
                              if name not in self.deployment.neighbours}
            return made

        def _fill(self):
            cluster_schema.fill(self.deployment, code / '.venv' / 'bin')
    return Before
