"""Extra specs: what a flavor asks of a host beyond its size."""

import sqlalchemy as sa

from nova import errors, objects
from nova.api.request import Request
from nova.api.resources import flavors
from nova.common import problem
from nova.common.jsonutil import JsonObject
from nova.domain import flavor_specs
from nova.objects.flavor import Flavor
from nova.policies import flavor_extra_specs as rules
from nova.rest import types
from nova.rest.field import Field
from nova.rest.resource import Body, Resource, delete, get, post, put
from nova.task import notify

_VALUE = types.either({'type': 'string', 'maxLength': 255}, types.NUMBER)
_SPECS = types.mapping(_VALUE, r'^[a-zA-Z0-9\-_:. ]{1,255}$')
_PATH = '/flavors/{flavor_id}/os-extra_specs'


def _texts(specs: JsonObject) -> dict[str, str]:
    return {key: str(value) for key, value in specs.items()}


def _write(req: Request, flavor_id: str, specs: dict[str, str]) -> None:
    if req.at('2.86'):
        flavor_specs.check_all(specs)

    def write(conn: sa.Connection) -> None:
        objects.hold(conn, Flavor, flavorid=flavor_id)
        flavor = Flavor.get(conn, flavorid=flavor_id)
        flavor.set_extra_specs(conn, specs)
        notify.of_flavor(conn, 'update', flavor)
    req.dbs.api.write(write)


class FlavorExtraSpecs(Resource):

    @get(_PATH, rule=rules.INDEX, returns=types.OBJECT)
    def index(self, req: Request, flavor_id: str) -> JsonObject:
        """List a flavor's extra specs."""
        return {'extra_specs': flavors.find(req, flavor_id).extra_specs}

    @post(_PATH, rule=rules.CREATE, body=Body(extra_specs=Field(_SPECS, required=True)), returns=types.OBJECT)
    def create(self, req: Request, flavor_id: str) -> JsonObject:
        """Add or change extra specs."""
        specs = req.body['extra_specs']
        if specs:
            _write(req, flavor_id, _texts(specs))
        else:
            flavors.find(req, flavor_id)
        return {'extra_specs': specs}

    @get(_PATH + '/{key}', rule=rules.SHOW, returns=types.OBJECT)
    def show(self, req: Request, flavor_id: str, key: str) -> dict[str, str]:
        """Show one extra spec."""
        specs = flavors.find(req, flavor_id).extra_specs
        if key not in specs:
            raise errors.server.FlavorExtraSpecNotFound(flavor=flavor_id, key=key)
        return {key: specs[key]}

    @put(_PATH + '/{key}', rule=rules.UPDATE, body=Body({**_SPECS, 'minProperties': 1, 'maxProperties': 1}),
         returns=types.OBJECT)
    def update(self, req: Request, flavor_id: str, key: str) -> JsonObject:
        """Add or change one extra spec."""
        if key not in req.body:
            raise problem.BadRequest('Request body and URI mismatch')
        _write(req, flavor_id, _texts(req.body))
        return req.body

    @delete(_PATH + '/{key}', rule=rules.DELETE)
    def remove(self, req: Request, flavor_id: str, key: str) -> None:
        """Remove one extra spec."""
        def write(conn: sa.Connection) -> None:
            flavor = Flavor.get(conn, flavorid=flavor_id)
            flavor.remove_extra_spec(conn, key)
            notify.of_flavor(conn, 'update', flavor)
        req.dbs.api.write(write)
