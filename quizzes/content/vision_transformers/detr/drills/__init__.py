"""DETR: drills."""
