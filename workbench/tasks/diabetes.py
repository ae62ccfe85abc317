"""Regression of the progression of diabetes within a year on ten measurements."""

from workbench.tasks.regression import Regression

TASK = Regression(data="diabetes", title="predict the progression of diabetes in a year")
