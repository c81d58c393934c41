"""Quota drivers: where the limits of one project come from, and what counts against them.

Limits of the identity service are read before any transaction begins, those of the API database within it.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import sqlalchemy as sa
from oslo_config import cfg

from nova import errors
from nova.conf import quota as options
from nova.objects.demand import Demand
from nova.objects.quota import kept, unified, usage
from nova.objects.quota.kept import Limits


class Scope:
    """Whom servers are counted against: a project, or a user in it.

    Args:
        limit: on a resource, negative for none.
        count: what is used, by resource. It reads a row of each server, so it is asked only where something is
            limited.
    """

    def __init__(self, limit: Callable[[str], int], count: Callable[[], Mapping[str, int]]) -> None:
        self._limit, self._count = limit, count

    def limits(self, names: Iterable[str]) -> dict[str, int]:
        """The limits on those of these resources that have one."""
        return {name: limit for name in names if (limit := self._limit(name)) >= 0}

    @functools.cached_property
    def used(self) -> Mapping[str, int]:
        """What is used, by resource."""
        return self._count()


class LimitsReader(Protocol):
    """Who knows unified limits: `nova.clients.protocols.LimitsClient`."""

    def known(self, project_id: str) -> unified.Known: ...


class Quota:
    """What a project may use, and a user in it: nothing is limited.

    Attributes:
        settable: limits are set through the Compute API; otherwise what is asked for has no effect.
    """

    settable = False

    def __init__(self, project_id: str, user_id: str | None = None) -> None:
        self.project_id, self.user_id = project_id, user_id

    def limits(self, conn: sa.Connection) -> Limits:
        """What may be used, by the names of the Compute API."""
        return Limits(self.defaults(conn), {})

    def defaults(self, conn: sa.Connection, class_name: str = kept.DEFAULT_CLASS) -> dict[str, int]:
        """What projects may use that have no limits of their own, by the names of the Compute API."""
        return dict.fromkeys(kept.RESOURCES, -1)

    def scopes(self, conn: sa.Connection) -> list[Scope]:
        """What servers are counted against, by the names that `amounts` has."""
        return []

    def amounts(self, each: Demand, count: int = 1) -> dict[str, int]:
        """What `count` servers add."""
        return {'instances': count, 'cores': each.vcpus * count, 'ram': each.memory_mb * count}

    def refusal(self, over: dict[str, tuple[int, int, int]]) -> errors.server.OverQuota:
        """What one hears for whom there is no room.

        Args:
            over: amount asked for, amount used, and limit, by name.
        """
        return errors.server.OverQuota(resources=over)


class DbQuota(Quota):
    """Limits that the API database and ``[quota]`` have."""

    settable = True

    def __init__(self, conf: cfg.ConfigOpts, project_id: str, user_id: str | None = None) -> None:
        super().__init__(project_id, user_id)
        self._conf = conf

    def limits(self, conn: sa.Connection) -> Limits:
        return kept.limits(conn, self._conf, self.project_id, self.user_id)

    def defaults(self, conn: sa.Connection, class_name: str = kept.DEFAULT_CLASS) -> dict[str, int]:
        return kept.defaults(conn, self._conf, class_name)

    def scopes(self, conn: sa.Connection) -> list[Scope]:
        found = self.limits(conn)
        scopes = [Scope(_limit_in(found.project), lambda: usage.usage(conn, self.project_id))]
        if found.user:
            scopes.append(Scope(
                _limit_in(found.user), lambda: usage.usage(conn, self.project_id, self.user_id)))
        return scopes


def _limit_in(limits: Mapping[str, int]) -> Callable[[str], int]:
    return lambda name: limits.get(name, -1)


class UnifiedQuota(Quota):
    """Limits that the identity service has; users have none of their own."""

    def __init__(self, policy: unified.Policy, known: unified.Known, project_id: str) -> None:
        super().__init__(project_id)
        self._policy, self._known = policy, known

    def limits(self, conn: sa.Connection) -> Limits:
        return Limits(self._shown(self._known), {})

    def defaults(self, conn: sa.Connection, class_name: str = kept.DEFAULT_CLASS) -> dict[str, int]:
        return self._shown(unified.Known(self._known.registered, {}))

    def _shown(self, known: unified.Known) -> dict[str, int]:
        return {ours: self._policy.limit(known, name) for ours, name in unified.NAMES.items()}

    def scopes(self, conn: sa.Connection) -> list[Scope]:
        def count() -> dict[str, int]:
            return {name if name == usage.SERVERS else unified.CLASS + name: amount
                    for name, amount in usage.resources(conn, self.project_id).items()}
        return [Scope(functools.partial(self._policy.limit, self._known), count)]

    def amounts(self, each: Demand, count: int = 1) -> dict[str, int]:
        return {usage.SERVERS: count, **{unified.CLASS + name: amount * count
                                         for name, amount in each.resources.items()}}

    def refusal(self, over: dict[str, tuple[int, int, int]]) -> errors.server.OverQuota:
        return errors.server.OverUnifiedLimit(project=self.project_id, resources=over)


def of(conf: cfg.ConfigOpts, reader: LimitsReader, project_id: str, user_id: str | None = None) -> Quota:
    """What a project, and a user in it, may use, by the driver that ``[quota] driver`` names.

    Raises:
        LimitsFailed: the identity service has the limits and does not tell them.
    """
    if conf.quota.driver == options.NOOP:
        return Quota(project_id, user_id)
    if conf.quota.driver == options.DB:
        return DbQuota(conf, project_id, user_id)
    policy = unified.Policy(
        conf.quota.unified_limits_resource_strategy, conf.quota.unified_limits_resource_list)
    return UnifiedQuota(policy, reader.known(project_id), project_id)
