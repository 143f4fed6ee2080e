throw new Error("half \ud800 pair");
