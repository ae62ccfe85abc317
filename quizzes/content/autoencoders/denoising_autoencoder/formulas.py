"""Denoising autoencoder: formulas."""

from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real
from workbench.errors import UserError

PEAK = Real(0.001, meaning="largest possible pixel value", default=1)

RATIO = Real(meaning="peak signal-to-noise ratio", unit="dB")


PSNR = Formula(
    "psnr",
    "PSNR = 10*log10(MAX^2/MSE)",
    title="Peak signal-to-noise ratio",
    source="derivation: the ratio of the squared peak value to the mean squared error, in decibels; Horé & Ziou, Image "
    "quality metrics: PSNR vs. SSIM, ICPR 2010",
    MSE=Real(0, meaning="mean squared error of the pixels"),
    MAX=PEAK,
    PSNR=RATIO,
)


def _count_pixels(X: list[list[Value]], Y: list[list[Value]], MAX: Value) -> dict[str, int]:
    if X == Y:
        raise UserError("The images are equal, so their PSNR is infinite.")
    return {"N": sum(map(len, X))}


PSNR_IMAGES = Formula(
    "psnr-images",
    """
    MSE = mean(i, mean(j, (X[i, j] - Y[i, j])^2))
    PSNR = 10*log10(MAX^2/MSE)
    """,
    title="Peak signal-to-noise ratio of an image",
    source=PSNR.source,
    procedure=_count_pixels,
    procedure_outputs="N",
    X=Matrix(meaning="clean image, a row of pixels per line"),
    Y=Matrix(meaning="noisy or reconstructed image"),
    MAX=PEAK,
    N=Int(meaning="number of pixels"),
    MSE=Real(0, meaning="mean squared error of the pixels"),
    PSNR=RATIO,
)


PSNR_GAIN = Formula(
    "psnr-gain",
    "G = 10*log10(a/b)",
    title="Gain in peak signal-to-noise ratio",
    source="derivation: 10 log10(MAX^2/b) - 10 log10(MAX^2/a), where the peak value cancels",
    a=Real(0, 1000000, "mean squared error of the noisy image"),
    b=Real(0, 1000000, "mean squared error of the denoised image"),
    G=Real(meaning="gain in peak signal-to-noise ratio", unit="dB"),
)


NOISE_ERRORS = Formula(
    "noise-mse",
    """
    gaussian = sigma^2
    masking = p*x^2
    salt_pepper = p*(x^2 + (1 - x)^2)/2
    """,
    title="Expected squared error of three kinds of noise",
    source="derivation: Gaussian noise adds a value of variance sigma^2; masking sets a pixel to 0 with probability p; "
    "salt-and-pepper noise sets it to 0 or to 1 with probability p/2 each",
    conventions="Values are not clipped to [0, 1] after noise was added.",
    x=Real(0, 1, "value of every pixel of the clean image"),
    sigma=Real(0, meaning="standard deviation of the Gaussian noise"),
    p=Real(0, 1, "probability that a pixel is replaced (masking, salt-and-pepper)"),
    gaussian=Real(0, meaning="expected squared error with Gaussian noise"),
    masking=Real(0, meaning="expected squared error with masking noise"),
    salt_pepper=Real(0, meaning="expected squared error with salt-and-pepper noise"),
)
