"""The installation guide is done, not believed: its blocks are taken from the page and typed, on one machine
and on several; in the end the commands that it ends with work, and a server is ACTIVE.
"""

import contextlib
import glob
import json
import os
import pathlib
import secrets
import signal
import sys
from concurrent import futures

import pytest
import sqlalchemy as sa

from nova.tests.fixtures import sandbox
from nova.tests.real import guide

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / 'tools' / 'lib'))

import servers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PAGE = guide.blocks(guide.PAGES / 'install.rst')
TOP, CELL, ONE = ('API, scheduler and super-conductor', "A cell's conductors and computes",
                  'Everything on one machine')


def of(section, kind='shell'):
    """The blocks of a section."""
    found = [block for block in PAGE if (block.section, block.kind) == (section, kind)]
    assert found, f'The page has no {kind} in: {section}'
    return found


class Site:
    """A room with machines, beside a database server, a broker and the four neighbours, who are there."""

    def __init__(self, directory, kind, stack):
        self.directory, self._stack, self._kind = directory, stack, kind
        self.machines = []
        # Several sites may be on this computer at once; each has addresses of its own.
        self._net = f'127.{secrets.randbelow(200) + 10}.{secrets.randbelow(250)}'
        self.password = secrets.token_hex(12)
        self._servers = directory / 'servers'
        self._servers.mkdir()
        stack.callback(servers.down, self._servers)
        with futures.ThreadPoolExecutor() as pool:
            starts = getattr(servers, kind), servers.rabbitmq
            started = [pool.submit(start, self._servers) for start in starts]
            self._database, broker = (one.result().partition('=')[2] for one in started)
        self.cloud = stack.enter_context(sandbox.running_sandbox(
            directory, passwords=dict.fromkeys(sandbox.bootstrap.USERS, self.password)))
        self._forget_endpoints()
        self.words = {
            'SCHEME': self._database.partition(':')[0], 'PASSWORD': self.password,
            'DATABASE': self._database.rpartition('@')[2], 'BROKER': broker.rpartition('@')[2].rstrip('/'),
            'IDENTITY': self.cloud.auth_url.removeprefix('http://').removesuffix('/v3'),
            'MEMCACHED': f'{self._net}.254', 'API': f'{self._net}.1', 'PLACEMENT': f'{self._net}.1',
            'IMAGE': 'tiny', 'NETWORK': 'private'}
        self.operator = self.machine('operator', {**self.cloud.environ('admin'), 'HOME': str(directory)})

    def _forget_endpoints(self):
        """The page registers them."""
        asking = self.cloud.session()
        identity = {'service_type': 'identity'}
        for service in asking.get('/services', endpoint_filter=identity).json()['services']:
            if service['type'] in ('compute', 'placement'):
                asking.delete(f'/services/{service["id"]}', endpoint_filter=identity)

    def machine(self, name, env=None):
        """A new one, prepared as the page says under Packages; the venv is the one that we run in."""
        address = f'{self._net}.{len(self.machines) + 1}'
        made = guide.Machine(self.directory / name, address, self.words, env or {})
        self.machines.append(made)
        prepare, = [line for block in of('Packages') for line in block.commands() if line.startswith('mkdir')]
        made.run(prepare)
        return made

    def balance(self, machines, *ports):
        """Put a load balancer before machines, at the addresses of API and PLACEMENT."""
        for port in ports:
            self._stack.callback(guide.Balancer(self.words['API'], port, machines).close)

    def make_databases(self):
        block, = [block for block in of('Databases', 'sql') if ('ROLE' in block.text) == (
            self._kind == 'postgresql')]
        url = sa.make_url(self._database)
        engine = sa.create_engine(url.set(database='postgres') if self._kind == 'postgresql' else url,
                                  isolation_level='AUTOCOMMIT')
        with engine.connect() as conn:
            for name in ('nova_api', 'nova_cell0', 'nova_cell1', 'placement'):
                text = block.text.replace('nova_api', name).replace("'PASSWORD'", f"'{self.password}'")
                for statement in text.split(';\n')[:-1]:
                    conn.exec_driver_sql(statement.replace('%', '%%'))
        engine.dispose()

    def make_vhosts(self, *names):
        """On the broker's machine, where its own programs are."""
        env = dict(line.split('=', 1) for line in (self._servers / 'rabbitmq.env').read_text().splitlines())
        programs = glob.glob('/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin')
        env['PATH'] = os.pathsep.join([*programs, os.environ['PATH']])
        broker = self.machine('broker', env)
        commands = [command for block in of('Message bus') for command in block.commands()]

        def make(name):
            for command in commands:
                broker.run(command.replace(' top', f' {name}'))
        with futures.ThreadPoolExecutor() as pool:
            list(pool.map(make, names))

    def install(self, section, machines):
        """A section whose blocks are a file, what is done once, what on each machine, and the endpoints."""
        config, = of(section, 'ini')
        once, everywhere, endpoints = of(section)
        for machine in machines:
            machine.write(config)
        machines[0].follow(once)
        for machine in machines:
            machine.follow(everywhere)
        self.operator.follow(endpoints)

    def install_credentials(self, machines):
        config, = of('Credentials for the neighbours', 'ini')
        for machine in machines:
            machine.write(config)

    def ask(self, command):
        return json.loads(self.operator.run(f'{command} -f json'))

    def wait_hosts(self, names):
        """Hosts are found, and Placement knows what they have, within seconds."""
        def there():
            try:
                return names == {host['Hypervisor Hostname'] for host in self.ask('openstack hypervisor list')
                                 } and len(self.ask('openstack allocation candidate list --resource VCPU=1'
                                                    )) == len(names)
            except AssertionError:
                return False
        guide.wait('hosts', there)

    def check(self, top):
        """What the page ends with; the first block is typed on a machine of the API."""
        status, client = of('Is it there?')
        top.follow(status)
        self.operator.follow(client)
        services = self.ask('openstack compute service list')
        assert {service['State'] for service in services} == {'up'}
        assert self.ask('openstack server show first')['status'] == 'ACTIVE'
        for machine in self.machines:
            said = machine.logs()
            assert self.password not in said
            assert not [line for line in said.splitlines() if ' ERROR ' in line or 'Traceback' in line]

    def end(self):
        """SIGTERM ends what still runs, and its exit code is 0."""
        running = [machine for machine in self.machines if machine.processes]
        for machine in running:
            machine.signal(signal.SIGTERM)
        return {machine.name: set(machine.end()) for machine in running}


