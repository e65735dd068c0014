"""Charts of a workbook, each on a sheet of its own: beside a table a chart would shrink the printed page."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Graph:
    """A chart on a sheet of its own, drawn from another sheet's columns.

    Attributes
    ----------
    title : str
        Also the name of its sheet.
    names : str
        Range of the names along the axis.
    columns, marks : tuple of label and range
        What is drawn as columns, and as marks above them; no marks if blank.
    crowded : bool
        Whether the names are so many that they stand upright.
    measure, note : str
        Of the axis; what stands under the chart: assumptions and marks.
    """

    title: str
    names: str
    columns: tuple[str, str]
    measure: str
    note: str
    marks: tuple[str, str] | tuple[()] = ()
    crowded: bool = False


def write_graph(book: Any, graph: Graph, heading: str) -> Any:
    """A chart with its title, its measure on the axis, and the note under it."""
    font, chart = {"name": "等线", "size": 10}, book.add_chart({"type": "column"})
    labels = {"value": True, "font": font | {"size": 9}}
    chart.add_series(_series(graph, graph.columns) | {"fill": {"color": "#0072B2"}, "gap": 40, "data_labels": labels})
    if graph.marks:
        marks, colour = book.add_chart({"type": "line"}), {"color": "#D55E00"}
        marker = {"type": "diamond", "size": 7, "fill": colour, "border": colour}
        marks.add_series(_series(graph, graph.marks) | {"line": {"none": True}, "marker": marker})
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
    chart.set_legend({"position": "top", "font": font} if graph.marks else {"none": True})
    sheet = book.add_chartsheet(graph.title)
    sheet.set_chart(chart)
    sheet.set_landscape()
    sheet.set_paper(9)
    return sheet


def _series(graph: Graph, what: tuple[str, str]) -> dict[str, Any]:
    label, values = what
    return {"name": label, "categories": f"={graph.names}", "values": f"={values}"}
