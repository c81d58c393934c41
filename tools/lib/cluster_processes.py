"""The processes of a cluster: started detached, found again by their pid files, ended by pid."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import cluster_config
import servers

HERE = pathlib.Path(__file__).parent
MODULES = {'scheduler': 'nova.cmd.scheduler', 'conductor': 'nova.cmd.conductor', 'compute': 'nova.cmd.compute'}


def command_of(deployment: cluster_config.Deployment, service: str) -> tuple[list[str], dict[str, str]]:
    """Command line and environment of a process, as an operator's unit file would have them."""
    etc = deployment.directory / 'etc'
    if service == 'sandbox':
        return [sys.executable, str(HERE / 'cluster_sandbox.py'), str(deployment.directory)], {}
    if service in ('api', 'placement'):
        app = {'api': 'nova.wsgi.osapi_compute:application', 'placement': 'nova.placement.wsgi:application'}
        variable = {'api': 'OS_NOVA_CONFIG_DIR', 'placement': 'OS_PLACEMENT_CONFIG_DIR'}[service]
        return [sys.executable, '-m', 'gunicorn', app[service], '--preload', '--no-control-socket',
                '--workers', str(deployment.workers), '--threads', '16', '--keep-alive', '30',
                '--bind', f'127.0.0.1:{deployment.ports[service]}'], {variable: str(etc / service)}
    if service in deployment.farms:
        return [sys.executable, str(HERE / 'cluster_computes.py'), str(deployment.directory), service], {}
    kind, env = service.rstrip('0123456789').rpartition('-')[2], {}
    if service in deployment.hosts:
        kind, hosts = 'compute', deployment.guest_hosts
        env = hosts.environment(deployment.number_of(service)) if hosts else {}
    return [sys.executable, '-m', MODULES[kind], '--config-file', str(etc / service / 'nova.conf')], env


def start_time(pid: int) -> str:
    """What tells a process from a later one with the same pid; empty when there is none."""
    try:
        return pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return ''


class Processes:
    """The processes of one deployment.

    Attributes:
        checkouts: process to the checkout whose code it runs, in the environment ``.venv`` there; those that
            are not named run this one's.
        home: the directory in which processes run that have no checkout of their own.
    """

    def __init__(self, deployment: cluster_config.Deployment) -> None:
        self.deployment = deployment
        self.checkouts: dict[str, pathlib.Path] = {}
        self.home = HERE.parent.parent
        self._run = deployment.directory / 'run'

    def command(self, service: str) -> tuple[list[str], dict[str, str]]:
        return command_of(self.deployment, service)

    def start(self, service: str) -> None:
        """Start a process; returns at once."""
        words, env = self.command(service)
        checkout = self.checkouts.get(service)
        if checkout is not None:
            words = [str(checkout / '.venv' / 'bin' / 'python'), *words[1:]]
        with open(self.deployment.directory / 'log' / f'{service}.out', 'ab') as out:
            # Not ours to wait for: it lives on when the command that started it ends.
            process = subprocess.Popen(
                words, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
                cwd=checkout or self.home, env={**os.environ, **env, 'PYTHONWARNINGS': 'ignore'})
        kept = json.dumps([process.pid, start_time(process.pid)])
        cluster_config.write(self._run / f'{service}.pid', kept)

    def pid(self, service: str) -> int | None:
        """The process of a service, if it lives."""
        try:
            pid, began = json.loads((self._run / f'{service}.pid').read_text())
        except FileNotFoundError:
            return None
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        return pid if servers.alive(pid) and start_time(pid) == began else None

    def workers(self, service: str) -> list[int]:
        """Child processes of a service: workers, of gunicorn or of upstream's services."""
        parent = self.pid(service)
        if parent is None:
            return []
        listed = [file.read_text() for file in pathlib.Path(f'/proc/{parent}/task').glob('*/children')]
        return [int(pid) for pid in ' '.join(listed).split()]

    def signal(self, service: str, number: int) -> None:
        pid = self.pid(service)
        if pid is not None:
            os.kill(pid, number)

    def wait_gone(self, service: str, seconds: float) -> bool:
        """Wait for the end of a process."""
        end = time.monotonic() + seconds
        while self.pid(service) is not None:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        (self._run / f'{service}.pid').unlink(missing_ok=True)
        return True

    def kill(self, service: str) -> None:
        """kill -9 of a process with its workers."""
        doomed = [*self.workers(service), *([pid] if (pid := self.pid(service)) else [])]
        for pid in reversed(doomed):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.wait_gone(service, 10)

    def stop(self, names: list[str], seconds: float = 30.0) -> list[str]:
        """SIGTERM to processes, SIGKILL to what is left after `seconds`; returns what had to be killed."""
        for service in names:
            self.signal(service, signal.SIGTERM)
        end = time.monotonic() + seconds
        late = [service for service in names if not self.wait_gone(service, max(0, end - time.monotonic()))]
        for service in late:
            self.kill(service)
        return late

    # Health --------------------------------------------------------------------------------------

    def health(self, service: str) -> str:
        """``ok``, or what is wrong."""
        if self.pid(service) is None:
            return 'not running'
        path = self.deployment.health_path(service)
        if path is None:
            return 'ok'
        url = f'http://127.0.0.1:{self.deployment.ports[service]}{path}'
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                answer.read()
            return 'ok'
        except urllib.error.HTTPError as error:
            said = error.read(300).decode(errors='replace')
            return 'ok' if error.code < 400 else f'HTTP {error.code}: {said}'
        except OSError as error:
            return f'no answer ({error})'

    def wait_healthy(self, names: list[str], seconds: float = 90.0) -> None:
        """Return when every one of these processes is well.

        Raises:
            servers.NotStarted: one ended, or was not well in time; tells the end of its log.
        """
        end = time.monotonic() + seconds
        for service in names:
            while (said := self.health(service)) != 'ok':
                if said == 'not running' or time.monotonic() > end:
                    raise servers.NotStarted(f'{service}: {said}\n{self._tail(service)}')
                time.sleep(0.1)

    def _tail(self, service: str) -> str:
        found = [self.deployment.directory / 'log' / f'{service}.{kind}' for kind in ('log', 'out')]
        return '\n'.join(file.read_text(errors='replace')[-2000:] for file in found if file.exists())
