"""Denoising autoencoder: drills."""

from random import Random

from quizzes.content.autoencoders.denoising_autoencoder.formulas import NOISE_ERRORS, PSNR, PSNR_GAIN, PSNR_IMAGES
from quizzes.drill import Inputs, Mistake, drill, one_of

NATURAL_LOG = "You used the natural logarithm. Decibels use the base-10 logarithm."

PEAK_NOT_SQUARED = "You did not square MAX. The MSE is a squared error, so it is compared with the squared peak value."

ROOT_OF_MSE = "You used the factor 20. It belongs to the ratio MAX/RMSE; the ratio of squares has the factor 10."


@drill(
    PSNR,
    tier=1,
    asks=one_of("PSNR", "MSE"),
    prompt="An image with pixel values from 0 to {MAX} was denoised. The mean squared error to the clean image is "
    "{MSE}, and the PSNR is {PSNR} dB.",
    hint="A decibel is ten times the base-10 logarithm of a ratio. Of which ratio?",
    mistakes=[
        Mistake("natural-log", "PSNR = 10*ln(MAX^2/MSE)", NATURAL_LOG),
        Mistake("peak-not-squared", "PSNR = 10*log10(MAX/MSE)", PEAK_NOT_SQUARED),
        Mistake("factor-20", "PSNR = 20*log10(MAX^2/MSE)", ROOT_OF_MSE),
        Mistake("no-factor", "PSNR = log10(MAX^2/MSE)", "You left out the factor 10, which makes it decibels."),
        Mistake(
            "ratio-inverted",
            "PSNR = 10*log10(MSE/MAX^2)",
            "You inverted the ratio. A smaller error must give a larger PSNR.",
        ),
    ],
)
def psnr(rng: Random) -> Inputs:
    """Peak signal-to-noise ratio"""
    MAX = rng.choice([1, 255, 255, 2, 100, 1023])  # 1 would hide an unsquared peak value, so it is rare
    return dict(MAX=MAX, MSE=round(MAX**2 * rng.randint(5, 400) / 100000, 4))


@drill(
    PSNR_IMAGES,
    id="psnr:images",
    tier=2,
    asks=("MSE", "PSNR"),
    visualization="matrices X Y",
    prompt="A clean image X and its reconstruction Y have 8-bit pixels, so MAX = {MAX}:\n  X = {X}\n  Y = {Y}\n"
    "What are the mean squared error MSE and the PSNR in dB?",
    hint="Average the squared differences over all pixels first.",
    mistakes=[
        Mistake(
            "sum-for-mean",
            "MSE = sum(i, sum(j, (X[i, j] - Y[i, j])^2))",
            "You added up the squared errors. Divide by the number of pixels.",
        ),
        Mistake(
            "not-squared",
            "MSE = mean(i, mean(j, abs(X[i, j] - Y[i, j])))",
            "You averaged the absolute errors. The MSE averages their squares.",
        ),
        Mistake("natural-log", "PSNR = 10*ln(MAX^2/MSE)", NATURAL_LOG),
        Mistake("peak-not-squared", "PSNR = 10*log10(MAX/MSE)", PEAK_NOT_SQUARED),
        Mistake(
            "peak-of-the-image",
            "PSNR = 10*log10(max(max(X[1, 1], X[1, 2], X[1, 3]), max(X[2, 1], X[2, 2], X[2, 3]))^2/MSE)",
            "You used the largest pixel of the image. MAX is the largest value that a pixel can have.",
        ),
    ],
)
def psnr_images(rng: Random) -> Inputs:
    """PSNR of a reconstruction"""
    X = [[rng.randint(10, 240) for _ in range(3)] for _ in range(2)]
    spread = rng.choice([3, 6, 10, 15])
    return dict(X=X, Y=[[pixel + rng.randint(-spread, spread) for pixel in row] for row in X], MAX=255)


@drill(
    PSNR_GAIN,
    id="psnr:gain",
    tier=2,
    asks=one_of("G", "a", "b"),
    prompt="A denoising autoencoder changes the mean squared error to the clean image from {a} to {b}. It gains {G} dB "
    "of PSNR.",
    hint="Subtract the PSNR before from the PSNR after. What remains of MAX?",
    mistakes=[
        Mistake("natural-log", "G = 10*ln(a/b)", NATURAL_LOG),
        Mistake(
            "ratio-inverted",
            "G = 10*log10(b/a)",
            "You inverted the ratio. A smaller error after denoising is a gain, so it is positive.",
        ),
        Mistake("factor-20", "G = 20*log10(a/b)", ROOT_OF_MSE),
        Mistake(
            "difference-of-errors",
            "G = 10*log10(1 + a - b)",
            "You subtracted the errors. A difference of logarithms is the logarithm of their ratio.",
        ),
    ],
)
def psnr_gain(rng: Random) -> Inputs:
    """Gain in PSNR"""
    a = rng.randint(40, 400) / 1000
    return dict(a=a, b=round(a * rng.randint(5, 60) / 100, 4))


@drill(
    NOISE_ERRORS,
    id="psnr:noise-types",
    tier=2,
    asks=("gaussian", "masking", "salt_pepper"),
    prompt="Every pixel of a clean image is {x}, on a scale from 0 (black) to 1 (white). Noise is added in three ways: "
    "Gaussian noise with standard deviation {sigma}; masking, which sets a pixel to 0 with probability {p}; and "
    "salt-and-pepper noise, which replaces a pixel with probability {p}, by 0 or 1 equally often.\n"
    "What is the expected squared error per pixel of each?\n"
    "Conventions: noisy values are not clipped.",
    hint="With which probability does a pixel change, and by how much?",
    mistakes=[
        Mistake(
            "deviation-for-variance",
            "gaussian = sigma",
            "That is the standard deviation. The expected squared error of noise with mean 0 is its variance.",
        ),
        Mistake(
            "probability-left-out",
            "masking = x^2; salt_pepper = (x^2 + (1 - x)^2)/2",
            "You left out the probability p. The other pixels do not change, so their error is 0.",
        ),
        Mistake("not-squared", "masking = p*x", "You did not square the change. A masked pixel changes by x."),
        Mistake(
            "half-left-out",
            "salt_pepper = p*(x^2 + (1 - x)^2)",
            "You gave black and white the probability p each. Each has half of it.",
        ),
        Mistake(
            "pepper-only",
            "salt_pepper = p*x^2",
            "You set all replaced pixels to 0. Half of them are set to 1, which changes them by 1 - x.",
        ),
    ],
)
def psnr_noise_types(rng: Random) -> Inputs:
    """Squared error of three noise types"""
    return dict(
        x=rng.randint(1, 9) / 10, sigma=rng.randint(5, 50) / 100, p=rng.choice([0.1, 0.15, 0.2, 0.25, 0.3, 0.4])
    )
