"""What is on the pages, and what their controls do."""
