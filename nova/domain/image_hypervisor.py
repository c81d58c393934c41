"""Which hypervisors can run an image: its architecture, hypervisor type and version, and mode."""

from collections.abc import Iterable, Mapping, Sequence

from nova.domain.extra_specs_ops import match

_SAME_ARCH = {'amd64': 'x86_64', 'x64': 'x86_64', 'i386': 'i686', 'arm64': 'aarch64'}


def wanted(image: Mapping[str, object], default_architecture: str | None = None
           ) -> tuple[str | None, str | None, str | None]:
    """Architecture, hypervisor type and mode that an image names; None where it does not mind."""
    arch = image.get('hw_architecture') or image.get('architecture') or default_architecture
    kind = image.get('img_hv_type') or image.get('hypervisor_type')
    mode = image.get('hw_vm_mode') or image.get('vm_mode')
    return _text(_SAME_ARCH.get(str(arch), arch)), _text(kind), _text(mode)


def _text(word: object) -> str | None:
    return str(word).lower() if word else None


def suits(asked: Sequence[str | None], supported: Iterable[Sequence[str]]) -> bool:
    """Whether one of a host's (architecture, hypervisor, mode) has all that is asked, operators included."""
    if not any(asked):
        return True
    return any(all(word is None or match(have, word) for word, have in zip(asked, each, strict=False))
               for each in supported)


def wanted_version(image: Mapping[str, object]) -> object:
    """What an image asks of a hypervisor's version, as ``>=1.0,<2.0``; None where it does not mind."""
    return image.get('img_hv_requested_version') or image.get('hypervisor_version_requires')


def version_meets(have: int, image: Mapping[str, object]) -> bool:
    """Whether a hypervisor's version, ``2012000`` for 2.12.0, is as the image asks."""
    asked = wanted_version(image)
    return all(_clause(have, clause.strip()) for clause in str(asked).split(',')) if asked else True


def _clause(have: int, clause: str) -> bool:
    op = next((op for op in ('>=', '<=', '==', '!=', '>', '<') if clause.startswith(op)), '==')
    parts = [int(word) for word in clause.removeprefix(op).strip().split('.') if word.isdigit()]
    asked = tuple((parts + [0, 0, 0])[:3])
    mine = (have // 1000000, have // 1000 % 1000, have % 1000)
    return {'>=': mine >= asked, '<=': mine <= asked, '==': mine == asked, '!=': mine != asked,
            '>': mine > asked, '<': mine < asked}[op]
