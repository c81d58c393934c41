"""Scripts of commands for the shells of clients: a command a line, after the user who types it.

A line that begins with ``#`` is one of these, or a remark::

    # until NAME STATUS      waits until the server has this status, and nothing is in progress
    # matches PATTERN        the command before is typed again until its output has this
    # let NAME PATTERN       $NAME means, from here on, the first group in the output of the command before
    # again                  the next command is typed again until it ends well
    # faults JSON            scripts what simulated hypervisors do
    # not COMMAND: REASON    the client has this command, and the script does not type it
"""

import contextlib
import json
import pathlib
import re
import shlex
import string
from collections.abc import Callable, Collection, Mapping
from typing import Any

from nova.tests.fixtures import osc
from nova.tests.fixtures.waiting import until
from nova.tests.functional.conftest import User
from nova.tests.functional.shares import Shares

FOLDER = pathlib.Path(__file__).parent
SECONDS = 120

Typed = Callable[[list[str]], tuple[int, str, str]]
"""What was typed -> exit code, output, errors."""


class Script:
    """One of these scripts, by the name of the client."""

    def __init__(self, client: str) -> None:
        self.lines = (FOLDER / f'{client}.txt').read_text().splitlines()
        self.struck = dict(re.findall(r'^# not (.+?): (.+)$', '\n'.join(self.lines), re.MULTILINE))

    def commands(self, known: Collection[str]) -> set[str]:
        """Which of the client's commands are typed."""
        most = max(len(command.split()) for command in known)
        found = set()
        for line in self.lines:
            if line.strip() and not line.startswith('#'):
                words = shlex.split(line)[1:]
                tried = (' '.join(words[at:at + count]) for at in range(len(words))
                         for count in range(most, 0, -1))
                found |= {next((each for each in tried if each in known), '')}
        return found - {''}

    def forgotten(self, known: Collection[str]) -> set[str]:
        """Commands of the client that are neither typed nor struck."""
        return set(known) - self.commands(known) - set(self.struck)


class Run:
    """Types a script.

    Args:
        typed: by the name of the user.
        user: who looks at servers.
        known: what $NAMES mean from the beginning.
    """

    def __init__(self, typed: Mapping[str, Typed], user: User, known: Mapping[str, str] | None = None) -> None:
        self._typed, self._user = typed, user
        self._known = dict(known or {})
        self._servers: dict[str, str] = {}
        self._last, self._output, self._again = list[str](), '', False
        self.failed: list[tuple[str, str, str]] = []

    def line(self, line: str) -> None:
        line = string.Template(line).safe_substitute(self._known)
        if line.startswith('#'):
            word, _, rest = line[1:].strip().partition(' ')
            done = getattr(self, f'do_{word}', None)
            if done is not None:
                done(rest)
        elif line.strip():
            self._last = shlex.split(line)
            code, said = self._type()
            if code and self._again:
                until(lambda: self._type()[0] == 0, SECONDS, 0.3, told=self._type)
                code = 0
            self._again = False
            if code:
                self.failed.append((line, self._output[-300:], said[-300:]))

    def _type(self) -> tuple[int, str]:
        who, *words = self._last
        code, self._output, said = self._typed[who](words)
        return code, said

    def do_until(self, rest: str) -> None:
        name, status = rest.split()
        if name not in self._servers:  # lists leave out what is softly deleted
            server, = self._user.get(f'/servers?name=^{name}$')['servers']
            self._servers[name] = server['id']

        def reached() -> bool:
            shown = self._user.show(self._servers[name])
            return shown['status'] == status and shown['OS-EXT-STS:task_state'] is None
        until(reached, SECONDS, told=lambda: (self.failed, status, self._user.show(self._servers[name])))

    def do_matches(self, pattern: str) -> None:
        def found() -> bool:
            if re.search(pattern, self._output.strip()):
                return True
            self._type()
            return False
        until(found, SECONDS, 0.3, told=lambda: (self.failed, self._last, pattern, self._output))

    def do_let(self, rest: str) -> None:
        name, pattern = rest.split(maxsplit=1)
        found = re.search(pattern, self._output)
        assert found, (self._last, pattern, self._output)
        self._known[name] = found[1].strip()

    def do_again(self, rest: str) -> None:
        self._again = True

    def do_faults(self, script: str) -> None:
        directory = self._user.cloud.deployment.directory
        json.loads(script)
        for host in (*directory.glob('computes/*'), *directory.glob('state/compute/*')):
            (host / 'faults.json').write_text(script)


def type_all(cloud: Any, script: Script, known: Mapping[str, str] | None = None, client: str = 'openstack',
             environment: Callable[[str], Mapping[str, str]] = lambda user: {}) -> None:
    """Type a script into a cloud, standalone or a cluster: every command ends well.

    Args:
        known: see `Run`; ``$file`` is a small file, ``$share`` a share.
        environment: of a client that knows no clouds.yaml, by the name of the user.
    """
    directory = cloud.deployment.directory
    with contextlib.ExitStack() as stack:
        shells = {user: stack.enter_context(contextlib.closing(osc.Client(
            directory / 'clouds.yaml', user, client, environment(user)))) for user in ('demo', 'admin')}
        demo = User(cloud, 'demo')
        run = Run(shells, demo, {'file': __file__, 'share': Shares(demo).make(), **(known or {})})
        for line in script.lines:
            run.line(line)
        assert not run.failed, run.failed
