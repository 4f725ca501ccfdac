"""Pictures side by side: a contact sheet, and a page with a slider."""
