"""From a routed HTTP request to an answer: version, query, body, server, rule, handler, view, in this order."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib import parse

import falcon

from nova.common import jsonschema, problem, web
from nova.common.jsonutil import JsonObject
from nova.common.microversion import V
from nova.rest import schema
from nova.rest.request import Query, Request
from nova.rest.resource import Many, One, Operation, Page, Reply

LOG = logging.getLogger(__name__)

METHODS = ('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS')


class NoRoute(problem.NotFound):
    """Nothing is served at this path, or not by this method; answered without a fault envelope."""

    code = 'no_route'


class NotAtVersion(problem.NotFound):
    code = 'not_at_version'
    template = 'API version {version} is not supported on this method.'


class ActionGone(problem.Problem):
    status, code = 410, 'gone'
    template = 'The action {action} was removed.'


MakeRequest = Callable[[falcon.Request, Operation, JsonObject | None, Query], Request]


class Dispatcher:
    """A table of operations, served by Falcon responders.

    Args:
        body_limit: bytes.
    """

    def __init__(self, operations: Iterable[Operation], make_request: MakeRequest,
                 body_limit: int = 114688) -> None:
        self._make = make_request
        self._limit = body_limit
        self.table: dict[str, dict[str, list[Operation]]] = defaultdict(lambda: defaultdict(list))
        for operation in operations:
            known = self.table[operation.path][operation.method]
            for other in known:
                if other.action == operation.action and _overlap(other, operation):
                    raise ValueError(f'{operation.method} {operation.path} is declared twice: '
                                     f'{other.name}, {operation.name}')
            known.append(operation)

    @property
    def operations(self) -> list[Operation]:
        return [operation for methods in self.table.values() for known in methods.values()
                for operation in known]

    def roots(self) -> frozenset[str]:
        """First segments of the paths."""
        return frozenset(path.split('/')[1] for path in self.table)

    def mount(self, app: falcon.App) -> None:
        """Add every path to a Falcon app; the methods that are not declared answer as unknown paths do."""
        for path, methods in self.table.items():
            web.route(app, path, {method: self._responder(methods.get(method, [])) for method in METHODS})

    def _responder(self, operations: list[Operation]) -> web.Responder:
        if not operations:
            def unrouted(req: falcon.Request, resp: falcon.Response, **fields: str) -> None:
                raise NoRoute()
            return unrouted
        if any(operation.action for operation in operations):
            def act(req: falcon.Request, resp: falcon.Response, **fields: str) -> None:
                body = web.body(req, self._limit, plain=True)
                operation = _pick_action(operations, body, req.context.version)
                self._serve(operation, body, req, resp, fields)
            return act

        def respond(req: falcon.Request, resp: falcon.Response, **fields: str) -> None:
            operation = _pick(operations, req.context.version)
            body = web.body(req, self._limit, plain=True) if operation.body is not None else None
            self._serve(operation, body, req, resp, fields)
        return respond

    def _serve(self, operation: Operation, body: object, req: falcon.Request, resp: falcon.Response,
               fields: Mapping[str, str]) -> None:
        version, relaxed = req.context.version, req.context.place.legacy
        if web.has_nul(list(fields.values())):
            raise problem.NotFound()
        query = _query(operation, req, relaxed)
        content = None
        if operation.body is not None:
            content = operation.check_body(body, version, relaxed)
            if web.has_nul(content):
                raise problem.BadRequest('The request body has a NUL character.')
            if operation.action:
                content = content[operation.action]
        request = self._make(req, operation, content, query)
        arguments: JsonObject = dict(fields)
        if operation.server:
            arguments['instance'] = request.server(arguments.pop('server_id'))  # type: ignore[attr-defined]
            target = {'project_id': arguments['instance'].project_id, 'user_id': arguments['instance'].user_id}
        else:
            target = None
        if operation.rule is not None:
            request.authorize(operation.rule, target)
        request.serve(lambda: answer(operation, request, operation.handler(request, **arguments), resp), resp)


def _overlap(one: Operation, other: Operation) -> bool:
    return one.holds(other.since) or other.holds(one.since)


def _pick(operations: list[Operation], version: V) -> Operation:
    for operation in operations:
        if operation.holds(version):
            return operation
    raise NotAtVersion(version=version)


def _pick_action(operations: list[Operation], body: object, version: V) -> Operation:
    if not isinstance(body, dict) or len(body) != 1:
        raise problem.BadRequest('The request body must be an object with exactly one action.')
    key = next(iter(body))
    named = [operation for operation in operations if operation.action == key]
    if not named:
        raise problem.BadRequest(f'There is no such action: {key}')
    return _pick(named, version)


def _query(operation: Operation, req: falcon.Request, relaxed: bool) -> Query:
    """The known keys of the query, validated; the operation's strict versions refuse unknown ones."""
    try:
        parse.unquote(req.query_string, errors='strict')
    except UnicodeDecodeError:
        raise problem.BadRequest('Query string is not UTF-8 encoded') from None
    version: V = req.context.version
    given = {key: value if isinstance(value, list) else [value] for key, value in req.params.items()}
    if web.has_nul(given):
        raise problem.BadRequest('The query has a NUL character.')
    strict = version >= operation.strict and not relaxed
    if operation.query is None:
        if given and strict:
            raise jsonschema.Invalid(path=', '.join(sorted(given)), value='...', why='Unknown query parameter.')
        return Query({})
    schema.validator(operation.query, 'query', version, relaxed=not strict).check(given)
    if operation.query.others is False:
        known = schema.of(operation.query, 'query', version)['properties']
        given = {key: value for key, value in given.items() if key in known}
    return Query(given)


def answer(operation: Operation, request: Request, result: object, resp: falcon.Response) -> None:
    """Write what a handler returned."""
    reply = result if isinstance(result, Reply) else None
    status = reply.status if reply and reply.status else operation.status(request.version)
    body = reply.body if reply else None
    subject = (reply.subject if reply else result)
    look = reply.look if reply else None
    if subject is not None:
        body = _rendered(operation, request, subject, look)
    if reply is not None and reply.stream is not None:
        resp.stream = reply.stream
    elif body is None:
        resp.status = falcon.code_to_http_status(status)
        if status != 204:
            resp.content_type = falcon.MEDIA_JSON
    else:
        web.send(resp, body, status)
    for name, value in (reply.headers if reply else {}).items():
        resp.set_header(name, value)


def _rendered(operation: Operation, request: Request, subject: object, look: object) -> object:
    returns = operation.returns
    if isinstance(returns, One):
        shown = request.render(returns.document, returns.face, subject, look)
        return {returns.key: shown} if returns.key else shown
    if isinstance(returns, Many):
        assert isinstance(subject, (Page, Sequence)), f'{operation.name} returns no list'
        page = subject if isinstance(subject, Page) else Page(subject)
        seen = page.look if page.look is not None else request
        render = request.renderer(returns.document, returns.face)
        body: JsonObject = {returns.key: [*(render(item, seen) for item in page.items), *page.stubs]}
        if page.marker:
            body[request.links_key(returns)] = request.next_link(page.marker)
        return body
    return subject
