"""Drawings of words: tags, neighbors, captions, and maps."""

from workbench.render import predictions
from workbench.render.word_map import cell_places, draw_map, nearest

MAP = {
    "kind": "map",
    "method": "PCA",
    "words": ["king", "queen", "dog", "cat"],
    "groups": ["royal", "royal", "animal", "animal"],
    "points": [[0, 0], [1, 0], [0, 1], [1, 1]],
}


def lines(rows):
    return ["".join(segment.text for segment in row) for row in rows]


def draw(visualization, width=60, height=20, color=False):
    return lines(predictions.draw([visualization], visualization["kind"], width, height, color))


def test_entities_are_in_brackets_and_the_true_ones_below_wrong_ones():
    correct = {
        "words": ["Anna", "Kim", "smiled"],
        "target": ["B-PER", "I-PER", "O"],
        "predicted": ["B-PER", "I-PER", "O"],
    }
    wrong = {"words": ["in", "May"], "target": ["O", "O"], "predicted": ["O", "B-PER"]}
    drawing = draw({"kind": "tags", "sentences": [correct, wrong]})
    assert [line.rstrip() for line in drawing] == ["✓ [Anna Kim]PER smiled", "✗ in [May]PER", "  true: in May"]
    answer = {"kind": "tags", "sentences": [{**wrong, "target": None}], "unknown": ["May"]}
    assert [line.rstrip() for line in draw(answer)] == ["Unknown words, read as <unk>: May", "in [May]PER"]
    long = {"words": ["word"] * 50, "target": None, "predicted": ["O"] * 50}
    assert all(len(line) <= 20 for line in draw({"kind": "tags", "sentences": [long]}, width=20))


def test_neighbors_have_bars_and_cosines():
    answer = {
        "kind": "neighbors",
        "question": "most similar to king",
        "words": ["queen", "dog"],
        "cosines": [0.9, -0.2],
    }
    first, second, third = draw(answer)
    assert first == "most similar to king" and second.startswith("queen █") and second.endswith(" 0.900")
    assert "█" not in third and third.endswith("-0.200")


def test_captions_are_numbered_as_their_images_are():
    pixels = [[[1.0, 0.0, 0.0]] * 4] * 4
    right = {"pixels": pixels, "caption": ["a", "red", "circle"], "references": [["a", "red", "circle"]]}
    wrong = {"pixels": pixels, "caption": ["a", "dog"], "references": [["a", "red", "circle"]]}
    drawing = draw({"kind": "captions", "images": [right, wrong]})
    assert drawing[-2:] == ["1 ✓ a red circle", "2 ✗ a dog  (true: a red circle)"]


def test_a_map_names_words_and_always_the_one_at_the_cursor():
    drawing = lines(draw_map(MAP, 60, 10, color=False, cursor=2))
    assert drawing[-1] == "dog (animal) · PCA of 4 words, of which 4 are named"
    assert all(any(word in line for line in drawing[:-1]) for word in MAP["words"])
    assert "✚dog" in drawing[0] and "king" in drawing[8]  # the largest y is at the top
    narrow = lines(draw_map(MAP, 6, 3, color=False, cursor=0))
    assert all(len(line) <= 6 for line in narrow)
    assert cell_places([[0, 0], [1, 2]], 10, 5) == [(0, 4), (9, 0)]
    one_point = {**MAP, "words": ["a"], "groups": ["x"], "points": [[0, 0]]}
    assert "a" in lines(draw_map(one_point, 10, 4))[-2]


def test_the_arrows_go_to_the_nearest_word_in_a_direction():
    points = MAP["points"]
    assert nearest(points, 0, 1, 0) == 1 and nearest(points, 0, 0, 1) == 2 and nearest(points, 3, -1, 0) == 2
    assert nearest(points, 0, -1, 0) == 0  # there is none
