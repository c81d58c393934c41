"""An operator who does what doc/source/admin/install.rst says: its blocks, and machines to type them on.

A machine is a directory, an address of loopback and a name. ``/etc`` and ``/var`` are below the directory,
where programs find them as ``~/.nova`` and ``~/.placement``; all of its addresses (0.0.0.0) are its one. The
rest of the page is taken by the letter, but for the words in capitals.
"""

import contextlib
import dataclasses
import os
import pathlib
import random
import re
import shlex
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Mapping

from nova.tests.fixtures import tcp
from nova.tests.fixtures.waiting import until

PAGES = pathlib.Path(__file__).parents[3] / 'doc' / 'source' / 'admin'
STAYING = ('gunicorn', 'nova-scheduler', 'nova-conductor', 'nova-compute')
"""Programs that run until they are told to stop."""


@dataclasses.dataclass(frozen=True)
class Block:
    """A code block of a page.

    Attributes:
        section: the heading above it.
        kind: shell, ini or sql.
        file: its caption.
    """

    section: str
    kind: str
    file: str
    text: str

    def commands(self) -> list[str]:
        """Of a shell block, one a line; continued lines are joined."""
        return re.sub(r'\s*\\\n\s*', ' ', self.text).splitlines()


def blocks(page: pathlib.Path) -> list[Block]:
    """The code blocks of a page, in order."""
    lines, section, found = page.read_text().splitlines(), '', []
    for number, line in enumerate(lines):
        if line and not line.strip('=') and lines[number - 1]:
            section = lines[number - 1]
        elif line.startswith('.. code-block:: '):
            end = next((at for at in range(number + 1, len(lines)) if lines[at][:1].strip()), len(lines))
            text = textwrap.dedent('\n'.join(lines[number + 1:end])).strip('\n')
            file = ''
            if text.startswith(':caption: '):
                file, _, text = text.removeprefix(':caption: ').partition('\n')
            found.append(Block(section, line.split()[-1], file, text.strip('\n') + '\n'))
    return found


class Machine:
    """A machine of a name and an address, on which commands of the page are typed.

    Args:
        root: its directory, made here.
        words: what stands for the page's words in capitals; SCHEME begins the URLs of databases.
        env: of its commands, besides.
    """

    def __init__(self, root: pathlib.Path, address: str, words: Mapping[str, str],
                 env: Mapping[str, str]) -> None:
        self.root, self.name, self.address = root, root.name, address
        self._words = words
        self.processes: list[subprocess.Popen] = []
        root.mkdir()
        for project in ('nova', 'placement'):
            (root / f'.{project}').symlink_to(root / 'etc' / project)
        kept = {name: value for name, value in os.environ.items() if not name.startswith('OS_')}
        self._env = {**kept, 'HOME': str(root), 'PYTHONWARNINGS': 'ignore', **env}
        self._env['PATH'] = os.pathsep.join([os.path.dirname(sys.executable), self._env['PATH']])

    def here(self, text: str) -> str:
        """What a text of the page means on this machine."""
        words = {**self._words, '0.0.0.0': self.address, 'mysql+pymysql': self._words['SCHEME']}
        for word, meant in words.items():
            text = re.sub(rf'(?<![\w.]){re.escape(word)}(?!\w)', lambda _, meant=meant: meant, text)
        return re.sub(r'(?<![\w/])/(?=(etc|var)/)', f'{self.root}/', text)

    def write(self, block: Block) -> None:
        """Write a file; it says what the machine is called, since all are one to the operating system."""
        text = self.here(block.text).replace('[DEFAULT]\n', f'[DEFAULT]\nhost = {self.name}\n')
        pathlib.Path(self.here(block.file)).write_text(text)

    def run(self, command: str, codes: tuple[int, ...] = (0,)) -> str:
        """Type a command that ends; returns what it prints."""
        done = subprocess.run(self.here(command), shell=True, capture_output=True, text=True, env=self._env,
                              cwd=self.root, timeout=120)
        assert done.returncode in codes, f'{command}: {done.returncode}\n{done.stdout}{done.stderr}'
        return done.stdout

    def start(self, command: str) -> None:
        """Type one that stays."""
        with open(self.root / 'out', 'ab') as out:
            self.processes.append(subprocess.Popen(
                shlex.split(self.here(command)), stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                env=self._env, cwd=self.root, start_new_session=True))

    def follow(self, block: Block) -> None:
        """Type a block."""
        for command in block.commands():
            if command.split()[0] in STAYING:
                self.start(command)
            else:
                self.run(command)

    def signal(self, number: int) -> None:
        """To everything that was started here; SIGKILL to its workers as well."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                (os.killpg if number == signal.SIGKILL else os.kill)(process.pid, number)

    def end(self, seconds: float = 40.0) -> list[int]:
        """Exit codes of what was told to stop; what is left after `seconds` is killed."""
        limit = time.monotonic() + seconds
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, limit - time.monotonic()))
        self.signal(signal.SIGKILL)
        return [process.wait() for process in self.processes]

    def logs(self) -> str:
        """What its processes have logged and printed."""
        files = [*self.root.glob('var/log/nova/*'), self.root / 'out']
        return ''.join(file.read_text(errors='replace') for file in files if file.exists())


class Balancer:
    """The load balancer in front of several machines: each connection goes to one that takes it."""

    def __init__(self, address: str, port: int, machines: list[Machine]) -> None:
        self._far = [(machine.address, port) for machine in machines]
        self._listener = socket.create_server((address, port))
        threading.Thread(target=self._accept, name='balancer', daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            for address in random.sample(self._far, len(self._far)):
                with contextlib.suppress(OSError):
                    far = socket.create_connection(address)
                    break
            else:
                near.close()
                continue
            tcp.join(near, far)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def wait(what: str, done: Callable[[], bool], seconds: float = 60.0) -> None:
    """Ask until it is so."""
    until(done, seconds, 0.3, lambda: f'{what}: not within {seconds:.0f} s')
