"""Boxes, formats, localization: drills."""

from random import Random

from quizzes.content.object_detection.boxes.formulas import (
    BOX_LETTERBOX,
    BOX_NORMALIZED,
    BOX_TO_CENTER,
    BOX_TO_CORNERS,
    LOCALIZATION_HEAD,
    OBJECT_CELLS,
    SLIDING_REUSE,
    SLIDING_SCALES,
    SLIDING_SQUARE,
    SLIDING_WINDOWS,
)
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue

IMAGES = [(640, 480), (800, 600), (1280, 720), (320, 240), (500, 400), (640, 360)]


@drill(
    BOX_TO_CENTER,
    id="box-format",
    tier=1,
    asks=("w", "h", "cx", "cy"),
    prompt="A box is given by its corners (xyxy): x1 = {x1}, y1 = {y1}, x2 = {x2}, y2 = {y2} px. What are its width w, "
    "its height h, and its center (cx, cy)?\n"
    "Conventions: a box is x2 - x1 wide and y2 - y1 high, without an extra pixel.",
    hint="How far apart are the two corners, and what is in the middle between them?",
    mistakes=[
        Mistake(
            "read-as-xywh",
            "w = x2; h = y2; cx = x1 + x2/2; cy = y1 + y2/2",
            "You read the box as xywh. Here, the last two numbers are the second corner.",
        ),
        Mistake("corner-for-center", "cx = x1; cy = y1", "That is the top left corner. Add half of the size."),
        Mistake("size-not-halved", "cx = x1 + w; cy = y1 + h", "You added the full size. Add half of it."),
        Mistake("sum-not-halved", "cx = x1 + x2; cy = y1 + y2", "You added the corners. The center is their mean."),
        Mistake("halved-twice", "w = (x2 - x1)/2; h = (y2 - y1)/2", "You halved the size. Only the center needs half."),
        Mistake("extra-pixel", "w = x2 - x1 + 1; h = y2 - y1 + 1", "You added a pixel. The question excludes it."),
    ],
)
def box_format(rng: Random) -> Inputs:
    """Corners to center and size"""
    x1, y1 = (5 * rng.randint(2, 60) for _ in range(2))
    return dict(x1=x1, y1=y1, x2=x1 + 10 * rng.randint(3, 30), y2=y1 + 10 * rng.randint(3, 30))


@drill(
    BOX_TO_CORNERS,
    id="box-format:corners",
    tier=1,
    asks=("x1", "y1", "x2", "y2"),
    prompt="A box has its center at ({cx}, {cy}), the width {w} and the height {h} px (cxcywh). What are its corners "
    "x1, y1, x2, y2 (xyxy)?\n"
    "Conventions: y points down; the first corner is top left.",
    hint="How far are the edges from the center?",
    mistakes=[
        Mistake(
            "read-as-xywh",
            "x1 = cx; y1 = cy; x2 = cx + w; y2 = cy + h",
            "You used the center as the top left corner. The corners are half of the size away from the center.",
        ),
        Mistake(
            "size-not-halved",
            "x1 = cx - w; y1 = cy - h",
            "You moved by the full size. The edges are half of it away from the center.",
        ),
        Mistake(
            "sides-swapped",
            "x1 = cx - h/2; y1 = cy - w/2; x2 = cx + h/2; y2 = cy + w/2",
            "You swapped width and height. The width belongs to x, the height to y.",
        ),
        Mistake("size-for-corner", "x2 = w; y2 = h", "Those are the width and the height, not a corner."),
    ],
)
def box_corners(rng: Random) -> Inputs:
    """Center and size to corners"""
    w, h = (10 * rng.randint(2, 24) for _ in range(2))
    return dict(cx=5 * rng.randint(30, 90), cy=5 * rng.randint(30, 90), w=w, h=h)


