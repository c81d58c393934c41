"""Keystone in memory."""

from nova import context as nova_context
from nova import errors
from nova.clients.fake.base import Fake, probe
from nova.objects.quota.unified import Known


class FakeIdentity(Fake):
    """`protocols.IdentityClient` in memory. ``unknown`` are the projects that do not exist; all others do."""

    def __init__(self) -> None:
        super().__init__()
        self.unknown: set[str] = set()

    @probe
    def check_project(self, context: nova_context.RequestContext, project_id: str) -> None:
        if project_id in self.unknown:
            raise errors.identity.ProjectUnknown(project=project_id)


class FakeLimits(Fake):
    """`protocols.LimitsClient` in memory.

    Attributes:
        registered: limits of all projects, by name.
        own: limits of projects, by project and name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.registered: dict[str, int] = {}
        self.own: dict[str, dict[str, int]] = {}

    @probe
    def known(self, project_id: str) -> Known:
        return Known(dict(self.registered), dict(self.own.get(project_id, {})))
