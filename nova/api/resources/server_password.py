"""The administrator's password of a guest, as the guest has left it: sealed for the user's key."""


from nova import objects
from nova.api.request import Request
from nova.common.jsonutil import JsonObject
from nova.domain import guest_password
from nova.policies import server_password as rules
from nova.rest import types
from nova.rest.resource import Resource, delete, get

_PATH = '/servers/{server_id}/os-server-password'


class ServerPassword(Resource):

    @get(_PATH, rule=rules.SHOW, returns=types.OBJECT)
    def show(self, req: Request, instance: objects.Instance) -> JsonObject:
        """Show the sealed password; empty where there is none."""
        return {'password': guest_password.of(instance.system_metadata)}

    @delete(_PATH, rule=rules.CLEAR, ok=204)
    def clear(self, req: Request, instance: objects.Instance) -> None:
        """Forget the sealed password; the guest's own stays what it is."""
        def alter(fresh: objects.Instance) -> None:
            fresh.system_metadata = guest_password.put(fresh.system_metadata, '')
        req.change(instance, alter)
