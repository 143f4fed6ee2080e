try { await import('left-pad'); } catch (e) { text(e.name + ': ' + e.message); }
