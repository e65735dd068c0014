"""A programme (项目) in one workbook: its sheets described once, read, checked and turned into scenarios."""
