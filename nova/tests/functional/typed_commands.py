"""Files of commands of `openstack`, and who types them: a command a line, as the user at its beginning.

A line ``# until NAME STATUS`` waits for a server; see `Typist` for others. Other comments are for readers.
"""

import contextlib
import json
import pathlib
import re
import shlex

from nova.tests.fixtures import osc
from nova.tests.fixtures.waiting import until
from nova.tests.functional.conftest import User
from nova.tests.functional.moving import host_of, migration_of

MOVES = pathlib.Path(__file__).with_name('moves.txt')
SECONDS = 120
"""Within which what is waited for has to be there, however busy the machine is."""


class Typist:
    """Types the commands of a file into a cloud, standalone or a cluster.

    Attributes:
        failed: commands that did not end well, with the end of what they printed.
    """

    def __init__(self, cloud, stack):
        directory = cloud.deployment.directory
        self.demo, self.admin = User(cloud, 'demo'), User(cloud, 'admin')
        self._clients = {name: stack.enter_context(contextlib.closing(
            osc.Client(directory / 'clouds.yaml', name))) for name in ('demo', 'admin')}
        hosts = [*directory.glob('computes/*'), *directory.glob('state/compute/*')]
        self._faults = [host / 'faults.json' for host in hosts]
        self.failed = []

    def type_all(self, file):
        for line in file.read_text().splitlines():
            comment, *words = line.split(' ') if line.startswith('# ') else ('', )
            if comment:
                wait = getattr(self, f'do_{words[0]}', None)
                if wait is not None:
                    wait(*words[1:])
            elif line:
                self._type(line)

    def _type(self, line):
        meant = re.sub(r'\{(\w+)(?: (\S+))?\}', self._meant, line)
        user, *words = shlex.split(meant, comments=True)
        code, out, err = self._clients[user](words)
        if code:
            self.failed.append((line, out[-300:], err[-300:]))

    def _meant(self, found):
        return str(getattr(self, f'the_{found[1]}')(found[2]))

    # What is waited for

    def do_until(self, name, status):
        self.demo.wait(self.the_id(name), status, SECONDS)

    def do_migration(self, name, status):
        """The newest one of a server has a status."""
        until(lambda: self._migration(name)['status'] == status, SECONDS, told=lambda: self._migration(name))

    def do_interfaces(self, name, count):
        path = f'/servers/{self.the_id(name)}/os-interface'
        until(lambda: len(self.demo.get(path)['interfaceAttachments']) == int(count), SECONDS)

    def do_volume(self, name, status):
        def found():
            volume, = self.demo.get(f'/v3/volumes/detail?name={name}', service='volume')['volumes']
            return volume['status']
        until(lambda: found() == status, SECONDS, told=found)

    def do_slowly(self, effect):
        for file in self._faults:
            file.write_text(json.dumps({effect: {'do': 'last', 'seconds': 60}}))

    def do_quickly(self):
        for file in self._faults:
            file.unlink(missing_ok=True)

    # What a word in braces means

    def the_id(self, name):
        server, = self.demo.get(f'/servers?name={name}')['servers']
        return server['id']

    def the_host(self, name):
        return host_of(self.admin, self.the_id(name))

    def the_migration(self, name):
        return self._migration(name)['id']

    def the_source(self, name):
        return self._migration(name)['source_compute']

    def the_file(self, _):
        return __file__

    def _migration(self, name):
        return migration_of(self.admin, self.the_id(name))


def check(cloud, file):
    """Every command of the file ends well."""
    with contextlib.ExitStack() as stack:
        typist = Typist(cloud, stack)
        stack.callback(typist.do_quickly)
        typist.type_all(file)
    assert not typist.failed, typist.failed
