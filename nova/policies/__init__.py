"""Policy rules, one module a subject, and their enforcement."""

from nova.common import folder
from nova.policies import base


def load() -> list[base.Rule]:
    """Every rule, by name: import each module of this folder and ask what they declared."""
    folder.modules(__name__)
    return base.declared()
