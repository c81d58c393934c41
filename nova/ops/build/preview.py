"""POST /os-scheduling-preview: where servers would go, and why not elsewhere; nothing is made, counted or
claimed."""


from nova import objects
from nova.ops.build import prepare, records
from nova.ops.build.api import CREATE_RULES
from nova.policies import servers as rules
from nova.rest import types
from nova.rest.field import Document, Field
from nova.rest.resource import Body, One, Resource, post
from nova.schema.server import ServerCreate
from nova.task.handles import Request

_HIDDEN = rules.EXTENDED_ATTRIBUTES
"""Who sees the hosts of servers sees them here."""


class Stage(Document):
    stage = Field(types.TEXT, 'placement, request or filter.', get=lambda one, look: one['stage'], show='2.1')
    name = Field(types.TEXT, 'What it looked at.', get=lambda one, look: one['name'], show='2.1')
    removed = Field(types.nullable(types.INTEGER), 'How many hosts it took away; null is not known.',
                    get=lambda one, look: one['removed'], show='2.1')
    left = Field(types.nullable(types.INTEGER), 'How many it left.', get=lambda one, look: one['left'],
                 show='2.1')


class PlaceView(Document):
    host = Field(types.TEXT, attribute='service_host', show='2.1')
    node = Field(types.TEXT, attribute='nodename', show='2.1')
    cell = Field(types.UUID, attribute='cell_uuid', show='2.1')
    availability_zone = Field(types.nullable(types.TEXT), show='2.1')


class ServerPreview(Document):
    hosts = Field(types.array(PlaceView), 'The host that it would get, then the alternates.',
                  attribute='selections', show='2.1')


class PreviewView(Document):
    fits = Field(types.BOOLEAN, 'Whether every server would have a host.',
                 get=lambda found, look: all(choice.selections for choice in found.choices), show='2.1')
    reason = Field(types.TEXT, 'Why not, in words; empty where they fit.', show='2.1')
    stages = Field(types.array(Stage), 'What took hosts away, in its order.',
                   get=lambda found, look: list(found.explain), show='2.1')
    servers = Field(types.array(ServerPreview), 'For each server where it would go.', rule=_HIDDEN,
                    attribute='choices', show='2.1')


class SchedulingPreview(Resource):

    @post('/os-scheduling-preview', rule=rules.CREATE, rules=(*CREATE_RULES, _HIDDEN), ok=200,
          body=Body(ServerCreate, face='create'), returns=One('preview', PreviewView))
    def create(self, req: Request) -> objects.Selections:
        """Show where servers would go, and what keeps them from other hosts."""
        servers = records.make(req, prepare.order(req, req.body))
        _, spec = servers[0]
        return req.select(objects.SelectRequest(
            spec=spec, instance_uuids=[instance.uuid for instance, _ in servers], alternates=True, claim=False))
