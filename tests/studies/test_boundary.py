"""The conformal factor, worked out by hand."""

from __future__ import annotations

import pytest
from boundary import Wound, conformal, cross_validated


def wound(photo: int, error: float) -> Wound:
    """A wound of 50 px whose rim is open by 2 px."""
    return Wound(str(photo), True, 50.0, 50.0 + error, 2.0, 0.04, 0.9, 1960.0, 1960.0, 157.0)


def test_the_factor_is_the_quantile_that_a_next_wound_stays_under() -> None:
    wounds = [wound(k, 2.0 * k * (-1) ** k) for k in range(1, 40)]
    # 0.95 of 40 is the 38th of 39; of few wounds it is the largest.
    assert conformal(wounds) == pytest.approx(38.0)
    assert conformal(wounds[:10]) == pytest.approx(10.0)
    assert conformal(wounds, share=0.5) == pytest.approx(20.0)


def test_a_wounds_factor_never_comes_from_its_own_photo() -> None:
    wounds = [wound(k // 2, 2.0 * (100.0 if k == 0 else 1.0)) for k in range(18)]
    factors = cross_validated(wounds)
    assert factors[0] == factors[1] == pytest.approx(1.0) and max(factors) == pytest.approx(100.0)
