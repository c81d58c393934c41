"""Nodes of the bare-metal service up to 2.35: no driver here manages any, so there are none to tell of."""

from typing import NoReturn

from nova import errors
from nova.api.request import Request
from nova.common import problem
from nova.policies import baremetal_nodes as rules
from nova.rest import types
from nova.rest.resource import Body, Resource, delete, get, post

_UNTIL = '2.35'
_NODES, _NODE = '/os-baremetal-nodes', '/os-baremetal-nodes/{node_id}'


class NoBareMetal(errors.NovaError):
    """No bare-metal service belongs to this cloud."""

    status, code = 501, 'no_bare_metal'
    template = 'No bare-metal service belongs to this cloud.'


def _refuse() -> NoReturn:
    raise problem.BadRequest('Command Not supported. Please use the bare-metal service itself.')


class BareMetalNodes(Resource):

    @get(_NODES, until=_UNTIL, rule=rules.LIST, returns=types.OBJECT)
    def index(self, req: Request) -> NoReturn:
        """List nodes."""
        raise NoBareMetal()

    @get(_NODE, until=_UNTIL, rule=rules.SHOW, returns=types.OBJECT)
    def show(self, req: Request, node_id: str) -> NoReturn:
        """Show a node."""
        raise NoBareMetal()

    @post(_NODES, until=_UNTIL, ok=200, body=Body(types.OBJECT))
    def create(self, req: Request) -> NoReturn:
        """Refused."""
        _refuse()

    @delete(_NODE, until=_UNTIL, ok=200)
    def remove(self, req: Request, node_id: str) -> NoReturn:
        """Refused."""
        _refuse()

    @post(_NODE + '/action', action='add_interface', until=_UNTIL, ok=200, body=Body({}))
    def add_interface(self, req: Request, node_id: str) -> NoReturn:
        """Refused."""
        _refuse()

    @post(_NODE + '/action', action='remove_interface', until=_UNTIL, ok=200, body=Body({}))
    def remove_interface(self, req: Request, node_id: str) -> NoReturn:
        """Refused."""
        _refuse()
