"""SAM: Kirillov et al., Segment anything (arXiv:2304.02643, 2023).

Segmentation by a prompt: for points, a box or a rough mask, the network returns the mask of the object that is meant,
of whatever kind. It knows no classes, and was trained on 1.1 billion masks. The image is encoded once; prompts are
encoded and decoded on top of it in milliseconds. A click may mean a button, a shirt or a person, so three masks are
predicted, of which training counts only the best, and each has a predicted IoU by which they are ranked. A further
token has a single mask, for prompts of several points or a box, which are hardly ambiguous.

For an image of 3x1024x1024 and one click, which is two points, as a point that is none follows:

    part             output              ViT-B         ViT-L          ViT-H
    patch_embed      64x64, 16x16        768           1024           1280
    blocks           windows of 14x14    12, 12 heads  24, 16 heads   32, 16 heads
      to all tokens                      2, 5, 8, 11   5, 11, 17, 23  7, 15, 23, 31
    neck             256x64x64           1x1 and 3x3 convolutions
    image_encoder                        89,670,912    308,278,272    637,026,048
    prompt_encoder   2x256               6,220         6,220          6,220
    mask_decoder     4x256x256, 4 IoUs   4,058,340     4,058,340      4,058,340
    total                                93,735,472    312,342,832    641,090,608

State-dict keys are the authors', but `fc1` and `fc2` for `lin1` and `lin2` in the image encoder, and `layers.0` and
`layers.1` in the decoder's blocks. transformers' network also counts the 256 numbers of the random matrix as
parameters, and has another eps in the decoder's norms: 1e-6, where the authors' is 1e-5.

Images are scaled so that their longer side is 1024, and filled with zeros at the right and at the bottom. The mini has
images of 64x64 with patches of 8x8.
"""

import re
from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn

from models.segmentation.sam_image_encoder import ImageEncoder
from models.segmentation.sam_mask_decoder import MaskDecoder
from models.segmentation.sam_prompt_encoder import PromptEncoder, box_corners, pad_points

# Names in the state dicts of transformers and of the authors -> our names.
RENAMED = (
    (r"^vision_encoder\.", "image_encoder."),
    (r"^shared_image_embedding\.positional_embedding", "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"),
    (r"patch_embed\.projection\.", "patch_embed.proj."),
    (r"^image_encoder\.layers\.", "image_encoder.blocks."),
    (r"^(image_encoder\.blocks\.\d+\.mlp)\.lin", r"\1.fc"),
    (r"^image_encoder\.neck\.conv1\.", "image_encoder.neck.0."),
    (r"^image_encoder\.neck\.layer_norm1\.", "image_encoder.neck.1."),
    (r"^image_encoder\.neck\.conv2\.", "image_encoder.neck.2."),
    (r"^image_encoder\.neck\.layer_norm2\.", "image_encoder.neck.3."),
    (r"\.mask_embed\.conv1\.", ".mask_downscaling.0."),
    (r"\.mask_embed\.layer_norm1\.", ".mask_downscaling.1."),
    (r"\.mask_embed\.conv2\.", ".mask_downscaling.3."),
    (r"\.mask_embed\.layer_norm2\.", ".mask_downscaling.4."),
    (r"\.mask_embed\.conv3\.", ".mask_downscaling.6."),
    (r"\.point_embed\.", ".point_embeddings."),
    (r"\.upscale_conv1\.", ".output_upscaling.0."),
    (r"\.upscale_layer_norm\.", ".output_upscaling.1."),
    (r"\.upscale_conv2\.", ".output_upscaling.3."),
    (r"\.layer_norm_final_attn\.", ".norm_final_attn."),
    (r"\.layer_norm(\d)\.", r".norm\1."),
    (r"\.mlp\.lin1\.", ".mlp.layers.0."),
    (r"\.mlp\.lin2\.", ".mlp.layers.1."),
    # transformers has three dense layers as proj_in, layers.0 and proj_out.
    (r"(output_hypernetworks_mlps\.\d+|iou_prediction_head)\.proj_in\.", r"\1.first."),
    (r"(output_hypernetworks_mlps\.\d+|iou_prediction_head)\.proj_out\.", r"\1.layers.2."),
)
TIED = "prompt_encoder.shared_embedding.positional_embedding"  # the random matrix once more


