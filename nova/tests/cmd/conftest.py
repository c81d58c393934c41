"""A deployment of two cells, one host and neighbours that know of its servers, for ``nova-manage``."""

import json

import pytest
import sqlalchemy as sa

from nova import errors, objects
from nova.clients import fake
from nova.cmd import manage
from nova.cmd.manage import command
from nova.common import uuids
from nova.tests.fixtures import nova_db
from nova.tests.fixtures.deployed import Servers

NEW = {'resources': {'VCPU': 1, 'MEMORY_MB': 512}}


class World:
    """A deployment with one host, and neighbours that know of its servers."""

    def __init__(self, cloud, capsys):
        self.cloud, self._capsys = cloud, capsys
        self.neighbours = fake.build()
        self.servers = Servers(cloud, objects.Flavor(id=1, flavorid='1', name='m', memory_mb=512, vcpus=1))
        self.node = uuids.generate()
        self.cell = cloud.db(cloud.cells[0])
        self.cell.write(objects.ComputeNode(
            uuid=self.node, host='host1', hypervisor_hostname='host1', hypervisor_type='fake').create)
        self.neighbours.placement.host(self.node, 'host1', vcpus=64)
        self.guests = {}
        self.network = self.neighbours.network.api.add_network('p')

    def server(self, **values):
        """One that has all that it should have; its uuid."""
        server = self.servers.in_cell(1, host='host1', node='host1', compute_id=self.node, **values)
        self.claim(server.uuid)
        self.port(server.uuid)
        self.attach(server.uuid, known=True)
        return server.uuid

    def claim(self, consumer):
        assert self.neighbours.placement.claim(consumer, {'allocations': {self.node: NEW}}, 'p', 'u')

    def port(self, server):
        return self.neighbours.network.api.add_port(
            self.network, 'p', device_id=server, device_owner='compute:nova')

    def attach(self, server, known):
        volumes = self.neighbours.volume
        volume = volumes.add()
        attachment = volumes.reserve(volume, server)
        if known:
            self.cell.write(objects.BlockDeviceMapping(
                uuid=uuids.generate(), instance_uuid=server, source_type='volume',
                destination_type='volume', volume_id=volume, attachment_id=attachment).create)
        return attachment

    def forget(self, what, server):
        """The neighbour has forgotten what it had of a server."""
        if what == 'allocation':
            self.neighbours.placement.drop(server)
        elif what == 'port':
            ports = self.neighbours.network.api.all_ports
            for ident in [ident for ident, port in ports.items() if port['device_id'] == server]:
                del ports[ident]
        else:
            for one in [one for one in self.neighbours.volume.held.values() if one.server == server]:
                self.neighbours.volume.detach(one.id)

    def cut_cell2(self):
        """Its database is nowhere."""
        away = f'sqlite:///{uuids.generate()}/nowhere.sqlite'
        self.cloud.api.write(lambda conn: conn.execute(sa.text(
            "UPDATE cell_mappings SET database_connection = :url WHERE name = 'cell2'"), {'url': away}))

    def delete(self, server):
        """Its row says that it is deleted; nothing else was done."""
        self.cell.write(lambda conn: conn.execute(sa.text(
            'UPDATE instances SET deleted = id, host = NULL, compute_id = NULL WHERE uuid = :uuid'),
            {'uuid': server}))

    def live(self, **guests):
        """Hosts of the first cell live, each with these guests; where that is None it does not answer."""
        for host, found in guests.items():
            self.guests[host] = found
            self.cell.write(lambda conn, host=host: objects.Service.join(conn, host, 'nova-compute', 1))
            self.cell.write(lambda conn, host=host: objects.Service.beat(conn, host, 'nova-compute', 1))

    def ask(self, cell, host):
        """See `nova.audit.guests.Ask`."""
        found = self.guests[host]
        if found is None:
            raise errors.Unavailable(f'{host} does not answer')
        return found

    def manage(self, *argv):
        """Exit code of a command, and what it says."""
        env = command.Env(self.cloud.conf, self.cloud.databases, self.neighbours, self.ask)
        code = manage.run(list(argv), env)
        return code, self._capsys.readouterr().out

    def audit(self, *argv):
        """Exit code, and what was found: ``(kind, server, repairable, repaired)``."""
        code, out = self.manage('audit', '--json', '--between', '0', *argv)
        said = json.loads(out)
        return code, sorted((one['kind'], one['server'], one['repairable'], one['repaired'])
                            for one in said['found'])


@pytest.fixture
def world(lend, capsys):
    with nova_db.deployment(lend, transport_url='inproc://top') as made:
        yield World(made, capsys)
