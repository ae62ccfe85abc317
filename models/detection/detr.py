"""DETR: Carion, Massa, Synnaeve, Usunier, Kirillov, Zagoruyko, End-to-end object detection with transformers (2020).

Detectors before it output thousands of boxes, most of them around the same few objects, and suppressed the rest. DETR
outputs a set: a transformer turns 100 learned queries into 100 predictions, each an object or "no object", and the loss
matches every object with exactly one of them. As the queries attend to each other, no two detect the same object: there
are no anchors, no proposals and no non-maximum suppression.

For an image of 3x800x1066; the transformer has 256 features, 8 heads and 2048 hidden units:

    layer          output                                                              parameters
    backbone       2048x25x34     resnet50, with frozen batch norm                     23,454,912
    input_proj     256x25x34      1x1 convolution; the map is a sequence of 850           524,544
    encoder        850x256        6 layers of self-attention and a small network       17,363,456 with the decoder
    query_embed    100x256        a learned vector per query                               25,600
    decoder        100x256        6 layers: self-attention of the queries, attention to the encoder's outputs
    class_embed    100x92         a dense layer: logits of 91 classes and "no object"      23,644
    bbox_embed     100x4          three dense layers and a sigmoid: center and size       132,612
                                                                                total  41,524,768

Classes are COCO's numbers, of which 11 of the 91 are unused. conv1 and layer1 of the backbone are not trained, nor are
the norms, which leaves the paper's 41.3 million parameters; the learning rate of the backbone is a tenth of the others.

    positions     sines and cosines of row and column, added to queries and keys, not to values, in every layer of the
                  encoder, and to the keys of the decoder's attention to it; those of the queries are `query_embed`
    the decoder   starts from zeros; its final norm is applied to the outputs of each layer
    cost          of a query for an object: -p(class) + 5 |box - object|_1 - 2 GIoU; the matching with the smallest sum
    classes       cross-entropy of all queries, in which "no object" has a weight of 0.1
    boxes         of matched queries: 5 times the L1 distance and 2 times 1 - GIoU, per object of the batch
    auxiliary     the same losses for each earlier layer of the decoder, with a matching of its own

where boxes are center x, center y, width and height relative to the image. Layers have their norms after the sums, and
dropout on the output of each sublayer, as transformers' DetrForObjectDetection; the authors' code also drops attention
weights and hidden units. State-dict keys are the authors', without `transformer.` and with `backbone.` in place of
`backbone.0.body.`. All images of a batch have one size, so no mask of padding is needed.
"""

import re
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.detection.detr_mask_head import AttentionMaps, MaskHead, mask_losses
from models.layers.boxes import Detections, convert_to_centers, convert_to_corners, giou
from models.layers.dot_product_attention import recorded_attention
from models.layers.matching import match
from models.layers.positions import encode_positions
from models.transformers.transformer import Layer, MultiHeadAttention, Stack
from models.vision.resnet import ResNet
from workbench.errors import UserError

QUERY_AND_KEY, VALUE = slice(0, 2), slice(2, 3)  # parts of an attention's projection
QUERY, KEY = slice(0, 1), slice(1, 2)
CLASS_COST, L1_COST, GIOU_COST = 1.0, 5.0, 2.0  # of the matching
L1_WEIGHT, GIOU_WEIGHT = 5.0, 2.0  # of the loss

# Names in the state dict of transformers, of its version 5 and of its published files, and of the authors -> our names.
RENAMED = (
    (r"^(detr\.)?model\.", ""),
    (r"^detr\.", ""),
    (r"^transformer\.", ""),
    (r"^backbone\.(model|conv_encoder\.model|0\.body)\.", "backbone."),
    (r"^input_projection\.", "input_proj."),
    (r"^query_position_embeddings\.", "query_embed."),
    (r"^class_labels_classifier\.", "class_embed."),
    (r"^bbox_predictor\.", "bbox_embed."),
    (r"^decoder\.layernorm\.", "decoder.norm."),
    (r"\.self_attn_layer_norm\.", ".norm1."),
    (r"^(encoder\.layers\.\d+)\.final_layer_norm\.", r"\1.norm2."),
    (r"\.encoder_attn_layer_norm\.", ".norm2."),
    (r"^(decoder\.layers\.\d+)\.final_layer_norm\.", r"\1.norm3."),
    (r"\.encoder_attn\.", ".multihead_attn."),
    (r"\.(mlp\.)?fc([12])\.", r".linear\2."),
    (r"_attn\.o_proj\.", "_attn.out_proj."),
)


