"""Who is calling: from keystonemiddleware's environment, or from a plain token under noauth."""

import contextvars
import dataclasses
from wsgiref.types import WSGIApplication, WSGIEnvironment

from keystoneauth1 import exceptions as ksa_exceptions
from keystonemiddleware import auth_token
from keystonemiddleware.auth_token import _request
from oslo_config import cfg

from nova.common import middleware, problem
from nova.common.jsonutil import JsonObject

_AWAY = (ksa_exceptions.ConnectFailure, ksa_exceptions.DiscoveryFailure, ksa_exceptions.RequestTimeout,
         auth_token.ksm_exceptions.ServiceError)
_UNKNOWN = 'nova.token_could_not_be_validated'
"""In the WSGI environment, where no client can put it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """A caller as the identity service, or noauth, describes them."""

    user_id: str
    project_id: str | None
    roles: tuple[str, ...] = ()
    user_domain_id: str | None = None
    project_domain_id: str | None = None
    system_scope: str | None = None
    service_roles: tuple[str, ...] = ()
    is_admin_project: bool = True
    token: str | None = dataclasses.field(default=None, repr=False)


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or '').split(',') if word.strip())


def from_keystone(environ: WSGIEnvironment) -> Identity:
    """Read what keystonemiddleware put in the WSGI environment.

    Raises:
        Unauthorized: no valid token came with the request.
        Unavailable: whether it is valid could not be asked.
    """
    if environ.get(_UNKNOWN):
        raise problem.Unavailable('The identity service cannot be reached to validate the token; try again.',
                                  headers={'Retry-After': '5'})
    if environ.get('HTTP_X_IDENTITY_STATUS') != 'Confirmed' or not environ.get('HTTP_X_USER_ID'):
        raise problem.Unauthorized()
    return Identity(
        user_id=environ['HTTP_X_USER_ID'], project_id=environ.get('HTTP_X_PROJECT_ID'),
        roles=_words(environ.get('HTTP_X_ROLES')),
        user_domain_id=environ.get('HTTP_X_USER_DOMAIN_ID'),
        project_domain_id=environ.get('HTTP_X_PROJECT_DOMAIN_ID'),
        system_scope=environ.get('HTTP_OPENSTACK_SYSTEM_SCOPE'),
        service_roles=_words(environ.get('HTTP_X_SERVICE_ROLES')),
        is_admin_project=environ.get('HTTP_X_IS_ADMIN_PROJECT', 'true').lower() == 'true',
        token=environ.get('HTTP_X_AUTH_TOKEN'))


def from_plain_token(environ: WSGIEnvironment, *, roles_of_admin: tuple[str, ...] = ('admin',),
                     roles_of_others: tuple[str, ...] = ('member', 'reader')) -> Identity:
    """noauth: the token is ``user`` or ``user:project``; the user named admin is one.

    ``X-Roles``, ``X-User-Id`` and ``X-Project-Id`` override what the token says, and ``OpenStack-System-Scope``
    makes it one of the system, which has no project. For tests and closed networks
    only: anyone may claim to be anyone.

    Raises:
        Unauthorized: no token.
    """
    token = environ.get('HTTP_X_AUTH_TOKEN')
    if not token:
        raise problem.Unauthorized()
    user, _, project = token.partition(':')
    user = environ.get('HTTP_X_USER_ID') or user
    scope = environ.get('HTTP_OPENSTACK_SYSTEM_SCOPE') or None
    project = None if scope else environ.get('HTTP_X_PROJECT_ID') or project or user
    roles = _words(environ.get('HTTP_X_ROLES')) or (
        roles_of_admin + roles_of_others if user == 'admin' else roles_of_others)
    return Identity(user_id=user, project_id=project, roles=roles, system_scope=scope, token=token)


class _Protocol(auth_token.AuthProtocol):
    """Tells the app apart a token that is not valid from one of which nobody could say so.

    Where decisions are delayed, its base calls both invalid.
    """

    def __init__(self, app: WSGIApplication, conf: JsonObject) -> None:
        super().__init__(app, conf)
        self._unknown = contextvars.ContextVar('unknown', default=False)

    def fetch_token(self, token: str, **kwargs: object) -> JsonObject:
        try:
            found: JsonObject = super().fetch_token(token, **kwargs)
            return found
        except auth_token.InvalidToken as error:
            if isinstance(error.__context__, _AWAY):
                self._unknown.set(True)
            raise

    def process_request(self, request: _request._AuthTokenRequest) -> object:
        self._unknown.set(False)
        middleware.begin(request.environ)
        answer = super().process_request(request)
        if self._unknown.get() and not request.user_token_valid:
            request.environ[_UNKNOWN] = True
        return answer


def keystone(app: WSGIApplication, conf: cfg.ConfigOpts) -> WSGIApplication:
    """Wrap a WSGI app in keystonemiddleware, configured from ``[keystone_authtoken]`` of `conf`.

    Decisions are delayed to the app (``delay_auth_decision``), so that version documents stay open and refusals
    come in the service's own envelope.
    """
    return _Protocol(app, {'oslo_config_config': conf, 'delay_auth_decision': True})
