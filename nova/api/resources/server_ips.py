"""Addresses of servers."""

from nova import objects
from nova.api.request import Request
from nova.common import problem
from nova.common.jsonutil import JsonObject
from nova.policies import ips as rules
from nova.rest import types
from nova.rest.resource import Resource, get
from nova.schema.server import network

_LOADS = ('network_info',)


class ServerIps(Resource):

    @get('/servers/{server_id}/ips', rule=rules.INDEX, returns=types.OBJECT, loads=_LOADS)
    def index(self, req: Request, instance: objects.Instance) -> JsonObject:
        """List a server's addresses by network."""
        return {'addresses': network.plain_addresses(instance, None)}

    @get('/servers/{server_id}/ips/{label}', rule=rules.SHOW, returns=types.OBJECT, loads=_LOADS)
    def show(self, req: Request, instance: objects.Instance, label: str) -> JsonObject:
        """List a server's addresses on one network."""
        found = network.plain_addresses(instance, None)
        if label not in found:
            raise problem.NotFound('Instance is not a member of specified network')
        return {label: found[label]}
