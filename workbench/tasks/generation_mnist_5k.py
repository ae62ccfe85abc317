"""Generation of handwritten digits of 28x28 pixels."""

from workbench.tasks.generation import Generation

TASK = Generation(
    data="mnist-5k",
    title="generate handwritten digits of full size from a prior",
    outputs=dict(
        reconstruction="float32[channels, height, width]",
        mean="float32[code_size]",
        log_variance="float32[code_size]",
    ),
    metrics=dict(elbo="max", mse="min", psnr="max"),
)
