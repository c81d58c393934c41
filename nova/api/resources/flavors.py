"""Flavors: the sizes that servers come in."""


import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova import errors, objects
from nova.api.request import Request
from nova.common import problem, units, uuids
from nova.objects import flavor as flavors
from nova.objects.flavor import Flavor
from nova.policies import flavor_extra_specs as spec_rules
from nova.policies import flavor_manage as rules
from nova.rest import types
from nova.rest.field import Document, Faces, Field, Span
from nova.rest.resource import Body, Many, One, Page, Resource, delete, get, post, put
from nova.task import notify

_SORT_KEYS = ('created_at', 'description', 'disabled', 'ephemeral_gb', 'flavorid', 'id', 'is_public',
              'memory_mb', 'name', 'root_gb', 'rxtx_factor', 'swap', 'updated_at', 'vcpu_weight', 'vcpus')
_COLUMNS = {'vcpu_weight': 'id'}
"""Sort keys of columns that nobody keeps any more; they sort as if all flavors had the same value there."""
_WHOLE: Faces = dict(show='2.1', detail='2.1')
_TEXT = Span(type=types.TEXT)


def _swap(flavor: Flavor, look: object) -> int | str:
    """No swap was shown as empty text once."""
    return flavor.swap or ''


class FlavorView(Document):
    """Faces: ``create`` and ``update`` (bodies), ``list``, ``detail`` and ``show`` (views of a `Flavor`)."""

    id = Field({'type': ['string', 'number', 'null'], 'minLength': 1, 'maxLength': 255,
                'format': 'flavor-id-chars'}, 'Chosen, or a UUID.', attribute='flavorid',
               create='2.1', list=_TEXT, show=_TEXT, detail=_TEXT)
    name = Field(types.NAME, 'Name.', create='2.1', required=('create',), list='2.1', **_WHOLE)
    description = Field(types.nullable(types.text(0, 65535, 'printable')), 'Free text.', create='2.55',
                        update='2.55', required=('update',), list='2.55', show='2.55', detail='2.55')
    links = Field(types.LINKS, get=lambda f, look: look.links.of('flavors', f.flavorid), list='2.1', **_WHOLE)
    ram = Field(types.POSITIVE, 'MiB of memory.', attribute='memory_mb', create='2.1',
                required=('create',), **_WHOLE)
    disk = Field(types.NON_NEGATIVE, 'GiB of root disk; 0 is as large as the image.',
                 attribute='root_gb', create='2.1', required=('create',), **_WHOLE)
    vcpus = Field(types.POSITIVE, 'Virtual CPUs.', create='2.1', required=('create',), **_WHOLE)
    ephemeral = Field(types.NON_NEGATIVE, 'GiB of ephemeral disk.', key='OS-FLV-EXT-DATA:ephemeral',
                      attribute='ephemeral_gb', create='2.1', **_WHOLE)
    swap = Field(types.NON_NEGATIVE, 'MiB of swap.', create='2.1',
                 show=[Span('2.1', '2.74', type=types.ANY, get=_swap), Span('2.75')],
                 detail=[Span('2.1', '2.101', type=types.ANY, get=_swap), Span('2.102')])
    rxtx_factor = Field(types.either(types.NUMBER, types.text(format='decimal')), 'Means nothing any more.',
                        create=Span('2.1', '2.101'), show=Span('2.1', '2.101'), detail=Span('2.1', '2.101'))
    disabled = Field(types.BOOLEAN, 'Whether it is hidden.', key='OS-FLV-DISABLED:disabled',
                     show=Span('2.1', '2.101'), detail=Span('2.1', '2.101'))
    is_public = Field(types.BOOLISH, 'Whether every project may use it.', key='os-flavor-access:is_public',
                      create='2.1', **_WHOLE)
    extra_specs = Field(types.mapping(types.TEXT), 'What else it asks of a host.', rule=spec_rules.INDEX,
                        show='2.61', detail='2.61')


class FlavorQuery(Document):
    limit = Field(types.LIMIT, query='2.1')
    marker = Field(types.TEXT, 'Id of the last flavor seen.', query='2.1')
    is_public = Field(types.TEXT, 'true, false, or none for both; administrators only.', query='2.1')
    minRam = Field(types.TEXT, 'MiB.', query='2.1')
    minDisk = Field(types.TEXT, 'GiB.', query='2.1')
    sort_key = Field(query=[
        Span('2.1', '2.101', type=types.enum(*_SORT_KEYS)),
        Span('2.102', type=types.enum(*(key for key in _SORT_KEYS if key not in ('disabled', 'rxtx_factor'))))])
    sort_dir = Field(types.enum('asc', 'desc'), query='2.1')
    name = Field(types.TEXT, query='2.102')


def find(req: Request, flavor_id: str) -> Flavor:
    """A flavor that the caller may see; for others it does not exist.

    Raises:
        FlavorNotFound: 404.
    """
    with req.dbs.api.read() as conn:
        flavor = Flavor.get(conn, flavorid=flavor_id)
        if not (flavor.is_public or req.context.is_admin
                or req.context.project_id in flavor.projects(conn)):
            raise errors.server.FlavorNotFound(flavor=flavor_id)
    return flavor


def _number(req: Request, name: str) -> int | None:
    text = req.query.get(name)
    if text is None:
        return None
    try:
        return units.number(text)
    except ValueError:
        raise problem.BadRequest(f'Invalid {name} filter [{text}]') from None


