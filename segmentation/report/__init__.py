"""Reports: one HTML file that shows images, what was found in them, and how, and prints well."""