class SAM(nn.Module):
    """An image encoder, a prompt encoder and a mask decoder.

    Args:
        image_size: Height and width of the images.
        patch_size: Height and width of a patch.
        embed_dim: Features of a token of the image encoder.
        depth: Its blocks.
        num_heads: Heads of its attentions.
        window_size: Height and width of a window, in tokens.
        global_blocks: The blocks that attend to the whole map, numbered from 0.
        features: Features of a prompt, and channels of the image's map; a multiple of 8.
        decoder_depth: Two-way blocks of the mask decoder.
        decoder_heads: Heads of its attentions.
        ffn_size: Features between the dense layers of its blocks.
        num_masks: Masks of an ambiguous prompt.
        mask_channels: Channels of a mask prompt before the last convolution, a multiple of 4.
    """

    def __init__(
        self,
        image_size: int = 1024,
        patch_size: int = 16,
        embed_dim: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        window_size: int = 14,
        global_blocks: Collection[int] = (2, 5, 8, 11),
        features: int = 256,
        decoder_depth: int = 2,
        decoder_heads: int = 8,
        ffn_size: int = 2048,
        num_masks: int = 3,
        mask_channels: int = 16,
    ):
        super().__init__()
        if features % 8 or mask_channels % 4:
            raise ValueError(
                f"features must be a multiple of 8 and mask_channels of 4, not {features} and {mask_channels}"
            )
        if min(depth, decoder_depth, num_masks, window_size) < 1:
            raise ValueError("depth, decoder_depth, num_masks and window_size must be 1 or more")
        self.image_size, self.num_masks = image_size, num_masks
        self.mask_size = 4 * (image_size // patch_size)
        self.image_encoder = ImageEncoder(
            image_size, patch_size, embed_dim, depth, num_heads, window_size, global_blocks, features
        )
        self.prompt_encoder = PromptEncoder(features, image_size, image_size // patch_size, mask_channels)
        self.mask_decoder = MaskDecoder(features, decoder_depth, decoder_heads, ffn_size, num_masks, features)

    def example_inputs(self, batch_size: int) -> tuple[Tensor, ...]:
        """Return a black image with a click on its first pixel."""
        device = self.image_encoder.pos_embed.device
        images = torch.zeros(batch_size, 3, self.image_size, self.image_size, device=device)
        points = torch.zeros(batch_size, 1, 2, device=device)
        return images, *pad_points(points, torch.ones(batch_size, 1, dtype=torch.int64, device=device))

    def to_points(self, clicks: Tensor, labels: Tensor, boxes: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the points that `decode` reads, and their kinds: clicks and boxes, or clicks and one that is none.

        Args:
            clicks: Pixels (N, P, 2), x and y.
            labels: 1 for a click inside the object, 0 outside (N, P).
            boxes: A box of each image (N, 4), x1, y1, x2, y2 in pixels.
        """
        if boxes is None:
            return pad_points(clicks, labels) if clicks.shape[1] else (clicks, labels)
        corners, kinds = box_corners(boxes)
        return torch.cat([clicks, corners], dim=1), torch.cat([labels, kinds], dim=1)

    def encode(self, images: Tensor) -> Tensor:
        """Return the maps (N, features, grid_size, grid_size) of images (N, 3, image_size, image_size)."""
        embedding: Tensor = self.image_encoder(images)
        return embedding

    def forward(self, images: Tensor, points: Tensor, labels: Tensor, masks: Tensor | None = None) -> dict[str, Tensor]:
        """Return the masks of a prompt for each image, as `decode` does.

        Args:
            images: (N, 3, image_size, image_size).
            points: As for `decode`.
            labels: As for `decode`.
            masks: As for `decode`.
        """
        return self.decode(self.encode(images), points, labels, masks)

    def decode(
        self, embedding: Tensor, points: Tensor, labels: Tensor, masks: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return `masks`, logits (N, num_masks + 1, mask_size, mask_size), and `iou`, their predictions.

        The mask at index 0 is the single one, for prompts that are not ambiguous; the others are for a single click.

        Args:
            embedding: What `encode` returned.
            points: Points (N, P, 2) in pixels of the image, see `to_points`; an integer is the center of a pixel.
            labels: Their kinds (N, P): -1 for none, 0 for outside, 1 for inside, 2 and 3 for the corners of a box.
            masks: Logits of a rough mask of each image, (N, 1, mask_size, mask_size).
        """
        positions = self.prompt_encoder.pe_layer.grid(*embedding.shape[2:])
        outputs: dict[str, Tensor] = self.mask_decoder(
            embedding, positions, *self.prompt_encoder(points, labels, masks)
        )
        return outputs

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of transformers' SamModel, or of the authors' network."""
        self.load_state_dict(rename(state_dict, RENAMED))


def rename(state_dict: Mapping[str, Tensor], rules: Collection[tuple[str, str]]) -> dict[str, Tensor]:
    """Return a state dict with other names, without the random matrix that transformers has twice."""
    renamed: dict[str, Tensor] = {}
    for name, tensor in state_dict.items():
        if name == TIED:
            continue
        for pattern, replacement in rules:
            name = re.sub(pattern, replacement, name)
        renamed[name] = tensor
    for first in [name for name in renamed if ".first." in name]:
        layer = first.replace(".first.", ".layers.0.")
        renamed[layer.replace(".layers.0.", ".layers.1.")] = renamed.pop(layer)
        renamed[layer] = renamed.pop(first)
    return renamed


# fmt: off
FAMILY = dict(
    family="sam",
    year=2023,
    paper="arXiv:2304.02643",
    topic="instance-and-promptable",
    task="promptable-segmentation",
    contribution=(
        "Segmentation by a prompt: the mask of whatever object a point, a box or a rough mask means. The image is "
        "encoded once, and a light decoder returns several masks, each with its predicted IoU."
    ),
    builds_on=("vit", "mae", "detr"),
    network="SAM",
    names={
        "sam": dict(),
        "sam-l": dict(embed_dim=1024, depth=24, num_heads=16, global_blocks=(5, 11, 17, 23)),
        "sam-h": dict(embed_dim=1280, depth=32, num_heads=16, global_blocks=(7, 15, 23, 31)),
    },
    inputs=dict(
        image="float32[3, image_size, image_size]", points="float32[points, 2]", point_labels="int64[points]"
    ),
    outputs=dict(
        masks="float32[num_masks+1, image_size/4, image_size/4]", iou="float32[num_masks+1]",
    ),
    params={"sam": 93_735_472, "sam-l": 312_342_832, "sam-h": 641_090_608},
    mini=dict(
        image_size=64, patch_size=8, embed_dim=64, depth=2, num_heads=4, window_size=4, global_blocks=(1,),
        features=64, decoder_depth=2, decoder_heads=4, ffn_size=128, mask_channels=16,
    ),
    mini_outputs=dict(
        masks="float32[num_masks+1, image_size/2, image_size/2]", iou="float32[num_masks+1]",
    ),
    parts=dict(image_encoder=("image_encoder.",)),
    recipe=dict(epochs=1, schedule="one-cycle", lr=0.002, batch_size=16, clip_norm=1.0),
    reference="transformers",
)
# fmt: on
