"""Asking oslo.policy, and remembering what it answered: a check is some hundred microseconds otherwise."""

import logging
import os
from collections.abc import Iterable, Mapping

from oslo_config import cfg
from oslo_policy import policy

from nova.common import clock

LOG = logging.getLogger(__name__)

_LOOK_EVERY = 5.0
"""Seconds between two looks whether the policy file changed."""

_MEMO = 4096
"""Answers remembered."""


class Rules:
    """The rules of one process, with what policy.yaml says about them.

    The file is read at the start and again when it has changed; a check touches no file. What asks another
    server (``http:``) is never remembered.

    Args:
        conf: has ``[oslo_policy]``.
        defaults: every rule there is.
    """

    def __init__(self, conf: cfg.ConfigOpts, defaults: Iterable[policy.RuleDefault]) -> None:
        self._conf = conf
        self._oslo = policy.Enforcer(conf)
        self._oslo.suppress_default_change_warnings = True
        self._oslo.suppress_deprecation_warnings = True
        self._oslo.register_defaults(list(defaults))
        self._memo: dict[tuple, bool] = {}
        self._pure = True
        self.reload()
        self._look_at = clock.monotonic() + _LOOK_EVERY

    def allow(self, rule: str, target: Mapping[str, object], credentials: Mapping[str, object]) -> bool:
        """Whether policy allows it; never, where there is no such rule.

        Args:
            target: attributes of what is acted upon: text, or None.
            credentials: attributes of who asks: text, lists of text, or None.
        """
        self._look()
        key = (rule, _hashable(target), _hashable(credentials))
        known = self._memo.get(key)
        if known is None:
            known = self._ask(rule, dict(target), dict(credentials))
            if self._pure:
                if len(self._memo) >= _MEMO:
                    self._memo.clear()
                self._memo[key] = known
        return known

    def _ask(self, rule: str, target: dict[str, object], credentials: dict[str, object]) -> bool:
        try:
            return bool(self._oslo.enforce(rule, target, credentials))
        except policy.InvalidScope:
            return False

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


def _hashable(values: Mapping[str, object]) -> tuple:
    return tuple((name, tuple(value) if isinstance(value, list) else value) for name, value in values.items())
