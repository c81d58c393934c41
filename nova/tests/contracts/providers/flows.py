"""Flows: tasks in the journal refer to their steps by name, and another release may run them on."""

from collections.abc import Iterator

from nova import ops
from nova.task import flow as flows
from nova.tests.contracts.lock import Contract


def contracts() -> Iterator[Contract]:
    for flow in ops.all_flows():
        if flow.__module__.startswith('nova.ops'):
            lines = [f'state {flow.State.__name__}', f'exclusion {flow.exclusion}'] + [
                f'{step.name} undo={step.undo.__name__ if step.undo else None} at={step.at} '
                f'choice={step.choice} pivot={step.pivot}' for step in flow.steps]
            kind = 'flow' if flow is flows.find(flow.name) else 'flow-before'
            yield Contract(kind, flow.name, flow.version, '\n'.join(lines), "raise the flow's `version`")
