"""How far will the disease go in a year? One number from ten."""

from workbench.tasks.regression import Regression

TASK = Regression(data="diabetes", title="tell how far diabetes goes in a year")
