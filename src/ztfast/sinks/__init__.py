"""What is written: capture files, tables, texts; whole or not at all."""
