"""The directive ``compute-api``: the reference of the Compute API, made of its OpenAPI document by the build."""

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.nodes import nested_parse_with_titles

from nova.api import app as api
from nova.rest import openapi, reference
from nova.schema import history


class ComputeApi(Directive):
    def run(self) -> list[nodes.Node]:
        document = openapi.build(api.operations(), history.MAX, 'Compute')
        made = nodes.section()
        made.document = self.state.document
        nested_parse_with_titles(self.state, StringList(list(reference.lines(document)), 'compute-api'), made)
        return list(made.children)


def setup(app: Sphinx) -> None:
    app.add_directive('compute-api', ComputeApi)
