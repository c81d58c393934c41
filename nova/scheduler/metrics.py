"""What hosts measure of themselves, and how much of it counts."""

from oslo_config import cfg


def settings(conf: cfg.ConfigOpts) -> dict[str, float]:
    """Measured thing to its weight, of ``[metrics] weight_setting``.

    Raises:
        ValueError: one that is not ``name=number``.
    """
    found = {}
    for word in conf.metrics.weight_setting:
        name, equals, ratio = word.partition('=')
        if not name.strip() or not equals:
            raise ValueError(f'[metrics] weight_setting: {word!r} is not name=number')
        found[name.strip()] = float(ratio)
    return found
