for (const bad of ['http://x/y.png', 'data:text/plain,hello', 5, null, undefined, {}, { type: 'image', data: '***', mimeType: 'image/png' }, 'data:image/png;base64,no spaces'])
  try { image(bad); text('accepted'); } catch (e) { text(e.name); }
image(7);