def _wanted_public(req: Request) -> bool | None:
    """What the is_public filter means; None is both. Those who are no administrators see what is theirs."""
    text = req.query.get('is_public')
    if not req.context.is_admin or text is None:
        return True
    if text.strip().lower() == 'none':
        return None
    if types.is_true(text.strip()) or text.strip().lower() in ('t', 'y'):
        return True
    if types.is_false(text.strip()) or text.strip().lower() in ('f', 'n'):
        return False
    raise problem.BadRequest(f'Invalid is_public filter [{text}]')


def _conditions(req: Request) -> list[sa.ColumnElement[bool]]:
    columns = Flavor.table.c
    ram, disk = _number(req, 'minRam'), _number(req, 'minDisk')
    public = _wanted_public(req)
    found: list[sa.ColumnElement[bool]] = []
    if ram is not None:
        found.append(columns.memory_mb >= ram)
    if disk is not None:
        found.append(columns.root_gb >= disk)
    if 'name' in req.query:
        found.append(columns.name == req.query['name'])
    if not req.context.is_admin:
        found.append(Flavor.visible(req.context.project_id))
        found.append(columns.disabled.is_(False))
    elif public is True:
        found.append(Flavor.visible(req.context.project_id))
    elif public is False:
        found.append(columns.is_public.is_(False))
    return found


def _page(req: Request, specs: bool = False) -> Page:
    limit, marker = req.paging()
    key = req.query.get('sort_key', 'flavorid')
    with req.dbs.api.read() as conn:
        page = Page.of(Flavor.page(
            conn, *_conditions(req), key=_COLUMNS.get(key, key), descending=req.query.get('sort_dir') == 'desc',
            marker=marker, limit=limit + 1), limit, lambda flavor: flavor.flavorid)
        if specs and req.at('2.61'):
            flavors.load_extra_specs(conn, page.items)
    return page


class Flavors(Resource):

    @get('/flavors', query=FlavorQuery, strict='2.75', returns=Many('flavors', FlavorView, 'list'))
    def index(self, req: Request) -> Page:
        """List flavors."""
        return _page(req)

    @get('/flavors/detail', query=FlavorQuery, strict='2.75', rules=(spec_rules.INDEX,),
         returns=Many('flavors', FlavorView, 'detail'))
    def detail(self, req: Request) -> Page:
        """List flavors with all that they have."""
        return _page(req, specs=True)

    @get('/flavors/{flavor_id}', rules=(spec_rules.INDEX,), returns=One('flavor', FlavorView))
    def show(self, req: Request, flavor_id: str) -> Flavor:
        """Show a flavor."""
        return find(req, flavor_id)

    @post('/flavors', rule=rules.CREATE, rules=(spec_rules.INDEX,), returns=One('flavor', FlavorView),
          body=Body(FlavorView, face='create', under='flavor'))
    def create(self, req: Request) -> Flavor:
        """Create a flavor. One that is not public is nobody's at first, its creator's project included."""
        wanted = req.body['flavor']
        given = wanted.get('id')
        chosen = uuids.generate() if given in (None, 'auto') else str(given)
        factor = float(wanted.get('rxtx_factor', 1.0))
        if not 0 < factor <= 3.40282e+38:
            raise problem.BadRequest('rxtx_factor must be a positive number that a float can hold.')
        made = Flavor(
            flavorid=chosen, name=wanted['name'], memory_mb=int(wanted['ram']), vcpus=int(wanted['vcpus']),
            root_gb=int(wanted['disk']), ephemeral_gb=int(wanted.get('OS-FLV-EXT-DATA:ephemeral', 0)),
            swap=int(wanted.get('swap', 0)), rxtx_factor=factor, description=wanted.get('description'),
            is_public=types.is_true(wanted.get('os-flavor-access:is_public', True)))

        def write(conn: sa.Connection) -> Flavor:
            record = made.copy()
            record.create(conn)
            notify.of_flavor(conn, 'create', record)
            return record
        try:
            return req.dbs.api.write(write)
        except db_exc.DBDuplicateEntry:
            # Which key was taken is told by some databases' errors and not by others'.
            with req.dbs.api.read() as conn:
                if Flavor.find(conn, flavorid=chosen) is not None:
                    raise errors.server.FlavorIdExists(flavor=chosen) from None
            raise errors.server.FlavorExists(name=made.name) from None

    @put('/flavors/{flavor_id}', since='2.55', rule=rules.UPDATE, rules=(spec_rules.INDEX,),
         returns=One('flavor', FlavorView), body=Body(FlavorView, face='update', under='flavor', since='2.55'))
    def update(self, req: Request, flavor_id: str) -> Flavor:
        """Change a flavor's description."""
        def write(conn: sa.Connection) -> Flavor:
            objects.hold(conn, Flavor, flavorid=flavor_id)
            flavor = Flavor.get(conn, flavorid=flavor_id)
            flavor.description = req.body['flavor']['description']
            flavor.save(conn)
            notify.of_flavor(conn, 'update', flavor)
            return flavor
        return req.dbs.api.write(write)

    @delete('/flavors/{flavor_id}', rule=rules.DELETE, ok=202)
    def remove(self, req: Request, flavor_id: str) -> None:
        """Delete a flavor; servers keep what they were made of."""
        def write(conn: sa.Connection) -> None:
            flavor = Flavor.get(conn, flavorid=flavor_id)
            notify.of_flavor(conn, 'delete', flavor)
            flavor.destroy(conn)
        req.dbs.api.write(write)
