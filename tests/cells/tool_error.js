try { await tools.fail({ why: 'because' }); } catch (e) {
  text([e instanceof ToolError, e instanceof Error, e.name, e.message, e.tool, e.code, e.retryable, e.data]);
}
