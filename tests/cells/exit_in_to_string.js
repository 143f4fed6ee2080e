try { text(`${{ toString() { exit(); } }}`); } catch { text("caught"); } finally { text("finally"); }
