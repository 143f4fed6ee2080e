enum A { B, C = f((B: number) => B) }
