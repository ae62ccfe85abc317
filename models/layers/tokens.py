"""The tokens that every vocabulary of pairs of texts begins with; the tokens of the data follow them."""

PAD = 0  # fills up the shorter texts of a batch
START = 1  # what a decoder reads before its first output
END = 2  # the last token of every source and target
UNKNOWN = 3  # what was not in the training set
FIRST = 4  # of the data's own tokens
