"""SAM 2: Ravi et al., SAM 2: Segment anything in images and videos (arXiv:2408.00714, 2024), with the weights of 2.1.

SAM for videos: an object is prompted in one frame, and its mask is predicted in all others, frame by frame. Each frame
attends to a memory of the prompted frame and of the 6 frames before it: their maps, with which their masks were
encoded, and the object's pointers of up to 16 frames. A video of one frame is an image, as for SAM. An object may be
hidden: an occlusion score tells whether the frame shows it. Masks have no classes.

For frames of 3x1024x1024:

    part               output                         sam2        sam2-s      sam2-b-plus  sam2-l
    trunk (Hiera)      stages of blocks               1, 2, 7, 2  1, 2, 11, 2 2, 3, 16, 3  2, 6, 36, 4
      first stage      256x256, 4x4                   96          96          112          144
      windows          tokens of a stage              8, 4, 14, 7 8, 4, 14, 7 8, 4, 14, 7  8, 4, 16, 8
    neck               256x64x64, and 128 and 256     1x1 convolutions
    memory_attention   256x64x64                      5,922,304 of 4 layers
    memory_encoder     64x64x64                       1,384,608
    mask_decoder       4x256x256, 4 IoUs              4,215,109 with the occlusion score
    total                                             38,962,498  46,060,354  80,850,178   224,446,642

The decoder is SAM's with the maps of 128 and 256 added on the way up, and a token for the occlusion score. A single
mask that is not stable, whose area depends on the threshold, is replaced by the best of the three in evaluation. In
frames without a prompt, the best of three by its predicted IoU is the mask. `load_reference` takes the weights of
transformers' Sam2VideoModel, or of its Sam2Model, which has no memory. Stored maps are float32, there bfloat16.

The mini has frames of 64x64, and layer scales of 1.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from math import log2
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.positions import encode_positions
from models.segmentation.sam import RENAMED, rename
from models.segmentation.sam2_image_encoder import Hiera, PyramidEncoder
from models.segmentation.sam2_memory import MemoryAttention, MemoryEncoder
from models.segmentation.sam_mask_decoder import DenseLayers, MaskDecoder
from models.segmentation.sam_prompt_encoder import NOT_A_POINT, PromptEncoder, box_corners, pad_points

TEMPERATURE = 10_000.0  # of positions
POSITION_SHARE = 0.1  # of the positions of a new frame
MASK_SCALE, MASK_BIAS = 20.0, -10.0  # of masks that are stored
NO_OBJECT = -1024.0  # the logits of a frame that does not show the object
STABILITY_MARGIN, STABILITY = 0.05, 0.98  # thresholds of a stable mask
MAX_POINTERS = 16


class Features(NamedTuple):
    """The maps of a frame: fine (N, features/8, 4h, 4w), middle (N, features/4, 2h, 2w), coarse (N, features, h, w)."""

    fine: Tensor
    middle: Tensor
    coarse: Tensor


class Stored(NamedTuple):
    """The memory of a frame: its map (N, h*w, memory_features) and the object's pointer (N, features)."""

    memory: Tensor
    pointer: Tensor


