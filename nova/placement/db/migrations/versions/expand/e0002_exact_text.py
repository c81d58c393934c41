"""Names compare exactly: a blank at the end is a character."""

from nova.common import exact

revision = 'e0002'
down_revision = 'e0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    exact.convert()
