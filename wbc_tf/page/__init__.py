"""The page in the browser. `photos`, `videos` and what they need know nothing of Gradio."""
