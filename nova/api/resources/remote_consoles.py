"""Consoles of a server: an address that opens one, for some minutes."""

import dataclasses
from urllib import parse

from nova import errors, objects, states
from nova.api.request import Request
from nova.objects.console_token import ConsoleToken
from nova.policies import console_auth_tokens, remote_consoles
from nova.rest import types
from nova.rest.field import Document, Field, Span
from nova.rest.resource import Body, One, Resource, get, post
from nova.rpc.questions import Questions
from nova.task.guard import ANY, From

_PROTOCOLS = {'vnc': {'novnc', 'xvpvnc'}, 'spice': {'spice-html5', 'spice-direct'}, 'rdp': {'rdp-html5'},
              'serial': {'serial'}, 'mks': {'webmks'}}
_OLD = '2.5'
"""Newest version of the older actions."""
_ACTION = '/servers/{server_id}/action'
_FROM = From(task=ANY, but=(states.Task.DELETING, states.Task.MIGRATING), launched=False, lock=False)
"""A console is not opened to a guest that is about to go."""


@dataclasses.dataclass(frozen=True)
class Opened:
    protocol: str
    type: str
    url: str


def _protocols(*more: str) -> types.Type:
    return types.enum('vnc', 'spice', 'rdp', 'serial', *more)


def _kinds(*more: str) -> types.Type:
    return types.enum('novnc', 'xvpvnc', 'rdp-html5', 'spice-html5', 'serial', *more)


_PROTOCOL = (Span('2.1', '2.7', type=_protocols()), Span('2.8', type=_protocols('mks')))
_KIND = (Span('2.1', '2.7', type=_kinds()), Span('2.8', '2.98', type=_kinds('webmks')),
         Span('2.99', type=_kinds('webmks', 'spice-direct')))


class RemoteConsole(Document):
    """Faces: ``create`` (body) and ``show``."""

    protocol = Field(doc='What the console speaks.', required=True, create=_PROTOCOL, show=_PROTOCOL)
    type = Field(doc='Which of the consoles that speak it.', required=True, create=_KIND, show=_KIND)
    url = Field(types.TEXT, 'Opens it, until the token in it ends.', show='2.1')


def _older(*kinds: str) -> type[Document]:
    class Console(Document):
        type = Field(types.enum(*kinds), show='2.1')
        url = Field(types.TEXT, show='2.1')
    return Console


def _asked(*kinds: str) -> Body:
    return Body(type=Field(types.enum(*kinds), 'Which kind.', required=True))


class RemoteConsoles(Resource):

    @post('/servers/{server_id}/remote-consoles', since='2.6', rule=remote_consoles.REMOTE_CONSOLES, ok=200,
          body=Body(RemoteConsole, face='create', under='remote_console'),
          returns=One('remote_console', RemoteConsole))
    def create(self, req: Request, instance: objects.Instance) -> Opened:
        """Open a console."""
        wanted = req.body['remote_console']
        if wanted['type'] not in _PROTOCOLS[wanted['protocol']]:
            raise errors.virt.ConsoleTypeUnavailable(type=wanted['type'])
        return _open(req, instance, wanted['protocol'], wanted['type'])

    @post(_ACTION, action='os-getVNCConsole', until=_OLD, rule=remote_consoles.REMOTE_CONSOLES, ok=200,
          body=_asked('novnc', 'xvpvnc'), returns=One('console', _older('novnc', 'xvpvnc')))
    def vnc(self, req: Request, instance: objects.Instance) -> Opened:
        """Open a VNC console."""
        return _open(req, instance, 'vnc', req.body['type'])

    @post(_ACTION, action='os-getSPICEConsole', until=_OLD, rule=remote_consoles.REMOTE_CONSOLES, ok=200,
          body=_asked('spice-html5'), returns=One('console', _older('spice-html5')))
    def spice(self, req: Request, instance: objects.Instance) -> Opened:
        """Open a SPICE console."""
        return _open(req, instance, 'spice', req.body['type'])

    @post(_ACTION, action='os-getSerialConsole', until=_OLD, rule=remote_consoles.REMOTE_CONSOLES, ok=200,
          body=_asked('serial'), returns=One('console', _older('serial')))
    def serial(self, req: Request, instance: objects.Instance) -> Opened:
        """Open a serial console."""
        return _open(req, instance, 'serial', req.body['type'])


def _open(req: Request, instance: objects.Instance, protocol: str, kind: str) -> Opened:
    _FROM.check(instance, 'get_console')
    place = req.ask_host(instance, Questions.console, kind=kind)
    token = req.write_in_cell(lambda conn: ConsoleToken.create(
        conn, instance.uuid, kind, place, req.conf.consoleauth.token_ttl))
    return Opened(protocol, kind, address(place.base_url, kind, token.token))


def address(base_url: str, kind: str, token: str) -> str:
    """The proxy's address with the token; noVNC's page hands on only what is in ``path``."""
    whole = parse.urlsplit(base_url)
    said = {'path': f'?token={token}'} if kind == 'novnc' else {'token': token}
    query = '&'.join(filter(None, (whole.query, parse.urlencode(said))))
    return parse.urlunsplit(whole._replace(query=query))


class ConsoleTarget(Document):
    instance_uuid = Field(types.UUID, show='2.1')
    host = Field(types.nullable(types.TEXT), show='2.1')
    port = Field(types.INTEGER, show='2.1')
    tls_port = Field(types.nullable(types.INTEGER), show='2.99')
    internal_access_path = Field(types.nullable(types.TEXT), show='2.1')


class ConsoleAuthTokens(Resource):

    @get('/os-console-auth-tokens/{token}', rule=console_auth_tokens.CONSOLE_AUTH_TOKENS, strict='2.99',
         returns=One('console', ConsoleTarget))
    def show(self, req: Request, token: str) -> ConsoleToken:
        """Show what a token opens."""
        if not req.at('2.31'):
            raise errors.Invalid('Before 2.31 only tokens of RDP consoles could be shown, and there are none.')
        cells = req.cells.ask(lambda conn: ConsoleToken.find(conn, token))
        found = next((one for _, one in cells if one is not None), None)
        if found is None:
            raise errors.virt.ConsoleTokenNotFound()
        return found
