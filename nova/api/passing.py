"""What the proxies pass on: asked of a neighbour in the user's name."""

from collections.abc import Mapping

from nova.api.request import Request
from nova.common.jsonutil import JsonObject


def network(req: Request, method: str, path: str, body: JsonObject | None = None,
            query: Mapping[str, str] | None = None) -> JsonObject:
    """What the network service answers; see `PassingClient.ask`."""
    return req.clients.passing['network'].ask(req.context, method, path, body, query)


def volume(req: Request, method: str, path: str, body: JsonObject | None = None) -> JsonObject:
    """What the volume service answers; see `PassingClient.ask`."""
    return req.clients.passing['volume'].ask(req.context, method, path, body)
