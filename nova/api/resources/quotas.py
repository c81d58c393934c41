"""Quota sets of projects and users, and quota classes."""

from collections.abc import Mapping

import sqlalchemy as sa

from nova.api.request import Request
from nova.common import problem, units
from nova.common.jsonutil import JsonObject
from nova.objects import quota
from nova.policies import quota_class_sets as class_rules
from nova.policies import quota_sets as rules
from nova.rest import types
from nova.rest.field import Document, Field, Span
from nova.rest.resource import Body, One, Resource, delete, get, put

_WANTED = types.integer(-1, units.MAX_INT)
_DETAIL = {'type': 'object', 'properties': dict.fromkeys(('limit', 'in_use', 'reserved'), types.INTEGER),
           'required': ['limit', 'in_use', 'reserved']}
_PATH = '/os-quota-sets/{project_id}'


def _faces(update: Span, shown: Span) -> JsonObject:
    detail = Span(str(shown.since), str(shown.until) if shown.until else None, type=_DETAIL)
    return dict(show=shown, changed=shown, detail=detail, update=update)


def _field(resource: str, until: str | None = None, since: str = '2.1') -> Field:
    return Field(_WANTED, get=lambda amounts, look: amounts[resource],
                 **_faces(Span('2.1', until), Span(since, until)))


class QuotaSet(Document):
    """Faces: ``update`` (body), ``show``, ``detail``, and ``changed``, which lacks the id. The subject maps
    resources to what is shown of them, and ``id`` to whose they are."""

    id = Field(types.TEXT, 'Whose limits they are.', get=lambda amounts, look: amounts['id'], show='2.1',
               detail='2.1')
    instances = _field('instances')
    cores = _field('cores')
    ram = _field('ram')
    metadata_items = _field('metadata_items')
    key_pairs = _field('key_pairs')
    server_groups = _field('server_groups')
    server_group_members = _field('server_group_members')
    injected_files = _field('injected_files', '2.56')
    injected_file_content_bytes = _field('injected_file_content_bytes', '2.56')
    injected_file_path_bytes = _field('injected_file_path_length', '2.56')
    fixed_ips = _field('fixed_ips', '2.35')
    floating_ips = _field('floating_ips', '2.35')
    security_groups = _field('security_groups', '2.35')
    security_group_rules = _field('security_group_rules', '2.35')
    force = Field(types.BOOLISH, 'Set limits even below what is used.', update='2.1')


class QuotaClassSet(Document):
    """Faces: ``update`` (body), ``show``, and ``changed``, which lacks the id."""

    id = Field(types.TEXT, 'Name of the class.', get=lambda amounts, look: amounts['id'], show='2.1')
    instances = _field('instances')
    cores = _field('cores')
    ram = _field('ram')
    metadata_items = _field('metadata_items')
    key_pairs = _field('key_pairs')
    server_groups = _field('server_groups', since='2.50')
    server_group_members = _field('server_group_members', since='2.50')
    injected_files = _field('injected_files', '2.56')
    injected_file_content_bytes = _field('injected_file_content_bytes', '2.56')
    injected_file_path_bytes = _field('injected_file_path_length', '2.56')
    fixed_ips = _field('fixed_ips', '2.49')
    floating_ips = _field('floating_ips', '2.49')
    security_groups = _field('security_groups', '2.49')
    security_group_rules = _field('security_group_rules', '2.49')


class UserQuery(Document):
    user_id = Field(types.TEXT, 'Limits of this user in the project.', query='2.1')


def _shown(limits: Mapping[str, int], owner: str) -> JsonObject:
    return {**dict.fromkeys(quota.NETWORK, -1), **limits, 'id': owner}


def _wanted(body: JsonObject) -> dict[str, int]:
    """The limits that a body sets, by our names."""
    names = {'injected_file_path_bytes': 'injected_file_path_length'}
    return {names.get(name, name): int(value) for name, value in body.items() if name != 'force'}


def _used(conn: sa.Connection, project: str, user: str | None) -> dict[str, int]:
    used = dict.fromkeys((*quota.RESOURCES, *quota.NETWORK), 0)
    return {**used, **quota.usage(conn, project, user),
            'server_groups': quota.server_groups(conn, project, user)}


def _check_room(conn: sa.Connection, whole: Mapping[str, int], project: str, user: str | None,
                wanted: Mapping[str, int], force: bool) -> None:
    """A limit is not set below what is used, unless forced, nor a user's above the project's.

    Raises:
        BadRequest: which limit cannot be set.
    """
    used = _used(conn, project, user)
    for name, value in wanted.items():
        if not force and 0 <= value < used[name]:
            raise problem.BadRequest(f'Quota limit {value} for {name} must be greater than or equal to already '
                                     f'used and reserved {used[name]}.')
        if user and whole[name] >= 0 and not 0 <= value <= whole[name]:
            raise problem.BadRequest(f'Quota limit {value} for {name} must be less than or equal to '
                                     f'{whole[name]}.')


