"""How the neighbours are told to misbehave: a file each, which their plugins read before they act.

``neutron``: ``refuse_hosts``, a regular expression of hosts on which no port can be bound; ``activate_after``,
seconds until a bound port is ACTIVE and Nova is told so: 0 in the binding itself, less than 0 never;
``plugging_fails``, true where a port that is active later fails instead: it is in ERROR, and Nova is told that.
``cinder``: ``seconds`` that each making, deleting and connecting of a volume takes longer.
"""

import json
import os
import pathlib

from realcloud.deployment import Deployment


def file(deployment: Deployment, name: str) -> pathlib.Path:
    return deployment.state(name) / 'faults.json'


def tell(deployment: Deployment, name: str, **faults: str | float) -> None:
    """Replace the faults of a neighbour; none at all make it well."""
    target = file(deployment, name)
    new = target.with_suffix('.new')
    new.write_text(json.dumps(faults))
    os.replace(new, target)
