"""File shares of a server, as they are looked at. Attaching and detaching them are rooms of `nova.ops`."""

from nova import errors, objects
from nova.api.request import Request
from nova.policies import server_shares as rules
from nova.rest.resource import Many, One, Page, Reply, Resource, get
from nova.schema import share as schema

_PATH = '/servers/{server_id}/shares'


def _looked(req: Request, instance: objects.Instance) -> schema.Looked:
    return schema.Looked(instance, bool(req.context.is_admin))


def _shares(req: Request, instance: objects.Instance) -> list[objects.ShareMapping]:
    """Its shares; a server that no cell has yet has none."""
    if req.place.mapping is None:
        return []
    with req.place.db.read() as conn:
        return objects.ShareMapping.of_server(conn, instance.uuid)


class ServerShares(Resource):

    @get(_PATH, since=schema.SINCE, strict='2.1', rule=rules.INDEX,
         returns=Many('shares', schema.Share, 'show'))
    def index(self, req: Request, instance: objects.Instance) -> Page:
        """List a server's shares."""
        return Page(_shares(req, instance), look=_looked(req, instance))

    @get(_PATH + '/{share_id}', since=schema.SINCE, strict='2.1', rule=rules.SHOW,
         returns=One('share', schema.Share))
    def show(self, req: Request, instance: objects.Instance, share_id: str) -> Reply:
        """Show a share of a server."""
        for share in _shares(req, instance):
            if share.share_id == share_id:
                return Reply(subject=share, look=_looked(req, instance))
        raise errors.share.ShareNotAttached(share=share_id, server=instance.uuid)