class QuotaSets(Resource):

    @get(_PATH, rules=(rules.SHOW,), query=UserQuery, strict='2.75', returns=One('quota_set', QuotaSet))
    def show(self, req: Request, project_id: str) -> JsonObject:
        """Show the limits of a project, or of a user in it."""
        req.authorize(rules.SHOW, {'project_id': project_id})
        allowed = req.quota(project_id, req.query.get('user_id'))
        with req.dbs.api.read() as conn:
            return _shown(allowed.limits(conn), project_id)

    @get(_PATH + '/defaults', rule=rules.DEFAULTS, returns=One('quota_set', QuotaSet))
    def defaults(self, req: Request, project_id: str) -> JsonObject:
        """Show the limits of projects that have none of their own."""
        allowed = req.quota(project_id)
        with req.dbs.api.read() as conn:
            return _shown(allowed.defaults(conn), project_id)

    @get(_PATH + '/detail', rules=(rules.DETAIL,), query=UserQuery, strict='2.75',
         returns=One('quota_set', QuotaSet, 'detail'))
    def detail(self, req: Request, project_id: str) -> JsonObject:
        """Show limits and usage."""
        req.authorize(rules.DETAIL, {'project_id': project_id})
        user = req.query.get('user_id')
        allowed = req.quota(project_id, user)
        with req.dbs.api.read() as conn:
            limits = _shown(allowed.limits(conn), project_id)
            used = _used(conn, project_id, user)
        return {name: value if name == 'id' else {'limit': value, 'in_use': used[name], 'reserved': 0}
                for name, value in limits.items()}

    @put(_PATH, rules=(rules.UPDATE,), query=UserQuery, strict='2.75',
         body=Body(QuotaSet, face='update', under='quota_set'), returns=One('quota_set', QuotaSet, 'changed'))
    def update(self, req: Request, project_id: str) -> JsonObject:
        """Set limits of a project, or of a user in it; without effect where another service keeps them."""
        req.authorize(rules.UPDATE, {'project_id': project_id})
        req.clients.identity.check_project(req.context, project_id)
        user = req.query.get('user_id')
        body = req.body['quota_set']
        wanted, force = _wanted(body), types.is_true(body.get('force', False))

        allowed, whole = req.quota(project_id, user), req.quota(project_id)

        def write(conn: sa.Connection) -> JsonObject:
            if allowed.settable:
                quota.lock(conn, project_id)
                _check_room(conn, _shown(whole.limits(conn), project_id), project_id, user, wanted, force)
                if user:
                    quota.set_user_limits(conn, project_id, user, wanted)
                else:
                    quota.set_project_limits(conn, project_id, wanted)
            return _shown(allowed.limits(conn), project_id)
        return req.dbs.api.write(write)

    @delete(_PATH, rules=(rules.DELETE,), query=UserQuery, strict='2.75', ok=202)
    def remove(self, req: Request, project_id: str) -> None:
        """Forget the limits of a project, or of a user in it, so that the defaults hold."""
        req.authorize(rules.DELETE, {'project_id': project_id})
        req.dbs.api.write(lambda conn: quota.forget(conn, project_id, req.query.get('user_id')))


class QuotaClassSets(Resource):

    @get('/os-quota-class-sets/{class_name}', rule=class_rules.SHOW,
         returns=One('quota_class_set', QuotaClassSet))
    def show(self, req: Request, class_name: str) -> JsonObject:
        """Show the limits of a class; the class ``default`` is what holds for everyone without limits."""
        allowed = req.quota()
        with req.dbs.api.read() as conn:
            return _shown(allowed.defaults(conn, class_name), class_name)

    @put('/os-quota-class-sets/{class_name}', rule=class_rules.UPDATE,
         body=Body(QuotaClassSet, face='update', under='quota_class_set'),
         returns=One('quota_class_set', QuotaClassSet, 'changed'))
    def update(self, req: Request, class_name: str) -> JsonObject:
        """Set limits of a class; without effect where another service keeps them."""
        wanted, allowed = _wanted(req.body['quota_class_set']), req.quota()

        def write(conn: sa.Connection) -> JsonObject:
            if allowed.settable:
                quota.set_class_limits(conn, class_name, wanted)
            return _shown(allowed.defaults(conn, class_name), class_name)
        return req.dbs.api.write(write)
