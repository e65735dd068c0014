"""What leaves the package: tables, figures, workbook, notebooks run and pages."""
