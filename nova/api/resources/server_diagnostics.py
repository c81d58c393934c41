"""Diagnostics of a server, for administrators: what its hypervisor counts. Its host is asked."""

from nova import objects
from nova.api.request import Request
from nova.objects.instance import WORK
from nova.policies import server_diagnostics as rules
from nova.rest.resource import One, Reply, Resource, get
from nova.rpc.questions import Questions
from nova.schema import diagnostics


class ServerDiagnostics(Resource):

    @get('/servers/{server_id}/diagnostics', rule=rules.SERVER_DIAGNOSTICS,
         returns=One(None, diagnostics.Diagnostics), loads=WORK)
    def show(self, req: Request, instance: objects.Instance) -> Reply:
        """Show what the hypervisor counts of a server's guest."""
        seen = req.ask_host(instance, Questions.diagnostics).value
        if req.at(diagnostics.SINCE):
            return Reply(subject=seen)
        return Reply(body=diagnostics.counters(seen))
