"""Nothing to remove yet."""

revision = 'cc0001'
down_revision = None
branch_labels = ('contract',)
depends_on = None


def upgrade() -> None:
    pass
