"""Text that users wrote compares exactly: a blank at the end is a character."""

from nova.common import exact

revision = 'ce0002'
down_revision = 'ce0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    exact.convert()
