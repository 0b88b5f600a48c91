"""Items of a split and their categories, from the table of kind `mmlu-items`. Does not know texts."""

from pathlib import Path

import pyarrow
import pyarrow.parquet

from errors import UserError

HINT = "name the output `table` of a stage of kind mmlu-items"


def categories(path: Path, split: str) -> dict[int, str]:
    """Categories by item, in the order of the table."""
    try:
        table = pyarrow.parquet.read_table(path, columns=["item", "split", "category"])
    except (OSError, pyarrow.ArrowException) as error:
        raise UserError(f"{path}: {error}", HINT) from error
    missing = {"item", "split", "category"} - set(table.column_names)
    if missing:
        raise UserError(f"{path}: there is no column `{sorted(missing)[0]}`", HINT)
    columns = (table.column(name).to_pylist() for name in ("item", "split", "category"))
    found = {item: category for item, of, category in zip(*columns, strict=True) if of == split}
    if not found:
        raise UserError(f"{path}: it has no item of the split `{split}`", HINT)
    return found
