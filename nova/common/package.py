"""Which release is installed."""

from importlib import metadata


def version() -> str:
    """Version of the installed package; ``0`` when it runs from a tree that was never installed."""
    try:
        return metadata.version('nova')
    except metadata.PackageNotFoundError:
        return '0'
