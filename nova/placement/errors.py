"""Every refusal of the Placement API, and the envelope it travels in.

Codes are stable: a client of microversion 1.23 or newer may switch on them. What has no code of its own is
``placement.undefined_code``. Clients match on some of the texts too; doc/source/reference/placement-clients.rst
lists what does not change.
"""

import http

import falcon

from nova.common import jsonutil, problem
from nova.common.jsonutil import JsonObject
from nova.common.microversion import V
from nova.placement import history

UNDEFINED = 'placement.undefined_code'

_WITH_CODE = V('1.23')


class BadRequest(problem.BadRequest):
    code = UNDEFINED


class BadQueryValue(problem.BadRequest):
    code = 'placement.query.bad_value'


class DuplicateQueryKey(problem.BadRequest):
    code = 'placement.query.duplicate_key'
    template = "Query parameter '{key}' may be given only once."


class MissingQueryValue(problem.BadRequest):
    code = 'placement.query.missing_value'


class ReshapeProviderNotFound(problem.BadRequest):
    code = 'placement.resource_provider.not_found'
    template = 'No resource provider with uuid {uuid} exists; its inventories cannot be reshaped.'


class NotFound(problem.NotFound):
    code = UNDEFINED


class ProviderNotFound(NotFound):
    template = 'No resource provider with uuid {uuid} found.'


class Conflict(problem.Conflict):
    code = UNDEFINED


class ConcurrentUpdate(problem.Conflict):
    code = 'placement.concurrent_update'
    template = ('Resource provider {uuid} was concurrently updated: generation {given} was given, '
                'its generation is {actual}. Read it again and retry.')


class ConsumerConflict(problem.Conflict):
    code = 'placement.concurrent_update'
    template = ('There is a consumer generation conflict: consumer {uuid} was concurrently updated; expected '
                '{actual} but got {given}.')


class WriteRace(problem.Conflict):
    code = 'placement.concurrent_update'
    template = 'What is to be written was concurrently updated by others, repeatedly. Read it again and retry.'


class InventoryInUse(problem.Conflict):
    code = 'placement.inventory.inuse'
    template = 'Inventory for {classes} on resource provider {uuid} in use: something of it is allocated.'


class DuplicateName(problem.Conflict):
    code = 'placement.duplicate_name'
    template = 'Conflicting resource provider name: {name} already exists, it is that of {uuid}.'


class DuplicateUuid(problem.Conflict):
    code = 'placement.duplicate_name'
    template = 'Conflicting resource provider uuid: {uuid} already exists, its name is {name}.'


class ProviderInUse(problem.Conflict):
    code = 'placement.resource_provider.inuse'
    template = 'Resource provider {uuid} has allocations and cannot be deleted.'


class ProviderHasChildren(problem.Conflict):
    code = 'placement.resource_provider.cannot_delete_parent'
    template = 'Resource provider {uuid} has child providers and cannot be deleted.'


class NoCapacity(Conflict):
    template = ("Unable to allocate {amount} of {resource_class} on resource provider {uuid}: {why}.")


def document(error: problem.Problem, request_id: str | None, version: V | None) -> JsonObject:
    """The body of an error for one microversion."""
    entry: JsonObject = {
        'status': error.status, 'title': http.HTTPStatus(error.status).phrase,
        'detail': error.message, 'request_id': request_id,
    }
    if error.status == 406:
        entry.update(max_version=str(history.MAX), min_version=str(history.MIN))
    if version is not None and version >= _WITH_CODE:
        entry['code'] = error.code if error.code.startswith('placement.') else UNDEFINED
    return {'errors': [entry]}


def render(req: falcon.Request, resp: falcon.Response, error: problem.Problem) -> None:
    """Write an error to the response; a missing token is answered in the identity service's own form."""
    resp.status = falcon.code_to_http_status(error.status)
    for name, value in error.headers.items():
        resp.set_header(name, value)
    resp.content_type = falcon.MEDIA_JSON
    if error.status == 401:
        if 'keystone.token_auth' not in req.env:  # where keystonemiddleware is, it adds the challenge
            resp.set_header('WWW-Authenticate', 'Keystone')
        resp.data = jsonutil.dumps(
            {'error': {'code': 401, 'title': 'Unauthorized', 'message': error.message}})
        return
    resp.data = jsonutil.dumps(document(
        error, getattr(req.context, 'request_id', None), getattr(req.context, 'microversion', None)))
