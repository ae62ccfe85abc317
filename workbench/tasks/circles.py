"""Which circle is it on? A closed border is needed."""

from workbench.tasks.classification import Classification

TASK = Classification(data="circles", title="part a circle from one inside it")
