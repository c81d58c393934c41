"""Keystone in memory."""

from nova import context as nova_context
from nova import errors
from nova.clients.fake.base import Fake, probe


class FakeIdentity(Fake):
    """`protocols.IdentityClient` in memory. ``unknown`` are the projects that do not exist; all others do."""

    def __init__(self) -> None:
        super().__init__()
        self.unknown: set[str] = set()

    @probe
    def check_project(self, context: nova_context.RequestContext, project_id: str) -> None:
        if project_id in self.unknown:
            raise errors.identity.ProjectUnknown(project=project_id)
