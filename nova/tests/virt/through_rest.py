"""Guests of QEMU that only the APIs are used for; the cloud has the image ``guest`` of tools/guest."""

import base64
import re

from nova.tests.fixtures.waiting import until
from nova.tests.virt.labs.base import PATIENCE


def console(user, server):
    """What a guest has said."""
    return user.act(server, 'os-getConsoleOutput', {}).json()['output']


def says(user, server, pattern):
    """The first match on its console."""
    return until(lambda: re.search(pattern, console(user, server)), PATIENCE, 0.5,
                 lambda: f'{pattern!r} is not on the console, which ends with {console(user, server)[-400:]!r}')


def reach_each_other(user, zones=(None, None)):
    """Two servers on the private network of which the second gets answers from the first; their ids.

    Nobody serves addresses there: each guest is told by its user data which one its port has.

    Args:
        zones: as POST takes them; a host may be named there.
    """
    image = user.get('/v2/images?name=guest', service='image')['images'][0]['id']
    servers, ports = [], []
    for number, zone in enumerate(zones):
        made = user.call('POST', '/v2.0/ports', {'port': {'network_id': user.network}}, service='network')
        ports.append(made.json()['port'])
        addresses = [port['fixed_ips'][0]['ip_address'] for port in ports]
        lines = ['#!/bin/sh', f'ip link set eth0 up; ip addr add {addresses[-1]}/16 dev eth0',
                 f'while ! ping -c1 -W1 {addresses[0]} >/dev/null; do :; done; echo reached {addresses[0]}']
        answer = user.boot(f'guest-{number}', imageRef=image, networks=[{'port': ports[-1]['id']}],
                           user_data=base64.b64encode('\n'.join(lines).encode()).decode(),
                           **({'availability_zone': zone} if zone else {}))
        servers.append(answer.json()['server']['id'])
    for server in servers:
        user.wait(server, 'ACTIVE', PATIENCE)
    says(user, servers[1], f'GUEST user-data: reached {addresses[0]}')
    return servers
