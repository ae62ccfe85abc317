"""MAE: He, Chen, Xie, Li, Dollár, Girshick, Masked autoencoders are scalable vision learners (arXiv:2111.06377, 2021).

Most patches of an image are hidden, and a network predicts their pixels from the rest. Nothing has to be labeled, and
what neighbors don't tell must come from knowledge of how images look. The encoder, a ViT, reads the visible patches
only, a quarter of all, which saves most of its work; a small decoder reads its outputs and, in place of each hidden
patch, one shared learned mask token. After the training the decoder is thrown away, and the encoder reads whole images.

For images of 3x224x224 in 196 patches, of which 75% are masked:

    layer             output     tokens
    patch_embed       196x768    all patches, plus their positions (fixed sinusoids of row and column)
    blocks            50x768     12 blocks of 12 heads, on the 49 visible patches and a class token
    norm              50x768
    decoder_embed     50x512     a dense layer
                      197x512    mask tokens inserted at the hidden patches, plus positions
    decoder_blocks    197x512    8 blocks of 16 heads
    decoder_norm
    decoder_pred      196x768    the 16x16x3 pixels of each patch
    parameters        111,907,840 with the positions, 111,655,680 learned

The loss is the mean squared error over the pixels of the masked patches only. With `norm_pix_loss`, the pixels of each
patch are standardized first (their variance is divided by n - 1), which the paper found to give better features.

State-dict keys of the encoder are those of `models/vision/vit.py`, so a ViT can begin with it; those of the decoder
are the authors'. Norms add 1e-12 to the variance, as transformers' do; the authors' add 1e-6.

The mini reads 1x28x28 in 49 patches of 4x4; its encoder is that of the mini of vit-b16.
"""

import re
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.patches import PatchEmbedding, patchify, unpatchify
from models.layers.positions import grid_sinusoids
from models.layers.vit_block import Block, SelfAttention, initialize

EPS = 1e-12  # of the norms

# Names in transformers' state dict, those of its version 5 and those of its published files -> our names.
RENAMED = (
    (r"^vit\.(encoder\.)?layers?\.", "blocks."),
    (r"^decoder\.decoder_layers\.", "decoder_blocks."),
    (r"^vit\.embeddings\.", ""),
    (r"^vit\.layernorm\.", "norm."),
    (r"^decoder\.", ""),
    (r"^position_embeddings$", "pos_embed"),
    (r"^patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.attention\.(o_proj|output\.dense)\.", ".attn.proj."),
    (r"\.attention\.(attention\.)?(q|k|v)(_proj|uery|ey|alue)\.", r".attn.\2."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"(blocks\.\d+)\.output\.dense\.", r"\1.mlp.fc2."),
)