@drill(
    BOX_NORMALIZED,
    id="box-format:normalized",
    tier=2,
    asks=("cx", "cy", "nw", "nh"),
    prompt="A COCO annotation has the box [{x}, {y}, {w}, {h}] in px: the top left corner, the width and the height. "
    "The image is {W} px wide and {H} px high. YOLO labels have the center and the size, normalized by the image "
    "size.\n"
    "What are the center (cx, cy), the width nw and the height nh of the label?",
    hint="Where is the center, and by which side of the image is each number divided?",
    mistakes=[
        Mistake(
            "corner-for-center",
            "cx = x/W; cy = y/H",
            "You normalized the top left corner. Move to the center first, by half of the size.",
        ),
        Mistake(
            "read-as-xyxy",
            "cx = (x + w)/(2*W); cy = (y + h)/(2*H); nw = (w - x)/W; nh = (h - y)/H",
            "You read the box as corners. COCO stores the width and the height.",
        ),
        Mistake(
            "sides-swapped",
            "cx = (x + w/2)/H; cy = (y + h/2)/W; nw = w/H; nh = h/W",
            "You swapped the sides of the image. x and w are divided by its width, y and h by its height.",
        ),
        Mistake("halved-twice", "nw = w/(2*W); nh = h/(2*H)", "You halved the size. Only the center needs half of it."),
    ],
)
def box_normalized(rng: Random) -> Inputs:
    """COCO box to YOLO label"""
    W, H = rng.choice(IMAGES)
    w, h = rng.randrange(20, W // 2, 4), rng.randrange(20, H // 2, 4)
    return dict(x=rng.randrange(4, W - w, 2), y=rng.randrange(4, H - h, 2), w=w, h=h, W=W, H=H)


@drill(
    BOX_LETTERBOX,
    id="box-format:letterbox",
    tier=2,
    asks=("r", "x_new", "y_new", "w_new"),
    prompt="An image that is {W} px wide and {H} px high is fed to a detector whose input is {n}x{n} px. It is scaled "
    "without changing its ratio until its longer side fits, and padded equally on opposite sides.\n"
    "By which factor is it scaled (r)? A box of width {w} has its top left corner at ({x}, {y}): where is that corner "
    "in the input (x_new, y_new), and how wide is the box there (w_new)?",
    hint="Which side decides the factor? On which sides is the padding?",
    mistakes=[
        Mistake("shorter-side", "r = max(n/W, n/H)", "You fitted the shorter side. The longer one must fit as well."),
        Mistake("inverted", "r = max(W, H)/n", "You inverted the factor. Divide the new size by the old one."),
        Mistake(
            "padding-left-out",
            "x_new = r*x; y_new = r*y",
            "You left out the padding. It moves the box along the shorter side of the image.",
        ),
        Mistake(
            "padding-on-one-side",
            "x_new = r*x + n - r*W; y_new = r*y + n - r*H",
            "You added the padding of both sides. Half of it is before the image.",
        ),
        Mistake(
            "stretched",
            "x_new = n/W*x; y_new = n/H*y; w_new = n/W*w",
            "You stretched the image to a square. Here both sides have the same factor, and the rest is padding.",
        ),
        Mistake("width-padded", "w_new = r*w + left + top", "Padding moves a box, but it does not change its size."),
    ],
)
def box_letterbox(rng: Random) -> Inputs:
    """Resized and padded image"""
    n = rng.choice([320, 416, 512, 640])
    long, short = rng.choice([(2, 1), (4, 3), (5, 4), (8, 5), (16, 9)])
    unit = rng.choice([40, 60, 80, 100, 120])
    W, H = (long * unit, short * unit) if rng.random() < 0.5 else (short * unit, long * unit)
    if max(W, H) == n:
        raise UndefinedValue("the image isn't scaled")
    w = rng.randrange(10, W // 3, 2)
    return dict(W=W, H=H, n=n, x=rng.randrange(6, W - w, 2), y=rng.randrange(6, H // 2, 2), w=w)


@drill(
    SLIDING_WINDOWS,
    tier=1,
    asks=("columns", "rows", "n"),
    prompt="A window of {w} px width and {h} px height slides over an image that is {W} px wide and {H} px high, with "
    "a stride of {s} px in both directions. Only windows within the image count.\n"
    "How many positions does it have along a row (columns), along a column (rows), and altogether (n)?",
    hint="How often can the window move before it leaves the image? Where is it before the first move?",
    mistakes=[
        Mistake(
            "no-plus-one",
            "columns = floor((W - w)/s); rows = floor((H - h)/s)",
            "You counted the moves. Add 1 for the first position.",
        ),
        Mistake(
            "window-ignored",
            "columns = floor(W/s); rows = floor(H/s)",
            "You ignored the size of the window, which must lie within the image.",
        ),
        Mistake(
            "rounded-up",
            "columns = ceil((W - w)/s) + 1; rows = ceil((H - h)/s) + 1",
            "You rounded up. The last window would leave the image.",
        ),
        Mistake("stride-is-window", "columns = floor(W/w); rows = floor(H/h)", "Windows may overlap: use the stride."),
        Mistake("sides-added", "n = columns + rows", "Every row has that many positions: multiply."),
    ],
)
def sliding_window_count(rng: Random) -> Inputs:
    """Positions of a sliding window"""
    W, H = rng.choice([*IMAGES, (64, 48), (96, 64), (128, 100)])
    w, h = (max(8, size // rng.choice([4, 5, 6, 8])) for size in (W, H))
    return dict(W=W, H=H, w=w, h=h, s=rng.choice([4, 6, 8, 12, 16, 20]))


@drill(
    SLIDING_SQUARE,
    id="sliding-window-count:inverse",
    tier=2,
    asks=one_of("n", "W", "s"),
    prompt="A square window of size {w} slides over a square image of size {W} with stride {s}. Only the n = {n} "
    "windows that lie within the image count. All sizes are in px.",
    hint="How many positions are there along one side?",
    mistakes=[
        Mistake("no-plus-one", "n = floor((W - w)/s)^2", "You counted the moves. Add 1 for the first position."),
        Mistake("one-side", "n = floor((W - w)/s) + 1", "You counted one side. There are rows and columns of windows."),
        Mistake("window-ignored", "n = floor(W/s)^2", "You ignored the size of the window."),
        Mistake("sides-added", "n = 2*(floor((W - w)/s) + 1)", "You added rows and columns. Multiply them."),
        Mistake("padded", "n = (floor(W/s) + 1)^2", "You let the window leave the image."),
    ],
)
def sliding_square(rng: Random) -> Inputs:
    """Square window and image"""
    w, s = rng.choice([16, 24, 32, 48, 64]), rng.choice([4, 8, 8, 16, 12])
    return dict(W=w + s * rng.randint(3, 14) + rng.choice([0, 0, 1, 3]), w=w, s=s)


@drill(
    SLIDING_SCALES,
    id="sliding-window-count:scales",
    tier=2,
    asks=("n", "t"),
    prompt="A detector slides square windows of the sizes {w} px over an image that is {W} px wide and {H} px high, "
    "each with a stride of {s} px, and runs a classifier on each window. The classifier takes {ms} ms per window.\n"
    "How many windows of all sizes are there (n), and how many seconds does an image take (t)?",
    hint="How many positions does each size have?",
    mistakes=[
        Mistake(
            "no-plus-one",
            "n = sum(k, floor((W - w[k])/s)*floor((H - w[k])/s))",
            "You counted the moves. Add 1 for the first position along each side.",
        ),
        Mistake(
            "one-size",
            "n = (floor((W - w[1])/s) + 1)*(floor((H - w[1])/s) + 1)",
            "You counted the first size only. Every size has its own windows.",
        ),
        Mistake(
            "same-count",
            "n = len(w)*(floor((W - w[1])/s) + 1)*(floor((H - w[1])/s) + 1)",
            "You used the count of the first size for all. A larger window has fewer positions.",
        ),
        Mistake(
            "window-ignored",
            "n = len(w)*floor(W/s)*floor(H/s)",
            "You ignored the size of the windows, which must lie within the image.",
        ),
        Mistake("milliseconds", "t = n*ms", "That is the time in ms. Divide by 1000."),
    ],
)
def sliding_scales(rng: Random) -> Inputs:
    """Windows of several sizes"""
    W, H = rng.choice([(320, 240), (640, 480), (500, 375), (256, 192)])
    sizes = sorted(rng.sample([32, 48, 64, 96, 128, 160], rng.choice([2, 3, 3])))
    return dict(W=W, H=H, w=sizes, s=rng.choice([8, 16, 20, 24]), ms=rng.choice([0.5, 2, 4, 5, 8]))


@drill(
    SLIDING_REUSE,
    id="sliding-window-count:reuse",
    tier=2,
    asks=("n", "R"),
    prompt="A square window of size {w} px slides over an image that is {W} px wide and {H} px high, with stride {s} "
    "px, and a CNN processes each window on its own.\n"
    "How many windows are there (n)? In how many windows is a pixel, on average (R)? That is how much work a CNN saves "
    "if it processes the image once and all windows share its features.",
    hint="How many pixels do all windows have together, and how many does the image have?",
    mistakes=[
        Mistake(
            "no-plus-one",
            "n = floor((W - w)/s)*floor((H - w)/s)",
            "You counted the moves. Add 1 for the first position along each side.",
        ),
        Mistake(
            "count-for-ratio", "R = n", "That is the number of windows. Each of them has only a part of the image."
        ),
        Mistake("one-side", "R = w/s", "That is the overlap along one side. Windows overlap along both."),
        Mistake("not-squared", "R = n*w/(W*H)", "A window has w^2 pixels."),
        Mistake(
            "inverted", "R = W*H/(n*w^2)", "You inverted the ratio. Divide the pixels of all windows by the image."
        ),
    ],
)
def sliding_reuse(rng: Random) -> Inputs:
    """Work that windows share"""
    W, H = rng.choice([(320, 240), (640, 480), (500, 375), (256, 192), (224, 224)])
    return dict(W=W, H=H, w=rng.choice([32, 48, 64, 96]), s=rng.choice([4, 8, 12, 16]))


@drill(
    LOCALIZATION_HEAD,
    tier=1,
    asks=("P_class", "P_box", "P_specific"),
    prompt="A CNN turns an image into {F} features. Two dense layers with biases read them: one outputs the logits of "
    "{K} classes, the other one the 4 numbers of a box.\n"
    "How many parameters does the class head have (P_class), and how many the box head (P_box)? How many does a box "
    "head have that outputs a box of its own for each class (P_specific)?",
    hint="How many outputs does each head have, and how many parameters does one output need?",
    mistakes=[
        Mistake(
            "no-biases",
            "P_class = F*K; P_box = 4*F; P_specific = 4*F*K",
            "You left out the biases: one per output.",
        ),
        Mistake("one-bias", "P_class = F*K + 1; P_box = 4*F + 1; P_specific = 4*F*K + 1", "Every output has a bias."),
        Mistake("two-numbers", "P_box = (F + 1)*2", "A box has 4 numbers: a position and a size."),
        Mistake("class-in-box", "P_box = (F + 1)*5", "The class is output by the other head. A box has 4 numbers."),
        Mistake("added", "P_specific = (F + 1)*(4 + K)", "Each of the classes has a box of 4 numbers: multiply."),
    ],
)
def localization_head(rng: Random) -> Inputs:
    """Classification and localization"""
    return dict(F=rng.choice([64, 128, 256, 512, 1024, 2048, 4096]), K=rng.choice([3, 5, 10, 20, 37, 80, 200, 1000]))


@drill(
    OBJECT_CELLS,
    id="small-object",
    tier=1,
    asks=one_of("c", "a", "n"),
    prompt="An object is a = {a} px wide in an image that is {W} px wide. The image is resized to a width of n = {n} "
    "px, and "
    "a detector predicts from a feature map of stride {s}. The object is c = {c} cells wide there.",
    hint="How wide is the object after resizing? How many pixels of the input does one cell stand for?",
    mistakes=[
        Mistake(
            "not-resized", "c = a/s", "You used the size in the original image. Resizing scales the object as well."
        ),
        Mistake("stride-left-out", "c = a*n/W", "That is the size in the resized image. Divide by the stride."),
        Mistake(
            "inverted-scale", "c = a*W/(n*s)", "You inverted the scale. Resizing multiplies by new over old width."
        ),
        Mistake("stride-multiplied", "c = a*n*s/W", "A cell stands for s pixels: divide by the stride."),
        Mistake("no-image", "c = n/(W*s)", "You left out the size of the object."),
    ],
)
def small_object(rng: Random) -> Inputs:
    """Small object on a feature map"""
    W = rng.choice([1280, 1920, 2560, 3840])
    n, a, s = rng.choice([320, 416, 512, 640, 800, 960]), 4 * rng.randint(4, 60), rng.choice([4, 8, 16, 32])
    if 10000 * a * n % (W * s):
        raise UndefinedValue("the size has too many decimal places")
    return dict(a=a, W=W, n=n, s=s)
