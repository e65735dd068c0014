"""Charts of a workbook, each on a sheet of its own: beside a table a chart would shrink the printed page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Graph:
    """A chart on a sheet of its own, drawn from another sheet's columns.

    Attributes
    ----------
    title : str
        Also the name of its sheet.
    kind : str
        Of xlsxwriter: column, bar.
    names : str
        Range of the names along the axis.
    series : mapping of label to range
    lines : mapping of label to range
        Series drawn as marks above the others.
    crowded : bool
        Whether the names are so many that they stand upright.
    measure, note : str
        Of the axis; what stands under the chart: assumptions and marks.
    """

    title: str
    kind: str
    names: str
    series: Mapping[str, str]
    measure: str
    note: str
    lines: Mapping[str, str] = field(default_factory=dict)
    crowded: bool = False


def write_graph(book: Any, graph: Graph, heading: str) -> Any:
    """A chart with its title, its measure on the axis, and the note under it."""
    font, colours = {"name": "等线", "size": 10}, iter(("#0072B2", "#D55E00", "#009E73", "#CC79A7"))
    chart = book.add_chart({"type": graph.kind})
    for label, values in graph.series.items():
        chart.add_series(
            {"name": label, "categories": f"={graph.names}", "values": f"={values}", "fill": {"color": next(colours)},
             "gap": 40, "data_labels": {"value": True, "font": font | {"size": 9}}}
        )  # fmt: skip
    if graph.lines:
        marks = book.add_chart({"type": "line"})
        for label, values in graph.lines.items():
            colour = {"color": next(colours)}
            marker = {"type": "diamond", "size": 7, "fill": colour, "border": colour}
            marks.add_series({"name": label, "categories": f"={graph.names}", "values": f"={values}",
                              "line": {"none": True}, "marker": marker})  # fmt: skip
        chart.combine(marks)
    title = f"{heading}　{graph.title}".replace("!", "！")  # xlsxwriter takes 甲!B2 for a cell
    chart.set_title({"name": title, "name_font": font | {"size": 14}, "overlay": False})
    chart.set_x_axis(
        {
            "name": graph.note,
            "name_font": font | {"size": 9, "bold": False},
            "num_font": font | ({"rotation": -90} if graph.crowded else {}),
            "interval_unit": 1,
        }
    )
    chart.set_y_axis(
        {"name": graph.measure, "name_font": font, "num_font": font, "num_format": "#,##0", "min": 0,
         "major_gridlines": {"visible": True, "line": {"color": "#E0E0E0"}}}
    )  # fmt: skip
    chart.set_legend({"position": "top", "font": font} if len(graph.series) + len(graph.lines) > 1 else {"none": True})
    sheet = book.add_chartsheet(graph.title)
    sheet.set_chart(chart)
    sheet.set_landscape()
    sheet.set_paper(9)
    return sheet
