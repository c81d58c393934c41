"""Hosts that do not live: rows of databases, ours or upstream's, and what Placement is told of them."""

import uuid
from concurrent import futures

import httpx

from nova.common import dbkit

STOCK = {'VCPU': (32, 16.0), 'MEMORY_MB': (131072, 1.0), 'DISK_GB': (2000, 1.0)}
"""Total and allocation ratio by resource class."""
TRAITS = ['COMPUTE_NODE', 'OWNER_NOVA']
"""Without the second one upstream's scheduler takes no provider for a host."""
TABLES = ('services', 'compute_nodes', 'host_mappings')
WRITERS = 8


def multiply(places, like, nodes):
    """More hosts like one, in each of some databases.

    Args:
        places: (database, its tables) that have rows of it.
        like: its name.
        nodes: {name: uuid of its node} of the others.
    """
    for db, metadata in places:
        for table in (metadata.tables[name] for name in TABLES if name in metadata.tables):
            with db.read() as conn:
                row = dict(conn.execute(table.select().where(table.c.host == like)).mappings().one())
            del row['id']
            made = [row | {name: value for name, value in {
                'host': host, 'hypervisor_hostname': host,
                'uuid': node if table.name == 'compute_nodes' else str(uuid.uuid4())}.items() if name in row}
                for host, node in nodes.items()]
            for part in dbkit.parts(made):
                db.write(lambda conn, table=table, part=part: dbkit.insert(conn, table, part))


def offer(url, token, nodes, stock=STOCK):
    """Tell a Placement over HTTP what hosts offer, each of which is one provider."""
    inventories = {name: {'total': total, 'reserved': 0, 'min_unit': 1, 'max_unit': total, 'step_size': 1,
                          'allocation_ratio': ratio} for name, (total, ratio) in stock.items()}
    headers = {'X-Auth-Token': token, 'OpenStack-API-Version': 'placement 1.36'}
    with httpx.Client(base_url=url, headers=headers, timeout=600) as http:
        def tell(host):
            http.post('/resource_providers', json={'uuid': nodes[host], 'name': host}).raise_for_status()
            for number, what in enumerate(({'inventories': inventories}, {'traits': TRAITS})):
                http.put(f'/resource_providers/{nodes[host]}/{next(iter(what))}', json={
                    'resource_provider_generation': number, **what}).raise_for_status()
        with futures.ThreadPoolExecutor(WRITERS) as pool:
            for _ in pool.map(tell, nodes):
                pass
