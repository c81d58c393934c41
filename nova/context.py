"""Who asks: carried by every request, cast and task."""

import datetime
from collections.abc import Iterable, Mapping
from typing import TypedDict, Unpack

from oslo_context import context as oslo

from nova.common import auth, clock
from nova.common.jsonutil import JsonObject


class More(TypedDict, total=False):
    """What else the library's context has that is used here."""

    request_id: str | None
    global_request_id: str | None
    auth_token: str | None
    system_scope: str | None
    domain_id: str | None
    user_domain_id: str | None
    project_domain_id: str | None
    is_admin_project: bool
    resource_uuid: str | None


class RequestContext(oslo.RequestContext):
    """A caller and the request that he made.

    The token serves only inside the API request it came with: `to_dict`, which is what buses and journals keep,
    has neither it nor the catalog.
    """

    def __init__(self, user_id: str | None = None, project_id: str | None = None, *,
                 is_admin: bool | None = None, roles: Iterable[str] = (), service_roles: Iterable[str] = (),
                 timestamp: datetime.datetime | None = None, **more: Unpack[More]) -> None:
        super().__init__(
            user_id=user_id, project_id=project_id, is_admin=bool(is_admin), roles=list(roles),
            service_roles=list(service_roles), overwrite=False, **more)
        if is_admin is None:
            self.is_admin = 'admin' in (role.lower() for role in self.roles)
        self.timestamp = timestamp or clock.utcnow()

    @classmethod
    def from_identity(cls, identity: auth.Identity, request_id: str | None = None,
                      global_request_id: str | None = None) -> 'RequestContext':
        """The context of an API request that `identity` made."""
        return cls(user_id=identity.user_id, project_id=identity.project_id, roles=identity.roles,
                   user_domain_id=identity.user_domain_id, project_domain_id=identity.project_domain_id,
                   system_scope=identity.system_scope, service_roles=identity.service_roles,
                   is_admin_project=identity.is_admin_project, auth_token=identity.token,
                   request_id=request_id, global_request_id=global_request_id)

    def to_dict(self) -> JsonObject:
        """Plain values, without token or catalog."""
        return {
            'user_id': self.user_id, 'project_id': self.project_id, 'is_admin': self.is_admin,
            'roles': list(self.roles), 'service_roles': list(self.service_roles),
            'user_domain_id': self.user_domain_id, 'project_domain_id': self.project_domain_id,
            'system_scope': self.system_scope, 'request_id': self.request_id,
            'global_request_id': self.global_request_id, 'timestamp': self.timestamp.isoformat(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, object], **kwargs: object) -> 'RequestContext':
        """What `to_dict` described; keys that this release does not know are ignored."""
        known: JsonObject = {key: values[key] for key in _KEYS if values.get(key) is not None}
        if 'timestamp' in known:
            known['timestamp'] = clock.parse(known['timestamp'])
        return cls(**known | kwargs)

    def elevated(self) -> 'RequestContext':
        """The same caller and request with an administrator's rights, for what is done on his behalf."""
        roles = [*self.roles, *(role for role in ('admin', 'reader') if role not in self.roles)]
        return self.from_dict({**self.to_dict(), 'is_admin': True, 'roles': roles})

    def to_policy_values(self) -> JsonObject:
        """What check strings may compare."""
        return {
            'user_id': self.user_id, 'user_domain_id': self.user_domain_id, 'project_id': self.project_id,
            'project_domain_id': self.project_domain_id, 'domain_id': self.domain_id,
            'system_scope': self.system_scope, 'roles': list(self.roles),
            'service_roles': list(self.service_roles), 'is_admin': self.is_admin,
            'is_admin_project': self.is_admin_project,
        }

    def get_logging_values(self) -> JsonObject:
        """What log lines may tell of a request: who made it, and which server it is about."""
        return {
            **self.to_dict(), 'user': self.user_id, 'project': self.project_id, 'domain': self.domain_id,
            'user_domain': self.user_domain_id, 'project_domain': self.project_domain_id,
            'resource_uuid': self.resource_uuid,
        }

    def __repr__(self) -> str:
        return f'<RequestContext {self.request_id} user={self.user_id} project={self.project_id}>'


_KEYS = ('user_id', 'project_id', 'is_admin', 'roles', 'service_roles', 'user_domain_id', 'project_domain_id',
         'system_scope', 'request_id', 'global_request_id', 'timestamp')


def admin() -> RequestContext:
    """A context for work that no user asked for: periodic tasks, start-up, the command line."""
    return RequestContext(is_admin=True, roles=('admin', 'reader'))
