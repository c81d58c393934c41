"""What a handler is given: the service's handles, and the one request it serves."""

import dataclasses
import datetime
from collections.abc import Callable
from typing import TypeVar

import falcon
import sqlalchemy as sa
from oslo_config import cfg

from nova.common import dbkit, policy, problem
from nova.common.auth import Identity
from nova.common.jsonutil import JsonObject
from nova.common.microversion import V
from nova.placement import cache
from nova.placement.candidates import search
from nova.placement.db import transaction
from nova.placement.objects import allocation, together

T = TypeVar('T')


@dataclasses.dataclass(frozen=True)
class Service:
    """The handles of one Placement application; nothing of the service lives outside it."""

    conf: cfg.ConfigOpts
    db: dbkit.Database
    rules: policy.Rules
    names: cache.Names
    agents: cache.Agents
    searcher: search.Searcher
    claims: together.Together[allocation.Change]


@dataclasses.dataclass(frozen=True)
class Context:
    """One request.

    Args:
        query: values by key, in the order given.
        body: the validated JSON document, empty on routes without one.
    """

    service: Service
    req: falcon.Request
    identity: Identity | None
    version: V
    query: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    body: JsonObject = dataclasses.field(default_factory=dict)

    @property
    def db(self) -> dbkit.Database:
        return self.service.db

    def write(self, fn: Callable[[sa.Connection], T]) -> T:
        """Run `fn` in one transaction, again where it loses a race; see `transaction.run`."""
        return transaction.run(self.db, self.service.conf.placement.allocation_conflict_retry_count, fn)

    def at(self, version: str) -> bool:
        """Whether this request's microversion is `version` or newer."""
        return self.version >= V(version)

    def last(self, key: str) -> str | None:
        """The last value of a query key."""
        values = self.query.get(key)
        return values[-1] if values else None

    def path(self, *parts: str) -> str:
        """A link below this service's mount point, without scheme and host."""
        return '/'.join((self.req.root_path, *parts))

    def authorize(self, rule: str, target: JsonObject | None = None) -> None:
        """Let pass, or raise Forbidden.

        Args:
            target: attributes that the rule may compare with the caller's; by default the caller's own.
        """
        who = self.identity
        if who is None:
            raise problem.Unauthorized()
        credentials = {
            'user_id': who.user_id, 'project_id': who.project_id, 'roles': list(who.roles),
            'user_domain_id': who.user_domain_id, 'project_domain_id': who.project_domain_id,
            'system_scope': who.system_scope, 'service_roles': list(who.service_roles),
            'is_admin_project': who.is_admin_project,
        }
        if target is None:
            target = {'user_id': who.user_id, 'project_id': who.project_id}
        if not self.service.rules.allow(rule, target, credentials):
            raise problem.Forbidden(f"Policy does not allow {rule} to be performed.")


@dataclasses.dataclass(frozen=True)
class Reply:
    """An answer.

    Args:
        body: a JSON-able document, or a finished body.
        modified: moment of the last change of what is shown; sent from microversion 1.15 on.
        headers: sent besides those that every answer has.
    """

    status: int = 200
    body: object = None
    modified: datetime.datetime | None = None
    location: str | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
