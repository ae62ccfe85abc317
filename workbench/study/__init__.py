"""The FSRS schedule of reviews, and sessions of questions."""