class EncoderLayer(Layer):
    """Self-attention over the map, then the small network."""

    def forward(self, x: Tensor, positions: Tensor) -> Tensor:
        """Return the outputs for a map (N, h*w, hidden_size), whose positions are (h*w, hidden_size)."""
        query, key = self.self_attn.project(x + positions, QUERY_AND_KEY)
        (value,) = self.self_attn.project(x, VALUE)
        x = self.after(x, self.self_attn(query, key, value, None, is_causal=False), self.norm1)
        return self.feed_forward(x, self.norm2)


class DecoderLayer(Layer):
    """Self-attention of the queries, attention to the encoder's outputs, then the small network."""

    def __init__(self, hidden_size: int, num_heads: int, ffn_size: int, dropout: float, norm_first: bool, bias: bool):
        super().__init__(hidden_size, num_heads, ffn_size, dropout, norm_first, bias)
        self.multihead_attn = MultiHeadAttention(hidden_size, num_heads, bias)
        self.norm3 = nn.LayerNorm(hidden_size)

    def forward(self, y: Tensor, queries: Tensor, memory: Tensor, positions: Tensor) -> Tensor:
        """Return the outputs (N, num_queries, hidden_size).

        Args:
            y: The outputs of the layer before, (N, num_queries, hidden_size).
            queries: The learned vectors of the queries, (num_queries, hidden_size).
            memory: The encoder's outputs, (N, h*w, hidden_size).
            positions: Their positions, (h*w, hidden_size).
        """
        query, key = self.self_attn.project(y + queries, QUERY_AND_KEY)
        (value,) = self.self_attn.project(y, VALUE)
        y = self.after(y, self.self_attn(query, key, value, None, is_causal=False), self.norm1)
        (query,) = self.multihead_attn.project(y + queries, QUERY)
        (key,) = self.multihead_attn.project(memory + positions, KEY)
        (value,) = self.multihead_attn.project(memory, VALUE)
        y = self.after(y, self.multihead_attn(query, key, value, None, is_causal=False), self.norm2)
        return self.feed_forward(y, self.norm3)


class BoxHead(nn.Module):
    """Three dense layers, which turn the features of a query into its box."""

    def __init__(self, hidden_size: int):
        super().__init__()
        sizes = [hidden_size] * 3
        self.layers = nn.ModuleList(nn.Linear(hidden_size, size) for size in (*sizes[1:], 4))

    def forward(self, x: Tensor) -> Tensor:
        """Return center x, center y, width and height (..., 4) from 0 to 1, relative to the image."""
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        box: Tensor = self.layers[-1](x).sigmoid()
        return box


