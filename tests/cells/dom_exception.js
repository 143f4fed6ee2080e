const error = new DOMException("it was stopped", "AbortError");
text([error.name, error.message, error.code, error instanceof Error, String(error), DOMException.ABORT_ERR]);
throw error;
