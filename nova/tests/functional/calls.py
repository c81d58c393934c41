"""Which calls of a library a test module makes."""

import ast
import pathlib
from collections.abc import Collection

KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f called'


def made_by(file: str, objects: Collection[str]) -> set[str]:
    """Names of what the module uses of variables with these names."""
    return {node.attr for node in ast.walk(ast.parse(pathlib.Path(file).read_text()))
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            and node.value.id in objects}
