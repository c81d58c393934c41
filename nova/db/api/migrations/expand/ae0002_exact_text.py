"""Text that users wrote compares exactly: a blank at the end is a character."""

from nova.common import exact

revision = 'ae0002'
down_revision = 'ae0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    exact.convert()
