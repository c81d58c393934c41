"""oslo.limit's decisions: what it says to requests on standard input, as a process, since its state is global.

    oslo_limit_peer.py CONFIGURATION <'[[used, deltas, project], ...]' >'[{name: [limit, used, delta]}, ...]'
"""

import json
import sys

from oslo_config import cfg
from oslo_limit import exception, limit


class Peer:
    """Decides with limits that it reads once."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}
        self._enforcer = limit.Enforcer(lambda project, names: {name: self._used[name] for name in names})

    def decide(self, used: dict[str, int], deltas: dict[str, int], project: str | None) -> dict[str, list[int]]:
        """What goes over which limit."""
        self._used = used
        try:
            self._enforcer.enforce(project, deltas)
        except exception.ProjectOverLimit as error:
            return {info.resource_name: [info.limit, info.current_usage, info.delta]
                    for info in error.over_limit_info_list}
        return {}


if __name__ == '__main__':
    cfg.CONF([], default_config_files=[sys.argv[1]])
    peer = Peer()
    json.dump([peer.decide(*case) for case in json.load(sys.stdin)], sys.stdout)
