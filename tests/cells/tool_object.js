text(Object.keys(tools)); text('echo' in tools); text('nope' in tools); text(tools.echo === tools.echo); text(tools.echo.name); text(typeof tools.then); text(String(tools[Symbol.iterator]));
try { tools.mine = 1; } catch (e) { text(e.name); }
try { delete tools.echo; } catch (e) { text(e.name); }
text(await (async () => tools)() === tools);
