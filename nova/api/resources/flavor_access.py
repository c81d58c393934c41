"""Which projects may use a flavor that is not public."""

import sqlalchemy as sa

from nova import errors, objects
from nova.api.request import Request
from nova.api.resources import flavors
from nova.common import problem
from nova.objects.flavor import Flavor
from nova.policies import flavor_access as rules
from nova.rest import types
from nova.rest.field import Document, Field
from nova.rest.resource import Body, Many, Resource, get, post
from nova.task import notify

_TENANT = Body(tenant=Field(types.KEY, 'The project.', required=True))


class Access(Document):
    """One project's access; the subject is a pair of flavor id and project."""

    flavor_id = Field(types.TEXT, get=lambda pair, look: pair[0], list='2.1')
    tenant_id = Field(types.TEXT, get=lambda pair, look: pair[1], list='2.1')


_LIST = Many('flavor_access', Access)


def _all(conn: sa.Connection, flavor: Flavor) -> list[tuple[str, str]]:
    return [(flavor.flavorid, project) for project in flavor.projects(conn)]


class FlavorAccess(Resource):

    @get('/flavors/{flavor_id}/os-flavor-access', rule=rules.LIST, returns=_LIST)
    def index(self, req: Request, flavor_id: str) -> list[tuple[str, str]]:
        """List the projects that have access."""
        flavor = flavors.find(req, flavor_id)
        if flavor.is_public:
            raise problem.NotFound('Access list not available for public flavors.')
        with req.dbs.api.read() as conn:
            return _all(conn, flavor)

    @post('/flavors/{flavor_id}/action', action='addTenantAccess', rule=rules.ADD_TENANT_ACCESS, body=_TENANT,
          returns=_LIST)
    def add(self, req: Request, flavor_id: str) -> list[tuple[str, str]]:
        """Give a project access."""
        req.clients.identity.check_project(req.context, req.body['tenant'])

        def write(conn: sa.Connection) -> list[tuple[str, str]]:
            objects.hold(conn, Flavor, flavorid=flavor_id)
            flavor = Flavor.get(conn, flavorid=flavor_id)
            if flavor.is_public and req.at('2.7'):
                raise errors.Conflict('Can not add access to a public flavor.')
            flavor.add_access(conn, req.body['tenant'])
            notify.of_flavor(conn, 'update', flavor)
            return _all(conn, flavor)
        return req.dbs.api.write(write)

    @post('/flavors/{flavor_id}/action', action='removeTenantAccess', rule=rules.REMOVE_TENANT_ACCESS,
          body=_TENANT, returns=_LIST)
    def remove(self, req: Request, flavor_id: str) -> list[tuple[str, str]]:
        """Take a project's access back."""
        def write(conn: sa.Connection) -> list[tuple[str, str]]:
            objects.hold(conn, Flavor, flavorid=flavor_id)
            flavor = Flavor.get(conn, flavorid=flavor_id)
            flavor.remove_access(conn, req.body['tenant'])
            notify.of_flavor(conn, 'update', flavor)
            return _all(conn, flavor)
        return req.dbs.api.write(write)