@pytest.fixture
def site(tmp_path):
    """``site(KIND)``: a room with a database server of this kind."""
    with contextlib.ExitStack() as stack:
        def make(kind):
            tmp_path.chmod(0o755)
            made = Site(tmp_path, kind, stack)
            stack.callback(made.end)
            return made
        yield make


def test_several_machines(site):
    """Two of everything that may be doubled; the death of one of each pair is not noticed."""
    room = site('mariadb')
    room.make_databases()
    room.make_vhosts('top', 'cell1')
    top = [room.machine(f'control{number}') for number in (1, 2)]
    conductors = [room.machine(f'conductor{number}') for number in (1, 2)]
    computes = [room.machine(f'compute{number}') for number in (1, 2)]
    room.balance(top, 8774, 8778)
    room.install('Placement', top)
    room.install_credentials([*top, *conductors, *computes])
    room.install(TOP, top)

    conductor_config, compute_config = of(CELL, 'ini')
    schema, mapping, conductor_commands, compute_commands = of(CELL)
    for machine in conductors:
        machine.write(conductor_config)
    conductors[0].follow(schema)
    top[1].follow(mapping)
    for machine in conductors:
        machine.follow(conductor_commands)
    for machine in computes:
        machine.write(compute_config)
        machine.follow(compute_commands)
    room.wait_hosts({machine.name for machine in computes})
    room.check(top[1])

    killed = [top[0], conductors[0]]
    for machine in killed:
        machine.signal(signal.SIGKILL)
    create, = [line for line in of('Is it there?')[1].commands() if ' server create ' in line]
    room.operator.run(create.replace(' first', ' second'))
    assert room.ask('openstack server show second')['status'] == 'ACTIVE'
    ended = room.end()
    assert {name: codes for name, codes in ended.items() if codes != {0}} == {
        machine.name: {-signal.SIGKILL} for machine in killed}


def test_one_machine(site):
    room = site('postgresql')
    room.make_databases()
    room.make_vhosts('top')
    machine = room.machine('everything')
    room.words |= {'API': machine.address, 'PLACEMENT': machine.address}
    room.install('Placement', [machine])
    room.install_credentials([machine])
    room.install(ONE, [machine])
    room.wait_hosts({machine.name})
    room.check(machine)
    assert room.end() == {machine.name: {0}}
