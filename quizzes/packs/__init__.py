"""Packs: drills and cards that users write in TOML, without Python (`docs/packs.md`).

Nothing in a pack is executed: its texts are displayed, its equations are read by `quizzes.expressions.parser`, and its
drills are drawn, graded and tested like the program's own. Ids begin with the pack's name: `mypack/conv-basics` is a
drill, `mypack/convolution/shared-weights` a card.
"""
