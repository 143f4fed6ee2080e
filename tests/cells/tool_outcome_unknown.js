try { await tools.fail("unknown"); } catch (e) {
  text([e instanceof OutcomeUnknownError, e instanceof ToolError, e.name, e.code, e.tool, e.callId, e.retryable]);
  text(e);
  text([OutcomeUnknownError.name, e.constructor === OutcomeUnknownError]);
}
try { await tools.fail(); } catch (e) {
  text([e instanceof OutcomeUnknownError, "callId" in e]);
}
await tools.fail("unknown");
