"""How much energy a training run takes, and what it emits: an estimate with its assumptions.

Paper: Patterson et al. (2021), Carbon Emissions and Large Neural Network Training, sections 2 and
       3 and table 4, arXiv:2104.10350.

Assumptions, each an argument: chips draw a constant power while they compute at a constant rate;
the building takes a fixed share on top (cooling, conversion); one average kilowatt-hour of the
grid stands for all. Left out: making the machines, the network, storage, failed and preliminary
runs. Expect the order of magnitude; with a meter at the plug, use the meter.
"""

from dataclasses import dataclass

JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where the machines stand.

    Attributes:
        power_usage_effectiveness: Energy of the building over energy of the computers, at least 1.
        kg_co2e_per_kwh: Emissions of the grid, in kilograms of CO₂ equivalent.
        source: Where the numbers are published.
    """

    power_usage_effectiveness: float
    kg_co2e_per_kwh: float
    source: str

    def __post_init__(self) -> None:
        if self.power_usage_effectiveness < 1.0:
            raise ValueError(
                f"power_usage_effectiveness must be at least 1, "
                f"got {self.power_usage_effectiveness}"
            )
        if self.kg_co2e_per_kwh < 0.0:
            raise ValueError(f"kg_co2e_per_kwh must be at least 0, got {self.kg_co2e_per_kwh}")


GPT3_SITE = Site(
    power_usage_effectiveness=1.10,
    kg_co2e_per_kwh=0.429,
    source="Patterson et al. (2021), table 4, GPT-3: average of the United States",
)


@dataclass(frozen=True, kw_only=True)
class Energy:
    """What a run takes.

    Attributes:
        chip_hours: Hours of one chip.
        kwh: Energy at the plug of the building, in kilowatt-hours.
        kg_co2e: Emissions, in kilograms of CO₂ equivalent.
    """

    chip_hours: float
    kwh: float
    kg_co2e: float


def training_energy(flops: float, *, flops_per_second: float, watts: float, site: Site) -> Energy:
    """Estimate the energy of a computation.

    Args:
        flops: Operations of the whole run, for example from `flops.training_flops`.
        flops_per_second: What one chip really gets done: its peak times the utilisation.
        watts: What one chip draws meanwhile, with its share of host and network.
        site: Where it stands.

    Raises:
        ValueError: If `flops` or `watts` is negative, or the rate is not above zero.
    """
    if flops < 0.0 or watts < 0.0:
        raise ValueError(f"flops and watts must be at least 0, got {flops} and {watts}")
    if flops_per_second <= 0.0:
        raise ValueError(f"flops_per_second must be above 0, got {flops_per_second}")
    chip_seconds = flops / flops_per_second
    kwh = chip_seconds * watts * site.power_usage_effectiveness / JOULES_PER_KWH
    return Energy(chip_hours=chip_seconds / 3_600, kwh=kwh, kg_co2e=kwh * site.kg_co2e_per_kwh)
