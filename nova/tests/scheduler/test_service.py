"""The scheduler as a service: asked over a bus."""

from typing import Any

import pytest

from nova import context, objects
from nova.clients import fake
from nova.common import uuids
from nova.rpc import scheduler as interface
from nova.rpc import transport
from nova.scheduler import service
from nova.tests.fixtures.waiting import until


@pytest.fixture
def asked(make_cloud: Any) -> Any:
    fakes = fake.build()
    cloud = make_cloud(fakes.placement, transport_url=f'inproc://{uuids.generate()}', rpc_response_timeout=10)
    buses = transport.Buses(cloud.conf)
    running = service.SchedulerService(cloud.conf, dbs=cloud.dbs, buses=buses, clients=fakes, host='s1')
    running.start()
    client = interface.Scheduler.client(buses.top)
    yield cloud, lambda request: client.select(context.admin(), request)
    running.stop()
    buses.close()


def test_select_over_the_bus(asked: Any) -> None:
    cloud, select = asked
    node, server = cloud.host('h1'), uuids.generate()
    found = select(objects.SelectRequest(spec=cloud.spec(), instance_uuids=[server]))
    assert found.choices[0].selections[0].compute_node_uuid == node
    found = select(objects.SelectRequest(spec=cloud.spec(flavor={'vcpus': 99}), instance_uuids=[server]))
    assert found.reason and found.explain and not found.choices[0].selections


def test_hosts_are_looked_at_before_anybody_asks(make_cloud: Any) -> None:
    """The first look at a large cell may take longer than a request waits, and would leave its hosts out."""
    fakes = fake.build()
    cloud = make_cloud(fakes.placement, transport_url=f'inproc://{uuids.generate()}')
    cloud.host('h1')
    buses = transport.Buses(cloud.conf)
    running = service.SchedulerService(cloud.conf, dbs=cloud.dbs, buses=buses, clients=fakes, host='s1')
    with cloud.dbs.cell(cloud.cell('cell1').database_connection).counting() as statements:
        running.start()
        until(lambda: any('compute_nodes' in str(one) for one in statements))
    running.stop()
    buses.close()
