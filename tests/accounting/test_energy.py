"""Tests of bigmodel_lib/accounting/energy.py."""

import pytest

from bigmodel_lib.accounting.energy import GPT3_SITE, Site, training_energy


def test_gpt3_as_published():
    """Patterson et al. (2021), table 4: 3.14e23 operations at 24.6e12 a second and 330 watts.

    They find 1,287 megawatt-hours and 552 tonnes; 10,000 V100 for 14.8 days.
    """
    energy = training_energy(3.14e23, flops_per_second=24.6e12, watts=330, site=GPT3_SITE)
    assert energy.kwh == pytest.approx(1_287e3, rel=0.005)
    assert energy.kg_co2e == pytest.approx(552e3, rel=0.005)
    assert energy.chip_hours == pytest.approx(10_000 * 14.8 * 24, rel=0.005)


def test_one_kilowatt_for_one_hour():
    site = Site(power_usage_effectiveness=1.5, kg_co2e_per_kwh=0.2, source="made up")
    energy = training_energy(3_600e9, flops_per_second=1e9, watts=1_000, site=site)
    assert (energy.chip_hours, energy.kwh, energy.kg_co2e) == pytest.approx((1.0, 1.5, 0.3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"flops": -1.0}, "flops and watts must be at least 0, got -1.0 and 300"),
        ({"watts": -5}, "flops and watts must be at least 0, got 1e\\+20 and -5"),
        ({"flops_per_second": 0.0}, "flops_per_second must be above 0, got 0.0"),
    ],
)
def test_impossible_runs_are_refused(change, message):
    arguments = {"flops": 1e20, "flops_per_second": 1e13, "watts": 300, "site": GPT3_SITE} | change
    with pytest.raises(ValueError, match=message):
        training_energy(arguments.pop("flops"), **arguments)


@pytest.mark.parametrize(
    ("effectiveness", "emissions", "message"),
    [
        (0.9, 0.4, "power_usage_effectiveness must be at least 1, got 0.9"),
        (1.1, -0.1, "kg_co2e_per_kwh must be at least 0, got -0.1"),
    ],
)
def test_impossible_sites_are_refused(effectiveness, emissions, message):
    with pytest.raises(ValueError, match=message):
        Site(power_usage_effectiveness=effectiveness, kg_co2e_per_kwh=emissions, source="none")
