content({ type: 'text', text: 'hello' }); content({ type: 'image', data: 'AAAA', mimeType: 'image/png' }); content({ type: 'resource', resource: { uri: 'a:b', text: 't' } }); content({ type: 'resource_link', uri: 'a:b', name: 'n' });
try { content({ type: 'nope' }); } catch (e) { text(e.message); }
try { content(); } catch (e) { text(e.name); }
