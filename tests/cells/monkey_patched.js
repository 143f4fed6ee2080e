JSON.stringify = () => 'hijacked'; String.prototype.split = null; Map.prototype.get = null; Array.prototype.filter = null;
text({ a: 1 }); store('k', [1]); text(load('k')); text(await tools.echo({ b: 2 })); setTimeout(() => text('fired'), 1); await new Promise((resolve) => setTimeout(resolve, 2));
