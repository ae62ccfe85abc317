"""Classification of breast lumps as malignant or benign: two classes, for which one logit is enough."""

from workbench.tasks.classification import Classification

TASK = Classification(data="breast-cancer", title="tell a malignant lump from a benign one")
