"""Limits: what the project may use, and what it uses."""

from nova.api.request import Request
from nova.objects import quota
from nova.policies import limits as rules
from nova.rest import types
from nova.rest.field import Document, Field, Span
from nova.rest.resource import One, Resource, get


class Numbers:
    """Limits and usage of one project."""

    def __init__(self, limits: dict[str, int], usage: dict[str, int], groups: int) -> None:
        self.limits = limits
        self.usage = usage
        self.groups = groups


def _limit(resource: str, until: str | None = None) -> Field:
    return Field(types.INTEGER, get=lambda n, look: n.limits[resource], show=Span('2.1', until))


def _used(resource: str) -> Field:
    return Field(types.INTEGER, get=lambda n, look: n.usage[resource], show='2.1')


def _network(value: int) -> Field:
    """Limits on networks, which the network service has; here they were only ever shown."""
    return Field(types.INTEGER, get=lambda n, look: value, show=Span('2.1', '2.35'))


class Absolute(Document):
    maxServerMeta = _limit('metadata_items')
    maxServerGroups = _limit('server_groups')
    maxServerGroupMembers = _limit('server_group_members')
    maxTotalCores = _limit('cores')
    maxTotalInstances = _limit('instances')
    maxTotalKeypairs = _limit('key_pairs')
    maxTotalRAMSize = _limit('ram')
    maxPersonality = _limit('injected_files', '2.56')
    maxPersonalitySize = _limit('injected_file_content_bytes', '2.56')
    maxImageMeta = _limit('metadata_items', '2.38')
    maxSecurityGroups = _network(-1)
    maxSecurityGroupRules = _network(-1)
    maxTotalFloatingIps = _network(-1)
    totalFloatingIpsUsed = _network(0)
    totalSecurityGroupsUsed = _network(0)
    totalCoresUsed = _used('cores')
    totalInstancesUsed = _used('instances')
    totalRAMUsed = _used('ram')
    totalServerGroupsUsed = Field(types.INTEGER, attribute='groups', show='2.1')


class LimitsView(Document):
    absolute = Field(Absolute, get=lambda n, look: n, show='2.1')
    rate = Field(types.array(types.ANY, high=0), 'Always empty.', get=lambda n, look: [], show='2.1')


class LimitsQuery(Document):
    tenant_id = Field(types.TEXT, 'Another project; administrators only.', query='2.1')


class Limits(Resource):

    @get('/limits', rule=rules.LIMITS, rules=(rules.OTHER_PROJECT,), query=LimitsQuery, strict='2.75',
         returns=One('limits', LimitsView))
    def show(self, req: Request) -> Numbers:
        """Show limits and usage of a project."""
        project = req.query.get('tenant_id') or req.project_id
        if project != req.project_id:
            req.authorize(rules.OTHER_PROJECT, {'project_id': project})
        allowed = req.quota(project)
        with req.dbs.api.read() as conn:
            return Numbers(allowed.limits(conn), quota.usage(conn, project), quota.server_groups(conn, project))
