"""What the dispatcher counts on: every body is an object, at every microversion."""

from nova.api import app
from nova.rest import schema


def test_every_body_is_an_object() -> None:
    bodies = [(operation, operation.body) for operation in app.operations() if operation.body is not None]
    assert len(bodies) > 100
    assert [(operation.name, str(version)) for operation, body in bodies
            for version in body.turning_points(operation.face)
            if schema.of(body, operation.face, version).get('type') != 'object'] == []
