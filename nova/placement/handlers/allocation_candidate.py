"""``/allocation_candidates``: where a request would fit."""

import logging

import falcon

from nova.common import clock, jsonutil
from nova.common.jsonutil import JsonObject
from nova.common.microversion import V
from nova.placement import lib, schema
from nova.placement.context import Context, Reply

EXPLAIN = 'OpenStack-Placement-Explain'
"""Request header: ``true`` asks why there is no candidate, where there is none."""

CUT_SHORT = 'OpenStack-Placement-Cut-Short'
"""Response header: ``true`` says that there may be more candidates, for which the search gave up looking."""

LOG = logging.getLogger(__name__)

_TEXT = {'type': 'string'}
_PLAIN: tuple[tuple[str, str, JsonObject], ...] = (
    ('resources', '1.10', _TEXT),
    ('limit', '1.16', {'type': 'string', 'pattern': '^[1-9][0-9]{0,17}$',
                       'description': 'a positive whole number'}),
    ('required', '1.17', _TEXT),
    ('member_of', '1.21', _TEXT),
    ('group_policy', '1.25', {'type': 'string', 'enum': ['none', 'isolate']}),
    ('in_tree', '1.31', schema.UUID),
    ('root_required', '1.35', _TEXT),
    ('same_subtree', '1.36', _TEXT),
)
_GROUPED = ('resources', 'required', 'member_of')


def _query(text: str) -> JsonObject:
    version = V(text)
    known: JsonObject = {key: kind for key, since, kind in _PLAIN if version >= V(since)}
    if version < V('1.25'):
        return schema.obj(known, optional=tuple(known.keys() - {'resources'}))
    suffix = lib.suffix_pattern(version)
    patterns: JsonObject = {f'^({"|".join(_GROUPED)}){suffix}$': _TEXT}
    if version >= V('1.31'):
        patterns[f'^in_tree{suffix}$'] = schema.UUID
    return {**schema.obj(known, optional=tuple(known)), 'patternProperties': patterns}


QUERY = schema.Versions({text: _query(text) for text in (
    '1.10', '1.16', '1.17', '1.21', '1.25', '1.31', '1.33', '1.35', '1.36')})


def index(ctx: Context) -> Reply:
    """List allocation candidates."""
    view, names_version = ctx.service.searcher.picture()
    request = lib.candidate_request(ctx.query, ctx.version, ctx.service.names.at(names_version))
    found = ctx.service.searcher.find(view, request)
    body = found.to_json(ctx.version)
    if not found and _explains(ctx.req):
        document = jsonutil.loads(body)
        document['explain'] = ctx.service.searcher.explain(request)
        body = jsonutil.dumps(document)
    headers = {}
    if found.cut_short:
        headers[CUT_SHORT] = 'true'
        LOG.warning('The search for allocation candidates was cut short: %d found, %d placements tried, for %s',
                    len(found), found.tries, ctx.req.query_string)
    return Reply(body=body, modified=clock.utcnow(), headers=headers)


def _explains(req: falcon.Request) -> bool:
    return (req.get_header(EXPLAIN) or '').strip().lower() == 'true'
