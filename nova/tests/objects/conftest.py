"""A deployment with two cells, and servers in it."""

import datetime

import pytest

from nova import objects
from nova.tests.fixtures import nova_db

EPOCH = datetime.datetime(2026, 1, 1)


@pytest.fixture
def cloud(lend):
    with nova_db.deployment(lend) as made:
        yield made


@pytest.fixture
def flavor():
    return objects.Flavor(id=1, flavorid='1', name='m1.tiny', memory_mb=512, vcpus=1, root_gb=1)


class Servers:
    """Makes servers: in a cell, or still in their build request."""

    def __init__(self, cloud, flavor):
        self.cloud, self.flavor, self.made = cloud, flavor, 0

    def new(self, minute=None, **values):
        self.made += 1
        created = EPOCH + datetime.timedelta(minutes=self.made if minute is None else minute)
        return objects.Instance.new(**{
            'project_id': 'p', 'user_id': 'u', 'display_name': f'server-{self.made}', 'flavor': self.flavor,
            'vm_state': 'active', 'created_at': created, 'launched_at': created, **values})

    def mapped(self, server, cell):
        mapping = objects.InstanceMapping(
            instance_uuid=server.uuid, project_id=server.project_id, user_id=server.user_id,
            cell_id=cell.id if cell else None, vcpus=server.vcpus, memory_mb=server.memory_mb,
            created_at=server.created_at)
        self.cloud.api.write(mapping.create)

    def in_cell(self, number, **values):
        cell = self.cloud.cell0 if number == 0 else self.cloud.cells[number - 1]
        server = self.new(**values)
        self.mapped(server, cell)
        self.cloud.db(cell).write(server.create)
        return server

    def in_request(self, **values):
        server = self.new(**{'vm_state': 'building', 'task_state': 'scheduling', 'launched_at': None, **values})
        self.mapped(server, None)
        self.cloud.api.write(objects.BuildRequest.of(server).create)
        return server


@pytest.fixture
def servers(cloud, flavor):
    return Servers(cloud, flavor)
