"""Talking HTTP to the neighbours: who we are, how long we wait, how often we try, what a refusal becomes.

One `Service` per neighbour holds a keystoneauth session with a connection pool. Its credentials are those of
its section in nova.conf; a call made for a user within an API request carries the user's token instead, and,
when ``[service_user] send_service_user_token`` is set, the service token beside it. Tokens are in no log line,
no repr and no error.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib import parse

import requests
from keystoneauth1 import exceptions, loading, noauth, plugin, service_token
from keystoneauth1 import session as ks_session
from oslo_config import cfg
from oslo_log import log

from nova import context as nova_context
from nova import errors
from nova.clients import acceptance, transport
from nova.clients.ours import Ours
from nova.common import jsonutil, sharing
from nova.common.jsonutil import JsonObject

LOG = log.getLogger(__name__)

_POOL = 64
_TIMEOUT = 60.0
"""Seconds without an answer, where the section sets no ``timeout``: a neighbour that hangs must not hang us."""
_RETRIES = 2
_AWAY = frozenset({429, 502, 503, 504})
"""Statuses of a neighbour that is not there, or too busy: it may be there in a moment."""
_AGAIN = frozenset({'GET', 'HEAD', 'PUT', 'DELETE'})
"""Methods that are repeated when the connection fails: the second time changes nothing."""

Translation = Mapping[int, Callable[[str], Exception]]
"""What a status becomes: a function of the neighbour's message that makes the error to raise."""


class _OnBehalf(plugin.BaseAuthPlugin):
    """A user's token over the endpoints that our own credentials see."""

    def __init__(self, base: plugin.BaseAuthPlugin, context: nova_context.RequestContext) -> None:
        super().__init__()
        self._base, self._token, self._project = base, context.auth_token, context.project_id

    def get_token(self, session: ks_session.Session, **kwargs: object) -> str | None:
        return self._token

    def get_endpoint(self, session: ks_session.Session, **kwargs: object) -> str | None:
        """Catalog entries that hold our project's id are turned to the user's."""
        found = self._base.get_endpoint(session, **kwargs)
        ours = self._base.get_project_id(session)
        return found.replace(ours, self._project) if found and ours and self._project else found

    def get_endpoint_data(  # type: ignore[explicit-any]
            self, session: ks_session.Session, **kwargs: Any) -> Any:
        return self._base.get_endpoint_data(session, **kwargs)

    def get_project_id(self, session: ks_session.Session, **kwargs: object) -> str | None:
        return self._project

    def get_user_id(self, session: ks_session.Session, **kwargs: object) -> str | None:
        return None

    def get_connection_params(  # type: ignore[explicit-any]
            self, session: ks_session.Session, **kwargs: Any) -> Any:
        return self._base.get_connection_params(session, **kwargs)


class Answer:
    """A neighbour's response: status, headers, and the body as JSON on demand.

    Attributes:
        response: as requests has it.
    """

    def __init__(self, response: requests.Response, away: type[errors.Unavailable]) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.response, self._away = response, away

    def json(self) -> JsonObject:
        """The body as a JSON object; empty when there is none or it is something else."""
        try:
            body = jsonutil.loads(self.response.content)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    def chunks(self, size: int) -> Iterator[bytes]:
        """The body in pieces of at most `size` bytes; the connection is given back at the end.

        Raises:
            Unavailable: it broke off.
        """
        try:
            yield from self.response.iter_content(size)
        except requests.RequestException as error:
            raise self._away() from error

    @property
    def message(self) -> str:
        """What a refusal says, wherever the neighbour's envelope keeps it."""
        return _message(self.json()) or self.response.reason or str(self.status)

    @property
    def code(self) -> str:
        """The stable code of a refusal: Placement's ``code``, Neutron's ``type``; '' when there is none."""
        body = self.json()
        for error in _errors(body):
            for key in ('code', 'type'):
                if isinstance(error.get(key), str):
                    return error[key]
        return ''


def _errors(body: JsonObject) -> list[JsonObject]:
    """The objects of an error body that may hold text: ``errors[0]``, the only member, the body itself."""
    found: list[object] = list(body['errors']) if isinstance(body.get('errors'), list) else []
    found += [value for value in body.values() if isinstance(value, dict)]
    return [one for one in [*found, body] if isinstance(one, dict)]


def _message(body: JsonObject) -> str:
    for error in _errors(body):
        for key in ('detail', 'message', 'title'):
            if isinstance(error.get(key), str) and error[key].strip():
                return error[key].strip()
    return next((value for value in body.values() if isinstance(value, str) and value), '')


def _may_come_back(error: exceptions.ClientException) -> bool:
    """Whether who did not answer, the neighbour or Keystone, may do so in a moment."""
    if isinstance(error, exceptions.HttpError):
        return error.http_status in _AWAY
    return isinstance(error, exceptions.ConnectionError | exceptions.DiscoveryFailure) and not isinstance(
        error, exceptions.SSLError)


