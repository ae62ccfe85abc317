"""Translation of dates as people write them into ISO 8601."""

from workbench.tasks.translation import Translation

TASK = Translation(data="dates", title="write dates in ISO 8601")
