"""Asking policy: may this caller do that?"""

import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any

from oslo_config import cfg
from oslo_policy import policy

from nova import errors, policies
from nova.common import clock
from nova.policies import base

LOG = logging.getLogger(__name__)

_LOOK_EVERY = 5.0
"""Seconds between two looks whether the policy file changed."""

_MEMO = 4096
"""Answers remembered: the library takes about 100 us for one, and a request asks a dozen. What asks another
server (``http:``) is never remembered."""


def _hashable(values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple((name, tuple(value) if isinstance(value, list) else value) for name, value in values.items())


class Enforcer:
    """The rules of one process, with what policy.yaml says about them.

    The file is read at the start and again when it has changed; a check touches no file.

    Args:
        conf: has ``[oslo_policy]``.
        rules: by default every rule there is.
    """

    def __init__(self, conf: cfg.ConfigOpts, rules: Iterable[base.Rule] | None = None) -> None:
        self._conf = conf
        self._rules = list(rules if rules is not None else policies.load())
        self._oslo = policy.Enforcer(conf)
        self._oslo.suppress_default_change_warnings = True
        self._oslo.suppress_deprecation_warnings = True
        for name, (check, description) in base.ROLES.items():
            self._oslo.register_default(policy.RuleDefault(name, check, description))
        for rule in self._rules:
            self._oslo.register_default(rule.default())
        self._memo: dict[Any, bool] = {}
        self._pure = True
        self.reload()
        self._look_at = clock.monotonic() + _LOOK_EVERY

    def authorize(self, context: Any, rule: base.Rule, target: Mapping[str, Any] | None = None) -> None:
        """Refuse what policy does not allow.

        Args:
            context: a `RequestContext`.
            target: ``project_id`` and ``user_id`` of what is acted upon; by default the caller's own.

        Raises:
            nova.errors.Forbidden: not allowed.
        """
        if not self.can(context, rule, target):
            raise errors.Forbidden(f"Policy doesn't allow {rule.name} to be performed.")

    def can(self, context: Any, rule: base.Rule, target: Mapping[str, Any] | None = None) -> bool:
        """Whether policy allows it; arguments as of `authorize`."""
        self._look()
        check = self._oslo.rules.get(rule.name)
        if check is None:
            return False
        if context.system_scope and not context.project_id:
            return False
        if target is None:
            target = {'project_id': context.project_id, 'user_id': context.user_id}
        creds = context.to_policy_values()
        key = (rule.name, _hashable(target), _hashable(creds))
        known = self._memo.get(key)
        if known is None:
            known = bool(check(dict(target), creds, self._oslo, rule.name))
            if self._pure:
                if len(self._memo) >= _MEMO:
                    self._memo.clear()
                self._memo[key] = known
        return known

    allowed = can

    def reload(self) -> None:
        """Read the policy file again now."""
        self._oslo.load_rules(force_reload=True)
        self._memo.clear()
        self._pure = not any('http:' in str(check) or 'https:' in str(check)
                             for check in self._oslo.rules.values())
        self._stamp = self._file_stamp()

    def _look(self) -> None:
        if clock.monotonic() < self._look_at:
            return
        self._look_at = clock.monotonic() + _LOOK_EVERY
        if self._file_stamp() != self._stamp:
            LOG.info('The policy file changed; reading it again')
            self.reload()

    def _file_stamp(self) -> tuple[tuple[str, int], ...]:
        names = [self._conf.oslo_policy.policy_file, *self._conf.oslo_policy.policy_dirs]
        paths = [path for name in names if (path := self._conf.find_file(name))]
        return tuple((path, os.stat(path).st_mtime_ns) for path in paths)


def get_enforcer() -> policy.Enforcer:
    """For oslo.policy's command line tools: an enforcer with every rule, configured as this process is."""
    from nova import conf as nova_conf

    oslo = policy.Enforcer(nova_conf.new())
    oslo.register_defaults(list_rules())
    return oslo


def list_rules() -> list[policy.RuleDefault]:
    """For oslo.policy's sample generator: every rule there is."""
    roles = [policy.RuleDefault(name, check, description)
             for name, (check, description) in base.ROLES.items()]
    return roles + [rule.default() for rule in policies.load()]
