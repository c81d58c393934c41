"""What an image needs of a hypervisor."""

from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.filters.extra_specs_ops import match
from nova.scheduler.host_state import HostState, Wanted

_SAME_ARCH = {'amd64': 'x86_64', 'x64': 'x86_64', 'i386': 'i686', 'arm64': 'aarch64'}


def _version(number: int) -> str:
    """``2012000`` as ``2.12.0``, as hypervisors number themselves."""
    return f'{number // 1000000}.{number // 1000 % 1000}.{number % 1000}'


def _meets(have: int, asked: str) -> bool:
    """Whether a version is as ``>=1.0,<2.0`` asks."""
    for clause in asked.split(','):
        op = next((op for op in ('>=', '<=', '==', '!=', '>', '<') if clause.strip().startswith(op)), '==')
        parts = [int(word) for word in clause.strip().removeprefix(op).strip().split('.') if word.isdigit()]
        wanted = tuple((parts + [0, 0, 0])[:3])
        mine = tuple(int(word) for word in _version(have).split('.'))
        if not {'>=': mine >= wanted, '<=': mine <= wanted, '==': mine == wanted, '!=': mine != wanted,
                '>': mine > wanted, '<': mine < wanted}[op]:
            return False
    return True


class ImagePropertiesFilter(BaseHostFilter):
    """Passes hosts that run the image's architecture, hypervisor type and VM mode."""

    run_filter_once_per_request = True
    run_filter_for_rebuild = True

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        image = spec_obj.image
        arch = image.get('hw_architecture') or image.get('architecture') \
            or self.conf.filter_scheduler.image_properties_default_architecture
        kind = image.get('img_hv_type') or image.get('hypervisor_type')
        mode = image.get('hw_vm_mode') or image.get('vm_mode')
        version = image.get('img_hv_requested_version') or image.get('hypervisor_version_requires')
        if version and not _meets(host_state.hypervisor_version, str(version)):
            return False
        if not (arch or kind or mode):
            return True
        wanted = (_SAME_ARCH.get(str(arch), arch), kind, mode)
        return any(self._suits(wanted, supported) for supported in host_state.supported_instances)

    @staticmethod
    def _suits(wanted: tuple[object, object, object], supported: list[str]) -> bool:
        """Whether one of a host's (architecture, hypervisor, mode) has all that is wanted."""
        return all(word is None or match(have, str(word).lower())
                   for word, have in zip(wanted, supported, strict=False))
