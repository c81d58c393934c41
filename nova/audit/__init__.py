"""What servers have, compared with what hosts and neighbours hold for them: the invariants of a deployment.

`facts` reads both sides, `compare` says where they differ, `repair` mends what has one right answer.
``nova-manage audit`` and the super-conductors look (`look`); ``nova-manage placement`` asks for parts of it.
"""

from nova.audit.compare import KINDS, Difference, is_orphan
from nova.audit.facts import ALLOCATIONS, Deployment, Facts, gather
from nova.audit.look import look
from nova.audit.repair import repair

__all__ = ['ALLOCATIONS', 'KINDS', 'Deployment', 'Difference', 'Facts', 'gather', 'is_orphan', 'look', 'repair']
