"""What the parts of the identity stand-in share: shapes of answers, look-ups, and who may ask."""

import falcon

from nova.common import problem, web
from nova.sandbox import service
from nova.sandbox.store import Document, Kind, Rows


def shown(req: falcon.Request, plural: str, document: Document) -> Document:
    public = {key: value for key, value in document.items() if not key.startswith('_')}
    if plural == 'endpoints':
        public['region'] = public.get('region_id')
    return {**public, 'links': {'self': f'{service.here(req)}/v3/{plural}/{document["id"]}'}}


def send_list(req: falcon.Request, resp: falcon.Response, plural: str, documents: list[Document]) -> None:
    web.send(resp, {plural: [shown(req, plural, document) for document in documents],
                    'links': {'self': req.uri, 'previous': None, 'next': None}})


def missing(kind: Kind, ident: str) -> problem.NotFound:
    return problem.NotFound(f'Could not find {kind.name.replace("_", " ")}: {ident}.')


def must(rows: Rows, kind: Kind, ident: str) -> Document:
    found = rows.get(kind, ident)
    if found is None:
        raise missing(kind, ident)
    return found


def need_reader(req: falcon.Request) -> None:
    """
    Raises:
        Forbidden: the caller may not even look at what is above projects.
    """
    if not service.who(req).may_read:
        raise problem.Forbidden('You are not authorized to perform the requested action.')


def need_self_or_admin(req: falcon.Request, user_id: str) -> None:
    if not service.who(req).privileged and service.who(req).user_id != user_id:
        raise problem.Forbidden('You are not authorized to perform the requested action.')
