"""APIs that were removed at every microversion: 410, all of them in one table."""

from collections.abc import Iterator
from typing import NoReturn

from nova.api.request import Request
from nova.common import problem
from nova.rest.resource import Body, Operation, Resource, make

_ENTRY = '/os-floating-ip-dns/{domain_id}/entries/{entry_id}'

PATHS = {
    '/os-agents': 'GET POST', '/os-agents/{agent_id}': 'PUT DELETE',
    '/os-cells': 'GET POST', '/os-cells/capacities': 'GET', '/os-cells/detail': 'GET', '/os-cells/info': 'GET',
    '/os-cells/sync_instances': 'POST', '/os-cells/{cell_id}': 'GET PUT DELETE',
    '/os-cells/{cell_id}/capacities': 'GET',
    '/os-certificates': 'POST', '/os-certificates/{certificate_id}': 'GET',
    '/os-cloudpipe': 'GET POST', '/os-cloudpipe/{cloudpipe_id}': 'PUT',
    '/os-fixed-ips/{address}': 'GET',
    '/os-floating-ip-dns': 'GET', '/os-floating-ip-dns/{domain_id}': 'PUT DELETE', _ENTRY: 'GET PUT DELETE',
    '/os-floating-ips-bulk': 'GET POST', '/os-floating-ips-bulk/{pool_id}': 'GET PUT',
    '/os-fping': 'GET', '/os-fping/{fping_id}': 'GET',
    '/os-networks': 'POST', '/os-networks/add': 'POST', '/os-networks/{network_id}': 'DELETE',
    '/os-security-group-default-rules': 'GET POST', '/os-security-group-default-rules/{rule_id}': 'GET DELETE',
    '/os-tenant-networks': 'POST', '/os-tenant-networks/{network_id}': 'DELETE',
    '/servers/{server_id}/consoles': 'GET POST', '/servers/{server_id}/consoles/{console_id}': 'GET DELETE',
    '/servers/{server_id}/os-virtual-interfaces': 'GET',
}
ACTIONS = {
    '/os-fixed-ips/{address}/action': ('reserve', 'unreserve'),
    '/os-networks/{network_id}/action': (
        'associate_host', 'disassociate', 'disassociate_host', 'disassociate_project'),
    '/servers/{server_id}/action': ('os-getRDPConsole', 'resetNetwork'),
}


class Removed(problem.Problem):
    status, code, template = 410, 'gone', 'This resource has been removed.'


def _gone(req: Request, **fields: str) -> NoReturn:
    raise Removed()


class Gone(Resource):

    def operations(self) -> Iterator[Operation]:
        for path, methods in PATHS.items():
            for method in methods.split():
                yield make(method, path, _gone, server=False, strict='2.999', name=f'{method} {path}')
        for path, actions in ACTIONS.items():
            for action in actions:
                yield make('POST', path, _gone, server=False, action=action, body=Body({}), name=action)