class MAE(nn.Module):
    """The encoder of a ViT on the visible patches, and a decoder that predicts the pixels of all.

    Args:
        embed_dim: Features of a token in the encoder.
        depth: Blocks of the encoder.
        num_heads: Heads of the encoder.
        decoder_embed_dim: Features of a token in the decoder.
        decoder_depth: Blocks of the decoder.
        decoder_num_heads: Heads of the decoder.
        mlp_ratio: Hidden features of a block's dense layers per feature of a token.
        patch_size: Height and width of a patch.
        image_size: Height and width of the image; a multiple of `patch_size`.
        in_channels: Channels of the image.
        mask_ratio: The share of the patches that are masked, between 0 and 1.
        norm_pix_loss: Whether the decoder predicts the standardized pixels of each patch.
    """

    def __init__(
        self,
        embed_dim: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        decoder_embed_dim: int = 512,
        decoder_depth: int = 8,
        decoder_num_heads: int = 16,
        mlp_ratio: float = 4.0,
        patch_size: int = 16,
        image_size: int = 224,
        in_channels: int = 3,
        mask_ratio: float = 0.75,
        norm_pix_loss: bool = False,
    ):
        super().__init__()
        if not 0 < mask_ratio < 1:
            raise ValueError(
                f"mask_ratio must be between 0 and 1, not {mask_ratio}: at 0 there is nothing to predict, and at 1 "
                "nothing to predict it from"
            )
        self.input_shape = (in_channels, image_size, image_size)
        self.patch_size, self.mask_ratio, self.norm_pix_loss = patch_size, mask_ratio, norm_pix_loss
        self.patch_embed = PatchEmbedding(image_size, patch_size, in_channels, embed_dim)
        grid_size = self.patch_embed.grid_size
        self.num_patches = grid_size**2
        self.num_visible = int(self.num_patches * (1 - mask_ratio))
        if not 0 < self.num_visible < self.num_patches:
            raise ValueError(
                f"mask_ratio {mask_ratio} leaves {self.num_visible} of {self.num_patches} patches visible: "
                "at least one must be visible, and one masked"
            )
        self.cls_token = nn.Parameter(torch.empty(1, 1, embed_dim))
        self.pos_embed = fixed_positions(grid_size, embed_dim)
        self.blocks = nn.Sequential(
            *[Block(embed_dim, SelfAttention(embed_dim, num_heads), mlp_ratio, eps=EPS) for _ in range(depth)]
        )
        self.norm = nn.LayerNorm(embed_dim, eps=EPS)

        self.decoder_embed = nn.Linear(embed_dim, decoder_embed_dim)
        self.mask_token = nn.Parameter(torch.empty(1, 1, decoder_embed_dim))
        self.decoder_pos_embed = fixed_positions(grid_size, decoder_embed_dim)
        self.decoder_blocks = nn.Sequential(
            *[
                Block(decoder_embed_dim, SelfAttention(decoder_embed_dim, decoder_num_heads), mlp_ratio, eps=EPS)
                for _ in range(decoder_depth)
            ]
        )
        self.decoder_norm = nn.LayerNorm(decoder_embed_dim, eps=EPS)
        self.decoder_pred = nn.Linear(decoder_embed_dim, patch_size**2 * in_channels)
        initialize(self)
        nn.init.xavier_uniform_(self.patch_embed.proj.weight.view(embed_dim, -1))
        for token in (self.cls_token, self.mask_token):
            nn.init.normal_(token, std=0.02)

    def encode(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        """Return the tokens (N, 1 + visible, embed_dim) of images, that of the class first.

        Args:
            x: Images (N, in_channels, image_size, image_size).
            visible: The numbers of the patches that are read (N, visible); None for all.
        """
        tokens = self.patch_embed(x).flatten(1, 2) + self.pos_embed[:, 1:]
        if visible is not None:
            tokens = select(tokens, visible)
        first = (self.cls_token + self.pos_embed[:, :1]).expand(len(x), -1, -1)
        out: Tensor = self.norm(self.blocks(torch.cat([first, tokens], dim=1)))
        return out

    def decode(self, tokens: Tensor, order: Tensor) -> Tensor:
        """Return the predicted pixels of all patches (N, patches, patch_size**2 * in_channels).

        Args:
            tokens: The tokens of the encoder (N, 1 + visible, embed_dim).
            order: For each patch, its place among the visible ones, followed by the masked ones (N, patches).
        """
        x = self.decoder_embed(tokens)
        masked = self.mask_token.expand(len(x), self.num_patches + 1 - x.shape[1], -1)
        patches = select(torch.cat([x[:, 1:], masked], dim=1), order)
        x = torch.cat([x[:, :1], patches], dim=1) + self.decoder_pos_embed
        out: Tensor = self.decoder_pred(self.decoder_norm(self.decoder_blocks(x)))
        return out[:, 1:]

    def forward(self, x: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Mask images at random and predict their pixels.

        Args:
            x: Images (N, in_channels, image_size, image_size).
            noise: A number per patch (N, patches): those with the smallest ones are visible. Default: uniform.

        Returns:
            `patches`, the predicted pixels (N, patches, patch_size**2 * in_channels), and `mask` (N, patches), 1 for a
            masked patch and 0 for a visible one.
        """
        if noise is None:
            noise = torch.rand(len(x), self.num_patches, device=x.device)
        shuffle = noise.argsort(dim=1)
        order = shuffle.argsort(dim=1)
        tokens = self.encode(x, shuffle[:, : self.num_visible])
        return {"patches": self.decode(tokens, order), "mask": (order >= self.num_visible).to(x.dtype)}

    def loss(self, outputs: Mapping[str, Tensor], images: Tensor) -> Tensor:
        """Return the mean squared error over the masked patches of images."""
        patches = patchify(images, self.patch_size)
        if self.norm_pix_loss:
            mean, deviation = statistics(patches)
            patches = (patches - mean) / deviation
        errors = F.mse_loss(outputs["patches"], patches, reduction="none").mean(dim=2)
        return (errors * outputs["mask"]).sum() / outputs["mask"].sum()

    def fill(self, outputs: Mapping[str, Tensor], images: Tensor) -> Tensor:
        """Return images whose masked patches are replaced by the predicted ones.

        With `norm_pix_loss`, a predicted patch gets the mean and the deviation of the true one, which the network can't
        know.
        """
        patches, predicted = patchify(images, self.patch_size), outputs["patches"]
        if self.norm_pix_loss:
            mean, deviation = statistics(patches)
            predicted = predicted * deviation + mean
        filled = torch.where(outputs["mask"][:, :, None] > 0, predicted, patches)
        return unpatchify(filled, self.patch_size, images.shape[1])

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of transformers' ViTMAEForPreTraining with the same sizes."""
        renamed = {}
        for name, tensor in state_dict.items():
            for pattern, replacement in RENAMED:
                name = re.sub(pattern, replacement, name)
            renamed[name] = tensor
        for name in [name for name in renamed if ".attn.q." in name]:
            each = [renamed.pop(name.replace(".attn.q.", f".attn.{letter}.")) for letter in "qkv"]
            renamed[name.replace(".attn.q.", ".attn.qkv.")] = torch.cat(each)
        self.load_state_dict(renamed)


def fixed_positions(grid_size: int, features: int) -> nn.Parameter:
    """Return the encodings of the class token, which are 0, and of all patches, as a parameter that isn't trained."""
    encodings = torch.cat([torch.zeros(1, features), grid_sinusoids(grid_size, features)])
    return nn.Parameter(encodings[None], requires_grad=False)


def select(tokens: Tensor, places: Tensor) -> Tensor:
    """Return tokens (N, count, features) by their places (N, count) in a sequence (N, length, features)."""
    return tokens.gather(1, places[:, :, None].expand(-1, -1, tokens.shape[2]))


def statistics(patches: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each patch (N, patches, 1), with 1e-6 added to the unbiased variance."""
    variance, mean = torch.var_mean(patches, dim=2, keepdim=True)
    return mean, (variance + 1e-6).sqrt()


FAMILY = dict(
    family="mae",
    year=2021,
    paper="arXiv:2111.06377",
    topic="mae",
    task="masked-patches",
    contribution=(
        "Three quarters of the patches are hidden, the encoder reads the rest only, and a small decoder predicts the "
        "hidden pixels: features without labels, at a quarter of the cost."
    ),
    builds_on=("vit", "denoising-autoencoder", "bert"),
    network="MAE",
    names={"mae": dict(embed_dim=768, depth=12, num_heads=12)},
    inputs=dict(image="float32[in_channels, image_size, image_size]"),
    outputs=dict(patches="float32[patches, pixels]", mask="float32[patches]"),
    params={"mae": 111_907_840},
    mini=dict(
        embed_dim=64,
        depth=4,
        num_heads=4,
        decoder_embed_dim=32,
        decoder_depth=2,
        decoder_num_heads=4,
        patch_size=4,
        image_size=28,
        in_channels=1,
    ),
    parts=dict(encoder=("cls_token", "pos_embed", "patch_embed.", "blocks.", "norm.")),
    recipe=dict(epochs=25, schedule="one-cycle", lr=0.006),
    reference="transformers",
)
