for (const bad of ['http://x/y.png', 'data:text/plain,hello', 5, null, undefined, {}, { type: 'image', data: '***', mimeType: 'image/png' }, 'data:image/png;base64,no spaces'])
  try { image(bad); text('accepted'); } catch (e) { text(e.name); }
for (const mimeType of ['x'.repeat(257), 'x'.repeat(256)])
  try { image({ type: 'image', data: 'AAAA', mimeType }); text('accepted'); } catch (e) { text(e.message); }
image(7);
