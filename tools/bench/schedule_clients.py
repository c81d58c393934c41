"""Clients of schedulers, ours or upstream's, by whose Python this is run; they ask as conductors do.

    python schedule_clients.py ours|upstream NOVA.CONF

For each line of standard input, ``CLIENTS SECONDS``, so many ask for a host for one server after the other
until the time is over, each once at least. It is answered by a line of JSON, see `measure`.
"""

import json
import logging
import sys
import time
import uuid
from concurrent import futures

FLAVOR = {'flavorid': '1', 'name': 'm1.tiny', 'memory_mb': 512, 'vcpus': 1, 'root_gb': 1, 'ephemeral_gb': 0,
          'swap': 0, 'rxtx_factor': 1.0, 'extra_specs': {}}
WHO = {'project_id': uuid.uuid4().hex, 'user_id': 'alice'}


def ours(file):
    """A function that asks for a host for a new server; whether there was one."""
    from nova.common import threads
    threads.choose('threading')
    from nova import conf, context, objects
    from nova.rpc import scheduler, transport
    client = scheduler.Scheduler.client(transport.Buses(conf.new(config_files=[file])).top)
    flavor = objects.Flavor(**FLAVOR)
    image = objects.ImageMeta(id=str(uuid.uuid4()), properties=objects.ImageProperties())

    def ask():
        server = str(uuid.uuid4())
        spec = objects.RequestSpec(instance_uuid=server, flavor=flavor, image=image, **WHO)
        found = client.select(context.admin(), objects.SelectRequest(spec=spec, instance_uuids=[server]))
        return bool(found.choices[0].selections)
    return ask


def upstream(file):
    """The same."""
    from nova import config, context, exception, objects
    from nova.scheduler import rpcapi
    config.parse_args(['nova-conductor', '--config-file', file])
    objects.register_all()
    admin, client = context.get_admin_context(), rpcapi.SchedulerAPI()
    flavor = objects.Flavor(id=1, disabled=False, is_public=True, vcpu_weight=0, description=None, **FLAVOR)
    image = objects.ImageMeta(id=str(uuid.uuid4()), properties=objects.ImageMetaProps())
    unset = dict.fromkeys(('availability_zone', 'numa_topology', 'pci_requests', 'ignore_hosts', 'force_hosts',
                           'force_nodes', 'retry', 'instance_group', 'requested_destination'))

    def ask():
        server = str(uuid.uuid4())
        spec = objects.RequestSpec(
            admin, instance_uuid=server, flavor=flavor, image=image, num_instances=1, is_bfv=False,
            limits=objects.SchedulerLimits(), requested_networks=objects.NetworkRequestList(objects=[]),
            security_groups=objects.SecurityGroupList(objects=[]), requested_resources=[],
            request_level_params=objects.RequestLevelParams(), scheduler_hints={}, **unset, **WHO)
        try:
            client.select_destinations(admin, spec, [server], return_objects=True, return_alternates=True)
        except exception.NoValidHost:
            return False
        return True
    return ask


def measure(ask, clients, seconds):
    """What became of it: seconds of each decision, of which so many found no host; seconds of all, and of
    processor time of this process."""
    began, processor = time.monotonic(), time.process_time()

    def client(_):
        each, refused = [], 0
        while not each or time.monotonic() - began < seconds:
            asked = time.monotonic()
            refused += not ask()
            each.append(time.monotonic() - asked)
        return each, refused
    with futures.ThreadPoolExecutor(clients) as pool:
        done = list(pool.map(client, range(clients)))
    return {'each': [one for each, _ in done for one in each], 'refused': sum(refused for _, refused in done),
            'seconds': time.monotonic() - began, 'processor': time.process_time() - processor}


def main():
    logging.disable(logging.WARNING)  # that many calls wait for an answer at the same time
    ask = {'ours': ours, 'upstream': upstream}[sys.argv[1]](sys.argv[2])
    for line in sys.stdin:
        clients, seconds = line.split()
        print(json.dumps(measure(ask, int(clients), float(seconds))), flush=True)


if __name__ == '__main__':
    main()