class DETR(nn.Module):
    """A ResNet, a transformer over its last map, and a class and a box for each query.

    Args:
        block: `basic` or `bottleneck`, of the ResNet.
        layers: Number of blocks in each of its four layers.
        channels: Channels of its conv1.
        last_layer: The number of the layer whose map is read; those after it are left out. The map of layer4 has a
            thirty-second of the image's height and width, that of layer3 a sixteenth.
        frozen: Whether conv1, layer1 and all batch norms of the ResNet stay as they were pre-trained.
        hidden_size: Features of a position and of a query.
        encoder_layers: The number of layers of the encoder.
        decoder_layers: The number of layers of the decoder.
        num_heads: Heads of each attention, which divide the features.
        ffn_size: Hidden units of the small networks.
        dropout: Probability of dropping a feature of a sublayer's output in training.
        num_queries: The number of predictions, at least that of the objects of an image.
        num_classes: Number of classes, without "no object".
        no_object_weight: The weight of "no object" in the cross-entropy.
        auxiliary_loss: Whether the earlier layers of the decoder have losses, too.
        temperature: The ratio of the longest to the shortest wave of the positions' encodings, t.
        mask_head: Whether each query also predicts a mask, by the head of `models/detection/detr_mask_head.py`.
        image_height: Height of the images.
        image_width: Width of the images. Images of another size are read as well.
    """

    def __init__(
        self,
        block: str = "bottleneck",
        layers: Sequence[int] = (3, 4, 6, 3),
        channels: int = 64,
        last_layer: int = 4,
        frozen: bool = True,
        hidden_size: int = 256,
        encoder_layers: int = 6,
        decoder_layers: int = 6,
        num_heads: int = 8,
        ffn_size: int = 2048,
        dropout: float = 0.1,
        num_queries: int = 100,
        num_classes: int = 91,
        no_object_weight: float = 0.1,
        auxiliary_loss: bool = True,
        temperature: float = 10_000.0,
        mask_head: bool = False,
        image_height: int = 800,
        image_width: int = 1066,
    ):
        super().__init__()
        if min(encoder_layers, decoder_layers, num_queries, num_classes, num_heads) < 1:
            raise ValueError("the numbers of layers, heads, queries and classes must be 1 or more")
        if hidden_size % 4 or hidden_size % num_heads:
            raise ValueError(f"hidden_size must be a multiple of 4 and of num_heads, {num_heads}, not {hidden_size}")
        if last_layer not in range(1, 5):
            raise ValueError(f"last_layer must be 1 to 4, not {last_layer}")
        self.input_shape = (3, image_height, image_width)
        self.num_classes, self.last_layer = num_classes, last_layer
        self.no_object_weight, self.auxiliary_loss = no_object_weight, auxiliary_loss
        self.temperature, self.has_masks = temperature, mask_head
        self.backbone = build_backbone(block, layers, channels, last_layer, frozen)
        self.input_proj = nn.Conv2d(self.backbone.feature_channels[last_layer - 1], hidden_size, 1)
        options = (hidden_size, num_heads, ffn_size, dropout, False, True)
        self.encoder = Stack([EncoderLayer(*options) for _ in range(encoder_layers)], hidden_size, final_norm=False)
        self.decoder = Stack([DecoderLayer(*options) for _ in range(decoder_layers)], hidden_size, final_norm=True)
        self.query_embed = nn.Embedding(num_queries, hidden_size)
        self.class_embed = nn.Linear(hidden_size, num_classes + 1)
        self.bbox_embed = BoxHead(hidden_size)
        if mask_head:
            self.bbox_attention = AttentionMaps(hidden_size, num_heads)
            self.mask_head = MaskHead(hidden_size, num_heads, self.backbone.feature_channels[: last_layer - 1][::-1])
        for stack in (self.encoder, self.decoder):
            for weight in stack.parameters():
                if weight.dim() > 1:
                    nn.init.xavier_uniform_(weight)

    def encode(self, x: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """Return what the decoder reads of images (N, 3, height, width).

        Returns:
            The maps of the backbone, of which the last one is projected to hidden_size channels; the encoder's outputs
            (N, h*w, hidden_size); and their positions (h*w, hidden_size).
        """
        *maps, last = self.backbone.features(x)[: self.last_layer]
        projected = self.input_proj(last)
        positions = encode_positions(projected, self.temperature)
        memory = projected.flatten(2).transpose(1, 2)
        for layer in self.encoder.layers:
            memory = layer(memory, positions)
        return [*maps, projected], memory, positions

    def decode(self, memory: Tensor, positions: Tensor) -> Tensor:
        """Return the features of all queries after each layer of the decoder (N, layers, num_queries, hidden_size)."""
        queries = self.query_embed.weight
        y = torch.zeros_like(queries).expand(len(memory), -1, -1)
        outputs = []
        for layer in self.decoder.layers:
            y = layer(y, queries, memory, positions)
            outputs.append(self.decoder.norm(y))
        return torch.stack(outputs, dim=1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return what each query predicts for images (N, 3, height, width).

        Returns:
            `logits` (N, num_queries, num_classes + 1), those of "no object" last, and `boxes` (N, num_queries, 4):
            center x, center y, width and height, relative to the image. With auxiliary losses, also those of the
            decoder's earlier layers, `auxiliary_logits` and `auxiliary_boxes` (N, layers - 1, num_queries, ...). With a
            mask head, `masks` (N, num_queries, height/4, width/4), logits.
        """
        maps, memory, positions = self.encode(x)
        features = self.decode(memory, positions)
        outputs = self.predict(features)
        if self.has_masks:
            *earlier, projected = maps
            attention = self.bbox_attention(features[:, -1], memory).unflatten(3, projected.shape[2:])
            outputs["masks"] = self.mask_head(projected, attention, earlier[::-1])
        return outputs

    def attend(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the predictions as `forward` does, and where in the map the queries look for them.

        Returns:
            The predictions; and for each layer of the decoder the weights (N, num_heads, num_queries, h, w), whose sum
            over the map is 1, by the name of the module.
        """
        maps, memory, positions = self.encode(x)
        with recorded_attention(self.decoder) as weights:
            outputs = self.predict(self.decode(memory, positions))
        cross = {name: own for name, own in weights.items() if "multihead_attn" in name}
        return outputs, {name: own.unflatten(3, maps[-1].shape[2:]) for name, own in cross.items()}

    def predict(self, features: Tensor) -> dict[str, Tensor]:
        """Return the predictions for the features of all queries (N, decoder_layers, num_queries, hidden_size)."""
        if not self.auxiliary_loss:
            features = features[:, -1:]
        logits, boxes = self.class_embed(features), self.bbox_embed(features)
        outputs = {"logits": logits[:, -1], "boxes": boxes[:, -1]}
        earlier = {"auxiliary_logits": logits[:, :-1], "auxiliary_boxes": boxes[:, :-1]}
        return outputs | earlier if self.auxiliary_loss else outputs

    def to_targets(self, boxes: Tensor) -> Tensor:
        """Return centers and sizes, relative to the image, of corners in pixels (N, M, 4)."""
        _, height, width = self.input_shape
        return convert_to_centers(boxes.float() / boxes.new_tensor([width, height, width, height]).float())

    def assign(self, outputs: Mapping[str, Tensor], boxes: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """Return the query of each object (N, M), -1 where there is none, with the arguments of `losses`."""
        return self.match(outputs["logits"].float(), outputs["boxes"].float(), self.to_targets(boxes), labels, mask)

    @torch.no_grad()
    def match(self, logits: Tensor, boxes: Tensor, targets: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """Return the number of the query that is matched with each object (N, M); -1 where there is no object.

        Args:
            logits: (N, num_queries, num_classes + 1).
            boxes: Centers and sizes, relative to the image, (N, num_queries, 4).
            targets: Those of the objects, (N, M, 4).
            labels: Classes, (N, M).
            mask: Whether there is such an object, (N, M).

        Raises:
            UserError: If an image has more objects than there are queries.
        """
        classes = labels.where(mask, 0)[:, None].expand(-1, logits.shape[1], -1)
        probability = logits.softmax(dim=-1).gather(2, classes)
        distance = (boxes[:, :, None] - targets[:, None]).abs().sum(dim=-1)
        overlap = giou(convert_to_corners(boxes)[:, :, None], convert_to_corners(targets)[:, None])
        cost = L1_COST * distance - CLASS_COST * probability - GIOU_COST * overlap
        # With any finite numbers in place of NaN, a run that diverges ends by its loss, which is NaN.
        cost = torch.nan_to_num(cost.double(), nan=1e6, posinf=1e6, neginf=1e6).cpu()
        matched = torch.full(mask.shape, -1)
        for image, is_object in enumerate(mask.cpu()):
            (objects,) = is_object.nonzero(as_tuple=True)
            if len(objects) > logits.shape[1]:
                raise UserError(
                    f"An image has {len(objects)} objects, but the network has {logits.shape[1]} queries. Set "
                    f"num_queries to {len(objects)} or more."
                )
            queries, columns = match(cost[image][:, objects])
            matched[image, objects[columns]] = queries
        return matched.to(mask.device)

    def losses(
        self,
        outputs: Mapping[str, Tensor],
        boxes: Tensor,
        labels: Tensor,
        mask: Tensor,
        object_masks: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return the terms of the set loss, already weighted; the loss is their sum.

        Args:
            outputs: What `forward` returned.
            boxes: Corners in pixels, (N, M, 4).
            labels: Classes, (N, M).
            mask: Whether there is such an object, (N, M).
            object_masks: The objects' masks (N, M, height, width), which the mask head learns; None for no such losses.
        """
        targets = self.to_targets(boxes)
        terms = self.set_loss(outputs["logits"], outputs["boxes"], targets, labels, mask)
        if object_masks is not None:
            queries = self.assign(outputs, boxes, labels, mask)[mask]
            terms |= mask_losses(outputs["masks"][_images(mask), queries], object_masks[mask])
        if "auxiliary_logits" in outputs:
            layers = zip(outputs["auxiliary_logits"].unbind(1), outputs["auxiliary_boxes"].unbind(1), strict=True)
            earlier = [
                term
                for logits, predicted in layers
                for term in self.set_loss(logits, predicted, targets, labels, mask).values()
            ]
            terms["auxiliary"] = torch.stack(earlier).sum()
        return terms

    def set_loss(
        self, logits: Tensor, boxes: Tensor, targets: Tensor, labels: Tensor, mask: Tensor
    ) -> dict[str, Tensor]:
        """Return the terms of one layer's loss, with the arguments of `match`."""
        logits, boxes = logits.float(), boxes.float()
        matched = self.match(logits, boxes, targets, labels, mask)
        images, queries = _images(mask), matched[mask]
        classes = torch.full(logits.shape[:2], self.num_classes, device=logits.device)
        classes[images, queries] = labels[mask]
        weights = logits.new_ones(self.num_classes + 1)
        weights[-1] = self.no_object_weight
        predicted, objects = boxes[images, queries], targets[mask]
        overlap = giou(convert_to_corners(predicted), convert_to_corners(objects))
        count = max(1, len(objects))  # of the objects of the batch
        return {
            "classes": F.cross_entropy(logits.flatten(0, 1), classes.flatten(), weights),
            "l1": L1_WEIGHT * (predicted - objects).abs().sum() / count,
            "giou": GIOU_WEIGHT * (1 - overlap).sum() / count,
        }

    def detect(self, outputs: Mapping[str, Tensor], score_threshold: float = 0.05) -> list[Detections]:
        """Return the detections of each image: of each query its most probable class, without any suppression.

        Args:
            outputs: What `forward` returned.
            score_threshold: Smallest probability of a class. A low one is for average precision.
        """
        _, height, width = self.input_shape
        size = outputs["boxes"].new_tensor([width, height, width, height]).float()
        corners = (convert_to_corners(outputs["boxes"].float()).clamp(0, 1)) * size
        scores, labels = outputs["logits"].float().softmax(dim=-1)[..., :-1].max(dim=-1)
        detections = []
        for image in zip(corners, scores, labels, strict=True):
            order = image[1].argsort(descending=True)
            order = order[image[1][order] >= score_threshold]
            detections.append(Detections(*(values[order] for values in image)))
        return detections

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of transformers' DETR, DetrForObjectDetection or with masks DetrForSegmentation.

        Those of the authors' network without masks are loaded as well.
        """
        renamed: dict[str, Tensor] = {}
        for name, tensor in state_dict.items():
            for pattern, replacement in RENAMED:
                name = re.sub(pattern, replacement, name)
            renamed[name] = tensor
        for name in [name for name in renamed if "_attn.q_proj." in name]:
            each = [renamed.pop(name.replace(".q_proj.", f".{letter}_proj.")) for letter in "qkv"]
            renamed[name.replace(".q_proj.", ".in_proj_")] = torch.cat(each)
        self.load_state_dict(renamed)


def _images(mask: Tensor) -> Tensor:
    """Return the number of the image of each object of a mask (N, M)."""
    return mask.nonzero()[:, 0]


def build_backbone(block: str, layers: Sequence[int], channels: int, last_layer: int, frozen: bool) -> ResNet:
    """Return a ResNet up to one of its layers; frozen, its norms, conv1 and layer1 stay as they are."""
    from torchvision.ops import FrozenBatchNorm2d  # here, because torchvision takes long to import

    backbone = ResNet(block, layers, channels, norm_layer=FrozenBatchNorm2d if frozen else "batch")
    del backbone.avgpool, backbone.fc
    for k in range(last_layer + 1, 5):
        setattr(backbone, f"layer{k}", nn.Identity())
    if frozen:
        for module in (backbone.conv1, backbone.layer1):
            module.requires_grad_(False)
    return backbone


# fmt: off
FAMILIES = dict(detr=dict(
    family="detr",
    year=2020,
    paper="arXiv:2005.12872",
    topic="detr",
    task="shape-scenes",
    contribution=(
        "Detection as the prediction of a set: a transformer turns learned queries into objects, and a loss matches "
        "each object with one query, so that neither anchors nor non-maximum suppression are needed."
    ),
    builds_on=("transformer", "resnet", "faster-rcnn"),
    network="DETR",
    names={"detr": dict()},
    inputs=dict(image="float32[3, image_height, image_width]"),
    outputs=dict(logits="float32[num_queries, num_classes+1]", boxes="float32[num_queries, 4]"),
    alternatives=dict(auxiliary_loss=dict(
        inputs=dict(image="float32[3, image_height, image_width]"),
        outputs=dict(
            logits="float32[num_queries, num_classes+1]",
            boxes="float32[num_queries, 4]",
            auxiliary_logits="float32[earlier_layers, num_queries, num_classes+1]",
            auxiliary_boxes="float32[earlier_layers, num_queries, 4]",
        ),
    )),
    detector=True,
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("backbone.",), detector=(
        "backbone.", "input_proj.", "encoder.", "decoder.", "query_embed.", "class_embed.", "bbox_embed.",
    )),
    params={"detr": 41_524_768},
    mini=dict(
        block="basic",
        layers=(1, 1, 1, 1),
        channels=16,
        last_layer=2,
        frozen=False,
        hidden_size=64,
        encoder_layers=1,
        decoder_layers=3,
        num_heads=8,
        ffn_size=128,
        dropout=0.0,
        num_queries=8,
        temperature=20.0,
        num_classes=4,
        image_height=64,
        image_width=64,
    ),
    recipe=dict(epochs=5, batch_size=16, schedule="one-cycle", lr=0.002, clip_norm=0.5),
    reference="transformers",
), masks=dict(
    family="detr-mask-head",
    year=2020,
    paper="arXiv:2005.12872",
    topic="detr",
    task="shape-masks",
    contribution=(
        "A mask for each query of DETR: where it attends in the coarse map, brought to a quarter of the image's size "
        "by convolutions and the backbone's earlier maps."
    ),
    builds_on=("detr",),
    network="DETR",
    names={"detr-mask-head": dict(num_classes=250, mask_head=True)},
    inputs=dict(image="float32[3, image_height, image_width]"),
    outputs=dict(
        logits="float32[num_queries, num_classes+1]",
        boxes="float32[num_queries, 4]",
        auxiliary_logits="float32[earlier_layers, num_queries, num_classes+1]",
        auxiliary_boxes="float32[earlier_layers, num_queries, 4]",
        masks="float32[num_queries, image_height/4, mask_width]",
    ),
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("backbone.",), detector=(
        "backbone.", "input_proj.", "encoder.", "decoder.", "query_embed.", "class_embed.", "bbox_embed.",
    )),
    params={"detr-mask-head": 42_899_288},
    mini=dict(
        block="basic",
        layers=(1, 1, 1, 1),
        channels=16,
        last_layer=2,
        frozen=False,
        hidden_size=64,
        encoder_layers=1,
        decoder_layers=3,
        num_heads=8,
        ffn_size=128,
        dropout=0.0,
        num_queries=8,
        temperature=20.0,
        num_classes=4,
        image_height=64,
        image_width=64,
    ),
    recipe=dict(epochs=4, batch_size=16, schedule="one-cycle", lr=0.002, clip_norm=0.5),
    reference="transformers",
))
# fmt: on
