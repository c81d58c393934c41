"""Server groups: servers that should, or must, be together or apart."""


import sqlalchemy as sa

from nova import errors
from nova.api.request import Request
from nova.common import problem, uuids
from nova.objects import quota
from nova.objects.group import InstanceGroup
from nova.policies import base as policies
from nova.policies import server_groups as rules
from nova.rest import types
from nova.rest.field import ABSENT, Document, Faces, Field, Span
from nova.rest.resource import Body, Many, One, Page, Resource, delete, get, post
from nova.task import notify

_HARD = ('affinity', 'anti-affinity')
_POLICIES = (*_HARD, 'soft-affinity', 'soft-anti-affinity')
_EVERY: Faces = dict(create='2.1', show='2.1')


class Rules(Document):
    max_server_per_host = Field(types.integer(1), 'Most servers of the group on one host.', maybe=True,
                                get=lambda narrowed, look: narrowed.get('max_server_per_host', ABSENT),
                                create='2.64', show='2.64')


def _policies(group: InstanceGroup, look: Request) -> list[str]:
    return [group.policy] if group.policy else []


class ServerGroup(Document):
    """Faces: ``create`` (body) and ``show``, which lists have too."""

    id = Field(types.UUID, attribute='uuid', show='2.1')
    name = Field(types.NAME, 'Name.', required=True, **_EVERY)
    policies = Field(doc='The one policy, up to 2.63.', get=_policies, required=True,
                     create=(Span('2.1', '2.14', type=types.array(types.enum(*_HARD), 1, 1, unique=True)),
                             Span('2.15', '2.63', type=types.array(types.enum(*_POLICIES), 1, 1, unique=True))),
                     show=Span('2.1', '2.63', type=types.array(types.enum(*_POLICIES))))
    policy = Field(types.enum(*_POLICIES), 'How servers of the group are placed.', required=True, create='2.64',
                   show='2.64')
    rules = Field(Rules, 'What narrows the policy; of anti-affinity only.', create='2.64',
                  get=lambda group, look: group.rules or {}, show='2.64')
    servers = Field(types.array(types.UUID), 'Its servers.', key='members',
                    attribute='members', show='2.1')
    metadata = Field(types.OBJECT, 'Nothing, ever.', get=lambda group, look: {}, show=Span('2.1', '2.63'))
    project_id = Field(types.TEXT, 'Whose it is.', show='2.13')
    user_id = Field(types.TEXT, 'Who made it.', show='2.13')


class ListQuery(Document):
    all_projects = Field(types.TEXT, 'Those of every project, for administrators; any value does.', query='2.1')
    limit = Field(types.LIMIT, query='2.1')
    offset = Field(types.NON_NEGATIVE, 'How many are left out at the beginning.', query='2.1')


def _find(req: Request, conn: sa.Connection, uuid: str, rule: policies.Rule) -> InstanceGroup:
    """The caller's group; another project's is none, unless the caller may see it.

    Raises:
        ServerGroupNotFound: 404.
        Forbidden: it is the caller's project's, and not for him.
    """
    group = InstanceGroup.get(conn, uuid=uuid)
    target = {'project_id': group.project_id}
    if group.project_id != req.context.project_id and not req.can(rule, target):
        raise errors.server.ServerGroupNotFound(group=uuid)
    req.authorize(rule, target)
    return group


class ServerGroups(Resource):

    @get('/os-server-groups', rule=rules.INDEX, rules=(rules.INDEX_ALL_PROJECTS,), query=ListQuery,
         strict='2.75', returns=Many('server_groups', ServerGroup, 'show'))
    def index(self, req: Request) -> Page:
        """List the project's server groups."""
        every = 'all_projects' in req.query and req.can(rules.INDEX_ALL_PROJECTS)
        owner = {} if every else {'project_id': req.context.project_id}
        limit, _ = req.paging()
        start = int(req.query.get('offset', 0))
        with req.dbs.api.read() as conn:
            return Page(InstanceGroup.page(conn, start, limit, **owner))

    @get('/os-server-groups/{group_id}', rules=(rules.SHOW,), strict='2.102',
         returns=One('server_group', ServerGroup))
    def show(self, req: Request, group_id: str) -> InstanceGroup:
        """Show a server group."""
        with req.dbs.api.read() as conn:
            return _find(req, conn, group_id, rules.SHOW)

    @post('/os-server-groups', rule=rules.CREATE, ok=200, returns=One('server_group', ServerGroup),
          body=Body(ServerGroup, face='create', under='server_group'))
    def create(self, req: Request) -> InstanceGroup:
        """Make a server group, while the project's quota has room for it."""
        wanted = req.body['server_group']
        policy = wanted['policy'] if req.at('2.64') else wanted['policies'][0]
        narrowed = {name: int(value) for name, value in wanted.get('rules', {}).items()}
        if narrowed and policy != 'anti-affinity':
            raise problem.BadRequest('Only anti-affinity policy supports rules.')
        project, user, limit = req.project_id, req.user_id, req.limit('server_groups')

        def write(conn: sa.Connection) -> InstanceGroup:
            quota.lock(conn, project)
            if 0 <= limit <= quota.server_groups(conn, project):
                raise errors.server.LimitExceeded('Quota exceeded, too many server groups.')
            group = InstanceGroup(uuid=uuids.generate(), project_id=project, user_id=user,
                                  name=wanted['name'], policy=policy, rules=narrowed, members=[])
            group.create(conn)
            notify.of_group(conn, 'create', group)
            return group
        made: InstanceGroup = req.dbs.api.write(write)
        return made

    @delete('/os-server-groups/{group_id}', rules=(rules.DELETE,), ok=204)
    def remove(self, req: Request, group_id: str) -> None:
        """Delete a server group; its servers stay, and where they are."""
        def write(conn: sa.Connection) -> None:
            group = _find(req, conn, group_id, rules.DELETE)
            notify.of_group(conn, 'delete', group)
            group.destroy(conn)
        req.dbs.api.write(write)
