"""What is computed: files, arrays and records in; arrays, bytes and records out."""
