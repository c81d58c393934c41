"""File shares of a server. No driver here can attach any yet, so there are none, and none is taken."""

from typing import NoReturn

from nova import errors, objects
from nova.api.request import Request
from nova.common.jsonutil import JsonObject
from nova.policies import server_shares as rules
from nova.rest import types
from nova.rest.field import Document, Field
from nova.rest.resource import Body, Many, One, Resource, delete, get, post

_PATH = '/servers/{server_id}/shares'
_SINCE = '2.97'
_TAG = types.text(1, 255, 'share-tag')


class SharesUnsupported(errors.Forbidden):
    template = 'The compute hosts of this cloud cannot attach shares.'


class ShareNotFound(errors.NotFound):
    template = 'Share {share} is not attached to server {server}.'


class Share(Document):
    """Faces: ``create`` (body) and ``show``."""

    uuid = Field(types.UUID, 'Of the attachment, for administrators.', maybe=True, show=_SINCE)
    share_id = Field(types.UUID, 'Of the share.', required=True, create=_SINCE, show=_SINCE)
    tag = Field(_TAG, 'What the guest knows it by.', create=_SINCE, show=_SINCE)
    status = Field(types.enum('active', 'attaching', 'detaching', 'error', 'inactive'), show=_SINCE)
    export_location = Field(types.TEXT, 'Where it is, for administrators.', maybe=True, show=_SINCE)


class ServerShares(Resource):

    @get(_PATH, since=_SINCE, strict='2.1', rule=rules.INDEX, returns=Many('shares', Share, 'show'))
    def index(self, req: Request, instance: objects.Instance) -> list[JsonObject]:
        """List a server's shares."""
        return []

    @post(_PATH, since=_SINCE, rule=rules.CREATE, ok=201, body=Body(Share, face='create', under='share'),
          returns=One('share', Share))
    def create(self, req: Request, instance: objects.Instance) -> NoReturn:
        """Attach a share."""
        raise SharesUnsupported()

    @get(_PATH + '/{share_id}', since=_SINCE, strict='2.1', rule=rules.SHOW, returns=One('share', Share))
    def show(self, req: Request, instance: objects.Instance, share_id: str) -> NoReturn:
        """Show a share of a server."""
        raise ShareNotFound(share=share_id, server=instance.uuid)

    @delete(_PATH + '/{share_id}', since=_SINCE, ok=200, rule=rules.DELETE)
    def remove(self, req: Request, instance: objects.Instance, share_id: str) -> NoReturn:
        """Detach a share."""
        raise ShareNotFound(share=share_id, server=instance.uuid)
