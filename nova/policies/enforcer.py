"""Asking policy: may this caller do that?"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from oslo_config import cfg
from oslo_policy import policy

from nova import errors, policies
from nova.common import policy as common
from nova.policies import base

if TYPE_CHECKING:
    from nova.context import RequestContext


class Enforcer:
    """The rules of the Compute API in one process; see `nova.common.policy.Rules`.

    Args:
        conf: has ``[oslo_policy]``.
        rules: by default every rule there is.
    """

    def __init__(self, conf: cfg.ConfigOpts, rules: Iterable[base.Rule] | None = None) -> None:
        known = list(rules if rules is not None else policies.load())
        self._rules = common.Rules(conf, [*base.role_defaults(), *(rule.default() for rule in known)])

    def authorize(self, context: 'RequestContext', rule: base.Rule,
                  target: Mapping[str, object] | None = None) -> None:
        """Refuse what policy does not allow.

        Args:
            context: the caller.
            target: ``project_id`` and ``user_id`` of what is acted upon; by default the caller's own.

        Raises:
            nova.errors.Forbidden: not allowed.
        """
        if not self.can(context, rule, target):
            raise errors.Forbidden(f"Policy doesn't allow {rule.name} to be performed.")

    def can(self, context: 'RequestContext', rule: base.Rule,
            target: Mapping[str, object] | None = None) -> bool:
        """Whether policy allows it; arguments as of `authorize`."""
        if context.system_scope and not context.project_id:
            return False
        if target is None:
            target = {'project_id': context.project_id, 'user_id': context.user_id}
        return self._rules.allow(rule.name, target, context.to_policy_values())

    allowed = can

    def reload(self) -> None:
        """Read the policy file again now."""
        self._rules.reload()


def get_enforcer() -> policy.Enforcer:
    """For oslo.policy's command line tools: an enforcer with every rule, configured as this process is."""
    from nova import conf as nova_conf

    oslo = policy.Enforcer(nova_conf.new())
    oslo.register_defaults(list_rules())
    return oslo


def list_rules() -> list[policy.RuleDefault]:
    """For oslo.policy's sample generator: every rule there is."""
    return [*base.role_defaults(), *(rule.default() for rule in policies.load())]