class Service:
    """One neighbour.

    Args:
        name: section of the configuration, for logs: ``neutron``.
        session: keystoneauth session with our own credentials.
        endpoint: where it is: ``service_type``, ``service_name``, ``interface``, ``region_name``,
            ``endpoint_override`` as keystoneauth takes them.
        failed: error class for "cannot be used".
        away: the one for "is not there now", which is worth another try.
        vouch: credentials of the service token, or None.
        microversion_type: word before the number in the microversion header, ``placement``.
    """

    def __init__(self, name: str, session: ks_session.Session, endpoint: JsonObject,
                 failed: type[errors.Unavailable], away: type[errors.Unavailable], *,
                 vouch: plugin.BaseAuthPlugin | None = None, microversion_type: str | None = None,
                 retries: int = _RETRIES) -> None:
        self.name, self._session, self._retries = name, session, retries
        self._failed, self._away, self._acceptance = failed, away, acceptance.Acceptance()
        assert session.auth is not None
        self._auth_plugin = Ours(session.auth)
        self._override = endpoint.get('endpoint_override')
        self._filter = {key: value for key, value in endpoint.items()
                        if key != 'endpoint_override' and value is not None}
        self._vouch, self._type = None if vouch is None else Ours(vouch), microversion_type
        self._looks = sharing.Shared[Answer]()

    def _auth(self, context: nova_context.RequestContext | None) -> plugin.BaseAuthPlugin:
        auth: plugin.BaseAuthPlugin = self._auth_plugin
        if context is not None and self._as_user(context):
            auth = _OnBehalf(auth, context)
        if self._vouch is not None:
            auth = service_token.ServiceTokenAuthWrapper(user_auth=auth, service_auth=self._vouch)
        return auth

    def call(self, method: str, path: str, *, body: object = None, params: Sequence[tuple[str, str]] = (),
             context: nova_context.RequestContext | None = None, microversion: str | None = None,
             on: Translation | None = None, allow: Collection[int] = (),
             headers: Mapping[str, str] | None = None, data: object = None, stream: bool = False) -> Answer:
        """Send one request.

        Args:
            path: without a query; whatever names in it are made of, it leads to no other resource.
            body: sent as JSON.
            context: a context with a token makes the call in the user's name; its request id goes along.
            on: errors to raise by status.
            allow: statuses of 400 and above that are answers.
            data: sent as it is (image data).
            stream: do not read the body; `Answer.chunks` does.

        Raises:
            Unavailable: the neighbour cannot be reached or asks for patience (then `again` is true), fails, or
                does not accept our credentials.
            Forbidden: the user may not do this.
            Invalid: the neighbour did not understand, and `on` says nothing about it.
            NotFound: a name in the path is a step up or to itself, so nothing has it.
        """
        if {'.', '..'} & set(path.split('/')):
            raise (on or {}).get(404, errors.NotFound)('The resource could not be found.')
        sent = {'Accept': 'application/json', **(headers or {})}
        if microversion:
            sent['OpenStack-API-Version'] = f'{self._type} {microversion}'
        if body is not None:
            data = jsonutil.dumps(body)
            sent.setdefault('Content-Type', 'application/json')
        if context is not None and context.global_id:
            sent['X-Openstack-Request-Id'] = context.global_id
        again = self._retries if method in _AGAIN and (data is None or isinstance(data, bytes)) else 0
        extra: JsonObject = {} if self._session.timeout is not None else {'timeout': _TIMEOUT}
        try:
            response = self._session.request(
                parse.quote(path), method, headers=sent, data=data, params=list(params) or None,
                auth=self._auth(context),
                endpoint_filter=self._filter, endpoint_override=self._override, raise_exc=False, stream=stream,
                connect_retries=again, connect_retry_delay=0.2,
                status_code_retries=again, status_code_retry_delay=0.5, log=not stream, **extra)
        except exceptions.ClientException as error:
            LOG.warning('%(name)s cannot be used (%(method)s %(path)s): %(error)s. Check [%(name)s] in the '
                        'configuration and that the service runs.',
                        {'name': self.name, 'method': method, 'path': path, 'error': error})
            raise self._absent(_may_come_back(error)) from error
        answer = Answer(response, self._away)
        if answer.status < 400 or answer.status in allow:
            if answer.status < 400 and not self._as_user(context):
                self._acceptance.allowed(method, path)
            return answer
        raise self._refusal(method, path, answer, context, on or {})

    def look(self, path: str, params: Sequence[tuple[str, str]] = ()) -> Answer:
        """GET in our own name; who ask the same at the same time share an answer, begun after they asked."""
        return self._looks.ask((path, tuple(params)), lambda: self.call('GET', path, params=params))

    def _refusal(self, method: str, path: str, answer: Answer, context: nova_context.RequestContext | None,
                 on: Translation) -> Exception:
        if answer.status in on:
            return on[answer.status](answer.message)
        as_user = self._as_user(context)
        LOG.warning('%(name)s refused %(method)s %(path)s: %(status)s %(message)s',
                    {'name': self.name, 'method': method, 'path': path, 'status': answer.status,
                     'message': answer.message})
        if answer.status in _AWAY:
            return self._absent(True)
        if answer.status == 403 and self._acceptance.is_starting(method, path, as_user):
            return self._away()
        if answer.status == 403 and as_user:
            return errors.Forbidden(answer.message)
        if answer.status == 401 and as_user:
            LOG.error('%(name)s does not accept the token of a user, perhaps because his request has waited '
                      'for long. With [service_user] send_service_user_token tokens stay useful beyond '
                      'their end.', {'name': self.name})
            return self._failed(f'{self._failed.template} The token of the request is not accepted any more.')
        if answer.status in (400, 404, 409, 413, 422):
            return errors.Invalid(f'{self.name}: {answer.message}')
        if answer.status in (401, 403):
            LOG.error('%(name)s does not accept our credentials; check the user, password and role in '
                      '[%(name)s].', {'name': self.name})
        return self._failed()

    @staticmethod
    def _as_user(context: nova_context.RequestContext | None) -> bool:
        return context is not None and bool(context.auth_token)

    def _absent(self, may_come_back: bool) -> errors.Unavailable:
        if not may_come_back:
            return self._failed()
        self._acceptance.was_away()
        return self._away()


