"""A server's NUMA cells: what it sees of them, and for administrators where they are."""


from nova import objects
from nova.api.request import Request
from nova.common.jsonutil import JsonObject
from nova.policies import server_topology as rules
from nova.rest import types
from nova.rest.field import ABSENT, Document, Field
from nova.rest.resource import One, Resource, get


class Node(Document):
    memory_mb = Field(types.INTEGER, get=lambda cell, look: cell['memory'], show='2.78')
    vcpu_set = Field(types.array(types.INTEGER), 'CPUs of the guest in this cell.',
                     get=lambda cell, look: sorted({*cell.get('cpuset', ()), *cell.get('pcpuset', ())}),
                     show='2.78')
    siblings = Field(types.array(types.array(types.INTEGER)), 'CPUs of the guest that are threads of one core.',
                     get=lambda cell, look: cell.get('siblings', []), show='2.78')
    cpu_pinning = Field(types.OBJECT, 'CPU of the guest to CPU of the host.', rule=rules.HOST_INDEX, maybe=True,
                        get=lambda cell, look: cell.get('cpu_pinning', ABSENT), show='2.78')
    host_node = Field(types.INTEGER, "Number of the host's cell.", rule=rules.HOST_INDEX, maybe=True,
                      get=lambda cell, look: cell.get('host_node', ABSENT), show='2.78')


def _cells(instance: objects.Instance) -> list[JsonObject]:
    return list((instance.numa_topology or {}).get('cells', ()))


class Topology(Document):
    nodes = Field(types.array(Node), get=lambda instance, look: _cells(instance), show='2.78')
    pagesize_kb = Field(types.nullable(types.INTEGER), 'Size of its memory pages.', show='2.78',
                        get=lambda instance, look: next((cell.get('pagesize') for cell in _cells(instance)),
                                                        None))


class ServerTopology(Resource):

    @get('/servers/{server_id}/topology', since='2.78', rule=rules.INDEX, rules=(rules.HOST_INDEX,),
         loads=('numa_topology',), returns=One(None, Topology))
    def index(self, req: Request, instance: objects.Instance) -> objects.Instance:
        """Show a server's NUMA cells; none where nobody asked for any."""
        return instance
