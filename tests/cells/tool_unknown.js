try { tools.ordres__list_orders(); } catch (e) { text(e.name + ': ' + e.message); }
try { tools.list_orders(); } catch (e) { text(e.message); }
tools.xyzzy();
