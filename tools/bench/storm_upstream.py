"""Waves of boots on our cluster and on upstream's, each wave on ours, then the same on theirs."""

import functools
import pathlib

import boot_upstream
import cluster_load
import httpx
from boot_upstream import Client


def left(client: Client) -> dict[str, int]:
    """How much there is of what must be gone with the servers, as far as other people are told."""
    deployment = client.cluster.deployment
    with httpx.Client(base_url=deployment.url('placement'), timeout=600, headers={
            'X-Auth-Token': client.cluster.token('admin'),
            'OpenStack-API-Version': 'placement 1.36'}) as placement:
        def get(path: str) -> dict:
            return placement.get(path).raise_for_status().json()
        allocations = [get(f'/resource_providers/{one["uuid"]}/allocations')['allocations']
                       for one in get('/resource_providers')['resource_providers']]
    return {'servers': len(client.listed()), 'allocations': sum(map(len, allocations)), 'ports': client.ports()}


def line(client: Client, name: str, what: object, found: dict[str, float]) -> str:
    """Of a wave, or of the deletion of all."""
    return (f'{what:>7} {name:8} ' + ' '.join(f'{figure:9.1f}' for figure in found.values()) + '    '
            + cluster_load.by_kind(cluster_load.memory(client.cluster)))


def compare(ours: cluster_load.Load, directory: pathlib.Path, count: int, wave: int) -> list[str]:
    """Print what each wave and the deletion of all take; what is wrong with ours."""
    both, made, before = boot_upstream.clients(ours, directory), {}, {}
    wrong: dict[str, list[str]] = {name: [] for name in both}
    for name, client in both.items():
        client.lift_port_limit()
        uuids, failed, _ = boot_upstream.boots(client, range(client.clients))  # what is done once only
        wrong[name] += map(client.state, failed)
        boot_upstream.deletions(client, uuids)
        made[name], before[name] = [], left(client)
    print(f'{"servers":>7} {"":8} {"a second":>9} {"ms each":>9} {"answer":>9}    megabytes', flush=True)
    for first in range(0, count, wave):
        for name, client in both.items():
            uuids, failed, found = boot_upstream.boots(client, range(first, min(first + wave, count)))
            made[name] += uuids
            print(line(client, name, len(made[name]), found), flush=True)
            wrong[name] += map(client.state, failed)
    for name, client in both.items():
        print(line(client, name, 'deleted', boot_upstream.deletions(client, made[name])), flush=True)
        more = cluster_load.left_over(functools.partial(left, client), before[name])
        print(f'{name}: left over {more or "nothing"} (of {", ".join(before[name])})', flush=True)
        wrong[name] += [f'{number} {what} are left' for what, number in more.items()]
    print(f'Wrong with upstream: {wrong["upstream"] or "nothing"}', flush=True)
    return wrong['ours']
