"""A programme's workbook edited as a user would: cells found by the words of their header and the keys of their row."""

import openpyxl


def header_of(sheet):
    """The row of the header and the columns by the text that their headers begin with."""
    for row in sheet.iter_rows(max_row=12):
        if sum(cell.value is not None for cell in row) > 1 and row[0].row > 1:
            return row[0].row, {str(cell.value): cell.column for cell in row if cell.value is not None}
    raise AssertionError(sheet.title)


def column_of(sheet, word):
    """The column whose header begins with a word."""
    return next(place for text, place in header_of(sheet)[1].items() if text.startswith(word))


def cell_of(sheet, keys, word):
    """The cell of the first row with these keys, in the column headed by a word."""
    for number in range(header_of(sheet)[0] + 1, sheet.max_row + 1):
        if all(sheet.cell(number, column_of(sheet, k)).value == value for k, value in keys.items()):
            return sheet.cell(number, column_of(sheet, word))
    raise AssertionError((sheet.title, keys))


def add(sheet, values):
    """A row below the last one that has a value, by the words of the headers."""
    rows = range(header_of(sheet)[0], sheet.max_row + 2)
    last = max(n for n in rows if any(cell.value is not None for cell in sheet[n]))
    for word, value in values.items():
        sheet.cell(last + 1, column_of(sheet, word), value)
    return last + 1


def edited(path, change, copy=None):
    """The workbook with a change made to it: a function of the open book."""
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(copy or path)
    return copy or path