class _Unconfigured(Service):
    """A neighbour of which the configuration does not say enough."""

    def __init__(self, name: str, failed: type[errors.Unavailable], missing: str) -> None:
        super().__init__(name, ks_session.Session(auth=noauth.NoAuth()), {}, failed, failed)
        self._missing = missing

    def call(self, method: str, path: str, **kwargs: object) -> Answer:
        LOG.error('Section [%(name)s] of the configuration is incomplete (%(missing)s); set auth_type and the '
                  'credentials.', {'name': self.name, 'missing': self._missing})
        raise self._failed()


def _endpoint(conf: cfg.ConfigOpts, group: str) -> JsonObject:
    section = conf[group]
    interfaces = list(getattr(section, 'valid_interfaces', None) or ['internal', 'public'])
    return {
        'service_type': section.service_type, 'service_name': getattr(section, 'service_name', None),
        'region_name': section.region_name, 'interface': interfaces,
        'endpoint_override': section.endpoint_override,
    }


def build(conf: cfg.ConfigOpts, group: str, failed: type[errors.Unavailable], away: type[errors.Unavailable], *,
          microversion_type: str | None = None, pool: requests.Session | None = None,
          endpoint: JsonObject | None = None, retries: int | None = None,
          version: str | None = None) -> Service:
    """The `Service` that section `group` describes; nothing is asked of the network yet.

    Args:
        pool: requests session to use instead of a new one (tests mount in-process applications on it).
        endpoint: where it is, instead of what the section's endpoint options say.
        retries: repetitions after a failure to connect; None takes the section's ``connect_retries``.
        version: major version of the neighbour's API, ``3``, to look up behind the catalog's address, which
            may name a version or none; None takes the address as it is.

    A section without usable credentials is a neighbour that cannot be used: each call says what is missing. Not
    every cloud has every neighbour, so it is no reason not to start.
    """
    try:
        auth = loading.load_auth_from_conf_options(conf, group)
        session = loading.load_session_from_conf_options(
            conf, group, auth=auth, session=pool or transport.connection_pool(_POOL))
        vouch = _service_auth(conf)
    except exceptions.ClientException as error:
        return _Unconfigured(group, failed, str(error))
    if auth is None:
        return _Unconfigured(group, failed, 'there is no auth_type')
    if retries is None:
        retries = getattr(conf[group], 'connect_retries', None)
    at = dict(endpoint or _endpoint(conf, group))
    if version is not None:
        at |= {'min_version': version, 'max_version': f'{version}.latest'}
    return Service(group, session, at, failed, away, vouch=vouch,
                   microversion_type=microversion_type, retries=_RETRIES if retries is None else retries)


def credentials(conf: cfg.ConfigOpts, group: str) -> list[str]:
    """The secrets among a section's credentials; none where it has none, or none that can be used."""
    section = conf[group].auth_section or group
    try:
        kind = conf[section].auth_type
        options = loading.get_auth_plugin_conf_options(kind) if kind else ()
        found = [conf[section][option.dest] for option in options if option.secret]
        return [str(secret) for secret in found if secret]
    except (exceptions.ClientException, cfg.NoSuchOptError):
        return []


def _service_auth(conf: cfg.ConfigOpts) -> plugin.BaseAuthPlugin | None:
    """Credentials of ``[service_user]``, when service tokens are to be sent."""
    if 'service_user' not in conf or not conf.service_user.send_service_user_token:
        return None
    return loading.load_auth_from_conf_options(conf, 'service_user')
