"""The page of a formula: statements, notation and definitions besides its equations."""

from quizzes.formulas import all_formulas, get
from workbench.render.formula import draw_formula


def test_functions_that_are_not_on_a_pocket_calculator_are_defined():
    drawing = draw_formula(get("activation-values"))
    assert "softplus(z) = ln(1 + e^z)" in drawing and "σ(z) = 1/(1 + e^-z)" in drawing
    assert "where" not in draw_formula(get("min-max"))


def test_what_no_equation_says_is_stated():
    assert "(XᵀX)⁻¹ Xᵀy" in draw_formula(get("normal-equation"))
    assert "median(y)" in draw_formula(get("best-constant"))
    assert "Σ_u Σ_v" in draw_formula(get("conv-values"))


def test_symbols_are_printed_as_they_declare():
    assert "R²" in draw_formula(get("r2-score")) and "σ²" in draw_formula(get("ensemble-variance"))


def test_statements_fit_80_columns():
    for formula in all_formulas().values():
        assert all(len(line) <= 76 for line in formula.statement), formula.id
