"""The command line: `main` declares the verbs; a verb's module is imported when it is called."""
