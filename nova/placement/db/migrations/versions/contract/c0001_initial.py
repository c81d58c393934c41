"""Start of the contract branch: nothing to remove yet."""

revision = 'c0001'
down_revision = None
branch_labels = ('contract',)
depends_on = None


def upgrade() -> None:
    """Nothing was there before the first expand revision."""
