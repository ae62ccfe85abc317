"""Statements of the course notes that can't be tested as they are written."""

# Statement -> why it is not tested.
UNTESTED = {
    "Of four transfer-learning models B to E, E is the most accurate, and B and D are fast.": (
        "The notes define neither the models nor the datasets B and C. What can be tested of it are the claims "
        "feature-extraction-vs-finetune and transfer-speeds-training."
    ),
}
