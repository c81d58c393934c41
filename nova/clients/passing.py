"""A neighbour's API for whom it is passed on to: asked in the user's name, and its refusals are ours."""

from collections.abc import Mapping

from nova import context as nova_context
from nova import errors
from nova.clients import session
from nova.common.jsonutil import JsonObject

_REFUSALS: dict[int, type[errors.NovaError]] = {
    400: errors.Invalid, 403: errors.Forbidden, 404: errors.NotFound, 409: errors.Conflict,
    413: errors.Forbidden,
    422: errors.Invalid, 429: errors.Forbidden}
_OVER_QUOTA = 'OverQuota'


class Passing:
    """`protocols.PassingClient` over HTTP.

    Args:
        base: what is before every path.
    """

    def __init__(self, service: session.Service, base: str = '', microversion: str | None = None) -> None:
        self._service, self._base, self._microversion = service, base, microversion

    def ask(self, context: nova_context.RequestContext, method: str, path: str, body: JsonObject | None = None,
            query: Mapping[str, str] | None = None) -> JsonObject:
        """See `PassingClient.ask`."""
        answer = self._service.call(method, self._base + path, body=body, params=list((query or {}).items()),
                                    context=context, microversion=self._microversion, allow=tuple(_REFUSALS))
        if answer.status >= 400:
            kind = errors.Forbidden if answer.code == _OVER_QUOTA else _REFUSALS[answer.status]
            raise kind(answer.message or f'The {self._service.name} service refuses this.')
        document: JsonObject = answer.json() if answer.status != 204 else {}
        return document