class VideoMaskDecoder(MaskDecoder):
    """SAM's decoder with finer maps and an occlusion score; arguments as for `MaskDecoder`."""

    def __init__(self, features: int, depth: int, num_heads: int, ffn_size: int, num_masks: int, iou_features: int):
        super().__init__(features, depth, num_heads, ffn_size, num_masks, iou_features)
        self.conv_s0 = nn.Conv2d(features, features // 8, 1)
        self.conv_s1 = nn.Conv2d(features, features // 4, 1)
        self.obj_score_token = nn.Embedding(1, features)
        self.pred_obj_score_head = DenseLayers((features, features, features, 1))

    def predict(self, maps: Features, positions: Tensor, sparse: Tensor, dense: Tensor) -> dict[str, Tensor]:
        """Return what `forward` does, and `object_score` (N,), a logit, and `tokens` (N, num_masks + 1, features)."""
        own = torch.cat([self.obj_score_token.weight, self.iou_token.weight, self.mask_tokens.weight])
        tokens, pixels = self.attend(own, maps.coarse + dense, positions, sparse)
        first_conv, norm, first_gelu, second_conv, second_gelu = self.output_upscaling
        upscaled = first_gelu(norm(first_conv(pixels) + maps.middle))
        upscaled = second_gelu(second_conv(upscaled) + maps.fine)
        mask_tokens = tokens[:, 2 : 2 + len(self.output_hypernetworks_mlps)]
        return {
            "masks": self.apply_filters(mask_tokens, upscaled),
            "iou": self.iou_prediction_head(tokens[:, 1]).sigmoid(),
            "object_score": self.pred_obj_score_head(tokens[:, 0])[:, 0],
            "tokens": mask_tokens,
        }


class SAM2(nn.Module):
    """An image encoder, a prompt encoder, a mask decoder and a memory.

    Args:
        image_size: Height and width of the frames.
        patch_stride: Pixels from one patch to the next; the decoder's map has a quarter of that resolution.
        embed_dim: Features of a token in the first stage of the image encoder.
        num_heads: Heads in its first stage.
        depths: Blocks of its four stages.
        window_sizes: Height and width of the windows of each stage, in tokens.
        global_blocks: The blocks that attend to the whole map, numbered from 0.
        background_size: Height and width of the learned positions of the whole map.
        features: Features of a prompt, and channels of the maps; a multiple of `memory_features`.
        decoder_depth: Two-way blocks of the mask decoder.
        decoder_heads: Heads of its attentions.
        ffn_size: Features between the dense layers of its blocks, and of those of the memory attention.
        num_masks: Masks of an ambiguous prompt.
        mask_channels: Channels of a mask prompt before the last convolution, a multiple of 4.
        memory_depth: Layers of the memory attention.
        memory_features: Channels of a stored map.
        memory_frames: Frames to which a frame attends, with the prompted one.
        dropout: The probability of dropping a feature of the memory attention in training.
        layer_scale: Initial value of the scales in the memory encoder.
    """

    def __init__(
        self,
        image_size: int = 1024,
        patch_stride: int = 4,
        embed_dim: int = 96,
        num_heads: int = 1,
        depths: Sequence[int] = (1, 2, 7, 2),
        window_sizes: Sequence[int] = (8, 4, 14, 7),
        global_blocks: Collection[int] = (5, 7, 9),
        background_size: int = 7,
        features: int = 256,
        decoder_depth: int = 2,
        decoder_heads: int = 8,
        ffn_size: int = 2048,
        num_masks: int = 3,
        mask_channels: int = 16,
        memory_depth: int = 4,
        memory_features: int = 64,
        memory_frames: int = 7,
        dropout: float = 0.1,
        layer_scale: float = 1e-6,
    ):
        super().__init__()
        if features % 8 or features % memory_features or mask_channels % 4:
            raise ValueError(
                "features must be a multiple of 8 and of memory_features, and mask_channels of 4, "
                f"not {features}, {memory_features} and {mask_channels}"
            )
        if len(depths) != 4 or len(window_sizes) != 4 or any(size % 2 for size in window_sizes[:3]):
            raise ValueError("depths and window_sizes must have 4 numbers, of which the first 3 windows are even")
        self.image_size, self.num_masks, self.memory_features = image_size, num_masks, memory_features
        self.grid_size = image_size // (4 * patch_stride)
        self.mask_size = 4 * self.grid_size
        trunk = Hiera(
            image_size, patch_stride, embed_dim, num_heads, depths, window_sizes, global_blocks, background_size
        )
        self.image_encoder = PyramidEncoder(trunk, embed_dim, len(depths), features)
        self.prompt_encoder = PromptEncoder(features, image_size, self.grid_size, mask_channels)
        self.mask_decoder = VideoMaskDecoder(features, decoder_depth, decoder_heads, ffn_size, num_masks, features)
        self.memory_attention = MemoryAttention(memory_depth, features, memory_features, ffn_size, dropout)
        self.memory_encoder = MemoryEncoder(features, memory_features, round(log2(4 * patch_stride)), layer_scale)
        self.maskmem_tpos_enc = nn.Parameter(torch.zeros(memory_frames, memory_features))
        self.no_mem_embed = nn.Parameter(torch.zeros(features))
        self.no_mem_pos_enc = nn.Parameter(torch.zeros(features))  # not used, but published
        self.no_obj_ptr = nn.Parameter(torch.zeros(features))
        self.no_obj_embed_spatial = nn.Parameter(torch.zeros(memory_features))
        self.mask_downsample = nn.Conv2d(1, 1, patch_stride, stride=patch_stride)
        self.obj_ptr_proj = DenseLayers((features,) * 4)
        self.obj_ptr_tpos_proj = nn.Linear(features, memory_features)

    def example_inputs(self, batch_size: int) -> tuple[Tensor, ...]:
        """Return a black video of two frames with a click on its first pixel."""
        device = self.no_mem_embed.device
        frames = torch.zeros(batch_size, 2, 3, self.image_size, self.image_size, device=device)
        clicks = torch.zeros(batch_size, 1, 2, device=device)
        return frames, *self.to_points(clicks, torch.ones(batch_size, 1, dtype=torch.int64, device=device))

    def to_points(self, clicks: Tensor, labels: Tensor, boxes: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the points that `decode` reads, and their kinds; arguments as for SAM. One that is none follows."""
        if boxes is not None:
            corners, kinds = box_corners(boxes)
            clicks, labels = torch.cat([clicks, corners], dim=1), torch.cat([labels, kinds], dim=1)
        return pad_points(clicks, labels)

    def encode(self, images: Tensor) -> Features:
        """Return the maps of images (N, 3, image_size, image_size)."""
        fine, middle, coarse = self.image_encoder(images)
        return Features(self.mask_decoder.conv_s0(fine), self.mask_decoder.conv_s1(middle), coarse)

    def decode(
        self, embedding: Features, points: Tensor, labels: Tensor, masks: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return the masks of a prompt in an image, without a memory, see `segment`."""
        coarse = embedding.coarse + self.no_mem_embed[:, None, None]
        return self.segment(embedding._replace(coarse=coarse), points, labels, masks)

    def segment(self, maps: Features, points: Tensor, labels: Tensor, masks: Tensor | None = None) -> dict[str, Tensor]:
        """Return what the decoder predicts: `masks` (N, num_masks + 1, mask_size, mask_size), `iou` and more.

        Args:
            maps: The maps, of which the coarse one has attended to the memory.
            points: As for SAM.
            labels: As for SAM.
            masks: As for SAM.
        """
        positions = self.prompt_encoder.pe_layer.grid(self.grid_size, self.grid_size)
        return self.mask_decoder.predict(maps, positions, *self.prompt_encoder(points, labels, masks))

    def forward(self, frames: Tensor, points: Tensor, labels: Tensor, masks: Tensor | None = None) -> dict[str, Tensor]:
        """Follow an object through a video.

        Args:
            frames: (N, frames, 3, image_size, image_size).
            points: The prompt in the first frame, see `to_points`.
            labels: The kinds of its points. Of a single click, the best of three masks is followed.
            masks: In place of points, the object's mask in the first frame, (N, 1, image_size, image_size), 0 or 1.

        Returns:
            `masks`, the logits of each frame (N, frames, mask_size, mask_size); `iou`, their predictions (N, frames);
            `object_score`, logits (N, frames), above 0 where the object is visible; and of all masks of the decoder
            `all_masks` (N, frames, num_masks + 1, mask_size, mask_size) and `all_iou`.
        """
        count = frames.shape[1]
        stored: list[Stored] = []
        results: list[dict[str, Tensor]] = []
        # A video may be long, so in evaluation its frames are encoded one by one.
        every = self.encode(frames.flatten(0, 1)) if self.training else None
        for k in range(count):
            own = self.encode(frames[:, k]) if every is None else Features(*(one[k::count] for one in every))
            if k == 0:
                result = self._start(own, points, labels, masks)
            else:
                attended = self.remember(own.coarse, stored, count)
                nothing = points.new_zeros(len(points), 2, 2), labels.new_full((len(labels), 2), NOT_A_POINT)
                result = self.choose(self.segment(own._replace(coarse=attended), *nothing), is_ambiguous=True)
            results.append(result)
            if k + 1 < count:
                stored.append(self.store(own.coarse, result, is_prompted=k == 0))
        names = ("masks", "iou", "object_score", "all_masks", "all_iou")
        return {name: torch.stack([result[name] for result in results], dim=1) for name in names}

    def _start(self, own: Features, points: Tensor, labels: Tensor, masks: Tensor | None) -> dict[str, Tensor]:
        """Return the result of the first frame; a mask is its own result, from which the decoder makes a pointer."""
        if masks is None:
            return self.choose(self.decode(own, points, labels), is_ambiguous=points.shape[1] <= 2)
        nothing = points.new_zeros(len(points), 2, 2), labels.new_full((len(labels), 2), NOT_A_POINT)
        result = self.choose(self.segment(own, *nothing, self.mask_downsample(masks)), is_ambiguous=True)
        is_visible = masks.flatten(1).amax(dim=1) > 0
        small = F.interpolate(
            MASK_SCALE * masks + MASK_BIAS, size=(self.mask_size, self.mask_size), mode="bilinear", antialias=True
        )
        every = torch.ones_like(result["all_iou"])
        return result | {
            "masks": small[:, 0],
            "large_masks": MASK_SCALE * masks + MASK_BIAS,
            "iou": every[:, 0],
            "object_score": MASK_SCALE * is_visible + MASK_BIAS,
            "all_masks": small.expand_as(result["all_masks"]),
            "all_iou": every,
            "pointer": torch.where(is_visible[:, None], result["pointer"], self.no_obj_ptr),
        }

    def choose(self, outputs: dict[str, Tensor], is_ambiguous: bool) -> dict[str, Tensor]:
        """Return the result of a frame: its mask, and the pointer of its object.

        Args:
            outputs: What `segment` returned.
            is_ambiguous: Whether the mask is the best of several, by the predicted IoU, or the single one.
        """
        masks, iou, score = outputs["masks"], outputs["iou"], outputs["object_score"]
        rows = torch.arange(len(masks), device=masks.device)
        best = iou[:, 1:].argmax(dim=1) + 1
        index = best if is_ambiguous else torch.zeros_like(best)
        token = outputs["tokens"][rows, index]
        if not (is_ambiguous or self.training):
            index = torch.where(is_stable(masks[:, 0]), index, best)
        is_visible = score > 0
        mask = torch.where(is_visible[:, None, None], masks[rows, index], NO_OBJECT)
        size = (self.image_size, self.image_size)
        return {
            "masks": mask,
            "large_masks": F.interpolate(mask[:, None], size=size, mode="bilinear", align_corners=False),
            "iou": iou[rows, index],
            "object_score": score,
            "all_masks": masks,
            "all_iou": iou,
            "pointer": torch.where(is_visible[:, None], self.obj_ptr_proj(token), self.no_obj_ptr),
        }

    def store(self, coarse: Tensor, result: dict[str, Tensor], is_prompted: bool) -> Stored:
        """Return what is stored of a frame.

        Args:
            coarse: The coarse map of the frame, (N, features, h, w), before it attended to the memory.
            result: Its result.
            is_prompted: Whether the frame has the prompt; its mask is then binary in evaluation.
        """
        logits = result["large_masks"]
        masks = (logits > 0).to(logits.dtype) if is_prompted and not self.training else logits.sigmoid()
        memory = self.memory_encoder(coarse, MASK_SCALE * masks + MASK_BIAS)
        is_hidden = (result["object_score"] <= 0)[:, None, None]
        memory = memory.flatten(2).transpose(1, 2)
        return Stored(memory + is_hidden * self.no_obj_embed_spatial, result["pointer"])

    def remember(self, coarse: Tensor, stored: Sequence[Stored], count: int) -> Tensor:
        """Return the coarse map of a frame after it has attended to the memory.

        Args:
            coarse: The map (N, features, h, w).
            stored: All frames before it; the first one was prompted.
            count: The number of frames of the video.
        """
        now, frames = len(stored), len(self.maskmem_tpos_enc)
        recent = range(max(1, now - frames + 1), now)
        memories = [stored[k].memory for k in (0, *recent)]
        grid = torch.zeros(1, self.memory_features, *coarse.shape[2:], device=coarse.device, dtype=coarse.dtype)
        places = encode_positions(grid, TEMPERATURE)
        times = torch.stack([self.maskmem_tpos_enc[-1], *(self.maskmem_tpos_enc[now - k - 1] for k in recent)])
        positions = (places + times[:, None]).flatten(0, 1)
        # Pointers are divided into tokens that are as wide as the memory.
        limit = min(count, MAX_POINTERS)
        pointed = (0, *(k for k in range(now - 1, 0, -1) if now - k < limit))
        pointers = torch.stack([stored[k].pointer for k in pointed], dim=1)
        tokens = pointers.unflatten(2, (-1, self.memory_features)).flatten(1, 2)
        offsets = torch.tensor([now - k for k in pointed], device=coarse.device, dtype=coarse.dtype)
        distance = self.obj_ptr_tpos_proj(encode_offsets(offsets / max(1, limit - 1), pointers.shape[2]))
        distance = distance.repeat_interleave(pointers.shape[2] // self.memory_features, dim=0)
        own = encode_positions(coarse, TEMPERATURE).T.unflatten(1, coarse.shape[2:])
        attended: Tensor = self.memory_attention(
            coarse + POSITION_SHARE * own,
            torch.cat([*memories, tokens], dim=1),
            torch.cat([positions, distance])[None],
        )
        return attended

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of transformers' Sam2VideoModel, or of its Sam2Model, which leaves the memory as it is."""
        renamed = {
            re.sub(DOWNSAMPLER, self._layer_of_downsampler, name): tensor
            for name, tensor in rename(state_dict, RENAMED_2 + RENAMED).items()
        }
        for kind, weight in enumerate(renamed.pop("prompt_encoder.point_embeddings.weight")):
            renamed[f"prompt_encoder.point_embeddings.{kind}.weight"] = weight[None]
        own = self.state_dict()
        shaped = {name: tensor.reshape(own[name].shape) if name in own else tensor for name, tensor in renamed.items()}
        has_memory = any(name.startswith("memory_attention.") for name in shaped)
        self.load_state_dict(shaped if has_memory else own | shaped)

    def _layer_of_downsampler(self, match: re.Match[str]) -> str:
        number, kind = match.groups()
        if number is None:
            return str(len(self.memory_encoder.mask_downsampler) - 1)
        return str(3 * int(number) + (kind != "conv"))


def is_stable(masks: Tensor) -> Tensor:
    """Return whether the area of each mask (N, h, w) hardly depends on the threshold."""
    inner, outer = ((masks > margin).sum(dim=(1, 2)) for margin in (STABILITY_MARGIN, -STABILITY_MARGIN))
    return torch.where(outer > 0, inner / outer, 1.0) >= STABILITY


def encode_offsets(offsets: Tensor, features: int) -> Tensor:
    """Return encodings of numbers (n,) from 0 to 1 as sines, then cosines, (n, features)."""
    half = features // 2
    exponents = 2 * (torch.arange(half, device=offsets.device, dtype=offsets.dtype) // 2) / half
    angles = offsets[:, None] / TEMPERATURE**exponents
    return torch.cat([angles.sin(), angles.cos()], dim=1)


# A convolution or a norm of the mask downsampler of transformers, which are every third layer of ours.
DOWNSAMPLER = r"(?<=mask_downsampler\.)(?:layers\.(\d+)\.(conv|norm|layer_norm)|final_conv)(?=\.)"
# Names in the state dict of transformers -> our names, before those of `models.segmentation.sam`.
RENAMED_2 = (
    (r"^vision_encoder\.backbone\.patch_embed\.projection\.", "image_encoder.trunk.patch_embed."),
    (r"^vision_encoder\.backbone\.", "image_encoder.trunk."),
    (r"^vision_encoder\.neck\.convs\.", "image_encoder.neck."),
    (r"(trunk\.blocks\.\d+\.mlp)\.proj_in\.", r"\1.fc1."),
    (r"(trunk\.blocks\.\d+\.mlp)\.proj_out\.", r"\1.fc2."),
    (r"(transformer\.layers\.\d+\.mlp)\.proj_in\.", r"\1.layers.0."),
    (r"(transformer\.layers\.\d+\.mlp)\.proj_out\.", r"\1.layers.1."),
    (r"(pred_obj_score_head|object_pointer_proj)\.proj_in\.", r"\1.first."),
    (r"(pred_obj_score_head|object_pointer_proj)\.proj_out\.", r"\1.layers.2."),
    (r"^object_pointer_proj\.", "obj_ptr_proj."),
    (r"\.o_proj\.", ".out_proj."),
    (r"^memory_attention\.layer_norm\.", "memory_attention.norm."),
    (r"^memory_encoder\.feature_projection\.", "memory_encoder.pix_feat_proj."),
    (r"^memory_encoder\.projection\.", "memory_encoder.out_proj."),
    (r"^memory_encoder\.memory_fuser\.layers\.(\d+)\.depthwise_conv\.", r"memory_encoder.fuser.\1.conv_dw."),
    (r"^memory_encoder\.memory_fuser\.layers\.(\d+)\.layer_norm\.", r"memory_encoder.fuser.\1.norm."),
    (r"^memory_encoder\.memory_fuser\.layers\.(\d+)\.pointwise_conv", r"memory_encoder.fuser.\1.mlp.fc"),
    (r"^memory_encoder\.memory_fuser\.layers\.(\d+)\.scale", r"memory_encoder.fuser.\1.gamma"),
    (r"^memory_temporal_positional_encoding$", "maskmem_tpos_enc"),
    (r"^no_memory_embedding$", "no_mem_embed"),
    (r"^no_memory_positional_encoding$", "no_mem_pos_enc"),
    (r"^no_object_pointer$", "no_obj_ptr"),
    (r"^occlusion_spatial_embedding_parameter$", "no_obj_embed_spatial"),
    (r"^temporal_positional_encoding_projection_layer\.", "obj_ptr_tpos_proj."),
)


# fmt: off
FAMILY = dict(
    family="sam2",
    year=2024,
    paper="arXiv:2408.00714",
    topic="instance-and-promptable",
    task="video-segmentation",
    contribution=(
        "SAM for videos: frames are read one by one, and each attends to a memory of earlier frames with their masks, "
        "so that an object that was prompted once is followed, also while it is hidden."
    ),
    builds_on=("sam", "vit"),
    network="SAM2",
    names={
        "sam2": dict(),
        "sam2-s": dict(depths=(1, 2, 11, 2), global_blocks=(7, 10, 13)),
        "sam2-b-plus": dict(
            embed_dim=112, num_heads=2, depths=(2, 3, 16, 3), global_blocks=(12, 16, 20), background_size=14,
        ),
        "sam2-l": dict(
            embed_dim=144, num_heads=2, depths=(2, 6, 36, 4), window_sizes=(8, 4, 16, 8), global_blocks=(23, 33, 43),
        ),
    },
    inputs=dict(
        video="float32[frames, 3, image_size, image_size]", points="float32[points, 2]", point_labels="int64[points]",
    ),
    outputs=dict(
        masks="float32[frames, image_size/4, image_size/4]", iou="float32[frames]", object_score="float32[frames]",
        all_masks="float32[frames, num_masks+1, image_size/4, image_size/4]", all_iou="float32[frames, num_masks+1]",
    ),
    params={
        "sam2": 38_962_498, "sam2-s": 46_060_354, "sam2-b-plus": 80_850_178, "sam2-l": 224_446_642,
    },
    mini=dict(
        image_size=64, embed_dim=16, depths=(1, 1, 2, 1), window_sizes=(4, 4, 4, 2), global_blocks=(3,),
        background_size=4, features=64, decoder_heads=4, ffn_size=128, memory_depth=1, memory_features=32, dropout=0.0,
        layer_scale=1.0,
    ),
    parts=dict(hiera=("image_encoder.",)),
    recipe=dict(epochs=5, schedule="one-cycle", lr=0.002, batch_size=8, clip_norm=1.0),
    reference="transformers",
)
# fmt: on
