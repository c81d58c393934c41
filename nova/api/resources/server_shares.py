"""File shares of a server, as they are looked at. Attaching and detaching them are rooms of `nova.ops`."""

from nova import objects
from nova.api.request import Request
from nova.policies import server_shares as rules
from nova.rest.resource import Many, One, Page, Reply, Resource, get
from nova.schema import share as schema
from nova.steps import shares

_PATH = '/servers/{server_id}/shares'


class ServerShares(Resource):

    @get(_PATH, since=schema.SINCE, strict='2.1', rule=rules.INDEX,
         returns=Many('shares', schema.Share, 'show'))
    def index(self, req: Request, instance: objects.Instance) -> Page:
        """List a server's shares."""
        found = list[objects.ShareMapping]()
        if req.place.mapping is not None:
            with req.place.db.read() as conn:
                found = objects.ShareMapping.of_server(conn, instance.uuid)
        return Page(found, look=schema.Looked(req.context, instance))

    @get(_PATH + '/{share_id}', since=schema.SINCE, strict='2.1', rule=rules.SHOW,
         returns=One('share', schema.Share))
    def show(self, req: Request, instance: objects.Instance, share_id: str) -> Reply:
        """Show a share of a server."""
        return Reply(subject=shares.of_request(req, instance, share_id),
                     look=schema.Looked(req.context, instance))
